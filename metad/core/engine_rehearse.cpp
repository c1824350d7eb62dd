// REHEARSE: what a line would do, seen on a copy of this engine. ACT: the line is done. Both tell
// it in the same words.
#include <algorithm>

#include "common/base/mutant.h"
#include "metad/core/engine.h"

namespace wattle::metad {
namespace {

// A copy is watched this long: updates leave some time after what caused them.
constexpr Duration kWatched = std::chrono::seconds(3);
constexpr int kMaxSteps = 200;
constexpr std::size_t kMaxTold = 1000;

// Jitter of a copy; nothing that leaves it is used.
class CopyRandom : public Random {
 public:
  void fill(MutableBytes out) override {
    for (std::uint8_t& byte : out) {
      state_ = state_ * 6364136223846793005u + 1442695040888963407u;
      byte = static_cast<std::uint8_t>(state_ >> 56);
    }
  }

 private:
  std::uint64_t state_ = 1;
};

std::pair<std::string_view, std::string_view> split_word(std::string_view text) {
  const std::size_t blank = text.find(' ');
  if (blank == std::string_view::npos) return {text, {}};
  return {text.substr(0, blank), text.substr(blank + 1)};
}

// Lines and bytes of all links: every line moves them, and is told by itself.
bool is_traffic(std::string_view counter) {
  return counter.starts_with("tx_") || counter.starts_with("rx_");
}

std::string milliseconds(Duration time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
}

}  // namespace

struct Engine::Played {
  struct Told {
    std::string what;
    Duration after{};
  };
  std::vector<Told> told;
  std::map<std::string, std::uint64_t, std::less<>> counters;
};

Engine Engine::copy_for_play(Random& random) const {
  Engine copy(*this);
  copy.random_ = &random;
  copy.dial_.use(random);
  copy.renewal_.use(random);
  copy.controls_.clear();
  copy.trace_ = {};
  copy.know_names();
  copy.out_.clear();
  copy.feed_ = {};
  return copy;
}

// On a copy: the line (if there is one), then what becomes due in the next seconds. cryptod is
// taken to answer at once.
Engine::Played Engine::play(const LinkId* link, std::string_view line, Now now) {
  Played out;
  const Now start = now;
  const auto tell = [&](std::string what) {
    if (!what.empty() && out.told.size() < kMaxTold)
      out.told.push_back({std::move(what), now.mono - start.mono});
  };
  const auto drain = [&](Actions actions) {
    for (;;) {
      for (const Action& action : actions) tell(describe(action));
      actions.clear();
      const auto message = next_for_cryptod();
      if (!message) return;
      sent_to_cryptod();
      tell(describe(*message));
      if (const auto* route = std::get_if<meta_link::Route>(&*message))
        actions = on_cryptod(meta_link::RouteAck{route->ticket}, now);
    }
  };
  if (link != nullptr) drain(on_line(*link, line, now));
  for (int step = 0; step < kMaxSteps; ++step) {
    const Instant due = std::max(next_deadline(), now.mono + std::chrono::milliseconds(1));
    if (due > start.mono + kWatched) break;
    now.mono = due;
    now.unix.seconds =
        start.unix.seconds +
        static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::seconds>(due - start.mono).count());
    drain(on_tick(now));
  }
  out.counters = std::move(counters_);
  return out;
}

// What the copy with the line does and the copy without it does not.
void Engine::rehearse(ControlId id, Control& control, std::string_view words, Now now) {
  const auto [name, line] = split_word(words);
  if (line.empty()) return refuse(id, 400, "say REHEARSE neighbour LINE");
  const auto link = link_named(name);
  if (!link) return refuse(id, 404, "no link with " + std::string(name) + ", see DUMP LINKS");
  if (!control.rehearsals.take(now.mono) || !rehearsals_.take(now.mono))
    return refuse(id, 429, "two rehearsals a second are enough");
  CopyRandom random, same_random;
  Played with = copy_for_play(random).play(&*link, line, now);
  const Played without = copy_for_play(same_random).play(nullptr, {}, now);
  std::map<std::string_view, std::size_t> anyway;
  for (const auto& told : without.told) ++anyway[told.what];
  for (const auto& told : with.told) {
    const auto at = anyway.find(told.what);
    if (at != anyway.end() && at->second > 0) {
      --at->second;
      continue;
    }
    say(id,
        "INFO would " +
            (told.after == Duration::zero() ? "" : "after_ms=" + milliseconds(told.after) + " ") +
            told.what);
  }
  for (const auto& [counter, value] : with.counters) {
    if (is_traffic(counter)) continue;
    const auto at = without.counters.find(counter);
    const std::uint64_t before = at == without.counters.end() ? 0 : at->second;
    if (value > before)
      say(id, "INFO would count " + counter + " by=" + std::to_string(value - before));
  }
  say(id, "END");
}

