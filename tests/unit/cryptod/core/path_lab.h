// A hub and members around it, for the tests of paths.
#pragma once

#include <algorithm>

#include "engine_lab.h"

namespace wattle::cryptod::lab {

inline const IpAddress kNatA = IpAddress::v4({203, 0, 113, 1});
inline const IpAddress kNatB = IpAddress::v4({203, 0, 113, 2});

// A hub that everybody reaches and is linked with, and routes of the others through it.
struct Paths : Lab {
  explicit Paths(std::size_t nodes = 3, std::uint64_t seed = 1) : Lab(seed, nodes) {}

  Node& hub() { return node(0); }
  Node& alice() { return node(1); }
  Node& bob() { return node(2); }

  void settle() {
    for (const auto& one : all())
      for (const auto& other : all())
        if (one != other) one->give_member(*other);
    for (Node* node : all())
      if (node != &hub()) link(hub(), *node);
    run(std::chrono::seconds(4));
    for (Node* one : all())
      for (Node* other : all())
        if (one != other && one != &hub()) route(*one, *other, hub());
  }
  std::vector<Node*> all() {
    std::vector<Node*> out;
    for (std::size_t i = 0; i < size(); ++i) out.push_back(&node(i));
    return out;
  }
  // A frame each way every 20 ms; says how many of alice's have reached bob.
  std::size_t talk(Duration duration) {
    const std::size_t before = bob().frames.size();
    for (const Instant until = moment.now + duration; moment.now < until;) {
      alice().send(ip_frame(alice(), bob(), numbered(number_++)));
      bob().send(ip_frame(bob(), alice(), numbered(number_++)));
      run(std::chrono::milliseconds(20));
    }
    return bob().frames.size() - before;
  }
  // The same, but only alice speaks.
  std::size_t call(Duration duration) {
    const std::size_t before = bob().frames.size();
    for (const Instant until = moment.now + duration; moment.now < until;) {
      alice().send(ip_frame(alice(), bob(), numbered(number_++)));
      run(std::chrono::milliseconds(20));
    }
    return bob().frames.size() - before;
  }
  static meta_link::PeerState state(Node& node, const Node& other) {
    node.say(meta_link::ListPeers{9});
    for (auto m = node.told.rbegin(); m != node.told.rend(); ++m)
      if (const auto* s = std::get_if<meta_link::PeerState>(&*m))
        if (s->id == 9 && s->address == other.address.bytes) return *s;
    return {};
  }
  static meta_link::PeerWay way(Node& node, const Node& other) { return state(node, other).way; }
  static std::string why(Node& node, const Node& other) {
    node.say(meta_link::AskWhy{5, other.address.bytes});
    const auto& answer = std::get<meta_link::Why>(node.told.back());
    std::string out;
    for (const auto& d : answer.decisions) out += d.sentence + '\n';
    return out;
  }
  static std::vector<Endpoint> seen_by_others(const Node& node) {
    for (auto m = node.told.rbegin(); m != node.told.rend(); ++m)
      if (const auto* l = std::get_if<meta_link::LocalEndpoints>(&*m)) return l->seen;
    return {};
  }
  // Nothing passes between these two any more.
  void cut(const Node& one, const Node& other) {
    const Endpoint a = one.endpoint, b = other.endpoint;
    pass = [a, b](const Packet& p) {
      return !((p.from == a && p.to == b) || (p.from == b && p.to == a));
    };
  }
  std::size_t sent(const Node& from, const Node& to) {
    return static_cast<std::size_t>(std::count_if(seen.begin(), seen.end(), [&](const Packet& p) {
      return p.from == from.endpoint && p.to == to.endpoint;
    }));
  }

 private:
  std::uint32_t number_ = 0;
};

inline bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace wattle::cryptod::lab
