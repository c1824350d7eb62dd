// REQ_WAY hop by hop through a line of members, and WHY.
#include <gtest/gtest.h>

#include <algorithm>

#include "common/proto/line.h"
#include "metad/core/engine.h"
#include "tests/support/meta_world.h"

namespace wattle::metad::test {
namespace {

using NodeSetup = metad::Setup;
using std::chrono::seconds;
using Strings = std::vector<std::string>;

bool has(const Strings& lines, std::string_view part) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

std::string printed(const Strings& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

// n1 - n2 - n3 - n4, and no other link.
struct MetadWay : testing::Test {
  World world;
  MetadWay() {
    world.may_dial = [](std::size_t from, std::size_t to) {
      return from + 1 == to || to + 1 == from;
    };
    for (std::uint8_t i = 1; i <= 4; ++i)
      world.add([&](NodeSetup& s) {
        if (i > 1) s.connect.push_back(place(static_cast<std::uint8_t>(i - 1)));
      });
    world.run(seconds(10));
  }
  World::Node& node(std::size_t n) { return *world.nodes[n - 1]; }
  std::size_t heard(std::size_t n, std::string_view begin) {
    return static_cast<std::size_t>(
        std::count_if(node(n).heard.begin(), node(n).heard.end(),
                      [&](const std::string& line) { return line.starts_with(begin); }));
  }
  // As if the neighbour `from` had said it to `to`.
  void say(std::size_t from, std::size_t to, const std::string& line) {
    world.act(node(to), node(to).engine->on_line(world.link(to - 1, from - 1), line, world.now));
    world.settle();
  }
};

TEST_F(MetadWay, EachHopAddsItselfAndTheAnswerComesBack) {
  const Strings said = world.ask(node(1), "REQ_WAY me n4 77");
  ASSERT_EQ(said.size(), 2u) << printed(said);
  EXPECT_EQ(said[1], "END");
  EXPECT_TRUE(said[0].starts_with("ANS_WAY me n4 77 hop=n1/288/")) << said[0];
  const auto n2 = said[0].find(" hop=n2/192/"), n3 = said[0].find(" hop=n3/96/");
  EXPECT_NE(n2, std::string::npos) << said[0];
  EXPECT_NE(n3, std::string::npos) << said[0];
  EXPECT_LT(n2, n3);
  EXPECT_TRUE(said[0].ends_with(" hop=n4/0/0")) << said[0];
  EXPECT_EQ(world.ask(node(1), "REQ_WAY me n1 1").size(), 1u);
  EXPECT_TRUE(has(world.ask(node(1), "REQ_WAY me nobody 1"), "ERROR 404"));
}

TEST_F(MetadWay, AWayThatEndsIsAnsweredFromWhereItEnds) {
  say(2, 3, "REQ_WAY n1 nobody 5 hop=n1/1/1 hop=n2/1/1");
  EXPECT_EQ(node(2).heard.back(),
            "ANS_WAY n1 nobody 5 hop=n1/1/1 hop=n2/1/1 hop=n3/0/0 end=unknown");
  // Never back to where it came from.
  say(2, 3, "REQ_WAY n4 n1 6");
  EXPECT_EQ(node(2).heard.back(), "ANS_WAY n4 n1 6 hop=n3/0/0 end=no_way");
}

TEST_F(MetadWay, AnIdIsTakenOnceAndAnswersOnlyIfAskedFor) {
  const std::size_t before = heard(4, "REQ_WAY");
  say(2, 3, "REQ_WAY n1 n4 9");
  say(2, 3, "REQ_WAY n1 n4 9");
  EXPECT_EQ(heard(4, "REQ_WAY"), before + 1);
  EXPECT_EQ(node(3).engine->counter("way_seen"), 1u);
  const std::size_t answers = heard(2, "ANS_WAY");
  say(4, 3, "ANS_WAY n1 n4 9 hop=n4/0/0");
  say(4, 3, "ANS_WAY n1 n4 12345 hop=n4/0/0");
  say(2, 3, "ANS_WAY n1 n4 9 hop=n4/0/0");
  EXPECT_EQ(heard(2, "ANS_WAY"), answers) << "answered already, never asked, wrong side";
  EXPECT_EQ(node(3).engine->counter("way_unasked"), 3u);
}

TEST_F(MetadWay, HopsAndLineAreBounded) {
  std::string hops;
  for (int i = 0; i < 31; ++i) hops += " hop=h/1/1";
  const std::size_t before = heard(4, "REQ_WAY");
  say(2, 3, "REQ_WAY n1 n4 20" + hops);
  EXPECT_TRUE(node(2).heard.back().ends_with(" end=hops")) << node(2).heard.back();
  std::string line = "REQ_WAY n1 n4 21";
  while (line.size() < 2010) line += " hop=" + std::string(100, 'h') + "/1/1";
  line.resize(2020, 'h');
  say(2, 3, line);
  EXPECT_TRUE(node(2).heard.back().ends_with(" end=full")) << node(2).heard.back();
  EXPECT_LT(node(2).heard.back().size(), kMaxLine);
  EXPECT_EQ(heard(4, "REQ_WAY"), before);
  // What is no hop does not travel.
  say(2, 3, "REQ_WAY n1 n4 22 hop=n2/1/1 other=thing");
  EXPECT_EQ(heard(4, "REQ_WAY"), before + 1);
  EXPECT_EQ(node(4).heard.back().find("other="), std::string::npos) << node(4).heard.back();
}

TEST_F(MetadWay, WhoAsksInVainIsTold) {
  auto& one = node(1);
  world.act(one, one.engine->on_control_open(7, false, world.now));
  world.break_wires(2, 3);  // n3 still has a route to n4 for a while, or none: both are answers
  one.control.clear();
  world.act(one, one.engine->on_control_line(7, "REQ_WAY me n4 1", world.now));
  world.run(seconds(4));
  ASSERT_FALSE(one.control.empty());
  EXPECT_TRUE(has(one.control, "END") || has(one.control, "ERROR 4")) << printed(one.control);
}

TEST_F(MetadWay, WhyTellsRoutesAndWhatCryptodDecided) {
  auto& one = node(1);
  world.act(one, one.engine->on_control_open(7, false, world.now));
  one.control.clear();
  world.act(one, one.engine->on_control_line(7, "WHY n3", world.now));
  EXPECT_TRUE(one.control.empty()) << "cryptod is asked first";
  const auto* ask = newest<meta_link::AskWhy>(one);
  ASSERT_NE(ask, nullptr);
  EXPECT_EQ(ask->address, world.realm.address(3).bytes);
  meta_link::PeerState live;
  live.address = ask->address;
  live.state = meta_link::SessionState::Live;
  live.way = meta_link::PeerWay::Routed;
  live.first_hop = world.realm.address(2).bytes;
  live.rtt_us = 1234;
  world.act(one, one.engine->on_cryptod(live, world.now));
  meta_link::Why why;
  why.id = ask->id;
  why.decisions = {{world.now.unix.seconds * 1000 - 2500,
                    "now through " + world.realm.address(2).text() + ", relayed"}};
  world.act(one, one.engine->on_cryptod(why, world.now));
  EXPECT_TRUE(has(one.control, "INFO why now : frames go through n2, round trip 1.23 ms"))
      << printed(one.control);
  EXPECT_TRUE(has(one.control, "INFO why now : the routing table says: through n2, metric 192"))
      << printed(one.control);
  EXPECT_TRUE(has(one.control,
                  "INFO why way : through n2: told (seqno 1, metric 96), the link "
                  "costs 96, together 192: in use"))
      << printed(one.control);
  EXPECT_TRUE(has(one.control, " : the first way: through n2, metric 192")) << printed(one.control);
  EXPECT_TRUE(has(one.control, "INFO why path age_ms=2500 : now through n2, relayed"))
      << printed(one.control);
  EXPECT_EQ(one.control.back(), "END");
}

TEST_F(MetadWay, WhyDoesNotWaitForACryptodThatIsSilentOrAway) {
  auto& one = node(1);
  world.act(one, one.engine->on_control_open(7, false, world.now));
  one.control.clear();
  world.act(one, one.engine->on_control_line(7, "WHY n3", world.now));
  world.run(seconds(2));
  EXPECT_TRUE(has(one.control, "INFO why path : cryptod did not answer in time"))
      << printed(one.control);
  world.act(one, one.engine->on_cryptod_down(world.now));
  one.control.clear();
  world.act(one, one.engine->on_control_line(7, "WHY n3", world.now));
  EXPECT_TRUE(has(one.control, "cryptod is away")) << printed(one.control);
  EXPECT_EQ(one.control.back(), "END");
  EXPECT_TRUE(has(world.ask(one, "WHY nobody"), "ERROR 404"));
  EXPECT_TRUE(has(world.ask(one, "WHY n1"), "ERROR 404"));
}

TEST_F(MetadWay, DumpsTellWhoIsReachedThroughWhom) {
  auto& one = node(1);
  const Strings routes = world.ask(one, "DUMP ROUTES");
  EXPECT_TRUE(has(routes, "INFO route name=n4 via=n2 metric=288 ")) << printed(routes);
  EXPECT_TRUE(has(routes,
                  "INFO candidate name=n4 via=n2 told_seqno=1 told_metric=192 cost=96 "
                  "feasible=yes selected=yes held=no reason=in_use"))
      << printed(routes);
  const Strings links = world.ask(one, "DUMP LINKS");
  EXPECT_TRUE(has(links, "INFO link name=n2 ")) << printed(links);
  EXPECT_TRUE(has(links, " state=active way=udp cost=96 ")) << printed(links);
  EXPECT_TRUE(has(links, " held=no since=")) << printed(links);
  world.act(one, one.engine->on_control_open(7, false, world.now));
  one.control.clear();
  world.act(one, one.engine->on_control_line(7, "DUMP PEERS", world.now));
  meta_link::PeersEnd end;
  end.id = newest<meta_link::ListPeers>(one)->id;
  meta_link::PeerState relayed;
  relayed.id = end.id;
  relayed.address = world.realm.address(3).bytes;
  relayed.state = meta_link::SessionState::Live;
  relayed.way = meta_link::PeerWay::Routed;
  relayed.first_hop = world.realm.address(2).bytes;
  world.act(one, one.engine->on_cryptod(relayed, world.now));
  world.act(one, one.engine->on_cryptod(end, world.now));
  EXPECT_TRUE(has(one.control, "state=relayed via=n2 ")) << printed(one.control);
  EXPECT_TRUE(has(one.control, "name=n4 ")) << printed(one.control);
  EXPECT_TRUE(has(one.control, "state=known ")) << printed(one.control);
  // A session whose packets have no way is not called relayed or direct.
  const auto peers = [&](std::uint8_t number, meta_link::PeerWay way) {
    one.control.clear();
    world.act(one, one.engine->on_control_line(7, "DUMP PEERS", world.now));
    meta_link::PeerState state = relayed;
    state.id = end.id = newest<meta_link::ListPeers>(one)->id;
    state.address = world.realm.address(number).bytes;
    state.way = way;
    state.first_hop = {};
    world.act(one, one.engine->on_cryptod(state, world.now));
    world.act(one, one.engine->on_cryptod(end, world.now));
    return one.control;
  };
  const std::string third = "name=n3 address=" + world.realm.address(3).text();
  const auto line_of = [&](const Strings& lines, const std::string& begin) {
    for (const std::string& line : lines)
      if (line.find(begin) != std::string::npos) return line;
    return std::string();
  };
  const std::string lost = line_of(peers(3, meta_link::PeerWay::Routed), third);
  EXPECT_NE(lost.find(" state=known "), std::string::npos) << lost;
  EXPECT_EQ(lost.find(" via="), std::string::npos) << lost;
  const std::string second = "name=n2 address=" + world.realm.address(2).text();
  const std::string near = line_of(peers(2, meta_link::PeerWay::Direct), second);
  EXPECT_NE(near.find(" state=direct "), std::string::npos) << near;
  meta_link::LinkState down;
  down.address = world.realm.address(2).bytes;
  world.act(one, one.engine->on_cryptod(down, world.now));
  const std::string silent = line_of(peers(2, meta_link::PeerWay::Direct), second);
  EXPECT_EQ(silent.find(" state=direct "), std::string::npos) << silent;
}

}  // namespace
}  // namespace wattle::metad::test
