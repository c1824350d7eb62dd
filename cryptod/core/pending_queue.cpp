#include "cryptod/core/pending_queue.h"

#include "common/base/check.h"

namespace wattle::cryptod {

bool PendingQueue::push(Instant now, InnerType type, ByteView body, QueueBudget& budget) {
  if (size() >= kFrames || body.size() > budget.limit - budget.used) return false;
  budget.used += body.size();
  if (!items_) items_ = std::make_unique<std::deque<Item>>();
  items_->push_back({now, type, to_bytes(body)});
  return true;
}

void PendingQueue::pop(QueueBudget& budget) {
  WATTLE_CHECK(!empty() && budget.used >= front().body.size());
  budget.used -= front().body.size();
  items_->pop_front();
  if (items_->empty()) items_.reset();
}

std::size_t PendingQueue::expire(Instant now, QueueBudget& budget) {
  std::size_t dropped = 0;
  for (; !empty() && now >= front().since + kLife; ++dropped) pop(budget);
  return dropped;
}

std::size_t PendingQueue::clear(QueueBudget& budget) {
  const std::size_t dropped = size();
  while (!empty()) pop(budget);
  return dropped;
}

}  // namespace wattle::cryptod
