#include "cryptod/io/epoll_io.h"

namespace wattle::cryptod {

EpollIo::EpollIo(os::EventLoop& loop, const Offloads& offloads, Counters& counters, Events events)
    : loop_(loop),
      offloads_(offloads),
      counters_(counters),
      events_(std::move(events)),
      udp_(
          loop, offloads, counters,
          [this](std::span<Received> batch) { events_.on_datagrams(batch); }, events_.on_too_big) {}

void EpollIo::attach_tap(os::Fd queue) {
  tap_watch_.reset();
  tap_.emplace(std::move(queue), offloads_);
}

void EpollIo::start_frames() {
  if (tap_ && !tap_watch_.active())
    tap_watch_ = loop_.on_readable(tap_->queue(), [this] { events_.on_frames(); });
}

bool EpollIo::take_frames(std::vector<TapFrame>& out) {
  if (!tap_) return false;
  const TapPort::Taken taken = tap_->receive(frame_buffers_, out, counters_);
  if (taken == TapPort::Taken::Gone) {
    tap_watch_.reset();
    tap_.reset();
    events_.on_tap_gone();
  }
  return taken == TapPort::Taken::More;
}

void EpollIo::send(const Actions& actions) {
  if (tap_) tap_->send(actions.frames, actions.pieces, counters_);
  udp_.send(actions.datagrams);
}

}  // namespace wattle::cryptod
