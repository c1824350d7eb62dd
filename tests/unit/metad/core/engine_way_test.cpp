// What a neighbour says of ways: lies, keys and records through hops, packets.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/mesh.h"

namespace wattle::metad::test {
namespace {

using NodeSetup = metad::Setup;  // testing::Test has a Setup of its own
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(MetadMesh, AWayWithoutItsRecordIsNotBelieved) {
  Mesh line(4, {{0, 1}, {1, 2}, {2, 3}});
  line.world.run(seconds(8));
  const TableEntry before = line.route(0, 3);
  const std::string far = line.address(3).text();
  // A newer seqno than any signed one, and a small metric.
  line.say(1, 0, "ADD_HOST n4 0:0 0 address=" + far + " seqno=999999 metric=1");
  EXPECT_EQ(line.engine(0).counter("route_seqno_unproven"), 1u);
  line.world.run(seconds(8));
  EXPECT_EQ(line.route(0, 3).chosen, before.chosen);
  // A small metric with the true seqno is the liar's own affair: it leads to the liar.
  line.say(1, 0,
           "ADD_HOST n4 0:0 0 address=" + far + " seqno=" + std::to_string(before.chosen.seqno) +
               " metric=1");
  EXPECT_EQ(line.route(0, 3).next_hop, line.address(1));
  // Nobody but the member itself is at no distance, and a member is at none from itself.
  line.say(1, 0, "ADD_HOST n4 0:0 0 address=" + far + " seqno=1 metric=0");
  line.say(1, 0, "ADD_HOST n2 0:0 0 address=" + line.address(1).text() + " seqno=1 metric=5");
  EXPECT_EQ(line.engine(0).counter("host_metric_wrong"), 2u);
}

TEST(MetadMesh, ARecordWithABadSignatureBringsNoWay) {
  Mesh line(3, {{0, 1}, {1, 2}});
  line.world.run(seconds(5));
  const TableEntry before = line.route(0, 2);
  SignedOrigin forged = line.world.realm.origin(3, "n3", 999'999);
  forged.signature[3] ^= 1;
  Request request = print_origin(forged);
  request.keys.emplace_back("metric", "1");
  line.say(1, 0, print_request(request));
  EXPECT_EQ(line.engine(0).counter("host_bad_signature"), 1u);
  EXPECT_EQ(line.route(0, 2).chosen, before.chosen);
  // The true one with the same words does.
  Request good = print_origin(line.world.realm.origin(3, "n3", 999'999));
  good.keys.emplace_back("metric", "1");
  line.say(1, 0, print_request(good));
  EXPECT_EQ(line.seqno(0, 2), 999'999u);
}

TEST(MetadMesh, TheWaysSeqnoMayBeOlderThanTheRecordsButNotNewer) {
  Mesh line(3, {{0, 1}, {1, 2}});
  line.world.run(seconds(5));
  Request request = print_origin(line.world.realm.origin(3, "n3", 50));
  request.keys.emplace_back("route", "49");
  request.keys.emplace_back("metric", "7");
  line.say(1, 0, print_request(request));
  EXPECT_EQ(line.seqno(0, 2), 49u);
  EXPECT_EQ(line.engine(0).nodes().find("n3")->origin.record.seqno, 50u);
  Request newer = print_origin(line.world.realm.origin(3, "n3", 60));
  newer.keys.emplace_back("route", "61");
  newer.keys.emplace_back("metric", "7");
  line.say(1, 0, print_request(newer));
  EXPECT_EQ(line.engine(0).counter("line_malformed"), 1u);
  EXPECT_EQ(line.engine(0).nodes().find("n3")->origin.record.seqno, 50u);
}

TEST(MetadMesh, WaysToOurselvesChangeNothing) {
  Mesh line(3, {{0, 1}, {1, 2}});
  line.world.run(seconds(5));
  const std::string own = line.address(0).text();
  const std::uint64_t seqno = line.engine(1).nodes().find("n1")->origin.record.seqno;
  line.say(1, 0, "ADD_HOST n1 0:0 0 address=" + own + " seqno=7 metric=9");
  line.say(1, 0, "DEL_HOST n1 0:0 0 address=" + own);
  line.world.run(seconds(5));
  EXPECT_EQ(line.engine(0).router().destinations().size(), 2u);
  EXPECT_EQ(line.engine(1).nodes().find("n1")->origin.record.seqno, seqno);
  EXPECT_TRUE(line.reaches(1, 0));
}

TEST(MetadMesh, AnAbsurdSeqnoRequestMakesNobodySign) {
  Mesh line(3, {{0, 1}, {1, 2}});
  line.world.run(seconds(5));
  const std::uint64_t seqno = line.node(0).seqno;
  for (int i = 0; i < 20; ++i) {
    line.say(1, 0, "REQ_SEQNO n1 9000000000000000000 64");
    line.world.run(seconds(1));
  }
  EXPECT_EQ(line.node(0).seqno, seqno);
  line.say(1, 0, "REQ_SEQNO n1 " + std::to_string(seqno + 1) + " 64");
  line.world.run(seconds(3));
  EXPECT_EQ(line.node(0).seqno, seqno + 1);
  EXPECT_EQ(line.seqno(1, 0), seqno + 1) << "who has asked hears of it at once";
  line.world.run(seconds(65));
  EXPECT_EQ(line.seqno(2, 0), seqno + 1) << "the others in their time";
}

TEST(MetadMesh, AFloodOfLinesClosesItsLink) {
  Mesh line(2, {{0, 1}});
  line.world.run(seconds(3));
  for (int i = 0; i < 30'000 && line.world.link(0, 1) != 0; ++i)
    line.world.act(line.node(0),
                   line.engine(0).on_line(line.world.link(0, 1), "PONG", line.world.now));
  line.world.settle();
  EXPECT_EQ(line.engine(0).counter("line_over_budget"), 1u);
  EXPECT_EQ(line.world.open_wires(0, 1), 0u);
}

TEST(MetadMesh, ReqKeyTravelsThroughThreeHops) {
  Mesh line(5, kLine);
  line.world.run(seconds(10));
  line.world.act(line.node(0), line.engine(0).on_cryptod(
                                   meta_link::WantKey{line.address(4).bytes, 0}, line.world.now));
  line.world.settle();
  const auto* member = newest<meta_link::Member>(line.node(0));
  ASSERT_NE(member, nullptr);
  EXPECT_EQ(member->address, line.address(4).bytes);
  EXPECT_EQ(member->endpoints, std::vector<Endpoint>{place(5)});
  for (std::size_t hop : {1u, 2u, 3u}) EXPECT_EQ(line.engine(hop).counter("key_asked"), 1u);
  // Now the next hop has it.
  line.world.act(line.node(1), line.engine(1).on_cryptod(
                                   meta_link::WantKey{line.address(4).bytes, 0}, line.world.now));
  EXPECT_NE(newest<meta_link::Member>(line.node(1)), nullptr);
}

TEST(MetadMesh, KeyChangedGoesRoundTheRingAndEnds) {
  Mesh ring(5, {{0, 1}, {1, 2}, {2, 3}, {3, 4}, {0, 4}});
  ring.world.run(seconds(40));
  for (std::size_t i = 0; i < 5; ++i) ring.node(i).heard.clear();
  ring.world.rotate(ring.node(0));
  ring.world.run(seconds(100));
  std::size_t lines = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    const std::size_t here = lines_with(ring.node(i), "KEY_CHANGED n1");
    EXPECT_EQ(here >= 1, i != 0) << i;
    lines += here;
  }
  EXPECT_EQ(lines, 6u) << "two from its owner, two each way round, where they meet they end";
  // One that says no number, from a liar, ends as well.
  for (std::size_t i = 0; i < 5; ++i) ring.node(i).heard.clear();
  ring.say(1, 2, "KEY_CHANGED n1");
  ring.world.run(seconds(100));
  lines = 0;
  for (std::size_t i = 0; i < 5; ++i) lines += lines_with(ring.node(i), "KEY_CHANGED n1");
  EXPECT_LE(lines, 5u);
}

TEST(MetadMesh, ANewerRecordIsFetchedFromAnyHop) {
  Mesh line(4, {{0, 1}, {1, 2}, {2, 3}});
  line.world.run(seconds(8));
  line.node(0).heard.clear();
  const std::string far = line.address(3).text();
  const std::uint64_t held = line.engine(1).nodes().find("n4")->origin.record.seqno;
  line.say(0, 1, "REQ_HOST n4");
  ASSERT_EQ(lines_with(line.node(0), "ADD_HOST n4"), 1u);
  EXPECT_NE(line.node(0).heard.back().find(" metric=-"), std::string::npos);
  // A newer one than the hop has: it asks on, and answers when it comes.
  line.node(0).heard.clear();
  line.say(0, 1, "REQ_HOST " + far + " seqno=" + std::to_string(held + 1));
  EXPECT_EQ(lines_with(line.node(0), "ADD_HOST n4"), 0u);
  EXPECT_EQ(line.engine(1).counter("host_asked"), 1u);
  Request newer = print_origin(line.world.realm.origin(4, "n4", held + 1));
  newer.keys.emplace_back("metric", "-");
  line.say(2, 1, print_request(newer));
  EXPECT_EQ(lines_with(line.node(0), "ADD_HOST n4"), 1u);
  EXPECT_EQ(line.engine(0).nodes().find("n4")->origin.record.seqno, held + 1);
  EXPECT_EQ(line.seqno(0, 3), held) << "a record alone is no way";
}

TEST(MetadMesh, APacketGoesInsideTheLinkAndNoFurther) {
  Mesh line(3, {{0, 1}, {1, 2}});
  line.world.run(seconds(5));
  meta_link::Carry carry;
  carry.neighbour = line.address(1).bytes;
  carry.datagram = Bytes(1200, 0x0a);
  line.world.act(line.node(0), line.engine(0).on_cryptod(carry, line.world.now));
  line.world.settle();
  ASSERT_EQ(line.node(1).cryptod.carried.size(), 1u);
  EXPECT_EQ(line.node(1).cryptod.carried[0].neighbour, line.address(0).bytes);
  EXPECT_EQ(line.node(1).cryptod.carried[0].datagram, carry.datagram);
  EXPECT_EQ(line.node(2).cryptod.carried.size(), 0u);
  // Not to whom there is no link; not while it is congested; not over 2 MB a second.
  carry.neighbour = line.address(2).bytes;
  line.world.act(line.node(0), line.engine(0).on_cryptod(carry, line.world.now));
  EXPECT_EQ(line.engine(0).counter("packet_nowhere"), 1u);
  carry.neighbour = line.address(1).bytes;
  const LinkId link = line.world.link(0, 1);
  (void)line.engine(0).on_link_congested(link, true);
  line.world.act(line.node(0), line.engine(0).on_cryptod(carry, line.world.now));
  EXPECT_EQ(line.engine(0).counter("packet_congested"), 1u);
  (void)line.engine(0).on_link_congested(link, false);
  for (int i = 0; i < 1000; ++i)
    line.world.act(line.node(0), line.engine(0).on_cryptod(carry, line.world.now));
  line.world.settle();
  EXPECT_GE(line.engine(0).counter("packet_over_budget"), 700u);
  EXPECT_LE(line.node(1).cryptod.carried.size(), 1000u);
}

TEST(MetadMesh, APacketBeforeTheLinkIsActiveOrOfAWrongLengthClosesIt) {
  World world;
  World::Node& one = world.add();
  const auto up = [&](LinkId id) {
    LinkUp who;
    who.address = world.realm.address(2);
    who.name = "n2";
    who.serial = 1;
    who.expires = {Realm::kStart + 1000};
    (void)one.engine->on_link_up(id, who, world.now);
    (void)one.engine->on_line(id, "ID n2 9 0 8737", world.now);
  };
  up(50);
  ASSERT_EQ(one.engine->links().size(), 1u);
  (void)one.engine->on_packet(50, Bytes(20, 1), world.now);
  EXPECT_EQ(one.engine->links().size(), 0u);
  up(51);
  (void)one.engine->on_line(51, "ACK you=192.0.2.1:1", world.now);
  (void)one.engine->on_line(51, "END", world.now);
  (void)one.engine->on_packet(51, Bytes(20, 1), world.now);
  EXPECT_EQ(one.engine->links().size(), 1u);
  (void)one.engine->on_line(51, "PACKET 5000", world.now);
  EXPECT_EQ(one.engine->links().size(), 0u);
  EXPECT_EQ(one.engine->counter("packet_illegal"), 2u);
}

TEST(MetadMesh, NoPacketLeavesBeforeOurOwnEnd) {
  Mesh line(2, {{0, 1}});
  line.world.settle();
  for (int i = 0; i < 40; ++i) {
    for (const std::size_t from : {0u, 1u}) {
      meta_link::Carry carry;
      carry.neighbour = line.address(1 - from).bytes;
      carry.datagram = Bytes(100, 1);
      line.world.act(line.node(from), line.engine(from).on_cryptod(carry, line.world.now));
    }
    line.world.run(milliseconds(50));
  }
  EXPECT_GE(line.node(0).cryptod.carried.size(), 5u);
  EXPECT_GE(line.node(1).cryptod.carried.size(), 5u);
  EXPECT_EQ(line.engine(0).counter("packet_illegal") + line.engine(1).counter("packet_illegal"),
            0u);
}

TEST(MetadMesh, WithoutACryptodItStartsAfterTwoSeconds) {
  const Realm realm;
  SeededRandom random(1);
  Now now{Instant(seconds(100)), {Realm::kStart}};
  NodeSetup setup = realm.setup(1, "n1");
  setup.connect = {place(2)};
  Engine engine(setup, random, now);
  const auto dials = [](const Actions& actions) {
    return std::count_if(actions.begin(), actions.end(),
                         [](const Action& action) { return std::holds_alternative<Dial>(action); });
  };
  now.mono += milliseconds(1900);
  EXPECT_EQ(dials(engine.on_tick(now)), 0);
  EXPECT_FALSE(engine.is_started());
  EXPECT_LE(engine.next_deadline(), now.mono + milliseconds(100));
  now.mono += milliseconds(100);
  EXPECT_EQ(dials(engine.on_tick(now)), 1);
  EXPECT_TRUE(engine.is_started());
}

}  // namespace
}  // namespace wattle::metad::test
