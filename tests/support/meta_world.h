// Several metad engines wired in memory, with real keys, records and credentials, a manual clock
// and a seeded Random: what the sockets do between them is played by deliver(). For tests and
// fuzzers.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/crypto/p256.h"
#include "common/proto/enrolment.h"
#include "common/proto/genesis.h"
#include "common/proto/packet_key.h"
#include "metad/core/engine.h"
#include "metad/core/trace_gate.h"
#include "tests/support/meta_realm.h"
#include "tests/support/routing_cryptod.h"

namespace wattle::metad::test {

// Nodes 1..n named n1, n2, ... at 192.0.2.<n>:8737. Each has a keyd and a cryptod that answer at
// once.
class World {
 public:
  struct Node {
    std::uint8_t number;
    std::string name;
    SeededRandom random;
    std::unique_ptr<Engine> engine;
    std::uint64_t seqno = 0, epoch = 0;
    bool reachable = true;  // can be dialled
    std::vector<meta_link::ToCryptod::Message> to_cryptod;
    std::vector<std::string> control;
    std::vector<std::string> heard;  // lines that came over links
    std::vector<StoreFile> files;
    std::vector<Note> notes;
    std::uint64_t serial;                          // of the certificate that it shows
    UnixTime expires{Realm::kStart + 30 * 86400};  // of that
    std::vector<std::string> posts;                // to the registry, /renew
    std::vector<UseCertificate> certificates;
    Bytes ca_der;                // of the certificate that it shows
    std::vector<Bytes> ca_ders;  // whose certificates it takes
    std::size_t dials = 0, packets = 0;
    RoutingCryptod cryptod;
    Setup setup;
    explicit Node(std::uint8_t n)
        : number(n), name("n" + std::to_string(int{n})), random(n), serial(1000u + n) {}
  };
  struct Wire {  // one TCP connection: dialler's end and the other
    std::size_t from, to;
    LinkId from_id, to_id;
    bool open = true;
  };

  Realm realm;
  Now now{Instant(std::chrono::seconds(100)), {Realm::kStart}};
  std::vector<std::unique_ptr<Node>> nodes;
  std::vector<Wire> wires;
  // The registry's answer to a renewal; empty: it never answers.
  std::function<std::pair<int, std::string>(Node& node, const std::string& body)> renewals;
  // Who can dial whom, by place in `nodes`; empty: everybody that is reachable.
  std::function<bool(std::size_t from, std::size_t to)> may_dial;
  std::size_t lines = 0;

  Node& add(const std::function<void(Setup&)>& change = {}) {
    const auto number = static_cast<std::uint8_t>(nodes.size() + 1);
    nodes.push_back(std::make_unique<Node>(number));
    Node& node = *nodes.back();
    Setup setup = realm.setup(number, node.name);
    if (change) change(setup);
    node.setup = std::move(setup);
    node.ca_der = node.setup.ca_der;
    node.ca_ders = {node.ca_der};
    node.cryptod.incarnation = number;
    node.cryptod.measure = [this, at = nodes.size() - 1](const RoutingCryptod::Address& other) {
      return measure(at, other);
    };
    start(node);
    return node;
  }

  // A metad starts, with what its state folder and its cryptod have kept.
  void start(Node& node) {
    node.engine = std::make_unique<Engine>(node.setup, node.random, now);
    key_link::Identity identity;
    identity.network = realm.network;
    identity.address = realm.address(node.number).bytes;
    act(node, node.engine->on_keyd(identity, now));
    connect_cryptod(node);
  }
  void connect_cryptod(Node& node) {
    act(node, node.engine->on_cryptod_up(now));
    for (const auto& message : node.cryptod.hello())
      act(node, node.engine->on_cryptod(message, now));
    rotate(node);
  }
  // SIGKILL: the connections break, the other sides notice at once. Its links come back by
  // dialling.
  void kill(Node& node) {
    for (Wire& wire : wires)
      if (wire.open && (wire.from == index(node) || wire.to == index(node))) {
        wire.open = false;
        Node& other = *nodes[wire.from == index(node) ? wire.to : wire.from];
        const LinkId id = wire.from == index(node) ? wire.to_id : wire.from_id;
        act(other, other.engine->on_link_down(id, now));
      }
    node.setup.origin.clear();
    for (const StoreFile& file : node.files)
      if (file.name == "origin") node.setup.origin = file.text;
  }
  void restart(Node& node) {
    kill(node);
    start(node);
  }

