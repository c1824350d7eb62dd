#include "metad/core/origin_answer.h"

#include <nlohmann/json.hpp>

#include "common/base/parse.h"
#include "common/proto/origin_record.h"

namespace wattle::metad {
namespace {

using Json = nlohmann::json;

Result<PeerHint> parse_peer(const Json& json) {
  if (!json.is_object()) return Errc::BadSyntax;
  const auto name = json.find("name");
  const auto address = json.find("address");
  const auto endpoints = json.find("endpoints");
  if (name == json.end() || !name->is_string() || address == json.end() || !address->is_string() ||
      endpoints == json.end() || !endpoints->is_array() || endpoints->size() > kMaxEndpoints)
    return Errc::BadSyntax;
  PeerHint hint;
  hint.name = *name->get_ptr<const std::string*>();
  if (!is_node_name(hint.name)) return Errc::BadValue;
  hint.address = WATTLE_TRY(parse_address_text(*address->get_ptr<const std::string*>()));
  for (const Json& text : *endpoints) {
    if (!text.is_string()) return Errc::BadSyntax;
    hint.endpoints.push_back(WATTLE_TRY(Endpoint::parse(*text.get_ptr<const std::string*>())));
  }
  return hint;
}

}  // namespace

Result<std::vector<PeerHint>> parse_origin_answer(std::string_view body) {
  const Json json = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded() || !json.is_object()) return Errc::BadSyntax;
  std::vector<PeerHint> out;
  const auto peers = json.find("peers");
  if (peers == json.end()) return out;
  if (!peers->is_array()) return Errc::BadSyntax;
  for (const Json& json_peer : *peers) {
    if (out.size() >= kMaxAnsweredPeers) break;
    if (auto peer = parse_peer(json_peer)) out.push_back(*std::move(peer));
  }
  return out;
}

}  // namespace wattle::metad
