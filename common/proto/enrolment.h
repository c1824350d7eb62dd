// The proofs of a join (DESIGN 2). The token never leaves the joiner:
//   K         = SHA-256("wattle/invite" 00 || token)          known to joiner and signer
//   token id  = first 16 bytes of SHA-256("wattle/invite-id" 00 || K)   known to the registry, too
//   proof     = HMAC-SHA-256(K, network id || address || CSR hash || nonce)
//   signature = identity key over "wattle/enrol/1" 00 || network id || CSR hash || token id
//               padded with zeros to 32 || nonce     (all zero token id: a renewal)
#pragma once

#include "common/crypto/digest.h"
#include "common/proto/node_address.h"

namespace wattle {

using InviteToken = ByteArray<16>;
using InviteKey = ByteArray<32>;
using TokenId = ByteArray<16>;
using Nonce = ByteArray<16>;

InviteKey invite_key(const InviteToken& token);
TokenId token_id(const InviteKey& key);

struct EnrolmentClaim {
  NetworkId network{};
  NodeAddress address;
  crypto::Hash csr_hash{};
  TokenId token{};
  Nonce nonce{};
};

crypto::Hash enrolment_proof(const InviteKey& key, const EnrolmentClaim& claim);
Bytes enrolment_message(const EnrolmentClaim& claim);  // what the identity key signs
crypto::Signature sign_enrolment(const EnrolmentClaim& claim, const crypto::PrivateKey& identity);
bool verify_enrolment(const EnrolmentClaim& claim, ByteView signature64);

}  // namespace wattle
