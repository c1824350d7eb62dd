#include "metad/ctl/pending.h"

#include "common/base/hex.h"
#include "common/base/parse.h"
#include "common/crypto/certificate.h"
#include "common/proto/genesis.h"
#include "metad/ctl/join_message.h"

namespace wattle::ctl {

Result<Pending> make_pending(const std::string& url, Random& random) {
  Invite invite = WATTLE_TRY(parse_invite(url));
  crypto::PrivateKey identity = crypto::PrivateKey::generate();
  crypto::PrivateKey tls = crypto::PrivateKey::generate();
  Bytes csr = WATTLE_TRY(crypto::make_csr(tls));
  Nonce nonce{};
  random.fill(nonce);
  return Pending{url,  std::move(invite), std::move(identity), std::move(tls), std::move(csr),
                 nonce};
}

PendingFiles to_files(const Pending& pending) {
  return {pending.url, pending.identity.to_pem(), pending.tls.to_pem(), to_hex(pending.nonce),
          pending.csr};
}

Result<Pending> from_files(const PendingFiles& files) {
  Invite invite = WATTLE_TRY(parse_invite(files.url));
  crypto::PrivateKey identity = WATTLE_TRY(crypto::PrivateKey::from_pem(files.identity_pem));
  crypto::PrivateKey tls = WATTLE_TRY(crypto::PrivateKey::from_pem(files.tls_pem));
  const crypto::PublicKey csr_key = WATTLE_TRY(crypto::check_csr(files.csr));
  if (csr_key != tls.public_key()) return Errc::BadValue;
  const Bytes nonce = WATTLE_TRY(parse_hex(trim(files.nonce_hex)));
  if (nonce.size() != sizeof(Nonce)) return Errc::BadValue;
  return Pending{files.url,      std::move(invite), std::move(identity),
                 std::move(tls), files.csr,         to_array<16>(nonce)};
}

PendingChoice choose_pending(const std::optional<Pending>& stored, const Invite& invite) {
  if (!stored) return PendingChoice::Fresh;
  const Invite& old = stored->invite;
  const bool same =
      old.network == invite.network && old.genesis == invite.genesis && old.token == invite.token;
  return same ? PendingChoice::Resume : PendingChoice::Replace;
}

EnrolmentClaim claim_of(const Pending& pending) {
  EnrolmentClaim claim;
  claim.network = network_id(pending.invite.genesis);
  claim.address = NodeAddress::from_key(pending.identity.public_key());
  claim.csr_hash = crypto::sha256(pending.csr);
  claim.token = token_id(invite_key(pending.invite.token));
  claim.nonce = pending.nonce;
  return claim;
}

std::string request_of(const Pending& pending) {
  const EnrolmentClaim claim = claim_of(pending);
  const crypto::Hash proof = enrolment_proof(invite_key(pending.invite.token), claim);
  return build_join_request(claim, pending.csr, proof, sign_enrolment(claim, pending.identity));
}

}  // namespace wattle::ctl
