#include "metad/io/driver.h"

#include <algorithm>

#include "common/os/clock.h"
#include "common/os/file.h"
#include "metad/core/origin_answer.h"
#include "metad/core/trace_gate.h"

namespace wattle::metad {
namespace {

constexpr Duration kGoodbye = std::chrono::milliseconds(300);
constexpr Duration kCountEvery = std::chrono::seconds(10);
constexpr Duration kShortestTick = std::chrono::milliseconds(10);

os::log::Level level_of(Note::Level level) {
  switch (level) {
    case Note::Level::Warning:
      return os::log::Level::Warning;
    case Note::Level::Notice:
      return os::log::Level::Notice;
    case Note::Level::Debug:
      return os::log::Level::Debug;
    case Note::Level::Info:
      break;
  }
  return os::log::Level::Info;
}

}  // namespace

Driver::Driver(os::EventLoop& loop, Random& random, DriverSetup setup)
    : loop_(loop),
      tls_(std::move(setup.tls)),
      files_(loop, setup.state_folder),
      engine_(setup.engine, random, now()),
      timer_(loop, [this] { perform(engine_.on_tick(now())); }),
      links_(
          loop, std::shared_ptr<const TlsContext>(WATTLE_MUST(TlsContext::create(tls_))),
          {.on_up = [this](LinkId id,
                           LinkUp up) { perform(engine_.on_link_up(id, std::move(up), now())); },
           .on_line = [this](LinkId id,
                             std::string_view line) { perform(engine_.on_line(id, line, now())); },
           .on_packet =
               [this](LinkId id, Bytes packet) {
                 perform(engine_.on_packet(id, std::move(packet), now()));
               },
           .on_congested =
               [this](LinkId id, bool congested) {
                 perform(engine_.on_link_congested(id, congested));
               },
           .on_down = [this](LinkId id) { perform(engine_.on_link_down(id, now())); },
           .on_dial_failed = [this](DialId id) { perform(engine_.on_dial_failed(id, now())); },
           .on_settled = [this](const Endpoint& remote) { listener_.release(remote); }}),
      registry_(
          loop, setup.engine.network_name, setup.https_key, random,
          {.on_document =
               [this](std::string text) { perform(engine_.on_document(std::move(text), now())); },
           .on_origin_answer =
               [this](const std::string& answer) {
                 if (const auto peers = parse_origin_answer(answer))
                   perform(engine_.on_peer_hints(*peers, now()));
               },
           .on_renewal_answer =
               [this](int status, const std::string& body) {
                 perform(engine_.on_renewal_answer(status, body, now()));
               }}),
      control_(
          loop, std::move(setup.control),
          {.on_open = [this](
                          ControlId id,
                          bool may_act) { perform(engine_.on_control_open(id, may_act, now())); },
           .on_line =
               [this](ControlId id, std::string_view line) {
                 perform(engine_.on_control_line(id, line, now()));
               },
           .on_input_end = [this](ControlId id) { perform(engine_.on_control_end(id, now())); },
           .on_down = [this](ControlId id) { perform(engine_.on_control_down(id)); }}),
      listener_(
          loop, std::move(setup.listeners),
          [this](os::Fd socket, const Endpoint& remote) {
            links_.accept(std::move(socket), remote);
          },
          [this](const IpAddress& host) { links_.end_oldest_handshake(host); }),
      crypto_(loop, setup.crypto_lane, "crypto.meta", random,
              {.on_up =
                   [this] {
                     os::log::info("cryptod is there");
                     perform(engine_.on_cryptod_up(now()));
                   },
               .on_message =
                   [this](const meta_link::ToMetad::Message& m) {
                     perform(engine_.on_cryptod(m, now()));
                   },
               .on_down =
                   [this](const Error& why) {
                     os::log::notice("cryptod is away", {{os::log::Key::Err, why.text()}});
                     perform(engine_.on_cryptod_down(now()));
                   },
               .on_drained = [this] { pump(); }}),
      key_(loop, setup.key_lane, "key", random,
           {.on_up = [] { os::log::info("keyd is there"); },
            .on_message =
                [this](const key_link::ToMetad::Message& m) { perform(engine_.on_keyd(m, now())); },
            .on_down =
                [this](const Error& why) {
                  os::log::notice("keyd is away", {{os::log::Key::Err, why.text()}});
                  perform(engine_.on_keyd_down(now()));
                },
            .on_drained = {}}) {
  registry_.set_places(std::move(setup.registry));
  if (engine_.document()) document_version_ = engine_.document()->version;
  if (const auto credential = decode_credential(setup.engine.credential))
    relay_ = (credential->flags & kFlagRelay) != 0;
  registry_.follow(relay_, document_version_);
  perform(engine_.on_tick(now()));
}

Now Driver::now() const { return {os::now(), os::unix_now()}; }

void Driver::stop() {
  links_.say_goodbye();
  stopping_ = loop_.after(kGoodbye, [this] { loop_.stop(); });
}

void Driver::perform(Actions actions) {
  for (const Action& action : actions) perform(action);
  if (engine_.document() && engine_.document()->version != document_version_) {
    document_version_ = engine_.document()->version;
    registry_.set_places(registry_places(engine_.document()->registries, false));
    registry_.follow(relay_, document_version_);
  }
  if (engine_.is_started()) listener_.start();
  pump();
  arm();
  if (os::log::level() == os::log::Level::Debug) tell_counted();
}

// At debug level: what has been counted since the last time, every ten seconds in which something
// happens.
void Driver::tell_counted() {
  const Instant current = os::now();
  if (current < counted_at_ + kCountEvery) return;
  counted_at_ = current;
  std::string moved;
  for (const auto& [name, value] : engine_.counters()) {
    std::uint64_t& before = counted_[name];
    if (value != before) moved += " " + name + "+" + std::to_string(value - before);
    before = value;
  }
  if (!moved.empty()) os::log::debug("counted:" + moved);
}

void Driver::perform(const Action& action) {
  std::visit(ipc::Overload{
                 [&](const SendLine& a) { links_.send(a.link, a.line); },
                 [&](const SendPacket& a) { links_.send_packet(a.link, a.packet); },
                 [&](const CloseLink& a) { links_.close(a.link); },
                 [&](const Dial& a) { links_.dial(a.dial, a.endpoint); },
                 [&](const CancelDial& a) { links_.cancel(a.dial); },
                 [&](const ControlLine& a) { control_.send(a.control, a.line); },
                 [&](const CloseControl& a) { control_.close(a.control); },
                 [&](const TraceLine& a) {
                   control_.trace(a.control,
                                  print_traced(a.neighbour, a.in, os::unix_now_ms(), a.line));
                 },
                 [&](const TraceEnd& a) { control_.end_trace(a.control); },
                 [&](const ToKeyd& a) { key_.send(a.request); },
                 [&](const SignRenewal& a) { key_.send(a.request); },
                 [&](const PostRenewal& a) { registry_.renew(a); },
                 [&](const UseCertificate& a) { use(a); },
                 [&](const UseCas& a) {
                   tls_.ca_ders = a.ca_ders;
                   use_tls();
                 },
                 [&](const StoreFile& a) { files_.store(a.name, a.text); },
                 [&](const PublishOrigin& a) { registry_.publish(a); },
                 [&](const Note& a) {
                   std::string sentence = a.sentence;
                   // What is said for debugging takes no room from the rest.
                   // Nor does what a neighbour process lies about.
                   os::log::Limited& log = a.level == Note::Level::Debug            ? details_
                                           : a.sentence.starts_with("refused what") ? refusals_
                                                                                    : notes_;
                   const os::log::Field peer{os::log::Key::Peer, a.peer};
                   const os::log::Field err{os::log::Key::Err, a.err};
                   if (a.peer.empty() && a.err.empty())
                     log.write(level_of(a.level), sentence);
                   else if (a.err.empty())
                     log.write(level_of(a.level), sentence, {peer});
                   else if (a.peer.empty())
                     log.write(level_of(a.level), sentence, {err});
                   else
                     log.write(level_of(a.level), sentence, {peer, err});
                 },
             },
             action);
}

void Driver::use(const UseCertificate& renewed) {
  tls_.certificate_der = renewed.certificate;
  tls_.serial = renewed.serial;
  use_tls();
  relay_ = renewed.relay;
  registry_.follow(relay_, document_version_);
}

void Driver::use_tls() {
  auto context = TlsContext::create(tls_);
  if (!context) return os::log::warning(context.error().text());
  links_.use(std::move(*context));
}

// As much as the lane takes; the rest when it has drained.
void Driver::pump() {
  while (auto message = engine_.next_for_cryptod()) {
    const bool taken = std::visit(
        [&](const auto& m) {
          if constexpr (std::is_same_v<std::remove_cvref_t<decltype(m)>, std::monostate>)
            return true;
          else
            return crypto_.send(m);
        },
        *message);
    if (!taken) return;
    engine_.sent_to_cryptod();
  }
}

void Driver::arm() {
  const Instant current = os::now();
  timer_.arm(std::max(engine_.next_deadline(), current + kShortestTick), current);
}

}  // namespace wattle::metad
