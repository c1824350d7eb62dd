// The HTTPS API as values (path prefix /NET): which request is meant, and the JSON of every answer.
// Pure; the server (registry/io) only carries bytes.
//   GET  /NET/genesis            text
//   GET  /NET/document           text
//   GET  /NET/document?after=N   text as soon as there is a version above N; else 204 after a while
//   POST /NET/join    JoinRequest ->
//     {"schema":1,"name","certificate","credential","document","peers"}
//   POST /NET/renew   RenewRequest -> {"schema":1,"name","certificate","credential","document"}
//   POST /NET/origin  OriginPost -> {"document_version":N,"peers"}: members that join at the same
//     moment learn of each other
// An error is {"error":"token-used","sentence":"..."} with the status of its kind.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/ipc/sign_link.h"

namespace wattle::registry {

enum class Method { Get, Post, Other };
enum class Call { Genesis, Document, Join, Renew, Origin, NotFound, WrongMethod };

// `path` is the request target as received (anything after ? is ignored).
Call route(Method method, std::string_view path, std::string_view network);

// N of "…?after=N" (other parameters are passed over); nothing where there is none. BadSyntax if it
// is no number.
Result<std::optional<std::uint64_t>> document_after(std::string_view path);

struct Answer {
  int status = 200;
  std::string type = "application/json";
  std::string body;
};

// Kinds of errors: the word in "error" and the status that goes with it.
enum class Fault {
  UnknownToken,
  BadProof,
  BadSignature,
  TokenUsed,
  IdClash,
  TokenExpired,
  BadRequest,
  TooLarge,
  Limit,
  SignerAway,
  NotFound,
  WrongMethod,
  NetworkFull,
  Revoked,
  NameTaken,
  NotMember,
  UnknownMember,
  Expired,
  Replayed,
  Storage,
  ClockOff,
  Pending,  // 202: not made yet, ask again
  Rejected,
  TooOld,  // the node's protocol, for this network
};
std::string_view word(Fault fault);
int status(Fault fault);
Answer error_answer(Fault fault, std::string_view sentence);

// What the signer's refusal means to a joiner. PrefixTaken and AddressTaken never reach one unless
// the registry gave up trying: SignerAway.
Fault fault_of(sign_link::Rule rule);

struct PeerHint {  // of a member, for a joiner's first dials
  std::string name;
  std::string address;                 // base32
  std::vector<std::string> endpoints;  // text
};
struct JoinAnswer {
  std::string name;
  ByteView certificate;
  ByteView credential;
  std::string_view document;
  std::vector<PeerHint> peers;
};
Answer join_answer(const JoinAnswer& answer);
Answer renew_answer(const JoinAnswer& answer);  // without peers
Answer no_news();                               // 204
Answer origin_answer(std::uint64_t document_version, const std::vector<PeerHint>& peers);
Answer text_answer(std::string text);

}  // namespace wattle::registry
