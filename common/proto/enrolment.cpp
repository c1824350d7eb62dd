#include "common/proto/enrolment.h"

#include "common/base/mutant.h"
#include "common/base/writer.h"
#include "common/proto/labels.h"

namespace wattle {

InviteKey invite_key(const InviteToken& token) {
  return crypto::sha256({as_bytes(kLabelInvite), token});
}

TokenId token_id(const InviteKey& key) {
  return to_array<16>(crypto::sha256({as_bytes(kLabelInviteId), key}));
}

crypto::Hash enrolment_proof(const InviteKey& key, const EnrolmentClaim& claim) {
  return crypto::hmac_sha256(key,
                             {claim.network, claim.address.bytes, claim.csr_hash, claim.nonce});
}

Bytes enrolment_message(const EnrolmentClaim& claim) {
  Bytes out;
  Writer writer(out);
  writer.bytes(as_bytes(kLabelEnrolment)).bytes(claim.network).bytes(claim.csr_hash);
  writer.bytes(claim.token).zeros(32 - claim.token.size()).bytes(claim.nonce);
  return out;
}

crypto::Signature sign_enrolment(const EnrolmentClaim& claim, const crypto::PrivateKey& identity) {
  return identity.sign(enrolment_message(claim));
}

bool verify_enrolment(const EnrolmentClaim& claim, ByteView signature64) {
  return WATTLE_CHECKED(enrolment_signature,
                        crypto::verify(claim.address.public_key(), enrolment_message(claim),
                                       signature64) == crypto::Verdict::Good);
}

}  // namespace wattle
