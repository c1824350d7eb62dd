#include "cryptod/core/pending_queue.h"

#include "common/base/check.h"

namespace wattle::cryptod {

bool PendingQueue::push(Instant now, InnerType type, ByteView body, QueueBudget& budget) {
  if (items_.size() >= kFrames || body.size() > budget.limit - budget.used) return false;
  budget.used += body.size();
  items_.push_back({now, type, to_bytes(body)});
  return true;
}

void PendingQueue::pop(QueueBudget& budget) {
  WATTLE_CHECK(!items_.empty() && budget.used >= items_.front().body.size());
  budget.used -= items_.front().body.size();
  items_.pop_front();
}

std::size_t PendingQueue::expire(Instant now, QueueBudget& budget) {
  std::size_t dropped = 0;
  for (; !items_.empty() && now >= items_.front().since + kLife; ++dropped) pop(budget);
  return dropped;
}

std::size_t PendingQueue::clear(QueueBudget& budget) {
  const std::size_t dropped = items_.size();
  while (!items_.empty()) pop(budget);
  return dropped;
}

}  // namespace wattle::cryptod
