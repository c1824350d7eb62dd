#include "registry/io/document_polls.h"

#include <vector>

#include "common/os/clock.h"
#include "registry/core/client_limits.h"

namespace wattle::registry {
namespace {

constexpr Duration kSpare = std::chrono::seconds(10);  // for the answer itself

}  // namespace

void DocumentPolls::hold(const IpAddress& client, std::uint64_t after, const Reply& reply,
                         const std::shared_ptr<Caller>& caller) {
  const IpPrefix key = client_of(client);
  const auto count = per_client_.find(key);
  if (held_.size() >= kMaxHeld || (count != per_client_.end() && count->second >= kMaxPerClient))
    return reply(no_news());
  const std::uint64_t number = next_++;
  ++per_client_[key];
  held_.emplace(number, Held{key, after, reply, caller, os::now() + hold_});
  if (caller) {
    caller->on_gone = [this, number] { gone(number); };
    if (caller->keep_open) caller->keep_open(hold_ + kSpare);
  }
  if (!timer_.active()) arm();
}

void DocumentPolls::wake(std::uint64_t version, const Answer& answer) {
  std::vector<Reply> woken;
  for (auto at = held_.begin(); at != held_.end();) {
    const auto next = std::next(at);
    if (at->second.after < version) woken.push_back(take(at));
    at = next;
  }
  for (const Reply& reply : woken) reply(answer);
}

Reply DocumentPolls::take(Table::iterator at) {
  Held& held = at->second;
  const auto count = per_client_.find(held.client);
  if (--count->second == 0) per_client_.erase(count);
  if (const auto caller = held.caller.lock()) caller->on_gone = nullptr;
  Reply reply = std::move(held.reply);
  held_.erase(at);
  return reply;
}

void DocumentPolls::gone(std::uint64_t number) {
  const auto at = held_.find(number);
  if (at != held_.end()) take(at)(no_news());  // which also ends a connection that is half closed
}

void DocumentPolls::expire() {
  const Instant now = os::now();
  std::vector<Reply> due;
  while (!held_.empty() && held_.begin()->second.deadline <= now)
    due.push_back(take(held_.begin()));
  for (const Reply& reply : due) reply(no_news());
  arm();
}

// All wait equally long, so the oldest is the next.
void DocumentPolls::arm() {
  timer_.reset();
  if (held_.empty()) return;
  const Duration left = held_.begin()->second.deadline - os::now();
  timer_ = loop_.after(std::max(left, Duration::zero()), [this] { expire(); });
}

}  // namespace wattle::registry
