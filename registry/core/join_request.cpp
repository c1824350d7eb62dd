#include "registry/core/join_request.h"

#include <nlohmann/json.hpp>
#include <string>

#include "common/base/hex.h"
#include "common/base/mutant.h"
#include "common/base/parse.h"
#include "common/proto/credential.h"

namespace wattle::registry {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxCsr = 4096;
constexpr std::size_t kMaxOrigin = 4096;

Error bad(const char* key, const char* why) {
  return Error(Errc::BadSyntax, std::string("\"") + key + "\" " + why);
}

Result<Json> parse_object(std::string_view body) {
  if (WATTLE_CHECKED(request_size, body.size() > kMaxBody))
    return Error(Errc::Full, "the body is larger than 16 KiB");
  Json json = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded() || !json.is_object())
    return Error(Errc::BadSyntax, "the body is not a JSON object");
  return json;
}

Result<std::string_view> member(const Json& json, const char* key) {
  const auto at = json.find(key);
  if (at == json.end()) return bad(key, "is missing");
  const auto* text = at->get_ptr<const std::string*>();
  if (text == nullptr) return bad(key, "is not a string");
  return std::string_view(*text);
}

template <std::size_t N>
Result<void> take_hex(const Json& json, const char* key, ByteArray<N>& out) {
  const auto bytes = parse_hex(WATTLE_TRY(member(json, key)));
  if (!bytes || bytes->size() != N) return bad(key, "has not the right hexadecimal digits");
  out = to_array<N>(*bytes);
  return {};
}

Result<Bytes> take_base64(const Json& json, const char* key, std::size_t max) {
  auto bytes = parse_base64(WATTLE_TRY(member(json, key)));
  if (!bytes) return bad(key, "is not base64");
  if (bytes->empty() || bytes->size() > max) return bad(key, "is of a wrong size");
  return bytes;
}

Result<crypto::Signature> take_signature(const Json& json) {
  const Bytes bytes = WATTLE_TRY(take_base64(json, "signature", 64));
  if (bytes.size() != 64) return bad("signature", "is of a wrong size");
  return to_array<64>(bytes);
}

// A number, if it is there at all.
Result<void> take_protocol(const Json& json, std::uint64_t& out) {
  const auto at = json.find("protocol");
  if (at == json.end()) return {};
  if (!at->is_number_unsigned()) return bad("protocol", "is not a number");
  out = at->get<std::uint64_t>();
  return {};
}

Result<void> take_address(const Json& json, NodeAddress& out) {
  const AddressFault fault = parse_address(WATTLE_TRY(member(json, "address")), out);
  if (fault != AddressFault::None)
    return Error(Errc::BadSyntax, "\"address\": " + std::string(phrase(fault)));
  return {};
}

}  // namespace

Result<JoinRequest> parse_join_request(std::string_view body) {
  const Json json = WATTLE_TRY(parse_object(body));
  JoinRequest out;
  WATTLE_TRY(take_hex(json, "token_id", out.token));
  WATTLE_TRY(take_address(json, out.address));
  out.csr = WATTLE_TRY(take_base64(json, "csr", kMaxCsr));
  WATTLE_TRY(take_hex(json, "nonce", out.nonce));
  WATTLE_TRY(take_hex(json, "proof", out.proof));
  WATTLE_TRY(take_protocol(json, out.protocol));
  out.signature = WATTLE_TRY(take_signature(json));
  return out;
}

Result<RenewRequest> parse_renew_request(std::string_view body) {
  const Json json = WATTLE_TRY(parse_object(body));
  RenewRequest out;
  WATTLE_TRY(take_address(json, out.address));
  out.csr = WATTLE_TRY(take_base64(json, "csr", kMaxCsr));
  WATTLE_TRY(take_hex(json, "nonce", out.nonce));
  WATTLE_TRY(take_protocol(json, out.protocol));
  out.signature = WATTLE_TRY(take_signature(json));
  if (!json.contains("credential")) return out;
  out.credential = WATTLE_TRY(take_base64(json, "credential", kCredentialSize));
  if (out.credential.size() != kCredentialSize) return bad("credential", "is of a wrong size");
  out.name = WATTLE_TRY(member(json, "name"));
  if (!is_node_name(out.name)) return bad("name", "is not a node's name");
  return out;
}

EnrolmentClaim claim_of(const RenewRequest& request, const NetworkId& network) {
  return {network, request.address, crypto::sha256(request.csr), {}, request.nonce};
}

Result<OriginPost> parse_origin_post(std::string_view body) {
  const Json json = WATTLE_TRY(parse_object(body));
  OriginPost out;
  out.body = WATTLE_TRY(take_base64(json, "body", kMaxOrigin));
  out.signature = WATTLE_TRY(take_signature(json));
  return out;
}

}  // namespace wattle::registry
