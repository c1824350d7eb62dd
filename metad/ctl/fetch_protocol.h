// What `wattle join` asks of wattle-fetch and what that answers (framing.h).
#pragma once

#include <string>

#include "common/base/time.h"
#include "common/crypto/digest.h"
#include "metad/ctl/framing.h"

namespace wattle::ctl {

// Fetch BASE/NETWORK/genesis, compare its SHA-256, then POST `body` to BASE/NETWORK/join over a
// connection whose key is the one that genesis names.
struct FetchRequest {
  std::string base;     // https://198.51.100.7:8443
  std::string network;  // is_network_name
  crypto::Hash genesis{};
  std::string body;  // JSON, at most 64 KiB
};

Bytes build_fetch_request(const FetchRequest& request);
// BadValue unless base begins with https:// and is printable, and the name is a network name.
Result<FetchRequest> parse_fetch_request(ByteView body);

enum class FetchOutcome : std::uint8_t {
  Answered = 0,     // the registry answered the join request; `status` says how
  Unreachable = 1,  // no connection
  Timeout = 2,
  NoNetwork = 3,       // a server answers, but not with a genesis document; `status` says how
  GenesisDiffers = 4,  // another document than the invite's; nothing else was sent
  KeyDiffers = 5,      // the server's HTTPS key is not the one in genesis; nothing was sent
  TooLarge = 6,
  Failed = 7,  // something on this side
};

struct FetchAnswer {
  FetchOutcome outcome = FetchOutcome::Failed;
  std::uint16_t status = 0;  // HTTP's, 0 if none
  UnixTime date;             // the registry's clock (HTTP Date), 0 if it did not say
  std::string genesis;       // verified against the hash; empty before that
  std::string body;          // of the answer to the join request
  std::string detail;        // printable, for the sentence: "connection refused"
};

Bytes build_fetch_answer(const FetchAnswer& answer);
Result<FetchAnswer> parse_fetch_answer(ByteView body);

}  // namespace wattle::ctl
