// A member certificate: OpenSSL validates the chain (with RFC 3779), then our own profile.
#include <algorithm>
#include <ctime>  // pure-exception: time_t, the type OpenSSL wants; no clock is read

#include "common/base/mutant.h"
#include "common/base/parse.h"
#include "common/crypto/certificate.h"
#include "common/crypto/certificate_parts.h"

namespace wattle::crypto {
namespace {

using Store = std::unique_ptr<X509_STORE, Free<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, Free<X509_STORE_CTX_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES_free>>;
using KeyPurposes = std::unique_ptr<EXTENDED_KEY_USAGE, Free<EXTENDED_KEY_USAGE_free>>;

constexpr std::string_view kScheme = "anode:";

Error refused(const char* why) { return {Errc::BadValue, std::string("certificate: ") + why}; }

Errc kind_of(int error) {
  switch (error) {
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return Errc::Expired;
    case X509_V_ERR_UNNESTED_RESOURCE:
      return Errc::Denied;
    default:
      return Errc::BadSignature;
  }
}

Result<void> verify_chain(X509* certificate, X509* ca, UnixTime now) {
  const Store store(X509_STORE_new());
  const StoreContext context(X509_STORE_CTX_new());
  must(store != nullptr && context != nullptr && X509_STORE_add_cert(store.get(), ca) == 1 &&
           X509_STORE_CTX_init(context.get(), store.get(), certificate, nullptr) == 1,
       "X509_STORE_CTX_init");
  X509_STORE_CTX_set_flags(context.get(), X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
  X509_STORE_CTX_set_time(context.get(), 0, static_cast<std::time_t>(now.seconds));
  const bool good = X509_verify_cert(context.get()) == 1;
  const int error = X509_STORE_CTX_get_error(context.get());
  drop_errors();
  if (WATTLE_CHECKED(certificate_chain, good)) return {};
  return Error(kind_of(error), std::string("certificate: ") + X509_verify_cert_error_string(error));
}

std::string_view text_of(const ASN1_STRING* string) {
  return as_text(
      {ASN1_STRING_get0_data(string), static_cast<std::size_t>(ASN1_STRING_length(string))});
}

bool is_anode_text(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '2' && c <= '7');
         });
}

// Exactly one URI of ours and one DNS name, nothing else.
bool read_names(X509* certificate, MemberCertificate& out) {
  const Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (names == nullptr || sk_GENERAL_NAME_num(names.get()) < 2 ||
      WATTLE_CHECKED(certificate_names, sk_GENERAL_NAME_num(names.get()) != 2))
    return false;
  for (int i = 0; i < 2; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_URI) {
      std::string_view uri = text_of(name->d.uniformResourceIdentifier);
      if (!uri.starts_with(kScheme)) return false;
      uri.remove_prefix(kScheme.size());
      if (is_anode_text(uri)) out.anode_text = uri;
    } else if (name->type == GEN_DNS) {
      const std::string_view dns = text_of(name->d.dNSName);
      if (is_node_name(dns)) out.dns_name = dns;
    }
  }
  return !out.anode_text.empty() && !out.dns_name.empty();
}

bool read_common_name(X509* certificate, MemberCertificate& out) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  if (X509_NAME_entry_count(subject) != 1) return false;
  const X509_NAME_ENTRY* entry = X509_NAME_get_entry(subject, 0);
  if (OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)) != NID_commonName) return false;
  const std::string_view text = text_of(X509_NAME_ENTRY_get_data(entry));
  const bool plain =
      !text.empty() && text.size() <= 64 &&
      std::all_of(text.begin(), text.end(), [](char c) { return c > 32 && c < 127; });
  if (plain) out.common_name = text;
  return plain;
}

bool has_both_purposes(X509* certificate) {
  const KeyPurposes purposes(static_cast<EXTENDED_KEY_USAGE*>(
      X509_get_ext_d2i(certificate, NID_ext_key_usage, nullptr, nullptr)));
  if (purposes == nullptr) return false;
  bool server = false;
  bool client = false;
  for (int i = 0; i < sk_ASN1_OBJECT_num(purposes.get()); ++i) {
    const int nid = OBJ_obj2nid(sk_ASN1_OBJECT_value(purposes.get(), i));
    server |= nid == NID_server_auth;
    client |= nid == NID_client_auth;
  }
  return server && client;
}

// Critical extensions that a member certificate may carry; OpenSSL itself knows some more.
bool only_known_critical(X509* certificate) {
  for (int i = 0; i < X509_get_ext_count(certificate); ++i) {
    X509_EXTENSION* extension = X509_get_ext(certificate, i);
    if (X509_EXTENSION_get_critical(extension) == 0) continue;
    switch (OBJ_obj2nid(X509_EXTENSION_get_object(extension))) {
      case NID_basic_constraints:
      case NID_key_usage:
      case NID_ext_key_usage:
      case NID_subject_alt_name:
      case NID_sbgp_ipAddrBlock:
        break;
      default:
        return false;
    }
  }
  return true;
}

