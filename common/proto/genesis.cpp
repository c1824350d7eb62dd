#include "common/proto/genesis.h"

#include "common/base/hex.h"
#include "common/base/mutant.h"
#include "common/base/parse.h"
#include "common/proto/document_text.h"
#include "common/proto/labels.h"

namespace wattle {
namespace {

std::string body_of(const Genesis& g) {
  std::string out;
  add_line(out, "wattle-genesis", "1");
  add_line(out, "network", g.network);
  add_line(out, "prefix", g.prefix.text());
  add_line(out, "ipv4", g.ipv4.text());
  add_line(out, "created", std::to_string(g.created.seconds));
  add_line(out, "ca", to_base64(g.ca_der));
  add_line(out, "credential-key", to_hex(g.credential_key));
  add_line(out, "document-key", to_hex(g.document_key));
  add_line(out, "https-key", to_hex(g.https_key));
  return out;
}

template <std::size_t N>
Result<ByteArray<N>> hex_value(DocumentReader& in, std::string_view key) {
  const std::string_view text = WATTLE_TRY(in.value(key));
  const Bytes bytes = WATTLE_TRY(in_line(in, parse_hex(text), "not hexadecimal"));
  if (bytes.size() != N) return in.error(Errc::BadSyntax, "wrong number of hexadecimal digits");
  return to_array<N>(bytes);
}

Result<crypto::PublicKey> key_value(DocumentReader& in, std::string_view key) {
  const crypto::PublicKey out = WATTLE_TRY(hex_value<33>(in, key));
  if (!crypto::is_point(out)) return in.error(Errc::BadPoint, "not a point of P-256");
  return out;
}

Result<IpPrefix> prefix_value(DocumentReader& in, std::string_view key, std::uint8_t family) {
  const std::string_view text = WATTLE_TRY(in.value(key));
  const IpPrefix out = WATTLE_TRY(in_line(in, IpPrefix::parse(text), "not a prefix"));
  if (out.address.family != family || out != out.network())
    return in.error(Errc::BadValue, "wrong address family, or bits behind the prefix length");
  return out;
}

}  // namespace

std::string build_genesis(const Genesis& genesis, const crypto::PrivateKey& document_key) {
  WATTLE_CHECK(document_key.public_key() == genesis.document_key);
  std::string out = body_of(genesis);
  add_signature(out, kLabelGenesis, document_key);
  return out;
}

Result<Genesis> parse_genesis(std::string_view text) {
  if (WATTLE_CHECKED(genesis_size, text.size() > kMaxDocument))
    return Error(Errc::Full, "genesis is longer than 128 KiB");
  DocumentReader in("genesis", text);
  Genesis out;
  if (WATTLE_TRY(in.value("wattle-genesis")) != "1")
    return in.error(Errc::Unsupported, "an unknown format; a newer wattle may read it");
  out.network = WATTLE_TRY(in.value("network"));
  if (!WATTLE_CHECKED(genesis_name, is_network_name(out.network)))
    return in.error(Errc::BadValue, "not a network's name");
  out.prefix = WATTLE_TRY(prefix_value(in, "prefix", 6));
  out.ipv4 = WATTLE_TRY(prefix_value(in, "ipv4", 4));
  const std::string_view created = WATTLE_TRY(in.value("created"));
  out.created.seconds = WATTLE_TRY(in_line(in, parse_decimal(created), "not a number"));
  const std::string_view ca = WATTLE_TRY(in.value("ca"));
  out.ca_der = WATTLE_TRY(in_line(in, parse_base64(ca), "not base64"));
  out.credential_key = WATTLE_TRY(key_value(in, "credential-key"));
  out.document_key = WATTLE_TRY(key_value(in, "document-key"));
  out.https_key = WATTLE_TRY(hex_value<32>(in, "https-key"));
  WATTLE_TRY(in.signature(kLabelGenesis, out.document_key));
  // One text for one meaning: no upper case, no leading zeros, no other way to write an address.
  if (!WATTLE_CHECKED(genesis_form, text.starts_with(body_of(out))))
    return Error(Errc::BadSyntax, "genesis: not in its one form");
  return out;
}

crypto::Hash genesis_hash(std::string_view text) { return crypto::sha256(as_bytes(text)); }

NetworkId network_id(const crypto::Hash& hash) { return to_array<16>(hash); }

}  // namespace wattle
