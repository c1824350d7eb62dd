// Frames that came out of the TAP and wait for the engine, a queue for each destination MAC: bulk
// to one peer does not delay what goes to another. As fq_codel (RFC 8290) orders its flows: a
// destination that has just begun comes first, then they take turns by bytes. Nothing waits for
// more to come. If too much waits, the destination with most of it loses its oldest.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "cryptod/core/offload.h"

namespace wattle::cryptod {

class FairQueue {
 public:
  static constexpr std::size_t kMaxFrames = 1024;
  static constexpr std::size_t kMaxBytes = 16 * 1024 * 1024;
  static constexpr std::size_t kFlows = 1024;  // destinations share one where their hashes meet
  static constexpr std::int64_t kQuantum = kMaxSuperFrame;

  FairQueue();

  bool empty() const { return frames_ == 0; }
  std::size_t frames() const { return frames_; }
  std::size_t bytes() const { return bytes_; }

  // While more than the limits wait, drop() gives what has to go.
  bool is_over() const { return frames_ > kMaxFrames || bytes_ > kMaxBytes; }
  TapFrame drop();  // not empty()

  void push(const TapFrame& frame);  // frames() <= kMaxFrames
  TapFrame pop();                    // not empty()

 private:
  using Index = std::uint16_t;
  static constexpr Index kNone = UINT16_MAX;
  struct Node {
    TapFrame frame;
    Index next = kNone;
  };
  struct Flow {
    Index head = kNone, tail = kNone;  // nodes
    Index next = kNone;                // flow behind it in its list
    bool listed = false;               // in one of the two lists
    std::int64_t credit = 0;
    std::size_t bytes = 0;
  };
  struct List {
    Index head = kNone, tail = kNone;
  };
  void append(List& list, Index flow);
  Index take_first(List& list);
  TapFrame take_frame(Flow& flow);
  Index fattest(const List& list, Index best) const;

  std::unique_ptr<std::array<Node, kMaxFrames + 1>> nodes_;
  std::unique_ptr<std::array<Flow, kFlows>> flows_;
  Index free_ = kNone;  // first unused node
  List fresh_, old_;
  std::size_t frames_ = 0, bytes_ = 0;
};

}  // namespace wattle::cryptod
