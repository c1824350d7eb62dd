// Neighbours: sessions without traffic, probes at one beat, link states, and the last resort.
#include "cryptod/core/neighbour_watch.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine_lab.h"

namespace wattle::cryptod::lab {
namespace {

using meta_link::LinkState;
using meta_link::LinkWay;
using meta_link::SessionState;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct Links : Lab {
  explicit Links(std::size_t nodes = 2) : Lab(1, nodes) {
    for (std::size_t i = 0; i < nodes; ++i)
      for (std::size_t k = 0; k < nodes; ++k)
        if (i != k) node(i).give_member(node(k));
  }
  std::vector<LinkState> told(const Node& node) const {
    std::vector<LinkState> out;
    for (const auto& m : node.told)
      if (const auto* state = std::get_if<LinkState>(&m)) out.push_back(*state);
    return out;
  }
  LinkWay way(const Node& node) const {
    const auto all = told(node);
    return all.empty() ? LinkWay::Down : all.back().way;
  }
  bool only_first_down(const Node& node) const {
    const auto all = told(node);
    return std::all_of(all.begin() + 1, all.end(),
                       [](const LinkState& s) { return s.way == LinkWay::Udp; });
  }
  void cut() {
    pass = [](const Packet&) { return false; };
  }
};

TEST(NeighbourWatch, ASessionIsMadeAndKeptWithoutTraffic) {
  Links lab;
  lab.link(lab.a(), lab.b());
  lab.run(milliseconds(200));
  EXPECT_EQ(lab.way(lab.a()), LinkWay::Udp);
  EXPECT_EQ(lab.way(lab.b()), LinkWay::Udp);
  lab.run(seconds(900));  // several lives of a session
  EXPECT_EQ(lab.a().state_of(lab.b()), SessionState::Live);
  EXPECT_TRUE(lab.only_first_down(lab.a()));
  EXPECT_EQ(lab.a().counter(Counter::SessionsExpired), 0u);
  EXPECT_EQ(lab.told(lab.a()).back().loss_permille, 0);
}

// Each keeps its own clocks, whoever goes.
TEST(NeighbourWatch, OneThatGoesLeavesTheOthersInPlace) {
  Links lab(5);
  for (std::size_t i = 1; i < 5; ++i) lab.link(lab.a(), lab.node(i));
  lab.run(seconds(10));
  const auto state_of = [&](const Node& node) {
    const auto all = lab.told(lab.a());
    const auto last = std::find_if(all.rbegin(), all.rend(), [&](const LinkState& s) {
      return s.address == node.address.bytes;
    });
    return last == all.rend() ? LinkWay::Down : last->way;
  };
  lab.unlink(lab.a(), lab.node(1));
  lab.unlink(lab.a(), lab.node(4));
  lab.a().told.clear();
  const auto from_third = lab.node(3).endpoint;
  lab.pass = [&](const Packet& p) { return p.from != from_third && p.to != from_third; };
  lab.run(seconds(20));
  EXPECT_EQ(state_of(lab.node(3)), LinkWay::Down);
  EXPECT_GE(lab.a().counter(Counter::ProbesAnswered), 5u);
  for (const LinkState& s : lab.told(lab.a()))
    EXPECT_TRUE(s.address == lab.node(2).address.bytes || s.address == lab.node(3).address.bytes);
  // Those that went are asked nothing any more; the one that stayed is.
  const auto asked = [&](const Node& to) {
    return std::count_if(lab.seen.begin(), lab.seen.end(), [&](const Packet& p) {
      return p.from == lab.a().endpoint && p.to == to.endpoint;
    });
  };
  lab.seen.clear();
  lab.run(seconds(9));
  EXPECT_EQ(asked(lab.node(1)) + asked(lab.node(4)), 0);
  EXPECT_GE(asked(lab.node(2)), 2);
}

TEST(NeighbourWatch, ARoundTripIsToldSmoothedAndSeldom) {
  Links lab;
  lab.latency = milliseconds(25);
  lab.link(lab.a(), lab.b());
  lab.run(seconds(60));
  const auto begun = lab.told(lab.a());
  EXPECT_NEAR(begun.back().rtt_us, 50000, 13000);
  lab.run(seconds(300));
  EXPECT_EQ(lab.told(lab.a()).size(), begun.size());  // nothing new: metad is not woken
  lab.latency = milliseconds(50);
  lab.run(seconds(3));
  EXPECT_LT(lab.told(lab.a()).back().rtt_us, 65000u);  // one sample moves it by a sixth
  lab.run(seconds(60));
  const auto all = lab.told(lab.a());
  EXPECT_NEAR(all.back().rtt_us, 100000, 25000);
  EXPECT_LE(all.size(), begun.size() + 6);
}

TEST(NeighbourWatch, ThreeLostInARowAreDown) {
  Links lab;
  lab.link(lab.a(), lab.b());
  lab.run(seconds(10));
  ASSERT_EQ(lab.way(lab.a()), LinkWay::Udp);
  lab.cut();
  const Instant cut = lab.moment.now;
  ASSERT_TRUE(lab.run_until(seconds(20), [&] { return lab.way(lab.a()) == LinkWay::Down; }));
  EXPECT_LE(lab.moment.now - cut, milliseconds(6500));
  EXPECT_GE(lab.moment.now - cut, milliseconds(2900));  // not after one
  EXPECT_GT(lab.told(lab.a()).back().loss_permille, 100);
  lab.pass = {};
  ASSERT_TRUE(lab.run_until(seconds(40), [&] { return lab.way(lab.a()) == LinkWay::Udp; }));
}

TEST(NeighbourWatch, OneLostProbeIsLossAndNoMore) {
  Links lab;
  lab.a().say(meta_link::Neighbour{lab.b().address.bytes, true});  // only a asks
  lab.run(seconds(60));
  const std::size_t before = lab.told(lab.a()).size();
  bool lost = false;
  lab.pass = [&](const Packet& p) { return lost || !(lost = p.from == lab.a().endpoint); };
  lab.run(seconds(10));
  ASSERT_TRUE(lost);
  const auto all = lab.told(lab.a());
  ASSERT_GT(all.size(), before);
  EXPECT_EQ(all.back().way, LinkWay::Udp);
  EXPECT_GT(all.back().loss_permille, 0);
  EXPECT_LE(all.back().loss_permille, 63);
  lab.run(seconds(60));
  EXPECT_EQ(lab.told(lab.a()).back().loss_permille, 0);  // 16 probes later
  EXPECT_TRUE(lab.only_first_down(lab.a()));
}

TEST(NeighbourWatch, WhateverComesFromItIsLife) {
  // Neither side's probes are answered, but b's frames arrive, and b hears a: no reason to leave,
  // for a while.
  Links lab;
  lab.link(lab.a(), lab.b());
  lab.run(seconds(10));
  const auto traffic = [&](int halves) {
    for (int i = 0; i < halves; ++i) {
      lab.b().send(ip_frame(lab.b(), lab.a(), numbered(0)));
      lab.run(milliseconds(500));
    }
  };
  lab.pass = [&](const Packet& p) { return p.from != lab.b().endpoint || p.bytes.size() > 100; };
  traffic(20);
  EXPECT_EQ(lab.way(lab.a()), LinkWay::Udp);
  EXPECT_GT(lab.told(lab.a()).back().loss_permille, 300);
  EXPECT_EQ(lab.way(lab.b()), LinkWay::Udp);
  traffic(60);
  EXPECT_EQ(lab.way(lab.a()), LinkWay::Down);  // for that long it cannot be chance
}

TEST(NeighbourWatch, OneThatHearsNothingSaysSo) {
  // b speaks and hears nothing: its handshakes tell a, though its frames and probes keep arriving.
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Links lab;
    lab.link(lab.a(), lab.b());
    lab.run(seconds(10) + milliseconds(310 * seed));
    ASSERT_EQ(lab.way(lab.a()), LinkWay::Udp);
    lab.pass = [&](const Packet& p) { return p.from == lab.b().endpoint; };
    const Instant cut = lab.moment.now;
    while (lab.way(lab.a()) != LinkWay::Down && lab.moment.now < cut + seconds(30)) {
      lab.b().send(ip_frame(lab.b(), lab.a(), numbered(0)));
      lab.run(milliseconds(250));
    }
    EXPECT_EQ(lab.way(lab.b()), LinkWay::Down);
    EXPECT_LE(lab.moment.now - cut, seconds(9)) << seed;
    EXPECT_GE(lab.moment.now - cut, milliseconds(2900)) << seed;
    lab.pass = {};
    EXPECT_TRUE(lab.run_until(seconds(40), [&] {
      return lab.way(lab.a()) == LinkWay::Udp && lab.way(lab.b()) == LinkWay::Udp;
    }));
  }
}

// How often two neighbours say "down" in an hour in which two of five datagrams are lost, each way.
std::size_t downs_in_an_hour(std::uint64_t seed, bool traffic) {
  Links lab;
  lab.link(lab.a(), lab.b());
  lab.run(seconds(10) + milliseconds(170 * seed));
  lab.loss = 0.4;
  for (int i = 0; i < 3600; ++i) {
    if (traffic) {
      lab.b().send(ip_frame(lab.b(), lab.a(), numbered(0)));
      lab.a().send(ip_frame(lab.a(), lab.b(), numbered(0)));
    }
    lab.run(seconds(1));
  }
  std::size_t downs = 0;
  for (const Node* node : {&lab.a(), &lab.b()})
    for (const LinkState& state : lab.told(*node)) downs += state.way == LinkWay::Down ? 1 : 0;
  return downs - 2;  // before the first session
}

TEST(NeighbourWatch, HeavyLossAloneIsNoDeafness) {
  // Silence of three probes comes by chance at this loss, seldom with traffic; deafness must not
  // add to it.
  std::size_t busy = 0, idle = 0;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    busy += downs_in_an_hour(seed, true);
    idle += downs_in_an_hour(seed, false);
  }
  std::printf("down in 8 hours: %zu times with traffic, %zu without\n", busy, idle);
  EXPECT_LE(busy, 28u);
  EXPECT_LE(idle, 128u);
}

