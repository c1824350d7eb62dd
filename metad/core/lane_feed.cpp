#include "metad/core/lane_feed.h"

namespace wattle::metad {

void LaneFeed::mark(Kind kind, const NodeAddress& address) { dirty_.insert({kind, address}); }

void LaneFeed::unmark(Kind kind, const NodeAddress& address) { dirty_.erase({kind, address}); }

void LaneFeed::answer(Message message) {
  if (answers_.size() >= kMaxAnswers) answers_.pop_front();
  answers_.push_back(std::move(message));
}

bool LaneFeed::event(Message message) {
  if (events_.size() >= kMaxEvents) return false;
  events_.push_back(std::move(message));
  return true;
}

void LaneFeed::clear() {
  dirty_.clear();
  answers_.clear();
  events_.clear();
  from_ = From::Nothing;
}

std::optional<LaneFeed::Message> LaneFeed::next(const Build& build) {
  // A snapshot comes whole before any answer.
  const bool snapshot = dirty_.contains({Kind::SnapshotEnd, {}});
  const auto queued = [&]() -> std::optional<Message> {
    from_ = !answers_.empty() ? From::Answers : !events_.empty() ? From::Events : From::Nothing;
    if (from_ == From::Nothing) return std::nullopt;
    return from_ == From::Answers ? answers_.front() : events_.front();
  };
  if (!snapshot)
    if (auto message = queued()) return message;
  while (!dirty_.empty()) {
    key_ = *dirty_.begin();
    Message message = build(key_);
    if (std::holds_alternative<std::monostate>(message)) {
      dirty_.erase(dirty_.begin());
      continue;
    }
    from_ = From::Dirty;
    return message;
  }
  return queued();
}

void LaneFeed::sent() {
  switch (std::exchange(from_, From::Nothing)) {
    case From::Nothing:
      return;
    case From::Dirty:
      dirty_.erase(key_);
      return;
    case From::Answers:
      return answers_.pop_front();
    case From::Events:
      return events_.pop_front();
  }
}

}  // namespace wattle::metad
