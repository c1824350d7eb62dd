// The JSON of POST /NET/join: the request as built by `wattle join`, the answer as read by
// wattle-check.
#pragma once

#include <string>
#include <string_view>

#include "common/proto/enrolment.h"
#include "metad/ctl/check_protocol.h"

namespace wattle::ctl {

// {"token_id":hex32,"address":base32,"csr":base64
// DER,"nonce":hex32,"proof":hex64,"signature":base64}
std::string build_join_request(const EnrolmentClaim& claim, ByteView csr, const crypto::Hash& proof,
                               const crypto::Signature& signature);

// The fields of a 200 answer, decoded but not judged.
struct JoinAnswer {
  std::string name;
  Bytes certificate;
  Bytes credential;
  std::string document;
  std::vector<JoinPeer> peers;
};
// BadSyntax with a sentence that names the field.
Result<JoinAnswer> parse_join_answer(std::string_view json);

// {"error":…,"sentence":…} of any other status.
struct JoinError {
  Refusal refusal = Refusal::Other;
  std::string sentence;  // printable
};
JoinError parse_join_error(std::uint16_t status, std::string_view json);

}  // namespace wattle::ctl
