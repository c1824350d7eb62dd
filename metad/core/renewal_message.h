// The JSON of POST /NET/renew (DESIGN 2), as metad writes and reads it. Nothing of an answer is
// believed: membership.h judges it. Pure.
#pragma once

#include <string>
#include <string_view>

#include "common/proto/enrolment.h"
#include "metad/core/membership.h"

namespace wattle::metad {

// {"address":base32,"csr":base64 DER,"nonce":hex32,"signature":base64,"credential":base64,"name"}:
// the last two are what this node holds now, for a registry that has lost its journal.
std::string build_renewal(const NodeAddress& address, ByteView csr, const Nonce& nonce,
                          ByteView signature64, ByteView credential, const std::string& name);

struct RenewalAnswer {
  Membership membership;
  std::string document;  // empty: none was sent
};
// {"schema":1,"name","certificate","credential","document"}; the error is a sentence that names the
// field.
Result<RenewalAnswer> parse_renewal_answer(std::string_view json);

// What a refusal {"error","sentence"} says: printable, one line, at most 200 characters.
std::string renewal_refusal(int status, std::string_view json);

}  // namespace wattle::metad
