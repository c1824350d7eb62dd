#include "metad/core/lane_feed.h"

namespace wattle::metad {

void LaneFeed::mark(Kind kind, const NodeAddress& address) { dirty_.insert({kind, address}); }

void LaneFeed::unmark(Kind kind, const NodeAddress& address) { dirty_.erase({kind, address}); }

void LaneFeed::answer(Message message) {
  if (answers_.size() >= kMaxAnswers) answers_.pop_front();
  answers_.push_back(std::move(message));
}

void LaneFeed::clear() {
  dirty_.clear();
  answers_.clear();
  under_way_.reset();
}

std::optional<LaneFeed::Message> LaneFeed::next(const Build& build) {
  under_way_.reset();
  // A snapshot comes whole before any answer.
  const bool snapshot = dirty_.contains({Kind::SnapshotEnd, {}});
  if (!snapshot && !answers_.empty()) return answers_.front();
  while (!dirty_.empty()) {
    const Key key = *dirty_.begin();
    Message message = build(key);
    if (std::holds_alternative<std::monostate>(message)) {
      dirty_.erase(dirty_.begin());
      continue;
    }
    under_way_ = key;
    return message;
  }
  if (!answers_.empty()) return answers_.front();
  return std::nullopt;
}

void LaneFeed::sent() {
  if (under_way_)
    dirty_.erase(*under_way_);
  else if (!answers_.empty())
    answers_.pop_front();
  under_way_.reset();
}

}  // namespace wattle::metad
