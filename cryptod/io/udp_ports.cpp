#include "cryptod/io/udp_ports.h"

#include <algorithm>

namespace wattle::cryptod {

UdpPorts::UdpPorts(os::EventLoop& loop, const Offloads& offloads, Counters& counters, Take take,
                   UdpPort::TooBig on_too_big)
    : loop_(loop),
      offloads_(offloads),
      counters_(counters),
      take_(std::move(take)),
      on_too_big_(std::move(on_too_big)) {}

void UdpPorts::attach(std::vector<Handover::Udp> sockets) {
  ports_.clear();
  for (Handover::Udp& udp : sockets) {
    auto port = std::make_unique<Port>(std::move(udp), offloads_, on_too_big_);
    UdpPort& at = port->udp;
    port->watch = loop_.on_readable(at.socket(), [this, &at] { on_socket(at); });
    ports_.push_back(std::move(port));
  }
}

void UdpPorts::on_socket(UdpPort& port) {
  for (int round = 0; round < kRounds; ++round) {
    const bool more = port.receive(receive_buffers_, received_, counters_);
    for (std::span<Received> rest(received_); !rest.empty();) {
      const auto batch = rest.first(std::min(rest.size(), Engine::kMaxBatch));
      take_(batch);
      rest = rest.subspan(batch.size());
    }
    if (!more) return;
  }
}

UdpPort* UdpPorts::port_of(std::uint8_t family) {
  for (const auto& port : ports_)
    if (port->udp.family() == family) return &port->udp;
  return nullptr;
}

void UdpPorts::send(std::span<const OutDatagram> rest) {
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

}  // namespace wattle::cryptod