bool read_time(const ASN1_TIME* field, UnixTime& out) {
  std::tm time{};
  if (ASN1_TIME_to_tm(field, &time) != 1) return false;
  const std::time_t seconds = timegm(&time);
  out.seconds = static_cast<std::uint64_t>(seconds);
  return seconds >= 0;
}

Result<MemberCertificate> read_member(X509* certificate) {
  MemberCertificate out;
  if (X509_get_version(certificate) != X509_VERSION_3) return refused("not of version 3");
  if (WATTLE_CHECKED(certificate_digest,
                     X509_get_signature_nid(certificate) != NID_ecdsa_with_SHA256))
    return refused("not signed by ECDSA with SHA-256");
  if (WATTLE_CHECKED(certificate_ca, X509_get_extension_flags(certificate) &
                                         (EXFLAG_INVALID | EXFLAG_CA | EXFLAG_SS)))
    return refused("is a CA, signed by itself, or malformed");
  if (WATTLE_CHECKED(certificate_constraints,
                     (X509_get_extension_flags(certificate) & EXFLAG_BCONS) == 0))
    return refused("has no basic constraints");
  if (WATTLE_CHECKED(certificate_key_usage,
                     X509_get_key_usage(certificate) != KU_DIGITAL_SIGNATURE))
    return refused("key usage is not digitalSignature alone");
  if (!WATTLE_CHECKED(certificate_purposes, has_both_purposes(certificate)))
    return refused("not for TLS server and client");
  if (!WATTLE_CHECKED(certificate_critical, only_known_critical(certificate)))
    return refused("unknown critical extension");
  if (!WATTLE_CHECKED(certificate_common_name, read_common_name(certificate, out)))
    return refused("subject is not one plain CN");
  if (!WATTLE_CHECKED(certificate_alternative_names, read_names(certificate, out)))
    return refused("alternative names are not one anode: address and one node name");
  const AddressBlocks blocks = WATTLE_TRY(address_blocks(certificate));
  if (blocks.v4.size() != 1 || blocks.v6.size() != 1)
    return refused("address blocks are not one IPv6 prefix and one IPv4 address");
  out.prefix6 = blocks.v6[0];
  out.address4 = blocks.v4[0];
  if (ASN1_INTEGER_get_uint64(&out.serial, X509_get0_serialNumber(certificate)) != 1)
    return refused("serial is not a number of 64 bits");
  if (!read_time(X509_get0_notBefore(certificate), out.not_before) ||
      !read_time(X509_get0_notAfter(certificate), out.not_after))
    return refused("validity cannot be read");
  return out;
}

}  // namespace

Result<VerifiedCertificate> verify_certificate(ByteView der, ByteView ca_der, UnixTime now) {
  const X509Handle certificate = read_certificate(der);
  const X509Handle ca = read_certificate(ca_der);
  if (certificate == nullptr) return Error(Errc::BadSyntax, "certificate: not DER");
  if (ca == nullptr) return Error(Errc::BadSyntax, "CA certificate: not DER");
  const auto key = key_of_spki(X509_get_X509_PUBKEY(certificate.get()));
  if (!key) return Error(key.error().code, "certificate: the key is not one of P-256");
  WATTLE_TRY(verify_chain(certificate.get(), ca.get(), now));
  auto says = read_member(certificate.get());
  drop_errors();
  if (!says) return says.error();
  return VerifiedCertificate{std::move(*says), *key};
}

Result<VerifiedByOne> verify_by_any(ByteView der, std::span<const Bytes> ca_ders, UnixTime now) {
  Error told(Errc::BadSignature, "certificate: no CA is known");
  for (const Bytes& ca : ca_ders) {
    auto verified = verify_certificate(der, ca, now);
    if (verified) return VerifiedByOne{std::move(*verified), ca};
    if (told.code == Errc::BadSignature) told = verified.error();
  }
  return told;
}

Result<VerifiedCertificate> read_own_certificate(ByteView der) {
  const X509Handle certificate = read_certificate(der);
  if (certificate == nullptr) return Error(Errc::BadSyntax, "certificate: not DER");
  const auto key = key_of_spki(X509_get_X509_PUBKEY(certificate.get()));
  if (!key) return Error(key.error().code, "certificate: the key is not one of P-256");
  auto says = read_member(certificate.get());
  drop_errors();
  if (!says) return says.error();
  return VerifiedCertificate{std::move(*says), *key};
}

}  // namespace wattle::crypto
