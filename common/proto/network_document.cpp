#include "common/proto/network_document.h"

#include <algorithm>

#include "common/base/hex.h"
#include "common/base/mutant.h"
#include "common/base/parse.h"
#include "common/proto/document_text.h"
#include "common/proto/genesis.h"
#include "common/proto/labels.h"

namespace wattle {
namespace {

constexpr std::string_view kKnown[] = {
    "wattle-document", "network-id", "version",      "time",      "ttl",
    "registry",        "mtu",        "min-protocol", "broadcast", "document-key",
    "credential-key",  "ca",         "reissue",      "revoked",   "signature"};

bool is_other_key(std::string_view key) {
  return !key.empty() && std::find(std::begin(kKnown), std::end(kKnown), key) == std::end(kKnown);
}

std::string body_of(const NetworkDocument& d) {
  std::string out;
  add_line(out, "wattle-document", "1");
  add_line(out, "network-id", to_hex(d.network));
  add_line(out, "version", std::to_string(d.version));
  add_line(out, "time", std::to_string(d.time.seconds));
  add_line(out, "ttl", std::to_string(d.ttl));
  for (const std::string& url : d.registries) add_line(out, "registry", url);
  add_line(out, "mtu", std::to_string(d.mtu));
  add_line(out, "min-protocol", std::to_string(d.min_protocol));
  add_line(out, "broadcast", d.broadcast ? "yes" : "no");
  for (const auto& [key, value] : d.others) add_line(out, key, value);
  for (const NextDocumentKey& next : d.document_keys)
    add_line(out, "document-key", to_hex(next.key) + ' ' + to_base64(next.signature));
  for (const crypto::PublicKey& key : d.credential_keys)
    add_line(out, "credential-key", to_hex(key));
  for (const Bytes& der : d.ca_ders) add_line(out, "ca", to_base64(der));
  for (const std::uint64_t serial : d.reissue) add_line(out, "reissue", std::to_string(serial));
  for (const Revocation& r : d.revoked)
    add_line(out, "revoked", std::to_string(r.serial) + ' ' + std::to_string(r.until.seconds));
  return out;
}

Result<std::uint64_t> number(DocumentReader& in, std::string_view key, std::uint64_t low,
                             std::uint64_t high) {
  const std::string_view text = WATTLE_TRY(in.value(key));
  const std::uint64_t out = WATTLE_TRY(in_line(in, parse_decimal(text, high), "not such a number"));
  if (out < low) return in.error(Errc::BadValue, "the number is too small");
  return out;
}

Result<crypto::PublicKey> point(const DocumentReader& in, std::string_view hex) {
  const Bytes bytes = WATTLE_TRY(in_line(in, parse_hex(hex), "not hexadecimal"));
  if (bytes.size() != 33) return in.error(Errc::BadSyntax, "a key has 66 hexadecimal digits");
  const auto out = to_array<33>(bytes);
  if (!crypto::is_point(out)) return in.error(Errc::BadPoint, "not a point of P-256");
  return out;
}

Result<void> read_document_keys(DocumentReader& in, ByteView first_key33, const NetworkId& network,
                                std::vector<NextDocumentKey>& out) {
  crypto::PublicKey last = to_array<33>(first_key33);
  while (in.peek() == "document-key") {
    const std::string_view text = WATTLE_TRY(in.value("document-key"));
    const std::size_t blank = std::min(text.find(' '), text.size());
    NextDocumentKey next;
    next.key = WATTLE_TRY(point(in, text.substr(0, blank)));
    const std::string_view encoded = text.substr(std::min(blank + 1, text.size()));
    const Bytes signature = WATTLE_TRY(in_line(in, parse_base64(encoded), "not base64"));
    const bool is_signed = crypto::verify(last, {as_bytes(kLabelDocumentKey), network, next.key},
                                          signature) == crypto::Verdict::Good;
    if (!WATTLE_CHECKED(document_key_signed, is_signed))
      return in.error(Errc::BadSignature, "the key before this one has not signed it");
    if (out.size() == kMaxDocumentKeys) return in.error(Errc::Full, "too many document keys");
    next.signature = to_array<64>(signature);
    last = next.key;
    out.push_back(next);
  }
  return {};
}

Result<void> read_keys_in_force(DocumentReader& in, NetworkDocument& out) {
  while (in.peek() == "credential-key") {
    const std::string_view text = WATTLE_TRY(in.value("credential-key"));
    if (out.credential_keys.size() == kMaxInForce)
      return in.error(Errc::Full, "too many credential keys");
    const crypto::PublicKey key = WATTLE_TRY(point(in, text));
    if (!out.credential_keys.empty() && out.credential_keys.front() == key)
      return in.error(Errc::BadValue, "this credential key stands twice");
    out.credential_keys.push_back(key);
  }
  while (in.peek() == "ca") {
    const std::string_view text = WATTLE_TRY(in.value("ca"));
    if (out.ca_ders.size() == kMaxInForce) return in.error(Errc::Full, "too many CA certificates");
    Bytes der = WATTLE_TRY(in_line(in, parse_base64(text), "not base64"));
    if (!out.ca_ders.empty() && out.ca_ders.front() == der)
      return in.error(Errc::BadValue, "this CA certificate stands twice");
    out.ca_ders.push_back(std::move(der));
  }
  return {};
}

Result<void> read_reissues(DocumentReader& in, std::vector<std::uint64_t>& out) {
  while (in.peek() == "reissue") {
    const std::uint64_t serial = WATTLE_TRY(number(in, "reissue", 0, UINT64_MAX));
    if (!out.empty() && out.back() >= serial)
      return in.error(Errc::BadValue, "serials are not in rising order");
    if (out.size() == kMaxReissues) return in.error(Errc::Full, "too many serials to reissue");
    out.push_back(serial);
  }
  return {};
}

Result<void> read_revocations(DocumentReader& in, std::vector<Revocation>& out) {
  while (in.peek() == "revoked") {
    const std::string_view text = WATTLE_TRY(in.value("revoked"));
    const std::size_t blank = std::min(text.find(' '), text.size());
    Revocation r;
    r.serial = WATTLE_TRY(in_line(in, parse_decimal(text.substr(0, blank)), "no serial"));
    r.until.seconds = WATTLE_TRY(
        in_line(in, parse_decimal(text.substr(std::min(blank + 1, text.size()))), "no time"));
    if (!out.empty() && WATTLE_CHECKED(document_revoked_order, out.back().serial >= r.serial))
      return in.error(Errc::BadValue, "serials are not in rising order");
    out.push_back(r);
  }
  return {};
}

}  // namespace

NextDocumentKey sign_document_key(const NetworkId& network, const crypto::PublicKey& next,
                                  const crypto::PrivateKey& now_last) {
  return {next, now_last.sign({as_bytes(kLabelDocumentKey), network, next})};
}

std::string build_network_document(const NetworkDocument& d,
                                   const crypto::PrivateKey& document_key) {
  WATTLE_CHECK(d.document_keys.empty() || d.document_keys.back().key == document_key.public_key());
  std::string out = body_of(d);
  add_signature(out, kLabelDocument, document_key);
  return out;
}

Result<NetworkDocument> parse_network_document(std::string_view text, ByteView document_key33,
                                               const NetworkId& network) {
  if (WATTLE_CHECKED(document_size, text.size() > kMaxDocument))
    return Error(Errc::Full, "network document is longer than 128 KiB");
  DocumentReader in("network document", text);
  NetworkDocument out;
  if (WATTLE_TRY(in.value("wattle-document")) != "1")
    return in.error(Errc::Unsupported, "an unknown format; a newer wattle may read it");
  const std::string_view id = WATTLE_TRY(in.value("network-id"));
  if (WATTLE_CHECKED(document_network, id != to_hex(network)))
    return in.error(Errc::Denied, "it is of another network");
  out.network = network;
  out.version = WATTLE_TRY(number(in, "version", 1, UINT64_MAX));
  out.time.seconds = WATTLE_TRY(number(in, "time", 0, UINT64_MAX));
  out.ttl = WATTLE_TRY(number(in, "ttl", 1, UINT64_MAX));
  while (in.peek() == "registry") out.registries.emplace_back(WATTLE_TRY(in.any()));
  out.mtu = static_cast<std::uint16_t>(WATTLE_TRY(number(in, "mtu", 576, 65535)));
  out.min_protocol = static_cast<std::uint16_t>(WATTLE_TRY(number(in, "min-protocol", 0, 65535)));
  const std::string_view broadcast = WATTLE_TRY(in.value("broadcast"));
  if (broadcast != "yes" && broadcast != "no")
    return in.error(Errc::BadValue, "neither \"yes\" nor \"no\"");
  out.broadcast = broadcast == "yes";
  while (is_other_key(in.peek())) {
    const std::string_view key = in.peek();
    const std::string_view value = WATTLE_TRY(in.any());
    out.others.emplace_back(key, value);
  }
  WATTLE_TRY(read_document_keys(in, document_key33, network, out.document_keys));
  WATTLE_TRY(read_keys_in_force(in, out));
  WATTLE_TRY(read_reissues(in, out.reissue));
  WATTLE_TRY(read_revocations(in, out.revoked));
  const ByteView signer =
      out.document_keys.empty() ? document_key33 : ByteView(out.document_keys.back().key);
  WATTLE_TRY(in.signature(kLabelDocument, signer));
  // One text for one meaning: no leading zeros, no second blank.
  if (!WATTLE_CHECKED(document_form, text.starts_with(body_of(out))))
    return Error(Errc::BadSyntax, "network document: not in its one form");
  return out;
}

}  // namespace wattle