void Engine::act_by_hand(ControlId id, Control& control, std::string_view words, Now now) {
  if (!WATTLE_CHECKED(control_act, control.may_act))
    return refuse(id, 403, "only root may ACT; REHEARSE shows what it would do");
  const auto [first, rest] = split_word(words);
  if (rest.empty() && first != "RENEW")
    return refuse(id, 400, "say ACT neighbour LINE, or ACT CLOSE neighbour, DIAL endpoint, RENEW");
  const std::map<std::string, std::uint64_t, std::less<>> before = counters_;
  know_names();  // some may be gone when they are told
  Actions earlier = std::exchange(out_, {});
  // Lines that wait on this connection go on waiting until this one is answered.
  control.query = Query{};
  control.query->kind = Query::Kind::Act;
  control.query->deadline = kNever;
  std::string refusal;
  acting_ = true;
  if (first == "CLOSE") {
    const auto link = link_named(rest);
    if (link)
      close(*link, "an administrator closes it", now);
    else
      refusal = "no link with " + std::string(rest) + ", see DUMP LINKS";
    dial(now);
  } else if (first == "DIAL") {
    const auto endpoint = Endpoint::parse(rest);
    if (endpoint)
      dial_.add_once(*endpoint, now.mono);
    else
      refusal = "DIAL takes an endpoint, such as 192.0.2.7:8737 or [2001:db8::7]:8737";
    dial(now);
  } else if (first == "RENEW" && rest.empty()) {
    renewal_.want_now();
    run_renewal(now);
    if (out_.empty())
      refusal =
          "nothing can be asked right now: keyd is away, a renewal is under way, or the last one "
          "failed just now; it is wanted, and comes";
  } else if (const auto link = link_named(first)) {
    out_ = on_line(*link, rest, now);
  } else {
    refusal = "no link with " + std::string(first) + ", see DUMP LINKS";
  }
  Actions done = take();
  acting_ = false;
  out_ = std::move(earlier);
  control.query.reset();
  if (!refusal.empty()) return refuse(id, 404, std::move(refusal));
  note(Note::Level::Notice, "an administrator acts: " + std::string(words.substr(0, 200)));
  std::vector<std::string> told;
  for (const Action& action : done) told.push_back(describe(action));
  trace_.keep_only(links_);
  out_.insert(out_.end(), std::make_move_iterator(done.begin()),
              std::make_move_iterator(done.end()));
  for (const std::string& what : told)
    if (!what.empty()) say(id, "INFO did " + what);
  for (const auto& [counter, value] : counters_) {
    if (is_traffic(counter)) continue;
    const auto at = before.find(counter);
    const std::uint64_t old = at == before.end() ? 0 : at->second;
    if (value > old) say(id, "INFO did count " + counter + " by=" + std::to_string(value - old));
  }
  say(id, "END");
}

std::string Engine::describe(const Action& action) const {
  const auto name = [&](LinkId link) { return trace_.name(link); };
  return std::visit(
      ipc::Overload{
          [&](const SendLine& a) { return "send link=" + name(a.link) + " " + a.line; },
          [&](const SendPacket& a) {
            return "send link=" + name(a.link) + " PACKET " + std::to_string(a.packet.size());
          },
          [&](const CloseLink& a) { return "close link=" + name(a.link); },
          [](const Dial& a) { return "dial " + a.endpoint.text(); },
          [](const CancelDial&) { return std::string("call off a dial"); },
          [](const ToKeyd&) { return std::string("ask keyd to sign an origin record"); },
          [](const SignRenewal&) { return std::string("ask keyd to sign an enrolment"); },
          [](const PostRenewal&) { return std::string("ask the registry to renew"); },
          [](const UseCertificate& a) {
            return "use the certificate serial=" + std::to_string(a.serial);
          },
          [](const UseCas& a) {
            return "take certificates of CAs=" + std::to_string(a.ca_ders.size());
          },
          [](const StoreFile& a) {
            return "store file=" + a.name + " bytes=" + std::to_string(a.text.size());
          },
          [](const PublishOrigin&) { return std::string("publish the own origin record"); },
          [](const Note& a) {
            return "log " + a.sentence + (a.peer.empty() ? "" : " peer=" + a.peer) +
                   (a.err.empty() ? "" : " err=" + a.err);
          },
          // What goes to people at the control socket is no effect of a line.
          [](const ControlLine&) { return std::string(); },
          [](const CloseControl&) { return std::string(); },
          [](const TraceLine&) { return std::string(); },
          [](const TraceEnd&) { return std::string(); },
      },
      action);
}

std::string Engine::describe(const LaneFeed::Message& message) const {
  return std::visit(
      [&](const auto& m) -> std::string {
        using M = std::remove_cvref_t<decltype(m)>;
        if constexpr (std::is_same_v<M, std::monostate>) {
          return {};
        } else {
          std::string out = "tell cryptod " + std::string(M::kName);
          const auto whom = [&](const ByteArray<40>& bytes) {
            NodeAddress address;
            address.bytes = bytes;
            return nodes_.label(address);
          };
          if constexpr (requires { m.destination; }) out += " name=" + whom(m.destination);
          if constexpr (requires { m.address; }) out += " name=" + whom(m.address);
          if constexpr (std::is_same_v<M, meta_link::Route>) {
            if (m.entry.state == meta_link::RouteState::Reachable)
              out += " via=" + whom(m.entry.next_hop) + " metric=" + std::to_string(m.entry.metric);
            else
              out += " via=-";
          }
          return out;
        }
      },
      message);
}

}  // namespace wattle::metad
