// Attacks on one node, each with the counter that it alone must raise: a table (attacks_*_test.cpp)
// whose rows are played on fresh stages.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "common/crypto/order.h"
#include "hand_member.h"

namespace wattle::cryptod::lab {

// `a` is attacked. `b` is a member with a live session; `member` is one, too, played by hand.
struct Stage {
  Lab lab{1, 2};
  Node& a = lab.a();
  Node& b = lab.b();
  HandMember member{lab};
  const Endpoint stranger{IpAddress::v4({203, 0, 113, 66}), 4444};

  void begin() {
    a.give_member(b);
    b.give_member(a);
    b.send(ip_frame(b, a, numbered(0)));
    lab.run(std::chrono::milliseconds(100));
    const Initiator initiator = member.initiator(a);
    inject(to_bytes(initiator.message1()));
    ASSERT_EQ(member.finish(initiator, lab.seen.back().bytes), WireCheck::Accept);
    say(InnerType::Empty, {});
    lab.pass = [](const Packet&) { return false; };
  }
  void inject(const Bytes& bytes) { lab.inject(a, member.endpoint, bytes); }
  void inject_from(const Endpoint& from, const Bytes& bytes) { lab.inject(a, from, bytes); }
  void say(InnerType type, const Bytes& body) { inject(member.seal(type, body)); }
  void say_frame(const Bytes& frame) { say(InnerType::FullFrame, frame); }
  // The newest datagram of this type that b has sent.
  Bytes last_of_b(WireType type) {
    for (auto p = lab.seen.rbegin(); p != lab.seen.rend(); ++p)
      if (type_of(*p) == static_cast<std::uint8_t>(type) && p->from == b.endpoint) return p->bytes;
    ADD_FAILURE() << "no such datagram";
    return {};
  }
  // Everything refused so far, by name; without the two sums, whose parts have names of their own.
  std::map<std::string, std::uint64_t> drops() {
    std::map<std::string, std::uint64_t> out;
    for (const auto& [name, value] : a.engine->counters().list())
      if ((name.starts_with("drop_") || name.starts_with("members_refused_")) &&
          name != "drop_record")
        out[name] = value;
    return out;
  }
  // Names of the counters that an action raises.
  template <typename Action>
  std::set<std::string> raised(Action&& action) {
    const auto before = drops();
    action();
    std::set<std::string> out;
    for (const auto& [name, value] : drops())
      if (!before.contains(name) || before.at(name) != value) out.insert(name);
    return out;
  }
};

struct Attack {
  const char* name;
  std::set<std::string> counters;  // all that may rise, and must
  void (*play)(Stage&);
  bool is_answered = false;  // by a note to its sender
};

inline void play(const Attack& attack) {
  SCOPED_TRACE(attack.name);
  Stage stage;
  stage.begin();
  if (::testing::Test::HasFatalFailure()) return;
  std::size_t frames = 0, sent = 0;
  const auto raised = stage.raised([&] {
    frames = stage.a.frames.size();
    sent = stage.lab.seen.size();
    attack.play(stage);
  });
  EXPECT_EQ(raised, attack.counters);
  EXPECT_EQ(stage.a.frames.size(), frames);
  if (!attack.is_answered) {
    EXPECT_EQ(stage.lab.seen.size(), sent);
  }
  std::string names;
  for (const std::string& name : attack.counters) names += " " + name;
  std::printf("  %-58s%s\n", attack.name, names.c_str());
}

// The same signature, as good as it was for whoever does not look: (r, n - s).
template <std::size_t N>
void make_high_s(ByteArray<N>& signed_bytes) {
  int borrow = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    std::uint8_t& s = signed_bytes[N - 1 - i];
    const int value = crypto::kOrder[31 - i] - s - borrow;
    borrow = value < 0 ? 1 : 0;
    s = static_cast<std::uint8_t>(value + 256 * borrow);
  }
}

}  // namespace wattle::cryptod::lab
