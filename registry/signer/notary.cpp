#include "registry/signer/notary.h"

#include <algorithm>
#include <map>

#include "common/crypto/certificate.h"
#include "common/proto/prefix_bits.h"

namespace wattle::signer {
namespace {

UnixTime backdated(UnixTime now, std::uint64_t seconds = kBackdate) {
  return {now.seconds > seconds ? now.seconds - seconds : 0};
}

struct Place {
  IpPrefix prefix6;
  IpAddress ipv4;
};

// Serial, credential and certificate of an entry whose other fields are set.
template <typename E>
Result<void> finish(const Keys& keys, const Ledger& ledger, const Place& place, ByteView csr,
                    std::uint64_t now_ms, E& out) {
  const UnixTime now{now_ms / 1000};
  out.serial = std::max(ledger.last_serial() + 1, now_ms);

  Credential credential;
  credential.flags = out.flags;
  credential.network = ledger.network();
  credential.address = out.address;
  credential.serial = out.serial;
  credential.not_before = backdated(now);
  credential.not_after = {now.seconds + ledger.lifetime()};
  credential.mac = mac_of(ledger.network(), out.address);
  credential.ipv4 = {place.ipv4, 32};
  credential.ipv6 = place.prefix6;
  credential.name_hash = name_hash(out.name);
  out.credential = build_credential(credential, keys.credential);

  crypto::MemberCertificate certificate;
  certificate.common_name =
      cn_of_bits(WATTLE_TRY(member_bits(ledger.genesis().prefix, place.prefix6)));
  certificate.anode_text = out.address.text();
  certificate.dns_name = out.name;
  certificate.prefix6 = place.prefix6;
  certificate.address4 = {place.ipv4, 32};
  certificate.serial = out.serial;
  certificate.not_before = credential.not_before;
  certificate.not_after = credential.not_after;
  out.certificate =
      WATTLE_TRY(crypto::issue_certificate(keys.ca, ledger.keys().ca_der(), certificate, csr));
  return {};
}

// Serials of members whose newest certificate is overtaken and may still be renewed: at most
// `most`, so that those who never come for theirs do not keep the others off the list.
std::vector<std::uint64_t> needed_reissues(const Ledger& ledger, std::size_t most, UnixTime now) {
  std::vector<std::uint64_t> out, ended;
  for (const auto& [address, member] : ledger.members()) {
    const Held& newest = member.newest();
    if (!ledger.needs_renewal(member) || newest.until.seconds + kGrace <= now.seconds) continue;
    (newest.until > now ? out : ended).push_back(newest.serial);
  }
  std::sort(out.begin(), out.end());
  std::sort(ended.begin(), ended.end());
  out.insert(out.end(), ended.begin(), ended.end());
  if (out.size() > most) out.resize(most);
  std::sort(out.begin(), out.end());
  return out;
}

// Both, without those that have run out; `one` counts first.
std::vector<Revocation> joined(std::vector<Revocation> one, const std::vector<Revocation>& other,
                               UnixTime now) {
  std::map<std::uint64_t, UnixTime> by_serial;
  one.insert(one.end(), other.begin(), other.end());
  for (const Revocation& r : one)
    if (r.until > now) by_serial.emplace(r.serial, r.until);
  one.clear();
  for (const auto& [serial, until] : by_serial) one.push_back({serial, until});
  return one;
}

// Revocations always have room (judge.h sees to it); of serials to renew as many as fit.
NetworkDocument next_document(const Keys& keys, const Ledger& ledger, NetworkDocument wished,
                              UnixTime now) {
  constexpr std::size_t kReissueLine = 29;  // bytes, at most
  wished.version = ledger.last_version() + 1;
  wished.time = now;
  wished.reissue.clear();
  ledger.keys().put(wished);
  wished.revoked = joined(needed_revocations(ledger, now), wished.revoked, now);
  if (needed_reissues(ledger, 1, now).empty()) return wished;
  const std::size_t least = build_network_document(wished, keys.document).size();
  const std::size_t room = least < kMaxDocument ? (kMaxDocument - least) / kReissueLine : 0;
  wished.reissue = needed_reissues(ledger, std::min(room, kMaxReissues), now);
  return wished;
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

Result<NewKey> make_key(const Keys& keys, const Ledger& ledger, KeyKind kind, UnixTime now) {
  NewKey out{{}, crypto::PrivateKey::generate()};
  registry::RotateEntry& entry = out.entry;
  entry.kind = kind;
  entry.key = out.key.public_key();
  entry.has_secret = true;
  entry.secret = to_array<32>(out.key.scalar().view());
  if (kind == KeyKind::Document)
    entry.signature = sign_document_key(ledger.network(), entry.key, keys.document).signature;
  const Genesis& genesis = ledger.genesis();
  if (kind == KeyKind::Ca)
    entry.ca_der = WATTLE_TRY(
        crypto::make_ca_certificate(out.key, genesis.network, genesis.prefix, &genesis.ipv4,
                                    backdated(now, kCaBackdate), {now.seconds + kCaLifetime}));
  return out;
}

void use_key(Keys& keys, KeyKind kind, crypto::PrivateKey key) {
  switch (kind) {
    case KeyKind::Document:
      keys.document = std::move(key);
      return;
    case KeyKind::Credential:
      keys.credential = std::move(key);
      return;
    case KeyKind::Ca:
      keys.ca = std::move(key);
      return;
  }
}

Result<registry::IssueEntry> certify(const Keys& keys, const Ledger& ledger,
                                     const Approval& approval, const sign_link::Issue& request,
                                     std::uint64_t now_ms) {
  const registry::InviteEntry& invite = approval.invite->entry;
  registry::IssueEntry issue;
  issue.token = request.token;
  issue.address = approval.address;
  issue.csr_hash = approval.csr_hash;
  issue.prefix6 = request.prefix6;
  issue.ipv4 = request.ipv4;
  issue.flags = invite.flags;
  issue.name = invite.name;
  WATTLE_TRY(finish(keys, ledger, {request.prefix6, request.ipv4}, request.csr, now_ms, issue));
  return issue;
}

Result<registry::RenewEntry> certify(const Keys& keys, const Ledger& ledger, const Renewal& renewal,
                                     const sign_link::Renew& request, std::uint64_t now_ms) {
  const Member& member = *renewal.member;
  registry::RenewEntry out;
  out.address = member.address;
  out.csr_hash = renewal.csr_hash;
  out.nonce = request.nonce;
  out.flags = member.flags;
  out.name = member.name;
  WATTLE_TRY(finish(keys, ledger, {member.prefix6, member.ipv4}, request.csr, now_ms, out));
  return out;
}

Result<registry::AdoptEntry> certify(const Keys& keys, const Ledger& ledger,
                                     const Adoption& adoption, const sign_link::Renew& request,
                                     std::uint64_t now_ms) {
  registry::AdoptEntry out;
  out.address = adoption.address;
  out.csr_hash = adoption.csr_hash;
  out.nonce = request.nonce;
  out.flags = adoption.flags;
  out.name = adoption.name;
  out.before = adoption.before;
  const Place place = adoption.member != nullptr
                          ? Place{adoption.member->prefix6, adoption.member->ipv4}
                          : Place{adoption.prefix6, adoption.ipv4};
  WATTLE_TRY(finish(keys, ledger, place, request.csr, now_ms, out));
  return out;
}

std::string sign_document(const Keys& keys, const Ledger& ledger, NetworkDocument wished,
                          UnixTime now) {
  return build_network_document(next_document(keys, ledger, std::move(wished), now), keys.document);
}

std::optional<std::string> renew_document(const Keys& keys, const Ledger& ledger, UnixTime now) {
  const NetworkDocument& d = ledger.document();
  const NetworkDocument next = next_document(keys, ledger, d, now);
  const bool has_all =
      std::includes(d.revoked.begin(), d.revoked.end(), next.revoked.begin(), next.revoked.end());
  const bool is_young = now.seconds < d.time.seconds + kDocumentRenewal;
  const bool is_newest = d.version == ledger.last_version();
  const bool has_keys = ledger.keys().is_said_by(d);
  if (has_all && has_keys && is_young && is_newest && d.reissue == next.reissue)
    return std::nullopt;
  return build_network_document(next, keys.document);
}

}  // namespace wattle::signer
