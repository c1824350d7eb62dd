// An origin record (common/proto/origin_record.h) as ADD_HOST line and back:
//   ADD_HOST bob 192.0.2.7:8737 0 address=<base32> seqno=7 serial=9 ep=[2001:db8::7]:8737
//   sig=<base64>
// ADDR:PORT is the record's first endpoint (0:0 if it has none), each ep= a further one. The line
// tells a way, too: its metric, and its seqno where that is an older one than the record's.
#pragma once

#include "common/proto/origin_record.h"
#include "metad/core/grammar.h"
#include "metad/core/router.h"

namespace wattle::metad {

struct SignedOrigin {
  OriginRecord record;
  crypto::Signature signature{};
  bool operator==(const SignedOrigin&) const = default;
};

// Both say the same, but for the seqno.
bool says_the_same(const OriginRecord& one, const OriginRecord& other);

Request print_origin(const SignedOrigin& origin);

// The record that the line states, rebuilt; its signature is not checked here. NotFound if the line
// carries none (tinc's own ADD_HOST); BadValue or BadSyntax if a part of it is malformed.
Result<SignedOrigin> parse_origin(const Request& add_host, const NetworkId& network);

// What the line says of the sender's way to the member. No metric= is 0: the sender is the member.
// `metric=-`: nothing (an answer to REQ_HOST). NotFound without address= and seqno=, or without
// both sig= and metric= (tinc's own ADD_HOST).
struct ToldWay {
  NodeAddress destination;
  std::uint64_t seqno = 0;
  std::optional<Metric> metric;  // kUnreachable: retracted
};
Result<ToldWay> parse_way(const Request& add_host);

}  // namespace wattle::metad