  // The data path between two nodes, by place: up, or down at once (both cryptods notice).
  void set_path(std::size_t a, std::size_t b, bool up) {
    if (up)
      dead_.erase(std::minmax(a, b));
    else
      dead_.insert(std::minmax(a, b));
    for (const auto& [one, other] : {std::pair(a, b), std::pair(b, a)}) {
      const auto address = realm.address(nodes[other]->number).bytes;
      if (!nodes[one]->cryptod.neighbours.contains(address)) continue;
      act(*nodes[one], nodes[one]->engine->on_cryptod(measure(one, address), now));
    }
    settle();
  }

  // A new packet key of this node, as cryptod hands it over.
  void rotate(Node& node) {
    node.epoch = std::max(node.epoch + 1, now.unix.seconds * 1000);
    PacketKeyRecord record = realm.record(node.number, node.epoch, now.unix);
    record.serial = node.serial;
    const auto bytes = build_packet_key(record, key_of(node.number));
    act(node, node.engine->on_cryptod(meta_link::OwnRecord{bytes}, now));
  }

  void act(Node& node, Actions actions) {
    for (Action& action : actions)
      std::visit(ipc::Overload{
                     [&](SendLine& a) { send(node, a.link, std::move(a.line)); },
                     [&](SendPacket& a) { send_packet(node, a); },
                     [&](CloseLink& a) { cut(node, a.link); },
                     [&](Dial& a) { dial(node, a); },
                     [&](CancelDial&) {},
                     [&](ControlLine& a) { node.control.push_back(std::move(a.line)); },
                     [&](CloseControl&) { node.control.push_back("(closed)"); },
                     [&](TraceLine& a) {
                       node.control.push_back(print_traced(a.neighbour, a.in, 0, a.line));
                     },
                     [&](TraceEnd&) { node.control.push_back("END"); },
                     [&](ToKeyd& a) { sign(node, a.request); },
                     [&](SignRenewal& a) { sign_renewal(node, a.request); },
                     [&](PostRenewal& a) { post_renewal(node, std::move(a.body)); },
                     [&](UseCertificate& a) {
                       node.serial = a.serial;
                       node.name = a.name;
                       node.certificates.push_back(std::move(a));
                     },
                     [&](UseCas& a) { node.ca_ders = std::move(a.ca_ders); },
                     [&](StoreFile& a) { node.files.push_back(std::move(a)); },
                     [&](PublishOrigin&) {},
                     [&](Note& a) { node.notes.push_back(std::move(a)); },
                 },
                 action);
    while (auto message = node.engine->next_for_cryptod()) {
      node.to_cryptod.push_back(*message);
      node.engine->sent_to_cryptod();
      for (auto& answer : node.cryptod.on(*message))
        events_.push_back([this, &node, answer = std::move(answer)] {
          act(node, node.engine->on_cryptod(answer, now));
        });
    }
  }

  // Delivers what is under way until nothing is, then lets time pass in steps.
  void settle() {
    while (!events_.empty()) {
      auto event = std::move(events_.front());
      events_.pop_front();
      event();
    }
  }
  void run(Duration time, Duration step = std::chrono::milliseconds(50)) {
    settle();
    for (const Instant end = now.mono + time; now.mono < end;) {
      now.mono += step;
      now.unix.seconds = Realm::kStart + static_cast<std::uint64_t>(
                                             std::chrono::duration_cast<std::chrono::seconds>(
                                                 now.mono - Instant(std::chrono::seconds(100)))
                                                 .count());
      for (auto& node : nodes)
        if (node->engine->next_deadline() <= now.mono) act(*node, node->engine->on_tick(now));
      settle();
    }
  }

