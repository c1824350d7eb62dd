#include <openssl/rand.h>

#include <algorithm>

#include "common/base/parse.h"
#include "common/base/reader.h"
#include "common/crypto/certificate.h"
#include "common/crypto/certificate_parts.h"
#include "common/crypto/digest.h"

namespace wattle::crypto {
namespace {

constexpr std::uint64_t kLastTime = 253402300799;  // 9999-12-31 23:59:59, the end of ASN.1 time
constexpr std::uint64_t kHttpsLife = 3650ull * 86400;
constexpr std::uint64_t kBackdate = 300;  // clocks differ (DESIGN 2)

X509Handle new_certificate() {
  algorithms();
  X509Handle out(X509_new());
  must(out != nullptr && X509_set_version(out.get(), X509_VERSION_3) == 1, "X509_new");
  return out;
}

bool is_interval(UnixTime from, UnixTime until) {
  return from < until && until.seconds <= kLastTime;
}

// re6st's CA serial: `1` and then the bits of the network's prefix, as one number.
BigNumber ca_serial(const IpPrefix& network) {
  BigNumber out(BN_new());
  must(out != nullptr && BN_one(out.get()) == 1, "BN_new");
  for (std::size_t bit = 0; bit < network.length; ++bit) {
    must(BN_lshift1(out.get(), out.get()) == 1, "BN_lshift1");
    if ((network.address.bytes[bit / 8] >> (7 - bit % 8) & 1) != 0)
      must(BN_add_word(out.get(), 1) == 1, "BN_add_word");
  }
  return out;
}

Result<void> check_member(const MemberCertificate& what) {
  const bool text = !what.common_name.empty() && what.common_name.size() <= 64 &&
                    is_node_name(what.dns_name) && what.anode_text.size() == 64 &&
                    std::all_of(what.anode_text.begin(), what.anode_text.end(), [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= '2' && c <= '7');
                    });
  if (!text) return Error(Errc::BadValue, "a member's CN, address or name has a wrong form");
  if (what.prefix6.address.is_v4() || !what.address4.address.is_v4() ||
      what.prefix6 != what.prefix6.network() || what.serial == 0)
    return Error(Errc::BadValue, "a member's address blocks or serial have a wrong form");
  if (!is_interval(what.not_before, what.not_after))
    return Error(Errc::BadValue, "a certificate's validity is empty or beyond the year 9999");
  return {};
}

}  // namespace

