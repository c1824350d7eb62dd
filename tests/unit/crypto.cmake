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
  LINKS wattle_ipsec_mb)
wattle_test(proto_test
  SOURCES
    unit/common/proto/acceptance_test.cpp
    unit/common/proto/credential_test.cpp
    unit/common/proto/enrolment_test.cpp
    unit/common/proto/genesis_test.cpp
    unit/common/proto/invite_test.cpp
    unit/common/proto/line_test.cpp
    unit/common/proto/network_document_test.cpp
    unit/common/proto/node_address_test.cpp
    unit/common/proto/origin_record_test.cpp
    unit/common/proto/prefix_bits_test.cpp
    unit/common/proto/record_vectors_test.cpp
    unit/common/proto/trust_chain_test.cpp
  LINKS wattle_proto nlohmann_json::nlohmann_json)
add_test(NAME vectors.pkik_second_implementation
  COMMAND python3 ${CMAKE_SOURCE_DIR}/tests/vectors/pkik.py --check)
wattle_test(crypto_key_heap_test
  SOURCES unit/common/crypto/key_heap_test.cpp
  LINKS wattle_crypto)
