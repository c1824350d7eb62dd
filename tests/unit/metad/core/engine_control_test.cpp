// The control socket of an engine: requests, DUMP, PROBE, and lines that wait.
#include <gtest/gtest.h>

#include <algorithm>

#include "metad/core/engine.h"
#include "tests/support/meta_world.h"

namespace wattle::metad::test {
namespace {

using std::chrono::seconds;

TEST(MetadControl, TheControlSocketAnswers) {
  Star star(2);
  star.world.run(seconds(1));
  auto& one = star.node(1);
  EXPECT_EQ(star.world.ask(one, "PING"), std::vector<std::string>{"PONG"});
  EXPECT_EQ(star.world.ask(one, "8"), std::vector<std::string>{"PONG"});
  const auto help = star.world.ask(one, "help");
  EXPECT_GT(help.size(), 5u);
  EXPECT_EQ(help.back(), "END");
  const auto hosts = star.world.ask(one, "DUMP HOSTS");
  ASSERT_EQ(hosts.size(), 3u);
  EXPECT_TRUE(hosts[0].starts_with("ADD_HOST n1"));
  EXPECT_TRUE(hosts[1].starts_with("ADD_HOST n2"));
  EXPECT_EQ(star.world.ask(one, "DUMP SUBNETS").size(), 7u);
  EXPECT_EQ(star.world.ask(one, "DUMP LINKS").size(), 2u);
  EXPECT_EQ(star.world.ask(one, "DUMP ROUTES"),
            (std::vector<std::string>{
                "INFO route name=n2 via=n2 metric=96 seqno=1 fd_seqno=1 fd_metric=96 "
                "state=reachable",
                "INFO candidate name=n2 via=n2 told_seqno=1 told_metric=0 cost=96 feasible=yes "
                "selected=yes held=no reason=in_use",
                "END"}));
  EXPECT_TRUE(star.world.ask(one, "DUMP NONSENSE")[0].starts_with("ERROR 404"));
  EXPECT_TRUE(star.world.ask(one, "ADD_HOST x 0:0 0")[0].starts_with("ERROR 405"));
  EXPECT_TRUE(star.world.ask(one, "\x01")[0].starts_with("ERROR 400"));
  EXPECT_TRUE(star.world.ask(one, "REQ_KEY me n1")[0].starts_with("ANS_KEY n1 me "));
  EXPECT_TRUE(star.world.ask(one, "REQ_KEY me nobody")[0].starts_with("ERROR 404"));
  star.world.act(one, one.engine->on_control_open(7, true, star.world.now));
  one.control.clear();
  star.world.act(one, one.engine->on_control_line(7, "REQ_KEY me n2", star.world.now));
  star.world.act(one, one.engine->on_control_line(7, "PING", star.world.now));
  star.world.settle();
  ASSERT_EQ(one.control.size(), 2u) << "a line waits until the one before is answered";
  EXPECT_TRUE(one.control[0].starts_with("ANS_KEY n2 me "));
  EXPECT_EQ(one.control[1], "PONG");
}

TEST(MetadControl, DumpPeersAsksCryptodAndAnswersWithoutIt) {
  Star star(2);
  star.world.run(seconds(1));
  auto& one = star.node(1);
  star.world.act(one, one.engine->on_control_open(9, true, star.world.now));
  one.control.clear();
  star.world.act(one, one.engine->on_control_line(9, "DUMP PEERS", star.world.now));
  EXPECT_TRUE(one.control.empty()) << "cryptod is asked first";
  const auto* list = newest<meta_link::ListPeers>(one);
  ASSERT_NE(list, nullptr);
  meta_link::PeerState live;
  live.id = list->id;
  live.address = star.world.realm.address(2).bytes;
  live.state = meta_link::SessionState::Live;
  live.way = meta_link::PeerWay::Direct;
  live.has_endpoint = true;
  live.endpoint = place(2);
  live.rtt_us = 412;
  star.world.act(one, one.engine->on_cryptod(live, star.world.now));
  meta_link::PeersEnd end;
  end.id = list->id;
  end.device = true;
  star.world.act(one, one.engine->on_cryptod(end, star.world.now));
  ASSERT_EQ(one.control.size(), 2u);
  EXPECT_EQ(one.control[0],
            "INFO peer name=n2 address=" + star.world.realm.address(2).text() +
                " ipv4=10.9.0.2 ipv6=fd00:0:0:2::1 state=direct "
                "endpoint=192.0.2.2:8737 rtt_us=412 rx_bytes=0 tx_bytes=0 link=yes");
  EXPECT_EQ(one.control[1], "END");
  star.world.act(one, one.engine->on_cryptod_down(star.world.now));
  const auto without = star.world.ask(one, "DUMP STATUS");
  EXPECT_TRUE(std::find(without.begin(), without.end(), "INFO process name=cryptod state=down") !=
              without.end());
  EXPECT_EQ(without.back(), "END");
}

TEST(MetadControl, WhoStopsTypingStillGetsHisAnswers) {
  Star star(2);
  star.world.run(seconds(1));
  auto& one = star.node(1);
  star.world.act(one, one.engine->on_control_open(9, true, star.world.now));
  one.control.clear();
  star.world.act(one, one.engine->on_control_line(9, "DUMP STATUS", star.world.now));
  star.world.act(one, one.engine->on_control_line(9, "PING", star.world.now));
  star.world.act(one, one.engine->on_control_end(9, star.world.now));
  EXPECT_TRUE(one.control.empty());
  star.world.run(seconds(2));  // cryptod stands still: the last known is told
  ASSERT_GE(one.control.size(), 3u);
  EXPECT_EQ(one.control[one.control.size() - 3], "END");
  EXPECT_EQ(one.control[one.control.size() - 2], "PONG");
  EXPECT_EQ(one.control.back(), "(closed)");
}

TEST(MetadControl, SixteenLinesWaitAndNoMore) {
  Star star(2);
  star.world.run(seconds(1));
  auto& one = star.node(1);
  star.world.act(one, one.engine->on_control_open(9, true, star.world.now));
  star.world.act(one, one.engine->on_control_line(9, "DUMP STATUS", star.world.now));
  one.control.clear();
  const auto type = [&] {
    star.world.act(one, one.engine->on_control_line(9, "PING", star.world.now));
  };
  for (int i = 0; i < 16; ++i) type();
  EXPECT_TRUE(one.control.empty()) << "cryptod has not answered yet";
  type();
  ASSERT_EQ(one.control.size(), 1u);
  EXPECT_TRUE(one.control[0].starts_with("ERROR 429 ")) << one.control[0];
}

TEST(MetadControl, ProbeIsHandedToCryptodAndItsAnswerTold) {
  Star star(2);
  star.world.run(seconds(1));
  auto& one = star.node(1);
  star.world.act(one, one.engine->on_control_open(9, true, star.world.now));
  one.control.clear();
  star.world.act(one, one.engine->on_control_line(9, "PROBE n2", star.world.now));
  const auto* probe = newest<meta_link::Probe>(one);
  ASSERT_NE(probe, nullptr);
  meta_link::ProbeAnswer answer;
  answer.id = probe->id;
  answer.answered = true;
  answer.rtt_us = 99;
  answer.endpoint = place(2);
  star.world.act(one, one.engine->on_cryptod(answer, star.world.now));
  EXPECT_EQ(one.control,
            (std::vector<std::string>{
                "INFO probe name=n2 answered=yes rtt_us=99 endpoint=192.0.2.2:8737", "END"}));
  one.control.clear();
  star.world.act(one, one.engine->on_control_line(9, "PROBE nobody", star.world.now));
  ASSERT_EQ(one.control.size(), 1u);
  EXPECT_TRUE(one.control[0].starts_with("ERROR 404"));
}

// Two members that joined at the same moment know nobody; the registry's answer brings them
// together.
TEST(MetadEngine, PeersThatTheRegistryNamesAreDialled) {
  World world;
  world.add();
  auto& two = world.add();
  world.run(std::chrono::seconds(3));
  ASSERT_EQ(world.open_wires(0, 1), 0u);
  const PeerHint hint{"n1", world.realm.address(1), {{IpAddress::v4({192, 0, 2, 1}), 8737}}};
  const PeerHint self{"n2", world.realm.address(2), {{IpAddress::v4({192, 0, 2, 2}), 8737}}};
  world.act(two, two.engine->on_peer_hints({self, hint}, world.now));
  world.run(std::chrono::seconds(3));
  EXPECT_EQ(world.open_wires(0, 1), 1u);
  EXPECT_EQ(world.open_wires(1, 1), 0u) << "nobody dials itself";
}

}  // namespace
}  // namespace wattle::metad::test
