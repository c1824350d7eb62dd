#include "cryptod/core/deadline_heap.h"

namespace wattle::cryptod {

void DeadlineHeap::place(std::size_t at, const Item& item) {
  heap_[at] = item;
  where_[item.slot] = static_cast<std::uint32_t>(at);
}

void DeadlineHeap::up(std::size_t at) {
  const Item item = heap_[at];
  while (at > 0 && item.at < heap_[(at - 1) / 2].at) {
    place(at, heap_[(at - 1) / 2]);
    at = (at - 1) / 2;
  }
  place(at, item);
}

void DeadlineHeap::down(std::size_t at) {
  const Item item = heap_[at];
  for (;;) {
    std::size_t child = 2 * at + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1].at < heap_[child].at) ++child;
    if (item.at <= heap_[child].at) break;
    place(at, heap_[child]);
    at = child;
  }
  place(at, item);
}

void DeadlineHeap::set(std::uint32_t slot, Instant deadline) {
  if (slot >= where_.size()) where_.resize(slot + std::size_t{1}, kAbsent);
  const std::uint32_t at = where_[slot];
  if (deadline == kNever) {
    if (at == kAbsent) return;
    where_[slot] = kAbsent;
    const Item last = heap_.back();
    heap_.pop_back();
    if (at == heap_.size()) return;
    place(at, last);
    up(at);
    down(where_[last.slot]);
  } else if (at == kAbsent) {
    heap_.push_back({deadline, slot});
    up(heap_.size() - 1);
  } else if (heap_[at].at != deadline) {
    heap_[at].at = deadline;
    up(at);
    down(where_[slot]);
  }
}

void DeadlineHeap::lower(std::uint32_t slot, Instant deadline) {
  if (slot < where_.size() && where_[slot] != kAbsent && heap_[where_[slot]].at <= deadline) return;
  set(slot, deadline);
}

}  // namespace wattle::cryptod
