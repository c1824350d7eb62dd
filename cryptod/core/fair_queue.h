// Frames that came out of the TAP and wait for the engine, a queue for each destination MAC: bulk
// to one peer does not delay what goes to another. As fq_codel (RFC 8290) orders its flows: a
// destination that has just begun comes first, then they take turns by bytes. Nothing waits for
// more to come. A destination for which frames keep waiting longer than a few milliseconds loses
// one now and then (CoDel, RFC 8289); if too much waits, the one with most of it loses its oldest.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "common/base/time.h"
#include "cryptod/core/offload.h"

namespace wattle::cryptod {

class FairQueue {
 public:
  static constexpr std::size_t kMaxFrames = 1024;
  static constexpr std::size_t kMaxBytes = 16 * 1024 * 1024;
  static constexpr std::size_t kFlows = 1024;  // destinations share one where their hashes meet
  static constexpr std::int64_t kQuantum = kMaxSuperFrame;
  static constexpr Duration kTarget = std::chrono::milliseconds(5);
  static constexpr Duration kInterval = std::chrono::milliseconds(100);

  FairQueue();

  bool empty() const { return frames_ == 0; }
  std::size_t frames() const { return frames_; }
  std::size_t bytes() const { return bytes_; }

  // While more than the limits wait, drop() gives what has to go.
  bool is_over() const { return frames_ > kMaxFrames || bytes_ > kMaxBytes; }
  TapFrame drop();  // not empty()

  void push(const TapFrame& frame, Instant now);  // frames() <= kMaxFrames
  TapFrame pop(Instant now);                      // not empty(); early_drop is set or not

 private:
  using Index = std::uint16_t;
  static constexpr Index kNone = UINT16_MAX;
  struct Node {
    TapFrame frame;
    Instant came;
    Index next = kNone;
  };
  struct Delay {              // of a flow (RFC 8289, 5)
    Instant above_until{};    // above the target since an interval before; 0: is not
    Instant drop_at{};        // the next one, while dropping
    std::uint32_t count = 0;  // dropped since dropping began
    bool dropping = false;
  };
  struct Flow {
    Index head = kNone, tail = kNone;  // nodes
    Index next = kNone;                // flow behind it in its list
    bool listed = false;               // in one of the two lists
    std::int64_t credit = 0;
    std::size_t bytes = 0;
    Delay delay;
  };
  struct List {
    Index head = kNone, tail = kNone;
  };
  void append(List& list, Index flow);
  Index take_first(List& list);
  TapFrame take_frame(Flow& flow);
  static bool is_late(Flow& flow, Instant came, Instant now);
  Index fattest(const List& list, Index best) const;

  std::unique_ptr<std::array<Node, kMaxFrames + 1>> nodes_;
  std::unique_ptr<std::array<Flow, kFlows>> flows_;
  Index free_ = kNone;  // first unused node
  List fresh_, old_;
  std::size_t frames_ = 0, bytes_ = 0;
};

}  // namespace wattle::cryptod