  std::size_t open_wires(std::size_t a, std::size_t b) const {
    std::size_t out = 0;
    for (const Wire& wire : wires)
      if (wire.open && ((wire.from == a && wire.to == b) || (wire.from == b && wire.to == a)))
        ++out;
    return out;
  }
  // The link's id at `node` of its open wire to `other`; 0 if none.
  LinkId link(std::size_t node, std::size_t other) const {
    for (const Wire& wire : wires) {
      if (!wire.open) continue;
      if (wire.from == node && wire.to == other) return wire.from_id;
      if (wire.to == node && wire.from == other) return wire.to_id;
    }
    return 0;
  }
  void break_wires(std::size_t a, std::size_t b) {
    for (Wire& wire : wires) {
      if (!wire.open || !((wire.from == a && wire.to == b) || (wire.from == b && wire.to == a)))
        continue;
      wire.open = false;
      act(*nodes[wire.from], nodes[wire.from]->engine->on_link_down(wire.from_id, now));
      act(*nodes[wire.to], nodes[wire.to]->engine->on_link_down(wire.to_id, now));
    }
    settle();
  }
  std::vector<std::string> ask(Node& node, const std::string& line) {
    node.control.clear();
    act(node, node.engine->on_control_open(7, true, now));
    node.control.clear();
    act(node, node.engine->on_control_line(7, line, now));
    settle();
    act(node, node.engine->on_control_down(7));
    return node.control;
  }

 private:
  std::size_t index(const Node& node) const { return node.number - 1u; }

  void sign(Node& node, const key_link::SignOrigin& request) {
    OriginRecord record;
    record.network = realm.network;
    record.address = realm.address(node.number);
    record.seqno = ++node.seqno;
    record.options = request.options;
    record.serial = request.serial;
    record.name = request.name;
    record.endpoints = request.endpoints;
    key_link::Origin answer;
    answer.body = build_origin_body(record);
    answer.signature = sign_origin(record, key_of(node.number));
    events_.push_back([this, &node, answer] { act(node, node.engine->on_keyd(answer, now)); });
  }

  void sign_renewal(Node& node, const key_link::SignEnrolment& request) {
    EnrolmentClaim claim;
    claim.network = realm.network;
    claim.address = realm.address(node.number);
    claim.csr_hash = request.csr_hash;
    claim.nonce = request.nonce;
    const key_link::Enrolment answer{sign_enrolment(claim, key_of(node.number))};
    events_.push_back([this, &node, answer] { act(node, node.engine->on_keyd(answer, now)); });
  }
  void post_renewal(Node& node, std::string body) {
    node.posts.push_back(body);
    if (!renewals) return;
    events_.push_back([this, &node, body] {
      const auto [status, answer] = renewals(node, body);
      act(node, node.engine->on_renewal_answer(status, answer, now));
    });
  }

  void dial(Node& node, const Dial& a) {
    ++node.dials;
    const std::size_t target = a.endpoint.address.bytes[3] - 1u;
    const std::size_t from = index(node);
    if (target >= nodes.size() || !nodes[target]->reachable ||
        (may_dial && !may_dial(from, target))) {
      events_.push_back(
          [this, &node, id = a.dial] { act(node, node.engine->on_dial_failed(id, now)); });
      return;
    }
    const Wire wire{from, target, next_link_, next_link_ + 1};
    next_link_ += 2;
    wires.push_back(wire);
    events_.push_back([this, &node, wire, id = a.dial] {
      act(node, node.engine->on_link_up(wire.from_id, up(node, *nodes[wire.to], true, id), now));
    });
    events_.push_back([this, wire] {
      Node& other = *nodes[wire.to];
      act(other, other.engine->on_link_up(wire.to_id, up(other, *nodes[wire.from], false, 0), now));
    });
  }