TEST(NeighbourWatch, ARestartedNeighbourIsBackAtOnce) {
  Links lab;
  lab.link(lab.a(), lab.b());
  lab.run(seconds(10));
  lab.b().restart();
  ASSERT_TRUE(lab.run_until(seconds(15), [&] {
    const auto all = lab.told(lab.b());
    return all.back().way == LinkWay::Udp && lab.a().state_of(lab.b()) == SessionState::Live;
  }));
  lab.run(seconds(30));
  EXPECT_EQ(lab.way(lab.a()), LinkWay::Udp);
  EXPECT_EQ(lab.way(lab.b()), LinkWay::Udp);
}

TEST(NeighbourWatch, AllProbesGoOutInOneBeat) {
  constexpr std::size_t kOthers = 20;
  Links lab(kOthers + 1);
  for (std::size_t i = 1; i <= kOthers; ++i) {
    lab.a().say(meta_link::Neighbour{lab.node(i).address.bytes, true});
    lab.run(milliseconds(137));  // each at its own time
  }
  lab.run(seconds(10));
  lab.seen.clear();
  lab.run(seconds(30));
  std::map<Instant, std::size_t> questions;
  for (const Packet& p : lab.seen)
    if (p.from == lab.a().endpoint && p.bytes.size() == kTransportOverhead + 9) ++questions[p.at];
  EXPECT_GE(questions.size(), 9u);
  EXPECT_LE(questions.size(), 10u);
  for (const auto& [at, n] : questions) EXPECT_EQ(n, kOthers);
}

