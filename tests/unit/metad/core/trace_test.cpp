// What TRACE, REQ_WAY and WHY are made of: who listens, what a slow reader loses, which ways are
// remembered, and the words for routes.
#include <gtest/gtest.h>

#include "common/proto/line.h"
#include "metad/core/route_words.h"
#include "metad/core/trace_gate.h"
#include "metad/core/trace_tap.h"
#include "metad/core/way_trace.h"
#include "tests/support/meta_world.h"

namespace wattle::metad::test {
namespace {

using std::chrono::seconds;
using Strings = std::vector<std::string>;

NodeAddress node(std::uint8_t n) { return Realm{}.address(n); }

TEST(TraceTap, TellsWhoListensToWhichLink) {
  TraceTap tap;
  EXPECT_FALSE(tap.any());
  tap.know(1, node(1), "alice");
  tap.know(2, node(2), "bob");
  EXPECT_TRUE(tap.start(7, std::nullopt));
  EXPECT_TRUE(tap.start(8, node(2)));
  EXPECT_EQ(tap.listeners(1), (std::vector<ControlId>{7}));
  EXPECT_EQ(tap.listeners(2), (std::vector<ControlId>{7, 8}));
  EXPECT_EQ(tap.listeners(3), (std::vector<ControlId>{7}));
  EXPECT_EQ(tap.name(2), "bob");
  EXPECT_EQ(tap.name(3), "-");
  tap.keep_only(std::map<LinkId, int>{{1, 0}});
  EXPECT_EQ(tap.name(2), "-");
  EXPECT_TRUE(tap.stop(7));
  EXPECT_FALSE(tap.stop(7));
  EXPECT_TRUE(tap.any());
  EXPECT_TRUE(tap.stop(8));
  EXPECT_FALSE(tap.any());
}

TEST(TraceTap, HasRoomForSoMany) {
  TraceTap tap;
  for (ControlId id = 1; id <= TraceTap::kMaxListeners; ++id)
    EXPECT_TRUE(tap.start(id, std::nullopt));
  EXPECT_FALSE(tap.start(100, std::nullopt));
  EXPECT_TRUE(tap.start(1, node(1))) << "one that listens may choose anew";
}

TEST(TraceGate, CountsWhatASlowReaderLoses) {
  TraceGate gate;
  EXPECT_EQ(gate.pass("a", 0), Strings{"a"});
  EXPECT_EQ(gate.pass("b", TraceGate::kMaxWaiting), Strings{"b"});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(gate.pass("lost", TraceGate::kMaxWaiting + 1), Strings{});
  EXPECT_EQ(gate.pass("c", 5), (Strings{"INFO lost count=3", "c"}));
  EXPECT_EQ(gate.pass("d", 5), Strings{"d"});
  EXPECT_EQ(gate.pass("lost", TraceGate::kMaxWaiting + 1), Strings{});
  EXPECT_EQ(gate.end(), "INFO traced lines=4 lost=4");
  EXPECT_EQ(gate.pass("e", 5), Strings{"e"}) << "a new trace begins at nothing";
}

TEST(TraceGate, PrintsLinesThatFitALine) {
  EXPECT_EQ(print_traced("bob", true, 1700000000123, "PING"),
            "INFO line link=bob dir=in at=1700000000123 PING");
  EXPECT_EQ(print_traced("bob", false, 5, "a\x01z"), "INFO line link=bob dir=out at=5 a?z");
  const std::string full = print_traced("bob", true, 5, std::string(kMaxLine - 1, 'x'));
  EXPECT_EQ(full.size(), kMaxLine - 1);
  EXPECT_TRUE(full.ends_with("xxx..."));
}

TEST(WayTrace, GivesEachAnswerOnceToWhoAsked) {
  WayTrace ways;
  const Instant start(seconds(100));
  EXPECT_TRUE(ways.add(5, 1, 0, 2, start));
  EXPECT_FALSE(ways.add(5, 3, 0, 4, start)) << "an id is taken once";
  EXPECT_FALSE(ways.take(5, 3, start)) << "an answer comes from where the request was sent";
  EXPECT_FALSE(ways.take(6, 2, start));
  const auto passed = ways.take(5, 2, start);
  ASSERT_TRUE(passed);
  EXPECT_EQ(passed->from, 1u);
  EXPECT_FALSE(ways.take(5, 2, start)) << "once";
  EXPECT_FALSE(ways.add(5, 1, 0, 2, start)) << "and it is still remembered";
  EXPECT_TRUE(ways.add(5, 1, 0, 2, start + WayTrace::kMemory));
  EXPECT_FALSE(ways.take(5, 2, start + 2 * WayTrace::kMemory)) << "too late";
}

TEST(WayTrace, IsBounded) {
  WayTrace ways;
  const Instant start(seconds(100));
  for (std::uint64_t id = 0; id < WayTrace::kMax; ++id) EXPECT_TRUE(ways.add(id, 1, 0, 2, start));
  EXPECT_FALSE(ways.add(9999, 1, 0, 2, start));
  EXPECT_EQ(ways.size(), WayTrace::kMax);
  EXPECT_TRUE(ways.add(9999, 1, 0, 2, start + WayTrace::kMemory));
  EXPECT_EQ(ways.size(), 1u);
}

struct Words : testing::Test {
  TableEntry entry;
  Candidate hub, bob, own;
  NodeAddress dave = node(4);
  Label label = [this](const NodeAddress& a) -> std::string {
    return a == node(2) ? "hub" : a == node(3) ? "bob" : a == dave ? "dave" : "?";
  };
  Words() {
    entry.state = TableEntry::State::Reachable;
    entry.feasibility = {1000, 200};
    entry.chosen = {1000, 200};
    entry.next_hop = node(2);
    hub.neighbour = node(2);
    hub.link = 1;
    hub.told = {1000, 100};
    hub.cost = 100;
    hub.feasible = hub.selected = true;
    bob = hub;
    bob.neighbour = node(3);
    bob.selected = false;
    bob.told = {1000, 150};
    bob.cost = 96;
  }
  std::string say(const Candidate& c) { return describe_candidate(c, entry, dave, label); }
};

TEST_F(Words, SayWhyACandidateIsUsedOrNot) {
  EXPECT_EQ(say(hub),
            "through hub: told (seqno 1000, metric 100), the link costs 100, together 200: in use");
  EXPECT_EQ(reason_word(hub, entry), "in_use");
  EXPECT_EQ(say(bob),
            "through bob: told (seqno 1000, metric 150), the link costs 96, together 246: "
            "feasible, not used: not better than 200");
  EXPECT_EQ(reason_word(bob, entry), "worse");
  entry.alternate = node(3);
  EXPECT_EQ(reason_word(bob, entry), "alternate");
  EXPECT_TRUE(say(bob).ends_with("; kept as the alternate"));
  bob.told.metric = 200;
  bob.feasible = false;
  EXPECT_EQ(reason_word(bob, entry), "unfeasible");
  EXPECT_EQ(say(bob),
            "through bob: told (seqno 1000, metric 200), the link costs 96: not feasible: what was "
            "told is not better than our (seqno 1000, metric 200), so it could lead back here");
  bob.cost = kUnreachable;
  EXPECT_EQ(reason_word(bob, entry), "link_down");
  EXPECT_TRUE(
      say(bob).ends_with("the link costs infinite: not used: the data path to bob is down"));
  bob.told.metric = kUnreachable;
  EXPECT_EQ(reason_word(bob, entry), "retracted");
  EXPECT_TRUE(say(bob).ends_with("not used: bob has taken it back"));
  hub.held = true;
  EXPECT_EQ(reason_word(hub, entry), "held_in_use");
  EXPECT_TRUE(say(hub).ends_with("in use (its link is closed; held for 10 s at most)"));
  own = hub;
  own.neighbour = dave;
  EXPECT_TRUE(say(own).starts_with("over its own link: "));
}

TEST_F(Words, SayWhatWasDecided) {
  EXPECT_EQ(describe_route(entry, dave, label), "the routing table says: through hub, metric 200");
  entry.alternate = node(3);
  EXPECT_EQ(describe_route(entry, dave, label),
            "the routing table says: through hub, metric 200; if that fails through bob");
  entry.next_hop = dave;
  EXPECT_TRUE(describe_route(entry, dave, label)
                  .starts_with("the routing table says: over its own link, metric 200"));
  entry.state = TableEntry::State::Unreachable;
  EXPECT_EQ(describe_route(entry, dave, label), "the routing table says: no way now");
  RouteEvent event;
  event.from = node(2);
  event.to = node(3);
  event.metric = 246;
  const auto say_event = [&](RouteEvent::What what) {
    event.what = what;
    return describe_event(event, dave, label);
  };
  EXPECT_EQ(say_event(RouteEvent::What::LostNextHop),
            "the way through hub ended; now through bob, metric 246");
  EXPECT_EQ(say_event(RouteEvent::What::Better),
            "a clearly better way: through bob, metric 246; before it was through hub");
  event.to = {};
  event.metric = kUnreachable;
  EXPECT_EQ(say_event(RouteEvent::What::Unreachable),
            "the way through hub ended, and no feasible one was left");
  event.from = {};
  event.to = dave;
  event.metric = 96;
  EXPECT_EQ(say_event(RouteEvent::What::First), "the first way: over its own link, metric 96");
}

}  // namespace
}  // namespace wattle::metad::test
