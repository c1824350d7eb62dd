// One deadline per slot, the earliest first: a binary heap that knows where each slot sits, so that
// a deadline moves in O(log n) and nothing is allocated once a slot has been seen.
#pragma once

#include <cstdint>
#include <vector>

#include "common/base/time.h"

namespace wattle::cryptod {

class DeadlineHeap {
 public:
  // kNever takes the slot out.
  void set(std::uint32_t slot, Instant deadline);
  // Moves it only if that is earlier.
  void lower(std::uint32_t slot, Instant deadline);

  bool empty() const { return heap_.empty(); }
  Instant first() const { return heap_.empty() ? kNever : heap_.front().at; }
  std::uint32_t first_slot() const { return heap_.front().slot; }  // not empty

 private:
  struct Item {
    Instant at;
    std::uint32_t slot;
  };
  static constexpr std::uint32_t kAbsent = UINT32_MAX;
  void place(std::size_t at, const Item& item);
  void up(std::size_t at);
  void down(std::size_t at);

  std::vector<Item> heap_;
  std::vector<std::uint32_t> where_;  // slot -> place in heap_
};

}  // namespace wattle::cryptod
