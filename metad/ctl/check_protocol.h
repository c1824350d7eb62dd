// What `wattle join` asks of wattle-check and what that answers (framing.h). The answer's fields
// are fixed and each is judged again by parse_check_answer: root reads nothing else of what came
// over the net.
#pragma once

#include <string>
#include <vector>

#include "common/base/time.h"
#include "common/crypto/digest.h"
#include "common/net/endpoint.h"
#include "common/proto/credential.h"
#include "metad/ctl/framing.h"

namespace wattle::ctl {

struct CheckRequest {
  std::string network;     // the name in the invite
  crypto::Hash genesis{};  // the hash in the invite
  NodeAddress address;     // our own
  Bytes csr;               // DER, as sent
  UnixTime now;
  std::string genesis_text;
  std::uint16_t status = 0;  // HTTP's
  std::string body;          // the registry's answer, JSON
};

Bytes build_check_request(const CheckRequest& request);
Result<CheckRequest> parse_check_request(ByteView body);

enum class CheckOutcome : std::uint8_t {
  Member = 0,  // everything verifies: the fields below are set
  GenesisDiffers = 1,
  AnswerWrong = 2,  // `detail` says what does not fit
  ClockOff = 3,     // all fits, but is not valid at this host's time: not_before, not_after are set
  Refused = 4,      // the registry says no: `refusal`
};

enum class Refusal : std::uint8_t {
  None = 0,
  UnknownToken = 1,
  BadProof = 2,
  TokenUsed = 3,
  TokenExpired = 4,
  IdClash = 5,
  BadRequest = 6,
  Busy = 7,
  SignerAway = 8,
  NetworkFull = 9,
  Denied = 10,  // revoked, or the name is taken
  Other = 11,
  Pending = 12,   // not yet: the administrator must approve it
  Rejected = 13,  // and did not
  TooOld = 14,    // this wattle, for the network
};
// True if asking again with the same token can never succeed: the pending folder goes.
bool is_definite(Refusal refusal);

struct JoinPeer {
  std::string name;
  NodeAddress address;
  std::vector<Endpoint> endpoints;
};
inline constexpr std::size_t kMaxJoinPeers = 16;

struct CheckAnswer {
  CheckOutcome outcome = CheckOutcome::AnswerWrong;
  Refusal refusal = Refusal::None;
  std::string detail;  // printable
  UnixTime not_before, not_after;
  // Member only:
  std::string name;
  std::uint64_t serial = 0;
  MacAddress mac;
  IpPrefix ipv4;      // own address with the network's length
  IpPrefix ipv6;      // own address with the network's length
  IpPrefix prefix;    // the member's own
  Bytes certificate;  // DER
  CredentialBytes credential{};
  std::string document;
  std::vector<JoinPeer> peers;
};

Bytes build_check_answer(const CheckAnswer& answer);
// BadValue for any field outside its range, also where the outcome is not Member.
Result<CheckAnswer> parse_check_answer(ByteView body);

}  // namespace wattle::ctl
