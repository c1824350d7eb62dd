#include "common/proto/network_document.h"

#include <algorithm>

#include "common/base/hex.h"
#include "common/base/parse.h"
#include "common/proto/document_text.h"
#include "common/proto/genesis.h"
#include "common/proto/labels.h"

namespace wattle {
namespace {

constexpr std::string_view kKnown[] = {
    "wattle-document", "network-id", "version", "time",    "ttl",      "registry", "mtu",
    "min-protocol",    "broadcast",  "reissue", "revoked", "signature"};

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
    if (!out.empty() && out.back().serial >= r.serial)
      return in.error(Errc::BadValue, "serials are not in rising order");
    out.push_back(r);
  }
  return {};
}

}  // namespace

std::string build_network_document(const NetworkDocument& d,
                                   const crypto::PrivateKey& document_key) {
  std::string out = body_of(d);
  add_signature(out, kLabelDocument, document_key);
  return out;
}

Result<NetworkDocument> parse_network_document(std::string_view text, ByteView document_key33,
                                               const NetworkId& network) {
  if (text.size() > kMaxDocument)
    return Error(Errc::Full, "network document is longer than 128 KiB");
  DocumentReader in("network document", text);
  NetworkDocument out;
  if (WATTLE_TRY(in.value("wattle-document")) != "1")
    return in.error(Errc::Unsupported, "an unknown format; a newer wattle may read it");
  const std::string_view id = WATTLE_TRY(in.value("network-id"));
  if (id != to_hex(network)) return in.error(Errc::Denied, "it is of another network");
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
  WATTLE_TRY(read_reissues(in, out.reissue));
  WATTLE_TRY(read_revocations(in, out.revoked));
  WATTLE_TRY(in.signature(kLabelDocument, document_key33));
  // One text for one meaning: no leading zeros, no second blank.
  if (!text.starts_with(body_of(out)))
    return Error(Errc::BadSyntax, "network document: not in its one form");
  return out;
}

}  // namespace wattle
