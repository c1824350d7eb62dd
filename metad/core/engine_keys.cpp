// Packet keys: REQ_KEY, ANS_KEY, KEY_CHANGED, and what is being fetched.
#include <algorithm>

#include "common/base/mutant.h"
#include "metad/core/engine.h"

namespace wattle::metad {
namespace {

constexpr Duration kNoWay = std::chrono::milliseconds(300);  // look again for a neighbour to ask
constexpr std::size_t kMaxOwnWaiters = 64;

}  // namespace

void Engine::on_req_key(LinkId id, Link& link, const Request& request, Now now) {
  if (!WATTLE_CHECKED(key_ask_rate, link.keys.take(now.mono))) return count("key_over_budget");
  const std::string& requester = request.text(0);
  const std::uint64_t epoch = request.find_number("epoch").value_or(0);
  if (is_own(request.text(1))) {
    if (!own_answer_.empty()) return send_answer(id, request.text(1), requester, own_answer_);
    if (own_waiters_.size() >= kMaxOwnWaiters) return count("key_waiters_full");
    own_waiters_.push_back({id, requester});
    return;
  }
  const Host* host = nodes_.find(request.text(1));
  if (host == nullptr) return status(id, 404, "no such member " + request.text(1));
  const NodeAddress owner = host->origin.record.address;
  if (const KeyBroker::Entry* entry = broker_.answer(owner, epoch, now)) {
    count("key_answered");
    return send_answer(id, request.text(1), requester, entry->answer);
  }
  if (!want_key(owner, epoch, {Waiter::Kind::Link, id, requester}, now.mono, now))
    count("key_wants_full");
}

void Engine::on_ans_key(LinkId, Link& link, const Request& request, Now now) {
  const Host* host = nodes_.find(request.text(0));
  if (host == nullptr) return count("key_of_unknown");
  const NodeAddress owner = host->origin.record.address;
  if (WATTLE_CHECKED(key_wanted, wants_.find(owner) == nullptr)) return count("key_unasked");
  if (!WATTLE_CHECKED(key_verify_rate, link.keys.take(now.mono) && verifies_.take(now.mono)))
    return count("key_over_budget");
  const Check check = broker_.offer(owner, std::get<Bytes>(request.values[2]), now);
  if (WATTLE_CHECKED(key_verified, check != Check::Accept)) {
    count("key_refused_" + std::string(check_name(check)));
    return fetch(owner, now);  // another neighbour may know better
  }
  key_arrived(owner, now);
}

void Engine::on_key_changed(LinkId id, Link& link, const Request& request, Now now) {
  const auto epoch = request.find_number("epoch");
  if (is_own(request.text(0))) {
    if (epoch == own_epoch_) return;
    count("about_ourselves");
    if (own_epoch_ != 0 && link.truths.take(now.mono))
      send(id, Verb::KeyChanged, {Value(setup_.name)}, {{"epoch", std::to_string(own_epoch_)}});
    return;
  }
  const Host* host = nodes_.find(request.text(0));
  if (host == nullptr) return count("key_of_unknown");
  // Without a number (as in 2001) it is newer than anything.
  key_changed(id, host->origin.record.address, epoch.value_or(UINT64_MAX), now);
}

// At once, or when the 30 s after the one before are over.
void Engine::key_changed(LinkId id, const NodeAddress& owner, std::uint64_t newest, Now now) {
  const auto link = links_.find(id);
  if (link == links_.end()) return;
  const KeyBroker::Changed changed = broker_.key_changed(owner, newest, id, now.mono);
  if (changed == KeyBroker::Changed::Limited) return count("key_changed_limited");
  const KeyBroker::Entry* entry = broker_.find(owner);
  if (changed != KeyBroker::Changed::Known && has_session(owner)) {
    const Duration wait = std::chrono::milliseconds(random_->u32() % 1000);
    want_key(owner, entry == nullptr ? 0 : entry->seen.epoch + 1, {}, now.mono + wait, now);
  } else if (changed == KeyBroker::Changed::Outdated) {
    broker_.drop(owner);
    feed_.unmark(LaneFeed::Kind::Member, owner);
    if (cryptod_) {
      stale_[owner] = newest;
      feed_.mark(LaneFeed::Kind::Stale, owner);
    }
  }
  Request line;
  line.verb = Verb::KeyChanged;
  line.values = {Value(nodes_.label(owner))};
  if (newest != UINT64_MAX) line.keys.emplace_back("epoch", std::to_string(newest));
  flood(owner, link->second.address(), line);
}

// To every other neighbour. A number that went out before goes no further, so that it does not
// circle.
void Engine::flood(const NodeAddress& subject, const NodeAddress& from, const Request& request) {
  if (!broker_.may_forward(subject, request.find_number("epoch").value_or(UINT64_MAX))) return;
  for (const auto& [id, link] : links_)
    if (link.is_talking() && link.address() != from && link.address() != subject) {
      count("key_changed_passed");
      out_.push_back(SendLine{id, print_request(request)});
    }
}

bool Engine::want_key(const NodeAddress& owner, std::uint64_t min_epoch, const Waiter& waiter,
                      Instant start, Now now) {
  if (!wants_.add(owner, min_epoch, waiter, start)) return false;
  const Want* want = wants_.find(owner);
  if (want->next_try <= now.mono) fetch(owner, now);
  return true;
}

// Asks the next neighbour that may know; when all were asked, begins again after a while.
void Engine::fetch(const NodeAddress& owner, Now now) {
  Want* want = wants_.find(owner);
  if (want == nullptr) return;
  for (const NodeAddress& way : router_.ways(owner)) {
    const auto link = talk_to(way);
    if (!link || want->asked.contains(way)) continue;
    if (std::any_of(want->waiters.begin(), want->waiters.end(), [&](const Waiter& waiter) {
          if (waiter.kind != Waiter::Kind::Link) return false;
          const auto asker = links_.find(waiter.id);
          return asker != links_.end() && asker->second.address() == way;
        }))
      continue;  // it asks us
    want->asked.insert(way);
    want->next_try = now.mono + KeyWants::kTry;
    std::vector<std::pair<std::string, std::string>> keys;
    if (want->min_epoch != 0) keys.emplace_back("epoch", std::to_string(want->min_epoch));
    count("key_asked");
    return send(*link, Verb::ReqKey, {Value(setup_.name), Value(nodes_.label(owner))},
                std::move(keys));
  }
  want->asked.clear();
  want->next_try = now.mono + kNoWay;
}

void Engine::key_arrived(const NodeAddress& owner, Now) {
  const KeyBroker::Entry* entry = broker_.find(owner);
  count("key_accepted");
  stale_.erase(owner);
  feed_.unmark(LaneFeed::Kind::Stale, owner);
  feed_.unmark(LaneFeed::Kind::NoKey, owner);
  if (cryptod_) feed_.mark(LaneFeed::Kind::Member, owner);
  owners_.prove(owner, entry->accepted.credential);
  judge_name(owner);
  auto want = wants_.take(owner);
  if (!want) return;
  for (const Waiter& waiter : want->waiters) {
    if (waiter.kind == Waiter::Kind::Link) {
      send_answer(waiter.id, nodes_.label(owner), waiter.requester, entry->answer);
    } else if (waiter.kind == Waiter::Kind::Control) {
      Request line;
      line.verb = Verb::AnsKey;
      line.values = {Value(nodes_.label(owner)), Value(waiter.requester), Value(entry->answer)};
      say(waiter.id, print_request(line));
      const auto control = controls_.find(waiter.id);
      if (control != controls_.end()) control->second.query.reset();
    }
  }
}

// A member may claim any name in its record, with any serial: its credential has the last word. One
// that was renamed is called by its address until its newer credential comes.
void Engine::judge_name(const NodeAddress& owner) {
  const KeyBroker::Entry* entry = broker_.find(owner);
  const Host* host = nodes_.find(owner);
  if (entry == nullptr || host == nullptr) return;
  const std::string name = host->origin.record.name;
  if (WATTLE_CHECKED(metad_name, name_hash(name) == entry->accepted.credential.name_hash)) {
    nodes_.prove_name(owner, name);
  } else if (!host->name_proven ||  // by the certificate of a link, which may be newer
             entry->accepted.credential.serial >= host->origin.record.serial) {
    if (!host->name_false) count("name_false");
    nodes_.disprove_name(owner);
  }
}

void Engine::give_up(const NodeAddress& owner) {
  auto want = wants_.take(owner);
  if (!want) return;
  count("key_given_up");
  const std::string label = nodes_.label(owner);
  for (const Waiter& waiter : want->waiters) {
    if (waiter.kind == Waiter::Kind::Link) {
      if (links_.contains(waiter.id)) status(waiter.id, 404, "no key of " + label);
    } else if (waiter.kind == Waiter::Kind::Control) {
      refuse(waiter.id, 404, "no key of " + label);
      const auto control = controls_.find(waiter.id);
      if (control != controls_.end()) control->second.query.reset();
    } else if (cryptod_) {
      feed_.mark(LaneFeed::Kind::NoKey, owner);
    }
  }
}

void Engine::send_answer(LinkId id, const std::string& owner, const std::string& requester,
                         Bytes answer) {
  send(id, Verb::AnsKey, {Value(owner), Value(requester), Value(std::move(answer))});
}

}  // namespace wattle::metad
