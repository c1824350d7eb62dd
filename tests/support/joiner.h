// A machine that joins: its keys and CSR, and the request it sends for an invite. For tests.
#pragma once

#include <string>

#include "common/base/hex.h"
#include "common/crypto/certificate.h"
#include "common/ipc/sign_link.h"
#include "common/proto/enrolment.h"

namespace wattle::test {

struct Joiner {
  crypto::PrivateKey identity = crypto::PrivateKey::generate();
  crypto::PrivateKey tls = crypto::PrivateKey::generate();
  Bytes csr = crypto::make_csr(tls).value();

  NodeAddress address() const { return NodeAddress::from_key(identity.public_key()); }
  EnrolmentClaim claim(const NetworkId& network, const InviteKey& key,
                       const Nonce& nonce = {1, 2, 3}) const {
    return {network, address(), crypto::sha256(csr), token_id(key), nonce};
  }
  std::string json(const NetworkId& network, const InviteToken& token,
                   const Nonce& nonce = {1, 2, 3}) const {
    const InviteKey key = invite_key(token);
    const EnrolmentClaim c = claim(network, key, nonce);
    return "{\"token_id\":\"" + to_hex(c.token) + "\",\"address\":\"" + address().text() +
           "\",\"csr\":\"" + to_base64(csr) + "\",\"nonce\":\"" + to_hex(nonce) +
           "\",\"proof\":\"" + to_hex(enrolment_proof(key, c)) + "\",\"signature\":\"" +
           to_base64(sign_enrolment(c, identity)) + "\"}";
  }
  // A renewal: the zero token id.
  EnrolmentClaim renewal(const NetworkId& network, const Nonce& nonce) const {
    return {network, address(), crypto::sha256(csr), {}, nonce};
  }
  // As an old node sends it; a newer one shows what it holds.
  std::string renewal_json(const NetworkId& network, const Nonce& nonce, ByteView credential = {},
                           const std::string& name = {}) const {
    const std::string shown = credential.empty() ? ""
                                                 : "\",\"credential\":\"" + to_base64(credential) +
                                                       "\",\"name\":\"" + name;
    return "{\"address\":\"" + address().text() + "\",\"csr\":\"" + to_base64(csr) +
           "\",\"nonce\":\"" + to_hex(nonce) + shown + "\",\"signature\":\"" +
           to_base64(sign_enrolment(renewal(network, nonce), identity)) + "\"}";
  }
  sign_link::Renew renew(const NetworkId& network, const Nonce& nonce) const {
    sign_link::Renew out;
    out.nonce = nonce;
    out.address = address().bytes;
    out.csr = csr;
    out.signature = sign_enrolment(renewal(network, nonce), identity);
    return out;
  }
  sign_link::Issue issue(const NetworkId& network, const InviteKey& key, const IpPrefix& prefix6,
                         const IpAddress& ipv4) const {
    const EnrolmentClaim c = claim(network, key);
    sign_link::Issue out;
    out.token = c.token;
    out.proof = enrolment_proof(key, c);
    out.nonce = c.nonce;
    out.address = address().bytes;
    out.csr = csr;
    out.signature = sign_enrolment(c, identity);
    out.prefix6 = prefix6;
    out.ipv4 = ipv4;
    return out;
  }
};

}  // namespace wattle::test
