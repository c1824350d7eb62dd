#include <algorithm>
#include <ctime>  // pure-exception: time_t, the type OpenSSL wants; no clock is read
#include <vector>

#include "common/base/mutant.h"
#include "common/crypto/certificate_parts.h"

namespace wattle::crypto {
namespace {

using Extension = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>>;

struct FreeBlocks {
  void operator()(IPAddrBlocks* blocks) const {
    sk_IPAddressFamily_pop_free(blocks, IPAddressFamily_free);
  }
};
using Blocks = std::unique_ptr<IPAddrBlocks, FreeBlocks>;

// SubjectPublicKeyInfo of a named, uncompressed P-256 key up to the point (RFC 5480).
constexpr ByteArray<26> kSpkiHead = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                     0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                     0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

template <auto kRead, auto kFree>
auto read_der(ByteView der) {
  algorithms();
  const std::uint8_t* at = der.data();
  auto* raw = der.empty() || der.size() > kMaxDer
                  ? nullptr
                  : kRead(nullptr, &at, static_cast<long>(der.size()));
  if (raw != nullptr && at != der.data() + der.size()) {
    kFree(raw);
    raw = nullptr;
  }
  drop_errors();
  return raw;
}

template <auto kWrite, typename T>
Bytes write_der(T* object) {
  std::uint8_t* raw = nullptr;
  const int size = kWrite(object, &raw);
  must(size > 0, "encoding DER");
  Bytes out(raw, raw + size);
  OPENSSL_free(raw);
  return out;
}

unsigned afi_of(const IpPrefix& prefix) {
  return prefix.address.is_v4() ? IANA_AFI_IPV4 : IANA_AFI_IPV6;
}

void add_block(IPAddrBlocks* blocks, const IpPrefix& prefix) {
  IpPrefix network = prefix.network();
  must(X509v3_addr_add_prefix(blocks, afi_of(prefix), nullptr, network.address.bytes.data(),
                              prefix.length) == 1,
       "X509v3_addr_add_prefix");
}

Result<IpPrefix> read_block(const IPAddressFamily* family) {
  const unsigned afi = X509v3_addr_get_afi(family);
  if (family->addressFamily->length != 2 || (afi != IANA_AFI_IPV4 && afi != IANA_AFI_IPV6))
    return Errc::BadValue;
  const IPAddressChoice* choice = family->ipAddressChoice;
  if (choice->type != IPAddressChoice_addressesOrRanges ||
      sk_IPAddressOrRange_num(choice->u.addressesOrRanges) != 1)
    return Errc::BadValue;
  const IPAddressOrRange* item = sk_IPAddressOrRange_value(choice->u.addressesOrRanges, 0);
  if (item->type != IPAddressOrRange_addressPrefix) return Errc::BadValue;
  const ASN1_BIT_STRING* bits = item->u.addressPrefix;
  IpPrefix out;
  out.address.family = afi == IANA_AFI_IPV4 ? 4 : 6;
  const std::size_t size = static_cast<std::size_t>(bits->length);
  const std::size_t unused = (bits->flags & ASN1_STRING_FLAG_BITS_LEFT) != 0 ? bits->flags & 7u : 0;
  if (size > out.address.size() || (size == 0 && unused != 0)) return Errc::BadValue;
  for (std::size_t i = 0; i < size; ++i) out.address.bytes[i] = bits->data[i];
  out.length = static_cast<std::uint8_t>(size * 8 - unused);
  if (out != out.network()) return Errc::BadValue;
  return out;
}

}  // namespace

X509Handle read_certificate(ByteView der) { return X509Handle(read_der<d2i_X509, X509_free>(der)); }

RequestHandle read_request(ByteView der) {
  return RequestHandle(read_der<d2i_X509_REQ, X509_REQ_free>(der));
}

Bytes to_der(X509* certificate) { return write_der<i2d_X509>(certificate); }
Bytes to_der(X509_REQ* request) { return write_der<i2d_X509_REQ>(request); }

Result<PublicKey> key_of_spki(X509_PUBKEY* spki) {
  if (spki == nullptr) return Errc::BadValue;
  const Bytes der = write_der<i2d_X509_PUBKEY>(spki);
  if (der.size() != kSpkiHead.size() + 65 || !equal(ByteView(der).first(26), kSpkiHead) ||
      der[26] != 4)
    return Errc::BadValue;
  PublicKey out{};
  out[0] = (der.back() & 1) != 0 ? 3 : 2;
  std::copy_n(der.begin() + 27, 32, out.begin() + 1);
  // The other half of the point must be the one that belongs to this x.
  const KeyHandle key = WATTLE_TRY(public_key_handle(out));
  std::uint8_t* raw = nullptr;
  const int size = i2d_PUBKEY(key.get(), &raw);
  must(size > 0, "i2d_PUBKEY");
  const bool same = equal(der, {raw, static_cast<std::size_t>(size)});
  OPENSSL_free(raw);
  if (!WATTLE_CHECKED(certificate_point, same)) return Errc::BadPoint;
  return out;
}

void set_common_name(X509_NAME* name, std::string_view text) {
  must(X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, as_bytes(text).data(),
                                  static_cast<int>(text.size()), -1, 0) == 1,
       "X509_NAME_add_entry_by_NID");
}

void set_serial(X509* certificate, std::uint64_t serial) {
  must(ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial) == 1,
       "ASN1_INTEGER_set_uint64");
}

void set_validity(X509* certificate, UnixTime from, UnixTime until) {
  const auto set = [](ASN1_TIME* field, UnixTime time) {
    must(ASN1_TIME_set(field, static_cast<std::time_t>(time.seconds)) != nullptr, "ASN1_TIME_set");
  };
  set(X509_getm_notBefore(certificate), from);
  set(X509_getm_notAfter(certificate), until);
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  must(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1,
       "X509V3_EXT_conf_nid");
}

void add_address_blocks(X509* certificate, const IpPrefix& first, const IpPrefix* second) {
  const Blocks blocks(sk_IPAddressFamily_new_null());
  must(blocks != nullptr, "sk_IPAddressFamily_new_null");
  add_block(blocks.get(), first);
  if (second != nullptr) add_block(blocks.get(), *second);
  must(X509v3_addr_canonize(blocks.get()) == 1 &&
           X509_add1_ext_i2d(certificate, NID_sbgp_ipAddrBlock, blocks.get(), 1, 0) == 1,
       "RFC 3779 blocks");
}

Result<AddressBlocks> address_blocks(X509* certificate) {
  const Blocks blocks(static_cast<IPAddrBlocks*>(
      X509_get_ext_d2i(certificate, NID_sbgp_ipAddrBlock, nullptr, nullptr)));
  if (blocks == nullptr) return Errc::NotFound;
  AddressBlocks out;
  for (int i = 0; i < sk_IPAddressFamily_num(blocks.get()); ++i) {
    const IpPrefix prefix = WATTLE_TRY(read_block(sk_IPAddressFamily_value(blocks.get(), i)));
    (prefix.address.is_v4() ? out.v4 : out.v6).push_back(prefix);
  }
  return out;
}

void sign_certificate(X509* certificate, const PrivateKey& key) {
  must(X509_sign(certificate, key.handle(), algorithms().sha256) > 0, "X509_sign");
}

}  // namespace wattle::crypto
