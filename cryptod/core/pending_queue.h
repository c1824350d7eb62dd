// Frames that wait for a session: at most 128, none older than 3 s, under one bound of bytes for
// all peers together. What does not fit is refused (the newest), what is too old is dropped (the
// oldest).
#pragma once

#include <deque>
#include <memory>

#include "common/base/bytes.h"
#include "common/base/time.h"
#include "cryptod/core/wire_header.h"

namespace wattle::cryptod {

// Bytes that all queues of a node may hold together.
struct QueueBudget {
  std::size_t limit = 8 * 1024 * 1024;
  std::size_t used = 0;
};

class PendingQueue {
 public:
  static constexpr std::size_t kFrames = 128;
  static constexpr Duration kLife = std::chrono::seconds(3);

  struct Item {
    Instant since;
    InnerType type;
    Bytes body;
  };

  PendingQueue() = default;
  PendingQueue(PendingQueue&&) = delete;  // the budget counts what it holds
  PendingQueue& operator=(PendingQueue&&) = delete;

  // False if full.
  bool push(Instant now, InnerType type, ByteView body, QueueBudget& budget);
  // Drops what is too old and says how many.
  std::size_t expire(Instant now, QueueBudget& budget);
  std::size_t clear(QueueBudget& budget);

  bool empty() const { return !items_; }
  std::size_t size() const { return items_ ? items_->size() : 0; }
  const Item& front() const { return items_->front(); }
  void pop(QueueBudget& budget);
  Instant expires() const { return items_ ? front().since + kLife : kNever; }

 private:
  std::unique_ptr<std::deque<Item>> items_;  // null: none; few peers have any
};

}  // namespace wattle::cryptod
