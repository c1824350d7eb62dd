#include "registry/core/api.h"

#include <nlohmann/json.hpp>

#include "common/base/hex.h"
#include "common/base/parse.h"

namespace wattle::registry {
namespace {

using Json = nlohmann::ordered_json;

struct FaultRow {
  Fault fault;
  int status;
  std::string_view word;
};
constexpr FaultRow kFaults[] = {
    {Fault::UnknownToken, 403, "unknown-token"},
    {Fault::BadProof, 403, "bad-proof"},
    {Fault::BadSignature, 403, "bad-signature"},
    {Fault::TokenUsed, 409, "token-used"},
    {Fault::IdClash, 409, "id-clash"},
    {Fault::TokenExpired, 410, "token-expired"},
    {Fault::BadRequest, 400, "bad-request"},
    {Fault::TooLarge, 413, "too-large"},
    {Fault::Limit, 429, "limit"},
    {Fault::SignerAway, 503, "signer-away"},
    {Fault::NotFound, 404, "not-found"},
    {Fault::WrongMethod, 405, "wrong-method"},
    {Fault::NetworkFull, 409, "network-full"},
    {Fault::Revoked, 403, "revoked"},
    {Fault::NameTaken, 409, "name-taken"},
    {Fault::NotMember, 403, "not-member"},
    {Fault::UnknownMember, 404, "unknown-member"},
    {Fault::Expired, 410, "expired"},
    {Fault::Replayed, 409, "replayed"},
    {Fault::Storage, 507, "storage"},
    {Fault::ClockOff, 503, "clock-off"},
    {Fault::Pending, 202, "pending"},
    {Fault::Rejected, 403, "rejected"},
    {Fault::TooOld, 426, "too-old"},
};

const FaultRow& row(Fault fault) {
  for (const FaultRow& r : kFaults)
    if (r.fault == fault) return r;
  WATTLE_UNREACHABLE();
}

// Foreign bytes may not be UTF-8: replaced, never thrown on.
std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json peers_json(const std::vector<PeerHint>& peers) {
  Json list = Json::array();
  for (const PeerHint& peer : peers) {
    Json one;
    one["name"] = peer.name;
    one["address"] = peer.address;
    one["endpoints"] = peer.endpoints;
    list.push_back(std::move(one));
  }
  return list;
}

Json certified_json(const JoinAnswer& answer) {
  Json json;
  json["schema"] = 1;
  json["name"] = answer.name;
  json["certificate"] = to_base64(answer.certificate);
  json["credential"] = to_base64(answer.credential);
  json["document"] = answer.document;
  return json;
}

}  // namespace

Call route(Method method, std::string_view path, std::string_view network) {
  path = path.substr(0, path.find('?'));
  if (path.size() < network.size() + 2 || path[0] != '/' ||
      path.substr(1, network.size()) != network || path[network.size() + 1] != '/')
    return Call::NotFound;
  const std::string_view what = path.substr(network.size() + 2);
  struct Row {
    std::string_view name;
    Method method;
    Call call;
  };
  constexpr Row kCalls[] = {{"genesis", Method::Get, Call::Genesis},
                            {"document", Method::Get, Call::Document},
                            {"join", Method::Post, Call::Join},
                            {"renew", Method::Post, Call::Renew},
                            {"origin", Method::Post, Call::Origin}};
  for (const Row& r : kCalls)
    if (r.name == what) return r.method == method ? r.call : Call::WrongMethod;
  return Call::NotFound;
}

Result<std::optional<std::uint64_t>> document_after(std::string_view path) {
  const std::size_t mark = path.find('?');
  if (mark == std::string_view::npos) return std::optional<std::uint64_t>();
  for (const std::string_view part : split(path.substr(mark + 1), '&')) {
    constexpr std::string_view kKey = "after=";
    if (!part.starts_with(kKey)) continue;
    const auto number = parse_decimal(part.substr(kKey.size()));
    if (!number) return Error(Errc::BadSyntax, "\"after\" is not the version of a document");
    return std::optional<std::uint64_t>(*number);
  }
  return std::optional<std::uint64_t>();
}

std::string_view word(Fault fault) { return row(fault).word; }
int status(Fault fault) { return row(fault).status; }

Answer error_answer(Fault fault, std::string_view sentence) {
  Json json;
  json["error"] = word(fault);
  json["sentence"] = sentence;
  return {status(fault), "application/json", dump(json)};
}

Fault fault_of(sign_link::Rule rule) {
  using sign_link::Rule;
  switch (rule) {
    case Rule::UnknownToken:
      return Fault::UnknownToken;
    case Rule::TokenUsed:
      return Fault::TokenUsed;
    case Rule::TokenExpired:
      return Fault::TokenExpired;
    case Rule::BadProof:
      return Fault::BadProof;
    case Rule::BadSignature:
      return Fault::BadSignature;
    case Rule::BadRequest:
      return Fault::BadRequest;
    case Rule::IdClash:
      return Fault::IdClash;
    case Rule::NameTaken:
      return Fault::NameTaken;
    case Rule::Revoked:
      return Fault::Revoked;
    case Rule::Limit:
      return Fault::Limit;
    case Rule::UnknownMember:
      return Fault::UnknownMember;
    case Rule::Expired:
      return Fault::Expired;
    case Rule::Replayed:
      return Fault::Replayed;
    case Rule::Void:
      return Fault::TokenExpired;
    case Rule::ClockOff:
      return Fault::ClockOff;
    case Rule::Storage:
      return Fault::Storage;
    case Rule::Pending:
      return Fault::Pending;
    case Rule::Rejected:
      return Fault::Rejected;
    case Rule::PrefixTaken:
    case Rule::AddressTaken:
    case Rule::KeysFull:  // root's
    case Rule::KeyNeeded:
    case Rule::KeyNone:
      return Fault::SignerAway;
  }
  return Fault::SignerAway;
}

Answer join_answer(const JoinAnswer& answer) {
  Json json = certified_json(answer);
  json["peers"] = peers_json(answer.peers);
  return {200, "application/json", dump(json)};
}

Answer renew_answer(const JoinAnswer& answer) {
  return {200, "application/json", dump(certified_json(answer))};
}

Answer no_news() { return {204, "", ""}; }

Answer origin_answer(std::uint64_t document_version, const std::vector<PeerHint>& peers) {
  Json json;
  json["document_version"] = document_version;
  json["peers"] = peers_json(peers);
  return {200, "application/json", dump(json)};
}

Answer text_answer(std::string text) { return {200, "text/plain; charset=utf-8", std::move(text)}; }

}  // namespace wattle::registry
