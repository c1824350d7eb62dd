// An origin record (common/proto/origin_record.h) as ADD_HOST line and back:
//   ADD_HOST bob 192.0.2.7:8737 0 address=<base32> seqno=7 serial=9 ep=[2001:db8::7]:8737
//   sig=<base64>
// ADDR:PORT is the record's first endpoint (0:0 if it has none), each ep= a further one.
#pragma once

#include "common/proto/origin_record.h"
#include "metad/core/grammar.h"

namespace wattle::metad {

struct SignedOrigin {
  OriginRecord record;
  crypto::Signature signature{};
  bool operator==(const SignedOrigin&) const = default;
};

Request print_origin(const SignedOrigin& origin);

// The record that the line states, rebuilt; its signature is not checked here. NotFound if the line
// carries none (tinc's own ADD_HOST); BadValue or BadSyntax if a part of it is malformed.
Result<SignedOrigin> parse_origin(const Request& add_host, const NetworkId& network);

}  // namespace wattle::metad
