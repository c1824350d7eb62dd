#include "cryptod/core/fair_queue.h"

#include <cmath>

namespace wattle::cryptod {

namespace {

// Of the destination MAC, which this host chose: nobody else has a say in who shares a queue.
std::uint16_t flow_of(ByteView frame) {
  std::uint64_t mac = 0;
  for (std::size_t i = 0; i < 6 && i < frame.size(); ++i) mac = mac << 8 | frame[i];
  return static_cast<std::uint16_t>((mac * 0x9E3779B97F4A7C15U) >> 54);
}

}  // namespace

FairQueue::FairQueue()
    : nodes_(std::make_unique<std::array<Node, kMaxFrames + 1>>()),
      flows_(std::make_unique<std::array<Flow, kFlows>>()) {
  static_assert(kFlows == 1U << 10);
  for (std::size_t i = nodes_->size(); i-- > 0;) {
    (*nodes_)[i].next = free_;
    free_ = static_cast<Index>(i);
  }
}

void FairQueue::append(List& list, Index flow) {
  (*flows_)[flow].next = kNone;
  if (list.head == kNone)
    list.head = flow;
  else
    (*flows_)[list.tail].next = flow;
  list.tail = flow;
}

FairQueue::Index FairQueue::take_first(List& list) {
  const Index flow = list.head;
  list.head = (*flows_)[flow].next;
  return flow;
}

void FairQueue::push(const TapFrame& frame, Instant now) {
  const Index node = free_;
  free_ = (*nodes_)[node].next;
  (*nodes_)[node] = {frame, now, kNone};
  const Index at = flow_of(frame.bytes);
  Flow& flow = (*flows_)[at];
  if (flow.head == kNone)
    flow.head = node;
  else
    (*nodes_)[flow.tail].next = node;
  flow.tail = node;
  flow.bytes += frame.bytes.size();
  bytes_ += frame.bytes.size();
  ++frames_;
  if (flow.listed) return;
  flow.listed = true;
  flow.credit = kQuantum;
  append(fresh_, at);
}

TapFrame FairQueue::take_frame(Flow& flow) {
  const Index node = flow.head;
  const TapFrame frame = (*nodes_)[node].frame;
  flow.head = (*nodes_)[node].next;
  (*nodes_)[node].next = free_;
  free_ = node;
  flow.bytes -= frame.bytes.size();
  bytes_ -= frame.bytes.size();
  --frames_;
  return frame;
}

// A destination that has nothing left stays listed for one more turn, behind the others: who sends
// a little at a time does not come first each time.
TapFrame FairQueue::pop(Instant now) {
  for (;;) {
    List& list = fresh_.head != kNone ? fresh_ : old_;
    Flow& flow = (*flows_)[list.head];
    if (flow.credit <= 0) {
      flow.credit += kQuantum;
      append(old_, take_first(list));
      continue;
    }
    if (flow.head == kNone) {
      const bool was_fresh = &list == &fresh_;
      const Index at = take_first(list);
      if (was_fresh && old_.head != kNone)
        append(old_, at);
      else
        flow.listed = false;
      continue;
    }
    const Instant came = (*nodes_)[flow.head].came;
    TapFrame frame = take_frame(flow);
    flow.credit -= static_cast<std::int64_t>(frame.bytes.size());
    frame.early_drop = is_late(flow, came, now);
    return frame;
  }
}

// The queue has not been short for an interval: one is to go, and while that lasts others, each
// sooner than the one before.
bool FairQueue::is_late(Flow& flow, Instant came, Instant now) {
  Delay& delay = flow.delay;
  if (now - came < kTarget || flow.bytes == 0) {
    delay.above_until = {};
    delay.dropping = false;
    return false;
  }
  if (delay.above_until == Instant{}) delay.above_until = now + kInterval;
  if (now < delay.above_until) return false;
  const auto pause = [&] {
    return Duration(static_cast<Duration::rep>(static_cast<double>(kInterval.count()) /
                                               std::sqrt(static_cast<double>(delay.count))));
  };
  if (!delay.dropping) {
    // Where it ended lately: nearly as often as then.
    const bool again = delay.count > 2 && now - delay.drop_at < 16 * kInterval;
    delay.count = again ? delay.count - 2 : 1;
    delay.dropping = true;
    delay.drop_at = now + pause();
    return true;
  }
  if (now < delay.drop_at) return false;
  ++delay.count;
  delay.drop_at += pause();
  return true;
}

FairQueue::Index FairQueue::fattest(const List& list, Index best) const {
  for (Index at = list.head; at != kNone; at = (*flows_)[at].next)
    if ((*flows_)[at].head != kNone &&
        (best == kNone || (*flows_)[at].bytes > (*flows_)[best].bytes))
      best = at;
  return best;
}

TapFrame FairQueue::drop() { return take_frame((*flows_)[fattest(old_, fattest(fresh_, kNone))]); }

}  // namespace wattle::cryptod