  LinkUp up(const Node& own, const Node& other, bool dialled, DialId id) const {
    LinkUp out;
    out.dialled = dialled;
    out.dial = id;
    out.remote = {IpAddress::v4({192, 0, 2, other.number}), 8737};
    out.address = realm.address(other.number);
    out.name = other.name;
    out.serial = other.serial;
    out.own_serial = own.serial;
    out.expires = other.expires;
    out.ca_der = other.ca_der;
    return out;
  }

  void send(Node& node, LinkId id, std::string line) {
    ++lines;
    for (const Wire& wire : wires) {
      const bool forward = wire.from_id == id && wire.from == index(node);
      if (!forward && !(wire.to_id == id && wire.to == index(node))) continue;
      if (!wire.open) return;
      Node& other = *nodes[forward ? wire.to : wire.from];
      const LinkId other_id = forward ? wire.to_id : wire.from_id;
      events_.push_back([this, &other, other_id, line = std::move(line)] {
        other.heard.push_back(line);
        act(other, other.engine->on_line(other_id, line, now));
      });
      return;
    }
  }

  void send_packet(Node& node, const SendPacket& a) {
    ++node.packets;
    for (const Wire& wire : wires) {
      const bool forward = wire.from_id == a.link && wire.from == index(node);
      if (!wire.open || (!forward && !(wire.to_id == a.link && wire.to == index(node)))) continue;
      Node& other = *nodes[forward ? wire.to : wire.from];
      const LinkId id = forward ? wire.to_id : wire.from_id;
      events_.push_back([this, &other, id, packet = a.packet] {
        act(other, other.engine->on_packet(id, packet, now));
      });
      return;
    }
  }

  meta_link::LinkState measure(std::size_t from, const RoutingCryptod::Address& to) const {
    meta_link::LinkState out;
    out.address = to;
    for (std::size_t i = 0; i < nodes.size(); ++i)
      if (realm.address(nodes[i]->number).bytes == to && !dead_.contains(std::minmax(from, i))) {
        out.way = meta_link::LinkWay::Udp;
        out.rtt_us = 500;
      }
    return out;
  }

  void cut(Node& node, LinkId id) {
    for (Wire& wire : wires) {
      const bool forward = wire.from_id == id && wire.from == index(node);
      if (!forward && !(wire.to_id == id && wire.to == index(node))) continue;
      wire.open = false;
      Node& other = *nodes[forward ? wire.to : wire.from];
      const LinkId other_id = forward ? wire.to_id : wire.from_id;
      events_.push_back(
          [this, &other, other_id] { act(other, other.engine->on_link_down(other_id, now)); });
      return;
    }
  }

  std::deque<std::function<void()>> events_;
  std::set<std::pair<std::size_t, std::size_t>> dead_;  // data paths, lower place first
  LinkId next_link_ = 1;
};

inline Endpoint place(std::uint8_t n) { return {IpAddress::v4({192, 0, 2, n}), 8737}; }

// n1 is known to all; the others know nobody else.
struct Star {
  World world;
  explicit Star(std::size_t count) {
    world.add();
    for (std::size_t i = 1; i < count; ++i) world.add([](Setup& s) { s.connect = {place(1)}; });
  }
  World::Node& node(std::size_t n) { return *world.nodes[n - 1]; }
};

// The newest message of a kind that a node handed to cryptod.
template <typename M>
const M* newest(const World::Node& node) {
  for (auto at = node.to_cryptod.rbegin(); at != node.to_cryptod.rend(); ++at)
    if (const M* m = std::get_if<M>(&*at)) return m;
  return nullptr;
}

}  // namespace wattle::metad::test
