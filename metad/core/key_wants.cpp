#include "metad/core/key_wants.h"

#include <algorithm>

namespace wattle::metad {

bool KeyWants::add(const NodeAddress& owner, std::uint64_t min_epoch, const Waiter& waiter,
                   Instant start) {
  auto at = wants_.find(owner);
  if (at == wants_.end()) {
    if (wants_.size() >= kMaxWants) return false;
    at = wants_.emplace(owner, Want{}).first;
    at->second.next_try = start;
    at->second.give_up = start + kGiveUp;
  }
  Want& want = at->second;
  want.next_try = std::min(want.next_try, start);
  want.min_epoch = std::max(want.min_epoch, min_epoch);
  if (want.waiters.size() >= kMaxWaiters && !want.waiters.contains(waiter)) return false;
  want.waiters.insert(waiter);
  return true;
}

Want* KeyWants::find(const NodeAddress& owner) {
  const auto at = wants_.find(owner);
  return at == wants_.end() ? nullptr : &at->second;
}

std::optional<Want> KeyWants::take(const NodeAddress& owner) {
  const auto at = wants_.find(owner);
  if (at == wants_.end()) return std::nullopt;
  Want out = std::move(at->second);
  wants_.erase(at);
  return out;
}

void KeyWants::link_down(LinkId link) { drop_waiter(Waiter::Kind::Link, link); }
void KeyWants::control_down(ControlId control) { drop_waiter(Waiter::Kind::Control, control); }

void KeyWants::drop_waiter(Waiter::Kind kind, std::uint64_t id) {
  for (auto at = wants_.begin(); at != wants_.end();) {
    std::erase_if(at->second.waiters,
                  [&](const Waiter& w) { return w.kind == kind && w.id == id; });
    at = at->second.waiters.empty() ? wants_.erase(at) : std::next(at);
  }
}

std::vector<NodeAddress> KeyWants::due(Instant now) const {
  std::vector<NodeAddress> out;
  for (const auto& [owner, want] : wants_)
    if (want.next_try <= now && want.give_up > now) out.push_back(owner);
  return out;
}

std::vector<NodeAddress> KeyWants::over(Instant now) const {
  std::vector<NodeAddress> out;
  for (const auto& [owner, want] : wants_)
    if (want.give_up <= now) out.push_back(owner);
  return out;
}

Instant KeyWants::next_deadline() const {
  Instant out = kNever;
  for (const auto& [owner, want] : wants_)
    out = std::min(out, std::min(want.next_try, want.give_up));
  return out;
}

}  // namespace wattle::metad
