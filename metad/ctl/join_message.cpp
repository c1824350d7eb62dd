#include "metad/ctl/join_message.h"

#include <nlohmann/json.hpp>

#include "common/base/hex.h"
#include "common/base/parse.h"
#include "common/proto/line.h"

namespace wattle::ctl {

namespace {

using Json = nlohmann::json;

constexpr int kMaxDepth = 4;

// Parses without exceptions; refuses deep nesting, so that no input can use up the stack.
Json parse_flat(std::string_view text) {
  bool deep = false;
  const auto watch = [&deep](int depth, Json::parse_event_t, Json&) {
    if (depth > kMaxDepth) deep = true;
    return !deep;
  };
  Json json = Json::parse(text, watch, false);
  return deep ? Json(Json::value_t::discarded) : json;
}

Error bad_field(std::string_view field) {
  return {Errc::BadSyntax,
          "the answer's field '" + std::string(field) + "' is missing or malformed"};
}

const std::string* text_field(const Json& object, const char* field) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(field);
  return found == object.end() ? nullptr : found->get_ptr<const std::string*>();
}

Result<Bytes> base64_field(const Json& object, const char* field) {
  const std::string* text = text_field(object, field);
  if (text == nullptr) return bad_field(field);
  auto bytes = parse_base64(*text);
  if (!bytes) return bad_field(field);
  return bytes;
}

Result<JoinPeer> parse_peer(const Json& json) {
  const std::string* name = text_field(json, "name");
  const std::string* address = text_field(json, "address");
  if (name == nullptr || address == nullptr || !is_node_name(*name)) return bad_field("peers");
  JoinPeer peer;
  peer.name = *name;
  peer.address = WATTLE_TRY(parse_address_text(*address));
  const auto endpoints = json.find("endpoints");
  if (endpoints == json.end() || !endpoints->is_array() || endpoints->size() > 16)
    return bad_field("endpoints");
  for (const Json& endpoint : *endpoints) {
    const auto* text = endpoint.get_ptr<const std::string*>();
    if (text == nullptr) return bad_field("endpoints");
    peer.endpoints.push_back(WATTLE_TRY(Endpoint::parse(*text)));
  }
  return peer;
}

struct NamedRefusal {
  std::string_view error;
  Refusal refusal;
};
constexpr NamedRefusal kRefusals[] = {
    {"unknown-token", Refusal::UnknownToken},
    {"bad-proof", Refusal::BadProof},
    {"bad-signature", Refusal::BadProof},
    {"token-used", Refusal::TokenUsed},
    {"token-expired", Refusal::TokenExpired},
    {"id-clash", Refusal::IdClash},
    {"bad-request", Refusal::BadRequest},
    {"limit", Refusal::Busy},
    {"signer-away", Refusal::SignerAway},
    {"storage", Refusal::SignerAway},
    {"clock-off", Refusal::SignerAway},
    {"network-full", Refusal::NetworkFull},
    {"revoked", Refusal::Denied},
    {"name-taken", Refusal::Denied},
    {"pending", Refusal::Pending},
    {"rejected", Refusal::Rejected},
    {"too-old", Refusal::TooOld},
};

}  // namespace

std::string build_join_request(const EnrolmentClaim& claim, ByteView csr, const crypto::Hash& proof,
                               const crypto::Signature& signature) {
  const Json json{{"token_id", to_hex(claim.token)},
                  {"address", claim.address.text()},
                  {"csr", to_base64(csr)},
                  {"nonce", to_hex(claim.nonce)},
                  {"proof", to_hex(ByteView(proof))},
                  {"signature", to_base64(signature)},
                  {"protocol", kMetaVersion}};
  return json.dump();
}

Result<JoinAnswer> parse_join_answer(std::string_view text) {
  const Json json = parse_flat(text);
  if (!json.is_object()) return Error(Errc::BadSyntax, "the answer is not a JSON object");
  const auto schema = json.find("schema");
  if (schema == json.end() || *schema != 1) return bad_field("schema");
  JoinAnswer answer;
  const std::string* name = text_field(json, "name");
  if (name == nullptr || !is_node_name(*name)) return bad_field("name");
  answer.name = *name;
  answer.certificate = WATTLE_TRY(base64_field(json, "certificate"));
  answer.credential = WATTLE_TRY(base64_field(json, "credential"));
  const std::string* document = text_field(json, "document");
  if (document == nullptr) return bad_field("document");
  answer.document = *document;
  const auto peers = json.find("peers");
  if (peers == json.end() || !peers->is_array() || peers->size() > kMaxJoinPeers)
    return bad_field("peers");
  for (const Json& peer : *peers) {
    auto parsed = parse_peer(peer);
    if (!parsed) return bad_field("peers");
    answer.peers.push_back(std::move(*parsed));
  }
  return answer;
}

JoinError parse_join_error(std::uint16_t status, std::string_view text) {
  JoinError out;
  const Json json = parse_flat(text);
  if (const std::string* sentence = text_field(json, "sentence"))
    out.sentence = printable(*sentence, 300);
  if (const std::string* error = text_field(json, "error"))
    for (const NamedRefusal& known : kRefusals)
      if (known.error == *error) out.refusal = known.refusal;
  if (out.refusal == Refusal::Other && status == 429) out.refusal = Refusal::Busy;
  if (out.refusal == Refusal::Other && status == 503) out.refusal = Refusal::SignerAway;
  if (out.sentence.empty()) out.sentence = "HTTP status " + std::to_string(status);
  return out;
}

}  // namespace wattle::ctl
