// Renewal of the own membership, and links that follow it (DESIGN 2): whoever dialled a link that
// either side's newer certificate has outdated dials a new one; when that is active, it closes the
// old one.
#include <algorithm>

#include "common/base/mutant.h"
#include "metad/core/engine.h"
#include "metad/core/renewal_message.h"

namespace wattle::metad {
namespace {

constexpr Duration kRedialSpread = std::chrono::seconds(2);
constexpr Duration kRedialAgain = std::chrono::seconds(2);
constexpr Duration kRedialGap = std::chrono::seconds(5);  // between two new links of one neighbour
constexpr Duration kOverlap = std::chrono::seconds(1);    // of the new link and the old one

constexpr const char* kNotRenewed = "the certificate could not be renewed; it is tried again";

}  // namespace

void Engine::run_renewal(Now now) {
  if (auto request = renewal_.due(now)) {
    count("renewal_asked");
    out_.push_back(SignRenewal{*request});
  }
}

void Engine::on_enrolment(const key_link::Enrolment& message, Now now) {
  if (auto body = renewal_.on_signature(message, setup_.credential, setup_.name, now))
    out_.push_back(PostRenewal{std::move(*body)});
}

Actions Engine::on_renewal_answer(int status, const std::string& body, Now now) {
  if (!renewal_.is_asking()) return take();
  const auto failed = [&](std::string why, bool spoilt) {
    count("renewal_failed");
    const bool over = now.unix >= setup_.expires;
    note(Note::Level::Warning,
         over ? "the certificate has ended and could not be renewed; it is "
                "tried again"
              : kNotRenewed,
         nullptr, why);
    standing_.renewal_failed(why);
    renewal_.failed(spoilt, now);
    run_renewal(now);
    return take();
  };
  if (status == 0) return failed("the registry cannot be reached", false);
  if (status != 200) return failed(renewal_refusal(status, body), false);
  auto answer = parse_renewal_answer(body);
  if (!answer) return failed(answer.error().text(), true);
  if (!answer->document.empty() && answer->document != setup_.document)
    use_document(std::move(answer->document), std::nullopt, now);
  const auto judged = judge_membership(answer->membership, chain_.ca_ders(), broker_.trust());
  if (!judged) return failed(judged.error().text(), true);
  if (WATTLE_CHECKED(renewal_address, judged->address != setup_.address))
    return failed("it is for another address", true);
  if (setup_.tls_key == nullptr ||
      WATTLE_CHECKED(renewal_key, judged->tls_key != setup_.tls_key->public_key()))
    return failed("it is for another key", true);
  if (WATTLE_CHECKED(renewal_serial, judged->serial <= setup_.serial))
    return failed("its serial is not newer", true);
  if (WATTLE_CHECKED(renewal_time, now.unix < judged->not_before || now.unix >= judged->not_after))
    return failed("by this host's clock it is not valid; is the clock right?", true);
  adopt_membership(answer->membership, *judged, now);
  run_renewal(now);
  dial(now);
  return take();
}

// Stored first, then used: by later handshakes, by cryptod, and by our origin record, which tells
// the others.
void Engine::adopt_membership(const Membership& membership, const JudgedMembership& judged,
                              Now now) {
  count("renewed");
  standing_.renewed();
  if (judged.name != setup_.name)
    note(Note::Level::Notice, "this node has a new name: " + judged.name);
  note(Note::Level::Notice, "the certificate is renewed", nullptr,
       "serial " + std::to_string(judged.serial));
  setup_.name = judged.name;
  setup_.serial = judged.serial;
  setup_.not_before = judged.not_before;
  setup_.expires = judged.not_after;
  setup_.credential = membership.credential;
  setup_.certificate = membership.certificate;
  credential_ = judged.credential;
  out_.push_back(StoreFile{kRenewedFile, print_membership(membership)});
  out_.push_back(UseCertificate{membership.certificate, judged.serial, judged.name,
                                (judged.credential.flags & kFlagRelay) != 0});
  if (cryptod_) feed_.mark(LaneFeed::Kind::OwnCredential);
  own_.renewed(judged.name, judged.serial);
  if (const auto sign = own_.due(now.mono)) out_.push_back(ToKeyd{*sign});
  renewal_.renewed(judged.not_before, judged.not_after);
  look_for_reissue();
  for (const auto& [id, link] : links_) plan_redial(id, now);
}

void Engine::look_for_reissue() {
  const bool named = document_ && std::binary_search(document_->reissue.begin(),
                                                     document_->reissue.end(), setup_.serial);
  if (named || is_barred()) renewal_.want_now();
}

// A key that made our certificate or credential is not in force any more. (Revocation is another
// matter: no renewal helps.)
bool Engine::is_barred() const {
  if (setup_.certificate.empty()) return false;
  const Trust trust{setup_.network, chain_.credential_keys(), {}};
  return !judge_membership({setup_.certificate, setup_.credential}, chain_.ca_ders(), trust);
}

// ---- links --------------------------------------------------------------------------------------

// A neighbour's newer origin record names a newer certificate.
void Engine::neighbour_renewed(const NodeAddress& address, Now now) {
  for (const auto& [id, link] : links_)
    if (link.address() == address) plan_redial(id, now);
}

void Engine::plan_redial(LinkId id, Now now) {
  const Link& link = links_.at(id);
  if (!link.up().dialled || link.stage() != Stage::Active || redials_.contains(id)) return;
  const Host* host = nodes_.find(link.address());
  const std::uint64_t theirs = host == nullptr ? 0 : host->origin.record.serial;
  const auto tried = redialled_.find(link.address());
  const bool again = tried != redialled_.end();
  // A neighbour may claim any serial: each claim is worth one new link.
  const bool newer = theirs > link.up().serial &&
                     (!again || WATTLE_CHECKED(renewal_claims, theirs > tried->second.serial));
  if (!newer && setup_.serial <= link.up().own_serial) return;
  Redial redial;
  redial.due = now.mono + Duration(kRedialSpread.count() / 1024 *
                                   static_cast<std::int64_t>(random_->u32() % 1024));
  if (again) redial.due = std::max(redial.due, tried->second.at + kRedialGap);
  redials_.emplace(id, redial);
}

void Engine::run_redials(Now now) {
  for (auto at = redials_.begin(); at != redials_.end();) {
    const auto link = links_.find(at->first);
    if (link == links_.end()) {
      at = redials_.erase(at);
      continue;
    }
    Redial& redial = at->second;
    ++at;
    if (redial.due > now.mono || links_.size() >= kMaxLinks) continue;
    const NodeAddress& address = link->second.address();
    const Host* host = nodes_.find(address);
    // Where it answered before, then where it says to be.
    std::vector<Endpoint> places = {link->second.up().remote};
    if (host != nullptr)
      places.insert(places.end(), host->origin.record.endpoints.begin(),
                    host->origin.record.endpoints.end());
    redial.dial = dial_.begin_extra(address);
    redial.due = kNever;
    redialled_[address] = {host == nullptr ? 0 : host->origin.record.serial, now.mono};
    out_.push_back(Dial{redial.dial, places[redial.tries++ % places.size()]});
  }
  std::vector<LinkId> over;
  for (const auto& [id, when] : retiring_)
    if (when <= now.mono) over.push_back(id);
  for (const LinkId id : over) {
    retiring_.erase(id);
    if (links_.contains(id)) close(id, "a newer one has taken over", now);
  }
  if (redialled_.size() > kMaxLinks)
    std::erase_if(redialled_, [&](const auto& item) { return !is_linked(item.first); });
}

// The attempt found nobody: again, at another place. True if it was one of ours.
bool Engine::redial_failed(DialId dial, Now now) {
  for (auto& [id, redial] : redials_) {
    if (redial.dial != dial) continue;
    redial.dial = 0;
    redial.due = now.mono + kRedialAgain;
    return true;
  }
  return false;
}

// The new link is active: those with older certificates go, by whoever dialled it.
void Engine::retire_outdated(LinkId id, Now now) {
  const Link& link = links_.at(id);
  if (!link.up().dialled) return;
  for (const auto& [other_id, other] : links_) {
    if (other.address() != link.address() || !outdates(link.up(), other.up())) continue;
    redials_.erase(other_id);
    if (retiring_.emplace(other_id, now.mono + kOverlap).second) count("link_renewed");
  }
}

// Both sides decide alike: what is our own certificate to one is the neighbour's to the other.
bool Engine::outdates(const LinkUp& one, const LinkUp& other) {
  return one.serial >= other.serial && one.own_serial >= other.own_serial &&
         (one.serial > other.serial || one.own_serial > other.own_serial);
}

Instant Engine::renewal_deadline() const {
  Instant out = renewal_.next_deadline();
  for (const auto& [id, redial] : redials_) out = std::min(out, redial.due);
  for (const auto& [id, when] : retiring_) out = std::min(out, when);
  return out;
}

// Once a minute.
void Engine::look_at_validity(Now now) {
  if (setup_.tls_key == nullptr) return;
  if (now.unix < setup_.not_before)
    note(Note::Level::Warning,
         "this host's clock stands before the beginning of the certificate; is it right?");
  if (now.unix >= setup_.expires)
    note(Note::Level::Warning,
         "the certificate has ended: the others refuse links until it is renewed; is this host's "
         "clock right?");
}

}  // namespace wattle::metad
