wattle_test(net_test
  SOURCES unit/common/net/endpoint_test.cpp unit/common/net/ip_address_test.cpp
  LINKS wattle_net)
wattle_test(crypto_test
  SOURCES
    unit/common/crypto/aead_test.cpp
    unit/common/crypto/certificate_profile_test.cpp
    unit/common/crypto/certificate_test.cpp
    unit/common/crypto/csr_test.cpp
    unit/common/crypto/digest_test.cpp
    unit/common/crypto/init_test.cpp
    unit/common/crypto/p256_test.cpp
  LINKS wattle_crypto)