Result<Bytes> make_ca_certificate(const PrivateKey& ca, std::string_view network_name,
                                  const IpPrefix& network6, const IpPrefix* network4,
                                  UnixTime not_before, UnixTime not_after) {
  if (!is_network_name(network_name))
    return Error(Errc::BadValue, "a network's name is 1 to 12 of a-z and 0-9");
  if (network6.address.is_v4() || (network4 != nullptr && !network4->address.is_v4()))
    return Error(Errc::BadValue, "the network's prefixes are of the wrong address families");
  if (!is_interval(not_before, not_after))
    return Error(Errc::BadValue, "a certificate's validity is empty or beyond the year 9999");
  const X509Handle certificate = new_certificate();
  X509* const x = certificate.get();
  must(BN_to_ASN1_INTEGER(ca_serial(network6).get(), X509_get_serialNumber(x)) != nullptr,
       "BN_to_ASN1_INTEGER");
  set_common_name(X509_get_subject_name(x), "wattle " + std::string(network_name));
  must(X509_set_issuer_name(x, X509_get_subject_name(x)) == 1 &&
           X509_set_pubkey(x, ca.handle()) == 1,
       "X509_set_pubkey");
  set_validity(x, not_before, not_after);
  add_extension(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(x, x, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(x, x, NID_subject_key_identifier, "hash");
  add_address_blocks(x, network6, network4);
  sign_certificate(x, ca);
  return to_der(x);
}

Result<Bytes> issue_certificate(const PrivateKey& ca, ByteView ca_der,
                                const MemberCertificate& what, ByteView csr_der) {
  WATTLE_TRY(check_member(what));
  const PublicKey subject_key = WATTLE_TRY(check_csr(csr_der));
  const X509Handle issuer = read_certificate(ca_der);
  if (issuer == nullptr) return Error(Errc::BadSyntax, "the CA certificate cannot be read");
  const auto issuer_key = key_of_spki(X509_get_X509_PUBKEY(issuer.get()));
  if (!issuer_key || *issuer_key != ca.public_key())
    return Error(Errc::BadValue, "the CA certificate is not of the CA key");
  const KeyHandle handle = WATTLE_TRY(public_key_handle(subject_key));

  const X509Handle certificate = new_certificate();
  X509* const x = certificate.get();
  set_serial(x, what.serial);
  set_common_name(X509_get_subject_name(x), what.common_name);
  must(X509_set_issuer_name(x, X509_get_subject_name(issuer.get())) == 1 &&
           X509_set_pubkey(x, handle.get()) == 1,
       "X509_set_pubkey");
  set_validity(x, what.not_before, what.not_after);
  add_extension(x, issuer.get(), NID_basic_constraints, "critical,CA:FALSE");
  add_extension(x, issuer.get(), NID_key_usage, "critical,digitalSignature");
  add_extension(x, issuer.get(), NID_ext_key_usage, "serverAuth,clientAuth");
  add_extension(x, issuer.get(), NID_subject_key_identifier, "hash");
  add_extension(x, issuer.get(), NID_authority_key_identifier, "keyid:always");
  add_extension(x, issuer.get(), NID_subject_alt_name,
                "URI:anode:" + what.anode_text + ",DNS:" + what.dns_name);
  add_address_blocks(x, what.prefix6, &what.address4);
  sign_certificate(x, ca);
  Bytes der = to_der(x);
  WATTLE_TRY(verify_certificate(der, ca_der, what.not_before));  // nothing leaves that nobody takes
  return der;
}

Result<Bytes> make_https_certificate(const PrivateKey& key, std::string_view host, UnixTime now) {
  const auto address = IpAddress::parse(host);
  const bool name =
      !host.empty() && host.size() <= 64 && std::all_of(host.begin(), host.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '.';
      });
  if (!address && !name)
    return Error(Errc::BadValue,
                 "\"" + std::string(host) + "\" is neither a host name nor an address");
  const X509Handle certificate = new_certificate();
  X509* const x = certificate.get();
  ByteArray<8> serial{};
  must(RAND_bytes(serial.data(), static_cast<int>(serial.size())) == 1, "RAND_bytes");
  serial[0] = static_cast<std::uint8_t>((serial[0] & 0x7f) | 0x40);
  set_serial(x, Reader(serial).u64());
  set_common_name(X509_get_subject_name(x), host);
  must(X509_set_issuer_name(x, X509_get_subject_name(x)) == 1 &&
           X509_set_pubkey(x, key.handle()) == 1,
       "X509_set_pubkey");
  const std::uint64_t from = now.seconds > kBackdate ? now.seconds - kBackdate : 0;
  set_validity(x, {from}, {std::min(now.seconds + kHttpsLife, kLastTime)});
  add_extension(x, x, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(x, x, NID_key_usage, "critical,digitalSignature");
  add_extension(x, x, NID_ext_key_usage, "serverAuth");
  add_extension(x, x, NID_subject_alt_name,
                address ? "IP:" + address->text() : "DNS:" + std::string(host));
  sign_certificate(x, key);
  return to_der(x);
}

ByteArray<32> spki_hash(const PrivateKey& key) {
  std::uint8_t* raw = nullptr;
  const int size = i2d_PUBKEY(key.handle(), &raw);
  must(size > 0, "i2d_PUBKEY");
  const Hash out = sha256(ByteView(raw, static_cast<std::size_t>(size)));
  OPENSSL_free(raw);
  return out;
}

}  // namespace wattle::crypto
