#include "cryptod/io/driver.h"

#include <algorithm>

#include "common/os/clock.h"
#include "common/os/log.h"

namespace wattle::cryptod {

namespace log = os::log;

Driver::Driver(os::EventLoop& loop, const EngineConfig& config, Random& random, LaneSockets sockets)
    : loop_(loop),
      offloads_(config.offloads),
      engine_(config, random),
      timer_(loop, [this] { on_timer(); }),
      tap_lane_(
          loop, std::move(sockets.tap), sockets.tap_uid,
          {.on_handover = [this](Handover&& all) { on_handover(std::move(all)); },
           .on_addresses = [this](std::vector<IpAddress>&& a) { on_addresses(std::move(a)); }}),
      meta_lane_(
          loop, std::move(sockets.meta), sockets.meta_uid,
          {.on_connected =
               [this] {
                 feed([&](const Moment& m, Actions& out) { engine_.meta_connected(m, out); });
               },
           .on_message =
               [this](const meta_link::ToCryptod::Message& message) {
                 feed(
                     [&](const Moment& m, Actions& out) { engine_.meta_message(m, message, out); });
               },
           .on_lost = [this] { feed([&](const Moment& m, Actions&) { engine_.meta_lost(m); }); }}),
      key_lane_(
          loop, std::move(sockets.key), sockets.key_uid,
          {.on_message =
               [this](const key_link::ToCryptod::Message& message) {
                 feed([&](const Moment& m, Actions& out) { engine_.key_message(m, message, out); });
               },
           .on_lost = [this] { feed([&](const Moment& m, Actions&) { engine_.key_lost(m); }); }}) {}

template <typename Event>
void Driver::feed(Event&& event) {
  actions_.clear();
  const Moment moment{os::now(), os::unix_now()};
  event(moment, actions_);
  perform();
  const Instant deadline = engine_.next_deadline();
  if (deadline == armed_) return;
  armed_ = deadline;
  timer_.arm(deadline, moment.now);
}

void Driver::on_timer() {
  armed_ = kNever;
  feed([&](const Moment& m, Actions& out) { engine_.tick(m, out); });
}

void Driver::on_datagrams(UdpPort& port) {
  for (int round = 0; round < kRounds; ++round) {
    const bool more = port.receive(buffers_, received_, engine_.counters());
    for (std::span<Received> rest(received_); !rest.empty();) {
      const auto batch = rest.first(std::min(rest.size(), Engine::kMaxBatch));
      feed([&](const Moment& m, Actions& out) { engine_.datagrams(m, batch, out); });
      rest = rest.subspan(batch.size());
    }
    if (!more) return;
  }
}

void Driver::on_frames() {
  for (int round = 0; round < kRounds; ++round) {
    const auto taken = tap_->receive(frames_, engine_.counters());
    if (!frames_.empty())
      feed([&](const Moment& m, Actions& out) { engine_.frames(m, frames_, out); });
    if (taken == TapPort::Taken::Gone) return on_tap_gone();
    if (taken == TapPort::Taken::Drained) return;
  }
}

void Driver::on_handover(Handover&& all) {
  handovers_.write(
      log::Level::Notice, "tapd handed over the device",
      {{log::Key::Dev, all.device.name}, {log::Key::Count, std::to_string(all.udp.size())}});
  tap_watch_.reset();
  tap_.emplace(std::move(all.tap), offloads_);
  if (said_ready_)
    read_frames();
  else
    tap_patience_ = loop_.after(kPatience, [this] { read_frames(); });

  ports_.clear();
  device_ = {.present = true,
             .mtu = all.device.mtu,
             .mac = all.device.mac,
             .addresses = std::move(all.addresses),
             .takes_udp_rows = tap_->takes_udp_rows()};
  for (Handover::Udp& udp : all.udp) {
    (udp.family == 4 ? device_.port4 : device_.port6) = udp.port;
    auto port = std::make_unique<Port>(std::move(udp), offloads_);
    UdpPort& at = port->udp;
    port->watch = loop_.on_readable(at.socket(), [this, &at] { on_datagrams(at); });
    ports_.push_back(std::move(port));
  }
  feed([&](const Moment& m, Actions& out) { engine_.device(m, device_, out); });
}

void Driver::on_addresses(std::vector<IpAddress>&& addresses) {
  device_.addresses = std::move(addresses);
  feed([&](const Moment& m, Actions& out) { engine_.device(m, device_, out); });
}

void Driver::on_tap_gone() {
  log::warning("the network device is gone; was it deleted? tapd has to make it again");
  tap_watch_.reset();
  tap_.reset();
  device_.present = false;
  feed([&](const Moment& m, Actions& out) { engine_.device(m, device_, out); });
}

void Driver::read_frames() {
  tap_patience_.reset();
  if (tap_ && !tap_watch_.active())
    tap_watch_ = loop_.on_readable(tap_->queue(), [this] { on_frames(); });
}

UdpPort* Driver::port_of(std::uint8_t family) {
  for (const auto& port : ports_)
    if (port->udp.family() == family) return &port->udp;
  return nullptr;
}

void Driver::send_datagrams() {
  for (std::span<const OutDatagram> rest(actions_.datagrams); !rest.empty();) {
    const std::uint8_t family = rest.front().destination.address.family;
    const auto end = std::ranges::find_if(
        rest, [&](const OutDatagram& d) { return d.destination.address.family != family; });
    const auto run = rest.first(static_cast<std::size_t>(end - rest.begin()));
    if (UdpPort* port = port_of(family))
      port->send(run, engine_.counters());
    else
      engine_.counters().add(Counter::IoSendFailed, run.size());
    rest = rest.subspan(run.size());
  }
}

void Driver::perform() {
  if (tap_) tap_->send(actions_.frames, actions_.pieces, engine_.counters());
  send_datagrams();
  for (const auto& message : actions_.to_metad)
    if (!meta_lane_.send(message)) engine_.counters().add(Counter::IoBacklogFull);
  for (const auto& request : actions_.to_keyd) key_lane_.send(request);
  say_refusals();
  say_readiness();
}

void Driver::say_refusals() {
  for (const LaneRefusal& r : actions_.refusals) {
    const bool is_meta = r.lane == "meta";
    (is_meta ? meta_refusals_ : key_refusals_)
        .write(log::Level::Warning, is_meta ? "refused what metad said" : "refused what keyd said",
               {{log::Key::Lane, std::string(r.lane)},
                {log::Key::Msg, std::string(r.message)},
                {log::Key::Rule, std::string(r.rule)},
                {log::Key::Peer, r.peer ? r.peer->text() : std::string("-")}});
  }
}

void Driver::say_readiness() {
  if (engine_.ready() == said_ready_) return;
  said_ready_ = engine_.ready();
  if (said_ready_) read_frames();
  log::notice(said_ready_ ? "credential and packet key are here; sessions can begin"
                          : "no valid credential or packet key; no new sessions");
}

}  // namespace wattle::cryptod
