#include "cryptod/io/driver.h"

#include <algorithm>

#include "common/os/clock.h"
#include "common/os/log.h"
#include "cryptod/io/epoll_io.h"
#include "cryptod/io/uring_io.h"

namespace wattle::cryptod {

namespace log = os::log;

namespace {

std::unique_ptr<PacketIo> make_io(os::EventLoop& loop, const Offloads& offloads, Counters& counters,
                                  PacketIo::Events events, std::unique_ptr<Ring> ring) {
  if (!ring) return std::make_unique<EpollIo>(loop, offloads, counters, std::move(events));
  return std::make_unique<UringIo>(loop, offloads, counters, std::move(events), std::move(ring));
}

}  // namespace

Driver::Driver(os::EventLoop& loop, const EngineConfig& config, Random& random, LaneSockets sockets,
               std::unique_ptr<Ring> ring)
    : loop_(loop),
      engine_(config, random),
      timer_(loop, [this] { on_timer(); }),
      io_(make_io(loop, config.offloads, engine_.counters(),
                  {.on_datagrams = [this](std::span<Received> all) { on_datagrams(all); },
                   .on_frames = [this] { on_frames(); },
                   .on_too_big =
                       [this](const Endpoint& to, std::size_t bytes) {
                         engine_.too_big({os::now(), os::unix_now()}, to, bytes);
                       },
                   .on_tap_gone = [this] { on_tap_gone(); }},
                  std::move(ring))),
      again_(loop, [this] { on_frames(); }),
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

void Driver::on_datagrams(std::span<Received> batch) {
  feed([&](const Moment& m, Actions& out) { engine_.datagrams(m, batch, out); });
}

// Whatever has come is taken out of the device first, so that what is short and for somebody else
// need not wait there behind bulk.
void Driver::on_frames() {
  std::size_t bytes = 0;
  for (int round = 0; round < kRounds && bytes < kBatchBytes; ++round) {
    const bool more = take_frames();
    bytes += send_frames();
    if (!more && waiting_.empty()) return;
  }
  if (!waiting_.empty()) again_.arm(os::now(), os::now());
}

bool Driver::take_frames() {
  arrived_.clear();
  const bool more = io_->take_frames(arrived_);
  const Instant now = os::now();
  for (const TapFrame& frame : arrived_) {
    waiting_.push(frame, now);
    for (; waiting_.is_over(); engine_.counters().add(Counter::DropTapShare))
      io_->give_back(waiting_.drop());
  }
  return more;
}

std::size_t Driver::send_frames() {
  frames_.clear();
  const Instant now = os::now();
  std::size_t bytes = 0;
  while (!waiting_.empty() && frames_.size() < kBatchFrames && bytes < kBatchBytes) {
    frames_.push_back(waiting_.pop(now));
    bytes += frames_.back().bytes.size();
  }
  if (frames_.empty()) return 0;
  feed([&](const Moment& m, Actions& out) { engine_.frames(m, frames_, out); });
  for (const TapFrame& frame : frames_) io_->give_back(frame);
  return bytes;
}

void Driver::on_handover(Handover&& all) {
  handovers_.write(
      log::Level::Notice, "tapd handed over the device",
      {{log::Key::Dev, all.device.name}, {log::Key::Count, std::to_string(all.udp.size())}});
  io_->attach_tap(std::move(all.tap));
  if (said_ready_)
    read_frames();
  else
    tap_patience_ = loop_.after(kPatience, [this] { read_frames(); });

  device_ = {.present = true,
             .mtu = all.device.mtu,
             .mac = all.device.mac,
             .addresses = std::move(all.addresses),
             .takes_udp_rows = io_->takes_udp_rows()};
  for (const Handover::Udp& udp : all.udp)
    (udp.family == 4 ? device_.port4 : device_.port6) = udp.port;
  io_->attach_sockets(std::move(all.udp));
  feed([&](const Moment& m, Actions& out) { engine_.device(m, device_, out); });
}

void Driver::on_addresses(std::vector<IpAddress>&& addresses) {
  device_.addresses = std::move(addresses);
  feed([&](const Moment& m, Actions& out) { engine_.device(m, device_, out); });
}

void Driver::on_tap_gone() {
  log::warning("the network device is gone; was it deleted? tapd has to make it again");
  device_.present = false;
  feed([&](const Moment& m, Actions& out) { engine_.device(m, device_, out); });
}

void Driver::read_frames() {
  tap_patience_.reset();
  io_->start_frames();
}

void Driver::perform() {
  io_->send(actions_);
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
