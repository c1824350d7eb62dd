#include "metad/ctl/checker.h"

#include <algorithm>

#include "common/base/mutant.h"
#include "common/crypto/certificate.h"
#include "common/proto/acceptance.h"
#include "common/proto/genesis.h"
#include "common/proto/line.h"
#include "common/proto/prefix_bits.h"
#include "common/proto/trust_chain.h"
#include "metad/ctl/join_message.h"

namespace wattle::ctl {

namespace {

CheckAnswer wrong(std::string detail) {
  CheckAnswer answer;
  answer.detail = printable(detail, 300);
  return answer;
}

CheckAnswer wrong(std::string_view what, const Error& error) {
  return wrong(std::string(what) + ": " + error.text());
}

// What both sides of the answer say, once each is known to be genuine.
struct Parts {
  Genesis genesis;
  NetworkId network{};
  crypto::VerifiedCertificate certificate;
  Credential credential;
};

// The first thing on which certificate, credential, request and genesis do not agree; empty if
// none.
std::string_view disagreement(const Parts& parts, const CheckRequest& request,
                              const std::string& name) {
  const crypto::MemberCertificate& says = parts.certificate.says;
  const Credential& credential = parts.credential;
  const auto csr_key = crypto::check_csr(request.csr);
  if (!csr_key || WATTLE_CHECKED(check_key, *csr_key != parts.certificate.public_key))
    return "the certificate is for another key than asked";
  if (WATTLE_CHECKED(check_address, says.anode_text != request.address.text()))
    return "the certificate is for another address";
  if (WATTLE_CHECKED(check_name_certificate, says.dns_name != name))
    return "the certificate is for another name";
  if (WATTLE_CHECKED(check_name_credential, credential.name_hash != name_hash(name)))
    return "the credential is for another name";
  if (WATTLE_CHECKED(check_serial, says.serial != credential.serial))
    return "certificate and credential have different serials";
  if (WATTLE_CHECKED(check_times, says.not_before != credential.not_before ||
                                      says.not_after != credential.not_after))
    return "certificate and credential are valid at different times";
  if (WATTLE_CHECKED(check_prefix, says.prefix6 != credential.ipv6))
    return "certificate and credential have different prefixes";
  if (WATTLE_CHECKED(check_ipv4, says.address4 != credential.ipv4))
    return "certificate and credential have different IPv4 addresses";
  const IpPrefix& prefix = credential.ipv6;
  if (WATTLE_CHECKED(check_prefix_inside, prefix.length <= parts.genesis.prefix.length ||
                                              !parts.genesis.prefix.contains(prefix.address)))
    return "the IPv6 prefix is not inside the network's";
  if (WATTLE_CHECKED(check_ipv4_inside, credential.ipv4.length < parts.genesis.ipv4.length ||
                                            !parts.genesis.ipv4.contains(credential.ipv4.address)))
    return "the IPv4 address is not inside the network's";
  const auto bits = member_bits(parts.genesis.prefix, prefix);
  if (!bits || says.common_name != cn_of_bits(*bits))
    return "the certificate's common name is not the prefix's";
  if (WATTLE_CHECKED(check_mac, credential.mac != mac_of(parts.network, request.address)))
    return "the MAC address is not the derived one";
  return {};
}

CheckAnswer refused(const CheckRequest& request) {
  const JoinError error = parse_join_error(request.status, request.body);
  CheckAnswer answer;
  answer.outcome = CheckOutcome::Refused;
  answer.refusal = error.refusal;
  answer.detail = error.sentence;
  return answer;
}

// A moment at which both certificate and credential claim to be valid, as near to now as can be: so
// signatures are judged first and the clock last.
UnixTime moment_inside(const Credential& credential, UnixTime now) {
  const std::uint64_t first = credential.not_before.seconds;
  const std::uint64_t last = credential.not_after.seconds;
  if (last <= first) return now;
  return {std::clamp(now.seconds, first, last - 1)};
}

CheckAnswer member(Parts parts, JoinAnswer answer, const CheckRequest& request) {
  const Credential& credential = parts.credential;
  CheckAnswer out;
  out.outcome = CheckOutcome::Member;
  out.not_before = credential.not_before;
  out.not_after = credential.not_after;
  out.name = std::move(answer.name);
  out.serial = credential.serial;
  out.mac = credential.mac;
  out.ipv4 = {credential.ipv4.address, parts.genesis.ipv4.length};
  out.ipv6 = {credential.address6(), parts.genesis.prefix.length};
  out.prefix = credential.ipv6;
  out.certificate = std::move(answer.certificate);
  out.credential = to_array<kCredentialSize>(answer.credential);
  out.document = std::move(answer.document);
  for (JoinPeer& peer : answer.peers)
    if (peer.address != request.address && !peer.endpoints.empty())
      out.peers.push_back(std::move(peer));
  return out;
}

}  // namespace

CheckAnswer check_join(const CheckRequest& request) {
  if (WATTLE_CHECKED(check_genesis, genesis_hash(request.genesis_text) != request.genesis)) {
    CheckAnswer answer;
    answer.outcome = CheckOutcome::GenesisDiffers;
    return answer;
  }
  Parts parts;
  parts.network = network_id(request.genesis);
  auto genesis = parse_genesis(request.genesis_text);
  if (!genesis) return wrong("the genesis document", genesis.error());
  parts.genesis = std::move(*genesis);
  if (WATTLE_CHECKED(check_network, parts.genesis.network != request.network))
    return wrong("the genesis document is of another network");
  if (request.status != 200) return refused(request);

  auto answer = parse_join_answer(request.body);
  if (!answer) return wrong(answer.error().text());
  TrustChain chain(parts.genesis, parts.network);
  const auto document = chain.open(answer->document);
  if (!document) return wrong("the network document", document.error());
  chain.hold(*document);
  if (document->min_protocol > kMetaVersion)
    return wrong("this wattle is too old for the network: install a newer one");

  const auto claimed = decode_credential(answer->credential);
  if (!claimed) return wrong("the credential", claimed.error());
  const UnixTime moment = moment_inside(*claimed, request.now);
  Trust trust{parts.network, chain.credential_keys(), {}};
  for (const Revocation& revocation : document->revoked) trust.revoked.insert(revocation.serial);
  const Check check =
      accept_credential(trust, answer->credential, request.address, moment, 0, parts.credential);
  if (WATTLE_CHECKED(check_credential, check != Check::Accept))
    return wrong("the credential does not verify (" + std::string(check_name(check)) + ")");
  auto verified = crypto::verify_by_any(answer->certificate, chain.ca_ders(), moment);
  if (!verified) return wrong("the certificate", verified.error());
  parts.certificate = std::move(verified->certificate);
  if (const std::string_view what = disagreement(parts, request, answer->name); !what.empty())
    return wrong(std::string(what));
  if (WATTLE_CHECKED(check_clock, moment != request.now)) {
    CheckAnswer late;
    late.outcome = CheckOutcome::ClockOff;
    late.not_before = parts.credential.not_before;
    late.not_after = parts.credential.not_after;
    return late;
  }
  return member(std::move(parts), std::move(*answer), request);
}

}  // namespace wattle::ctl
