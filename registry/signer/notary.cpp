#include "registry/signer/notary.h"

#include <algorithm>

#include "common/crypto/certificate.h"
#include "common/proto/prefix_bits.h"

namespace wattle::signer {
namespace {

UnixTime backdated(UnixTime now, std::uint64_t seconds = kBackdate) {
  return {now.seconds > seconds ? now.seconds - seconds : 0};
}

}  // namespace

Result<std::string> make_genesis(const Keys& keys, const NetworkPlan& plan, UnixTime now) {
  Genesis genesis;
  genesis.network = plan.network;
  genesis.prefix = plan.prefix;
  genesis.ipv4 = plan.ipv4;
  genesis.created = now;
  genesis.ca_der = WATTLE_TRY(crypto::make_ca_certificate(keys.ca, plan.network, plan.prefix,
                                                          &plan.ipv4, backdated(now, kCaBackdate),
                                                          {now.seconds + kCaLifetime}));
  genesis.credential_key = keys.credential.public_key();
  genesis.document_key = keys.document.public_key();
  genesis.https_key = plan.https_key;
  return build_genesis(genesis, keys.document);
}

std::string make_document(const Keys& keys, const NetworkId& network, const NetworkPlan& plan,
                          UnixTime now) {
  NetworkDocument document;
  document.network = network;
  document.version = 1;
  document.time = now;
  document.registries = plan.urls;
  return build_network_document(document, keys.document);
}

Result<void> check_keys(const Keys& keys, const Genesis& genesis) {
  if (keys.credential.public_key() != genesis.credential_key)
    return Error(Errc::Config, "credential.key is not the key that the genesis names");
  if (keys.document.public_key() != genesis.document_key)
    return Error(Errc::Config, "document.key is not the key that the genesis names");
  // A certificate of the CA key verifies against the genesis' CA only if it is the same key.
  const crypto::PrivateKey probe = crypto::PrivateKey::generate();
  const Bytes csr = WATTLE_TRY(crypto::make_csr(probe));
  crypto::MemberCertificate what;
  const std::string bits = "1";
  what.common_name = cn_of_bits(bits);
  what.anode_text = NodeAddress::from_key(probe.public_key()).text();
  what.dns_name = "probe";
  what.prefix6 = member_prefix(genesis.prefix, bits);
  what.address4 = {genesis.ipv4.address, 32};
  what.serial = 1;
  what.not_before = genesis.created;
  what.not_after = {genesis.created.seconds + 60};
  const Bytes der = WATTLE_TRY(crypto::issue_certificate(keys.ca, genesis.ca_der, what, csr));
  if (!crypto::verify_certificate(der, genesis.ca_der, genesis.created))
    return Error(Errc::Config, "ca.key is not the key of the CA certificate in the genesis");
  return {};
}

Result<registry::IssueEntry> certify(const Keys& keys, const Ledger& ledger,
                                     const Approval& approval, const sign_link::Issue& request,
                                     std::uint64_t now_ms) {
  const UnixTime now{now_ms / 1000};
  const registry::InviteEntry& invite = approval.invite->entry;
  registry::IssueEntry issue;
  issue.token = request.token;
  issue.address = approval.address;
  issue.csr_hash = approval.csr_hash;
  issue.prefix6 = request.prefix6;
  issue.ipv4 = request.ipv4;
  issue.serial = std::max(ledger.last_serial() + 1, now_ms);
  issue.flags = invite.flags;
  issue.name = invite.name;

  Credential credential;
  credential.flags = invite.flags;
  credential.network = ledger.network();
  credential.address = approval.address;
  credential.serial = issue.serial;
  credential.not_before = backdated(now);
  credential.not_after = {now.seconds + kLifetime};
  credential.mac = mac_of(ledger.network(), approval.address);
  credential.ipv4 = {request.ipv4, 32};
  credential.ipv6 = request.prefix6;
  credential.name_hash = name_hash(invite.name);
  issue.credential = build_credential(credential, keys.credential);

  crypto::MemberCertificate certificate;
  certificate.common_name = cn_of_bits(approval.bits);
  certificate.anode_text = approval.address.text();
  certificate.dns_name = invite.name;
  certificate.prefix6 = request.prefix6;
  certificate.address4 = {request.ipv4, 32};
  certificate.serial = issue.serial;
  certificate.not_before = credential.not_before;
  certificate.not_after = credential.not_after;
  issue.certificate = WATTLE_TRY(
      crypto::issue_certificate(keys.ca, ledger.genesis().ca_der, certificate, request.csr));
  return issue;
}

std::optional<std::string> renew_document(const Keys& keys, const Ledger& ledger, UnixTime now) {
  NetworkDocument next = ledger.document();
  if (now.seconds < next.time.seconds + kDocumentRenewal) return std::nullopt;
  ++next.version;
  next.time = now;
  std::erase_if(next.revoked, [now](const Revocation& r) { return r.until <= now; });
  return build_network_document(next, keys.document);
}

}  // namespace wattle::signer
