// What strangers POST to the registry, parsed from JSON into fixed fields. Strict where it matters
// (types, sizes, encodings), deaf to unknown keys. Pure; hostile input gives an Error without
// allocation beyond the body's own size.
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/proto/enrolment.h"

namespace wattle::registry {

inline constexpr std::size_t kMaxBody = 16 * 1024;

// What a node speaks that does not say so with "protocol":N in its request.
inline constexpr std::uint64_t kFirstTold = 9;

// {"token_id":hex32,"address":base32,"csr":base64
// DER,"nonce":hex32,"proof":hex64,"signature":base64}
struct JoinRequest {
  TokenId token{};
  NodeAddress address;
  Bytes csr;
  Nonce nonce{};
  ByteArray<32> proof{};
  crypto::Signature signature{};
  std::uint64_t protocol = kFirstTold;
};
// The sentence names the member that is missing or wrong.
Result<JoinRequest> parse_join_request(std::string_view body);

// {"address":base32,"csr":base64 DER,"nonce":hex32,"signature":base64,"credential":base64,
// "name"}: as in a join, with the zero token id. The last two are what it holds now; an older node
// sends neither.
struct RenewRequest {
  NodeAddress address;
  Bytes csr;
  Nonce nonce{};
  crypto::Signature signature{};
  Bytes credential;  // empty, or of kCredentialSize
  std::string name;
  std::uint64_t protocol = kFirstTold;
};
Result<RenewRequest> parse_renew_request(std::string_view body);
// What its signature must be of.
EnrolmentClaim claim_of(const RenewRequest& request, const NetworkId& network);

// {"body":base64,"signature":base64}: a member's origin record.
struct OriginPost {
  Bytes body;
  crypto::Signature signature{};
};
Result<OriginPost> parse_origin_post(std::string_view body);

}  // namespace wattle::registry
