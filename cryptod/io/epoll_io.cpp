#include "cryptod/io/epoll_io.h"

#include <algorithm>

namespace wattle::cryptod {

EpollIo::EpollIo(os::EventLoop& loop, const Offloads& offloads, Counters& counters, Events events)
    : loop_(loop), offloads_(offloads), counters_(counters), events_(std::move(events)) {}

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

void EpollIo::attach_sockets(std::vector<Handover::Udp> sockets) {
  ports_.clear();
  for (Handover::Udp& udp : sockets) {
    auto port = std::make_unique<Port>(std::move(udp), offloads_, events_.on_too_big);
    UdpPort& at = port->udp;
    port->watch = loop_.on_readable(at.socket(), [this, &at] { on_socket(at); });
    ports_.push_back(std::move(port));
  }
}

void EpollIo::on_socket(UdpPort& port) {
  for (int round = 0; round < kRounds; ++round) {
    const bool more = port.receive(receive_buffers_, received_, counters_);
    for (std::span<Received> rest(received_); !rest.empty();) {
      const auto batch = rest.first(std::min(rest.size(), Engine::kMaxBatch));
      events_.on_datagrams(batch);
      rest = rest.subspan(batch.size());
    }
    if (!more) return;
  }
}

UdpPort* EpollIo::port_of(std::uint8_t family) {
  for (const auto& port : ports_)
    if (port->udp.family() == family) return &port->udp;
  return nullptr;
}

void EpollIo::send_datagrams(std::span<const OutDatagram> rest) {
  while (!rest.empty()) {
    const std::uint8_t family = rest.front().destination.address.family;
    const auto end = std::ranges::find_if(
        rest, [&](const OutDatagram& d) { return d.destination.address.family != family; });
    const auto run = rest.first(static_cast<std::size_t>(end - rest.begin()));
    if (UdpPort* port = port_of(family))
      port->send(run, counters_);
    else
      counters_.add(Counter::IoSendFailed, run.size());
    rest = rest.subspan(run.size());
  }
}

void EpollIo::send(const Actions& actions) {
  if (tap_) tap_->send(actions.frames, actions.pieces, counters_);
  send_datagrams(actions.datagrams);
}

}  // namespace wattle::cryptod
