#include "metad/core/key_broker.h"

#include <algorithm>

#include "common/base/mutant.h"

namespace wattle::metad {
namespace {

constexpr std::uint64_t kStillValid = 60;  // seconds: an answer that dies on its way helps nobody

}  // namespace

KeyBroker::KeyBroker(Trust trust) : trust_(std::move(trust)) {}

Check KeyBroker::offer(const NodeAddress& asked, ByteView key, Now now) {
  if (key.size() != kAnswerSize) return Check::Length;
  const auto at = entries_.find(asked);
  Accepted accepted;
  const Check check =
      accept_record(trust_, key.first(kPacketKeySize), key.subspan(kPacketKeySize), asked, now.unix,
                    at == entries_.end() ? nullptr : &at->second.seen, accepted);
  if (check != Check::Accept) return check;
  if (at == entries_.end() && entries_.size() >= kMaxRecords) {
    auto oldest = entries_.begin();
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry)
      if (entry->second.used < oldest->second.used) oldest = entry;
    entries_.erase(oldest);
  }
  Entry& entry = entries_[asked];
  entry.answer = to_bytes(key);
  entry.accepted = accepted;
  entry.seen.body = to_array<kPacketKeyBody>(key);
  entry.seen.epoch = accepted.record.epoch;
  entry.seen.serial = accepted.credential.serial;
  entry.dropped = false;
  entry.used = now.mono;
  return Check::Accept;
}

std::vector<NodeAddress> KeyBroker::judge_by(std::vector<crypto::PublicKey> credential_keys,
                                             const std::set<std::uint64_t>& revoked) {
  trust_.credential_keys = std::move(credential_keys);
  trust_.revoked = revoked;
  std::vector<NodeAddress> out;
  for (auto& [address, entry] : entries_) {
    const Credential& credential = entry.accepted.credential;
    if (entry.dropped ||
        (!revoked.contains(credential.serial) && trust_.has_key(credential.signed_by)))
      continue;
    entry.dropped = true;
    out.push_back(address);
  }
  return out;
}

const KeyBroker::Entry* KeyBroker::find(const NodeAddress& address) const {
  const auto at = entries_.find(address);
  return at == entries_.end() || at->second.dropped ? nullptr : &at->second;
}

const KeyBroker::Entry* KeyBroker::answer(const NodeAddress& address, std::uint64_t min_epoch,
                                          Now now) {
  const auto at = entries_.find(address);
  if (at == entries_.end() || at->second.dropped) return nullptr;
  const Accepted& accepted = at->second.accepted;
  const std::uint64_t limit = now.unix.seconds + kStillValid;
  if (accepted.record.epoch < min_epoch || accepted.record.not_after.seconds <= limit ||
      accepted.credential.not_after.seconds <= limit)
    return nullptr;
  at->second.used = now.mono;
  return &at->second;
}

KeyBroker::Changed KeyBroker::key_changed(const NodeAddress& address, std::uint64_t epoch,
                                          LinkId link, Instant now) {
  const auto key = std::pair(link, address);
  const auto last = changes_.find(key);
  if (last != changes_.end() &&
      WATTLE_CHECKED(key_changed_gap, now - last->second.at < kChangeGap)) {
    last->second.late = std::max(last->second.late.value_or(0), epoch);
    return Changed::Limited;
  }
  if (last == changes_.end() && changes_.size() >= kMaxChanges) {
    std::erase_if(changes_, [&](const auto& item) {
      return now - item.second.at >= kChangeGap && !item.second.late;
    });
    if (changes_.size() >= kMaxChanges) return Changed::Limited;
  }
  changes_[key] = {now, std::nullopt};
  const auto at = entries_.find(address);
  if (at == entries_.end() || at->second.dropped) return Changed::Nothing;
  return at->second.seen.epoch >= epoch ? Changed::Known : Changed::Outdated;
}

std::vector<KeyBroker::Late> KeyBroker::late_changes(Instant now) const {
  std::vector<Late> out;
  for (const auto& [key, change] : changes_)
    if (change.late && now - change.at >= kChangeGap)
      out.push_back({key.first, key.second, *change.late});
  return out;
}

Instant KeyBroker::next_deadline() const {
  Instant out = kNever;
  for (const auto& [key, change] : changes_)
    if (change.late) out = std::min(out, change.at + kChangeGap);
  return out;
}

bool KeyBroker::may_forward(const NodeAddress& address, std::uint64_t epoch) {
  if (forwarded_.size() >= kMaxRecords && !forwarded_.contains(address)) return false;
  std::deque<std::uint64_t>& last = forwarded_[address];
  if (WATTLE_CHECKED(key_changed_circle, std::find(last.begin(), last.end(), epoch) != last.end()))
    return false;
  if (last.size() >= kForwarded) last.pop_front();
  last.push_back(epoch);
  return true;
}

void KeyBroker::drop(const NodeAddress& address) {
  const auto at = entries_.find(address);
  if (at != entries_.end()) at->second.dropped = true;
}

void KeyBroker::link_down(LinkId link) {
  std::erase_if(changes_, [&](const auto& item) { return item.first.first == link; });
}

std::vector<NodeAddress> KeyBroker::addresses() const {
  std::vector<NodeAddress> out;
  for (const auto& [address, entry] : entries_)
    if (!entry.dropped) out.push_back(address);
  return out;
}

}  // namespace wattle::metad