TEST(NeighbourWatch, TwoSidesShareTheirWakeups) {
  Links lab;
  lab.link(lab.a(), lab.b());
  lab.run(seconds(30));
  lab.seen.clear();
  lab.run(seconds(60));
  // Everything that leaves does so at a wake-up: question; answer and question; answer.
  std::set<std::pair<Instant, Endpoint>> bursts;
  for (const Packet& p : lab.seen) bursts.insert({p.at, p.from});
  EXPECT_GE(bursts.size(), 3u * 18);
  EXPECT_LE(bursts.size(), 3u * 20 + 8);  // a renewal of the session among them
}

TEST(NeighbourWatch, EveryStateIsToldToANewMetad) {
  Links lab(3);
  lab.link(lab.a(), lab.b());
  lab.link(lab.a(), lab.c());
  lab.run(seconds(5));
  lab.a().told.clear();
  lab.a().meta_again();
  const auto all = lab.told(lab.a());
  ASSERT_EQ(all.size(), 2u);
  for (const LinkState& s : all) EXPECT_EQ(s.way, LinkWay::Udp);
  // One is repeated, the other forgotten ten seconds after the snapshot's end.
  lab.a().say(meta_link::Neighbour{lab.b().address.bytes, true});
  lab.a().say(meta_link::SnapshotEnd{});
  lab.run(seconds(9));
  lab.a().told.clear();
  lab.a().meta_again();
  EXPECT_EQ(lab.told(lab.a()).size(), 2u);
  lab.a().say(meta_link::Neighbour{lab.b().address.bytes, true});
  lab.a().say(meta_link::SnapshotEnd{});
  lab.run(seconds(11));
  lab.a().told.clear();
  lab.a().meta_again();
  ASSERT_EQ(lab.told(lab.a()).size(), 1u);
  EXPECT_EQ(lab.told(lab.a())[0].address, lab.b().address.bytes);
}

TEST(NeighbourWatch, NoMoreANeighbour) {
  Links lab;
  lab.link(lab.a(), lab.b());
  lab.run(seconds(5));
  lab.unlink(lab.a(), lab.b());
  const std::size_t told = lab.told(lab.a()).size();
  lab.run(seconds(30));
  lab.seen.clear();
  lab.run(seconds(60));
  EXPECT_TRUE(lab.seen.empty());  // no probes without reason
  EXPECT_EQ(lab.told(lab.a()).size(), told);
}

TEST(NeighbourWatch, WithoutUdpItIsCarriedAndUdpComesBack) {
  Links lab;
  lab.carries = true;
  lab.cut();
  lab.link(lab.a(), lab.b());
  ASSERT_TRUE(lab.run_until(seconds(20), [&] {
    return lab.way(lab.a()) == LinkWay::Carried && lab.way(lab.b()) == LinkWay::Carried;
  }));
  lab.a().send(ip_frame(lab.a(), lab.b(), numbered(1)));
  lab.run(milliseconds(100));
  EXPECT_EQ(lab.b().frames.size(), 1u);
  lab.run(seconds(60));
  EXPECT_EQ(lab.way(lab.a()), LinkWay::Carried);
  lab.pass = {};
  ASSERT_TRUE(lab.run_until(seconds(70), [&] {
    return lab.way(lab.a()) == LinkWay::Udp && lab.way(lab.b()) == LinkWay::Udp;
  }));
  lab.seen.clear();
  lab.a().send(ip_frame(lab.a(), lab.b(), numbered(2)));
  EXPECT_FALSE(lab.seen.empty());
}

}  // namespace
}  // namespace wattle::cryptod::lab
