// A stateful engine with two neighbours and the control socket. Each line of the input is a step:
//   1...  2...   that text comes over link 1 or 2      c...  a line on the control socket
//   hN    the true ADD_HOST of node N over link 1      aN    the true ANS_KEY of node N over link 2
//   wN    cryptod wants node N's key                   o     cryptod asks who owns 10.9.0.3
//   s     node 2 has a session                         t     ten seconds pass
//   d1 d2 the link ends                                u1 u2 it comes up again
//   mN    ADD_HOST of node N, a way that link 1 tells  lN    cryptod's data path to node N lives
//   xN    that path is dead                            pN    N * 100 bytes behind PACKET on link 1
// Invariants after each step: bounds hold, nothing about ourselves is stored, what is sent parses.
#include "tests/support/meta_world.h"

using namespace wattle;         // NOLINT
using namespace wattle::metad;  // NOLINT
using wattle::metad::test::Realm;

namespace {

struct Scene {
  explicit Scene(const Realm& r) : realm(r) {}
  const Realm& realm;
  test::SeededRandom random{7};
  Now now{Instant(std::chrono::seconds(100)), {Realm::kStart}};
  Engine engine{realm.setup(1, "n1"), random, now};
  std::map<int, LinkId> links{};
  std::vector<std::uint64_t> acks{};
  LinkId next = 1;

  void check(const Actions& actions) {
    for (const Action& action : actions) {
      if (const auto* sent = std::get_if<SendLine>(&action)) {
        WATTLE_CHECK(sent->line.size() < 2048);
        WATTLE_CHECK(parse_request(sent->line).has_value());
      }
      if (const auto* said = std::get_if<ControlLine>(&action))
        WATTLE_CHECK(said->line.find('\n') == std::string::npos);
    }
    while (auto message = engine.next_for_cryptod()) {
      engine.sent_to_cryptod();
      if (const auto* route = std::get_if<meta_link::Route>(&*message))
        acks.push_back(route->ticket);
    }
    while (!acks.empty()) {
      const meta_link::RouteAck ack{acks.back()};
      acks.pop_back();
      check(engine.on_cryptod(ack, now));
    }
    WATTLE_CHECK(engine.nodes().find(realm.address(1)) == nullptr);
    WATTLE_CHECK(engine.links().size() <= kMaxLinks);
    WATTLE_CHECK(engine.nodes().hosts().size() <= NodeDb::kMaxHosts);
  }

  void up(int number) {
    if (links.contains(number) && engine.links().contains(links[number])) return;
    LinkUp up;
    up.address = realm.address(static_cast<std::uint8_t>(number + 1));
    up.name = "n" + std::to_string(number + 1);
    up.serial = 1001u + static_cast<unsigned>(number);
    up.expires = {Realm::kStart + 86400};
    up.remote = {IpAddress::v4({192, 0, 2, static_cast<std::uint8_t>(number + 1)}), 8737};
    links[number] = next;
    check(engine.on_link_up(next, up, now));
    check(engine.on_line(next, "ID " + up.name + " 9 0 8737 dial=1", now));
    check(engine.on_line(next, "ACK you=203.0.113.9:1", now));
    check(engine.on_line(next, "END", now));
    ++next;
  }
  void line(int number, std::string_view text) { check(engine.on_line(links[number], text, now)); }
};

std::uint8_t node_of(std::string_view step) {
  return static_cast<std::uint8_t>(step.size() < 2 ? 2 : 2 + (step[1] & 7));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Realm realm;
  Scene world(realm);
  world.check(world.engine.on_cryptod_up(world.now));
  world.check(world.engine.on_cryptod(meta_link::Ready{1}, world.now));
  world.check(world.engine.on_cryptod(meta_link::HeldRoutesEnd{}, world.now));
  const Bytes own = realm.answer(1, "n1", 5, world.now.unix);
  world.check(world.engine.on_cryptod(meta_link::OwnRecord{to_array<200>(own)}, world.now));
  world.check(world.engine.on_control_open(1, false, world.now));
  world.up(1);
  world.up(2);
  std::string_view text(reinterpret_cast<const char*>(data), size);
  for (int steps = 0; steps < 200 && !text.empty(); ++steps) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view step = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (step.empty()) continue;
    const std::uint8_t node = node_of(step);
    const std::string name = "n" + std::to_string(int{node});
    switch (step[0]) {
      case '1':
        world.line(1, step.substr(1));
        break;
      case '2':
        world.line(2, step.substr(1));
        break;
      case 'c':
        world.check(world.engine.on_control_line(1, step.substr(1), world.now));
        break;
      case 'h':
        world.line(1, print_request(print_origin(realm.origin(node, name, 9))));
        break;
      case 'm': {
        Request line = print_origin(realm.origin(node, name, 9));
        line.keys.emplace_back("metric", "100");
        world.line(1, print_request(line));
        break;
      }
      case 'l':
      case 'x': {
        meta_link::LinkState state;
        state.address = realm.address(node).bytes;
        state.way = step[0] == 'l' ? meta_link::LinkWay::Udp : meta_link::LinkWay::Down;
        world.check(world.engine.on_cryptod(state, world.now));
        break;
      }
      case 'p':
        world.check(world.engine.on_packet(world.links[1], Bytes(node * 100u, 1), world.now));
        break;
      case 'a': {
        Request answer;
        answer.verb = Verb::AnsKey;
        answer.values = {Value(name), Value(std::string("n1")),
                         Value(realm.answer(node, name, 6, world.now.unix))};
        world.line(2, print_request(answer));
        break;
      }
      case 'w':
        world.check(
            world.engine.on_cryptod(meta_link::WantKey{realm.address(node).bytes, 0}, world.now));
        break;
      case 'o': {
        meta_link::WantOwner want;
        want.value = {10, 9, 0, 3};
        world.check(world.engine.on_cryptod(want, world.now));
        break;
      }
      case 's': {
        meta_link::PeerState state;
        state.address = realm.address(2).bytes;
        state.state = meta_link::SessionState::Live;
        world.check(world.engine.on_cryptod(state, world.now));
        break;
      }
      case 't':
        world.now.mono += std::chrono::seconds(10);
        world.now.unix.seconds += 10;
        world.check(world.engine.on_tick(world.now));
        break;
      case 'd': {
        const int number = step.ends_with('2') ? 2 : 1;
        world.check(world.engine.on_link_down(world.links[number], world.now));
        break;
      }
      case 'u':
        world.up(step.ends_with('2') ? 2 : 1);
        break;
      default:
        break;
    }
  }
  return 0;
}
