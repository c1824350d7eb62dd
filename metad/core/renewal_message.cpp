#include "metad/core/renewal_message.h"

#include <nlohmann/json.hpp>

#include "common/base/hex.h"
#include "common/proto/line.h"

namespace wattle::metad {
namespace {

using Json = nlohmann::json;

constexpr int kMaxDepth = 4;
constexpr std::size_t kMaxSentence = 200;

// Without exceptions; deep nesting is refused, so that no input can use up the stack.
Json parse_flat(std::string_view text) {
  bool deep = false;
  const auto watch = [&deep](int depth, Json::parse_event_t, Json&) {
    if (depth > kMaxDepth) deep = true;
    return !deep;
  };
  Json json = Json::parse(text, watch, false);
  return deep || !json.is_object() ? Json(Json::value_t::discarded) : json;
}

const std::string* text_field(const Json& object, const char* field) {
  const auto found = object.find(field);
  return found == object.end() ? nullptr : found->get_ptr<const std::string*>();
}

Result<Bytes> base64_field(const Json& object, const char* field) {
  const std::string* text = text_field(object, field);
  if (text != nullptr)
    if (auto bytes = parse_base64(*text)) return bytes;
  return Error(Errc::BadSyntax,
               "the answer's field '" + std::string(field) + "' is missing or malformed");
}

}  // namespace

std::string build_renewal(const NodeAddress& address, ByteView csr, const Nonce& nonce,
                          ByteView signature64, ByteView credential, const std::string& name) {
  const Json json{{"address", address.text()},
                  {"csr", to_base64(csr)},
                  {"nonce", to_hex(nonce)},
                  {"signature", to_base64(signature64)},
                  {"credential", to_base64(credential)},
                  {"name", name},
                  {"protocol", kMetaVersion}};
  return json.dump();
}

Result<RenewalAnswer> parse_renewal_answer(std::string_view text) {
  const Json json = parse_flat(text);
  if (json.is_discarded()) return Error(Errc::BadSyntax, "the answer is not a JSON object");
  const auto schema = json.find("schema");
  if (schema == json.end() || *schema != 1)
    return Error(Errc::BadSyntax, "the answer's field 'schema' is not 1");
  RenewalAnswer out;
  out.membership.certificate = WATTLE_TRY(base64_field(json, "certificate"));
  const Bytes credential = WATTLE_TRY(base64_field(json, "credential"));
  if (credential.size() != kCredentialSize)
    return Error(Errc::BadSyntax, "the answer's credential has not 216 bytes");
  out.membership.credential = to_array<kCredentialSize>(credential);
  if (const std::string* document = text_field(json, "document")) out.document = *document;
  return out;
}

std::string renewal_refusal(int status, std::string_view text) {
  std::string out = "HTTP status " + std::to_string(status);
  const Json json = parse_flat(text);
  if (json.is_discarded()) return out;
  const std::string* sentence = text_field(json, "sentence");
  if (sentence == nullptr) return out;
  out += ": ";
  for (const char c : *sentence)
    if (c >= 0x20 && c <= 0x7e && out.size() < kMaxSentence) out.push_back(c);
  return out;
}

}  // namespace wattle::metad
