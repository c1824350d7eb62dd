// A join under way: what it must keep to be able to resume with the same key and CSR (DESIGN 10).
// Lives in /var/lib/wattle/NET/pending (0700, root) until success or a definite refusal.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/crypto/p256.h"
#include "common/proto/enrolment.h"
#include "common/proto/invite.h"

namespace wattle::ctl {

struct Pending {
  std::string url;
  Invite invite;
  crypto::PrivateKey identity;
  crypto::PrivateKey tls;
  Bytes csr;  // DER, of `tls`
  Nonce nonce{};
};

// New keys for an invite.
Result<Pending> make_pending(const std::string& url, Random& random);

// Its files, as texts and bytes.
struct PendingFiles {
  std::string url, identity_pem, tls_pem, nonce_hex;
  Bytes csr;
};
PendingFiles to_files(const Pending& pending);
// Refuses files that do not belong together (a CSR of another key, a malformed one).
Result<Pending> from_files(const PendingFiles& files);

enum class PendingChoice { Fresh, Resume, Replace };
// What to do about `stored` when the user joins with `url`: resume only for the same invite.
PendingChoice choose_pending(const std::optional<Pending>& stored, const Invite& invite);

// The claim that this pending join makes, and the JSON of the request.
EnrolmentClaim claim_of(const Pending& pending);
std::string request_of(const Pending& pending);

}  // namespace wattle::ctl
