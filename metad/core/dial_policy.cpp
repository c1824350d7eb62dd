#include "metad/core/dial_policy.h"

#include <algorithm>

namespace wattle::metad {

DialPolicy::DialPolicy(const NodeAddress& own, Random& random) : own_(own), random_(&random) {}

void DialPolicy::add_fixed(const Endpoint& endpoint, Instant now) {
  if (targets_.size() >= kMaxTargets) return;
  Target target;
  target.endpoints = {endpoint};
  target.due = now;
  target.kept = true;
  target.fixed = true;
  targets_.push_back(std::move(target));
}

void DialPolicy::add_once(const Endpoint& endpoint, Instant now) {
  if (targets_.size() >= kMaxTargets) return;
  add_fixed(endpoint, now);
  targets_.back().once = true;
}

void DialPolicy::know(const NodeAddress& address, const std::vector<Endpoint>& endpoints, bool kept,
                      Instant now) {
  if (address == own_ || endpoints.empty()) return;
  const auto at = std::find_if(targets_.begin(), targets_.end(),
                               [&](const Target& t) { return t.address == address && !t.fixed; });
  if (at == targets_.end()) {
    if (targets_.size() >= kMaxTargets) return;
    Target target;
    target.address = address;
    target.endpoints = endpoints;
    target.due = now + Duration(static_cast<std::int64_t>(random_->u32() % 100) * 1'000'000);
    target.kept = kept;
    targets_.push_back(std::move(target));
    return;
  }
  at->kept = at->kept || kept;
  if (at->endpoints == endpoints) return;
  at->endpoints = endpoints;
  at->next = 0;
  at->delay = kFirstDelay;
  at->due = std::min(at->due, now + jitter(std::chrono::milliseconds(100)));
}

void DialPolicy::forget(const NodeAddress& address) {
  for (std::size_t i = 0; i < targets_.size();) {
    if (targets_[i].kept || targets_[i].address != address) {
      ++i;
      continue;
    }
    erase(i);
  }
}

void DialPolicy::erase(std::size_t gone) {
  targets_.erase(targets_.begin() + static_cast<std::ptrdiff_t>(gone));
  for (auto& [id, index] : attempts_) {
    if (index == gone)
      index = kGone;
    else if (index != kGone && index > gone)
      --index;
  }
}

void DialPolicy::linked(const NodeAddress& address) { linked_.insert(address); }

void DialPolicy::unlinked(const NodeAddress& address, bool worked, Instant now) {
  if (linked_.erase(address) == 0) return;
  for (Target& target : targets_) {
    if (target.address != address) continue;
    if (worked) target.delay = kFirstDelay;
    back_off(target, now);
  }
}

std::vector<DialPolicy::Order> DialPolicy::due(Instant now) {
  std::vector<Order> out;
  for (std::size_t i = 0; i < targets_.size() && attempts_.size() < kMaxAttempts; ++i) {
    Target& target = targets_[i];
    if (!is_wanted(target) || target.due > now || target.next >= target.endpoints.size()) continue;
    Order order;
    order.id = next_id_++;
    order.endpoint = target.endpoints[target.next++];
    if (!target.fixed) order.expected = target.address;
    target.due = target.next < target.endpoints.size() ? now + kStagger : kNever;
    target.attempts.insert(order.id);
    attempts_.emplace(order.id, i);
    out.push_back(order);
  }
  return out;
}

DialId DialPolicy::begin_extra(const NodeAddress& address) {
  extras_.emplace(next_id_, address);
  return next_id_++;
}

std::optional<NodeAddress> DialPolicy::ended(DialId id, Instant now) {
  if (extras_.erase(id) != 0) return std::nullopt;
  const auto at = attempts_.find(id);
  if (at == attempts_.end()) return std::nullopt;
  const std::size_t index = at->second;
  attempts_.erase(at);
  if (index == kGone) return std::nullopt;
  Target& target = targets_[index];
  target.attempts.erase(id);
  if (target.once) {
    erase(index);
    return std::nullopt;
  }
  if (!target.attempts.empty() || target.next < target.endpoints.size() || !is_wanted(target))
    return std::nullopt;
  back_off(target, now);
  return target.address;
}

bool DialPolicy::reached(DialId id, const NodeAddress& address, Instant now) {
  if (const auto extra = extras_.find(id); extra != extras_.end()) {
    const bool right = extra->second == address;
    extras_.erase(extra);
    return right;
  }
  const auto at = attempts_.find(id);
  if (at == attempts_.end()) return address != own_;
  const std::size_t index = at->second;
  bool right = address != own_;
  if (index != kGone) {
    Target& target = targets_[index];
    if (address == own_ && target.endpoints.size() == 1) target.ourselves = true;
    if (target.fixed && right) target.address = address;
    right = right && target.address == address;
  }
  ended(id, now);
  return right;
}

std::vector<DialId> DialPolicy::superfluous() const {
  std::vector<DialId> out;
  for (const auto& [id, index] : attempts_)
    if (index == kGone || !is_wanted(targets_[index])) out.push_back(id);
  return out;
}

Instant DialPolicy::next_deadline() const {
  Instant out = kNever;
  if (attempts_.size() >= kMaxAttempts) return out;
  for (const Target& target : targets_)
    if (is_wanted(target) && target.next < target.endpoints.size()) out = std::min(out, target.due);
  return out;
}

bool DialPolicy::is_wanted(const Target& target) const {
  return !target.ourselves && !(target.address && linked_.contains(*target.address));
}

void DialPolicy::back_off(Target& target, Instant now) {
  target.next = 0;
  target.due = now + jitter(target.delay);
  target.delay = std::min<Duration>(target.delay * 2, kLongestDelay);
}

// Three quarters to five quarters of it.
Duration DialPolicy::jitter(Duration base) {
  return base * 3 / 4 + base * static_cast<std::int64_t>(random_->u32() % 1024) / 2048;
}

bool survives(const LinkOrigin& one, const LinkOrigin& other) {
  if (one.dialler != other.dialler) return one.dialler > other.dialler;
  return one.dial > other.dial;
}

}  // namespace wattle::metad
