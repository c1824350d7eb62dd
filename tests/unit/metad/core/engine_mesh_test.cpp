// Engines wired in memory, as a mesh: routes through others, held links, restarts, lies.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/meta_world.h"

namespace wattle::metad::test {
namespace {

using NodeSetup = metad::Setup;  // testing::Test has a Setup of its own
using std::chrono::milliseconds;
using std::chrono::seconds;

// Nodes that are linked as the edges say, and in no other way. Places count from 0.
struct Mesh {
  World world;
  std::set<std::pair<std::size_t, std::size_t>> edges;

  Mesh(std::size_t count, std::initializer_list<std::pair<std::size_t, std::size_t>> which,
       const std::function<void(NodeSetup&, std::size_t)>& change = {})
      : edges(which) {
    world.may_dial = [this](std::size_t from, std::size_t to) {
      return edges.contains(std::minmax(from, to));
    };
    for (std::size_t i = 0; i < count; ++i)
      world.add([&](NodeSetup& s) {
        for (const auto& [a, b] : edges)
          if (b == i) s.connect.push_back(place(static_cast<std::uint8_t>(a + 1)));
        if (change) change(s, i);
      });
  }
  World::Node& node(std::size_t i) { return *world.nodes[i]; }
  Engine& engine(std::size_t i) { return *world.nodes[i]->engine; }
  NodeAddress address(std::size_t i) const {
    return world.realm.address(static_cast<std::uint8_t>(i + 1));
  }
  TableEntry route(std::size_t from, std::size_t to) const {
    return world.nodes[from]->engine->router().entry(address(to));
  }
  bool reaches(std::size_t from, std::size_t to) const {
    return route(from, to).state == TableEntry::State::Reachable;
  }
  // By the tables that the cryptods have; the number of hops, 0: no way or a loop.
  std::size_t hops(std::size_t from, std::size_t to) const {
    for (std::size_t at = from, count = 0; count <= world.nodes.size(); ++count) {
      if (at == to) return count;
      const auto& table = world.nodes[at]->cryptod.table;
      const auto entry = table.find(address(to).bytes);
      if (entry == table.end() || entry->second.state != meta_link::RouteState::Reachable) return 0;
      for (std::size_t next = 0; next < world.nodes.size(); ++next)
        if (address(next).bytes == entry->second.next_hop) at = next;
    }
    return 0;
  }
  void say(std::size_t from, std::size_t to, const std::string& line) {
    world.act(node(to), engine(to).on_line(world.link(to, from), line, world.now));
    world.settle();
  }
  void cut(std::size_t a, std::size_t b) {
    edges.erase(std::minmax(a, b));
    world.set_path(a, b, false);
    world.break_wires(a, b);
  }
};

const std::initializer_list<std::pair<std::size_t, std::size_t>> kLine = {
    {0, 1}, {1, 2}, {2, 3}, {3, 4}};

std::size_t lines_with(const World::Node& node, std::string_view begin) {
  return static_cast<std::size_t>(
      std::count_if(node.heard.begin(), node.heard.end(),
                    [&](const std::string& line) { return line.starts_with(begin); }));
}

TEST(MetadMesh, ALineOfFiveLearnsEverything) {
  Mesh line(5, kLine);
  line.world.run(seconds(10));
  for (std::size_t a = 0; a < 5; ++a)
    for (std::size_t b = 0; b < 5; ++b) {
      if (a == b) continue;
      EXPECT_EQ(line.hops(a, b), a < b ? b - a : a - b) << a << " to " << b;
      const Host* host = line.engine(a).nodes().find(line.address(b));
      ASSERT_NE(host, nullptr);
      EXPECT_EQ(host->origin.record.endpoints,
                std::vector<Endpoint>{place(static_cast<std::uint8_t>(b + 1))});
    }
  EXPECT_EQ(line.route(0, 4).chosen.metric, 4 * 96u);
  // Subnets have come along: who owns the other end's address?
  meta_link::WantOwner want;
  want.value = {10, 9, 0, 5};
  line.world.act(line.node(0), line.engine(0).on_cryptod(want, line.world.now));
  const auto* owner = newest<meta_link::Owner>(line.node(0));
  ASSERT_NE(owner, nullptr);
  EXPECT_TRUE(owner->known);
  EXPECT_EQ(owner->address, line.address(4).bytes);
}

TEST(MetadMesh, ARecordTravelsOncePerLinkAndSubnetsToo) {
  Mesh line(5, kLine);
  line.world.run(seconds(30));
  for (std::size_t i = 0; i < 5; ++i) {
    std::map<std::string, std::size_t> records;
    std::size_t subnets = 0;
    for (const std::string& text : line.node(i).heard) {
      const auto request = WATTLE_MUST(parse_request(text));
      if (request.verb == Verb::AddHost && request.find("sig"))
        ++records[std::string(*request.find("address")) + std::string(*request.find("seqno"))];
      if (request.verb == Verb::AddSubnet && request.text(0) == "n1") ++subnets;
    }
    const std::size_t links = i == 0 || i == 4 ? 1 : 2;
    for (const auto& [which, count] : records) EXPECT_LE(count, links) << i << " " << which;
    EXPECT_LE(subnets, 3 * links) << "MAC, IPv4, IPv6";
  }
  const std::size_t before = line.world.lines;
  line.world.run(seconds(300));
  EXPECT_LE(line.world.lines - before, 4 * 2 * 2 * 300 / 30 + 50u) << "at rest only PING and PONG";
}

TEST(MetadMesh, ALostLinkIsGoneAround) {
  Mesh ring(5, {{0, 1}, {1, 2}, {2, 3}, {3, 4}, {0, 4}});
  ring.world.run(seconds(10));
  EXPECT_EQ(ring.hops(0, 2), 2u);
  ring.cut(1, 2);
  ring.world.run(seconds(8));
  for (std::size_t a = 0; a < 5; ++a)
    for (std::size_t b = 0; b < 5; ++b)
      if (a != b) {
        EXPECT_NE(ring.hops(a, b), 0u) << a << " to " << b;
      }
  EXPECT_EQ(ring.hops(1, 2), 4u);
  // And with the next one it is in two parts.
  ring.cut(4, 0);
  ring.world.run(seconds(10));
  EXPECT_FALSE(ring.reaches(0, 4));
  EXPECT_TRUE(ring.reaches(0, 1));
  EXPECT_TRUE(ring.reaches(2, 4));
  const auto* gone = newest<meta_link::Gone>(ring.node(0));
  EXPECT_NE(gone, nullptr) << "cryptod hears that nobody tells of them any more";
}

TEST(MetadMesh, ARestartedMetadLosesNoRouteAnywhere) {
  Mesh line(5, kLine);
  line.world.run(seconds(10));
  line.world.restart(line.node(2));
  for (int step = 0; step < 400; ++step) {
    line.world.run(milliseconds(50));
    for (std::size_t a = 0; a < 5; ++a)
      for (std::size_t b = 0; b < 5; ++b)
        if (a != b) {
          ASSERT_TRUE(line.reaches(a, b)) << a << " to " << b << ", step " << step;
          ASSERT_NE(line.hops(a, b), 0u) << a << " to " << b << ", step " << step;
        }
  }
  EXPECT_EQ(line.world.open_wires(1, 2), 1u);
  EXPECT_EQ(line.world.open_wires(2, 3), 1u);
}

TEST(MetadMesh, ARestartedMetadWithAnotherCryptodStartsAfresh) {
  Mesh line(3, {{0, 1}, {1, 2}});
  line.world.run(seconds(5));
  line.node(1).cryptod.table.clear();
  line.node(1).cryptod.neighbours.clear();
  line.node(1).cryptod.incarnation = 999;
  line.world.kill(line.node(1));
  EXPECT_TRUE(line.reaches(0, 2)) << "held";
  line.world.start(line.node(1));
  line.world.run(milliseconds(4000));
  EXPECT_TRUE(line.reaches(0, 2));
  const auto history = line.engine(0).router().history(line.address(2));
  EXPECT_TRUE(std::any_of(history.begin(), history.end(), [](const RouteEvent& e) {
    return e.what == RouteEvent::What::Restored;
  })) << "the new incarnation flushed what was held";
}

TEST(MetadMesh, AMetadThatOutlivesItsCryptodKeepsIncarnationAndRoutes) {
  Mesh line(3, {{0, 1}, {1, 2}});
  line.world.run(seconds(5));
  World::Node& middle = line.node(1);
  const auto table = middle.cryptod.table;
  line.world.act(middle, middle.engine->on_cryptod_down(line.world.now));
  middle.cryptod.table.clear();
  middle.cryptod.neighbours.clear();
  middle.cryptod.incarnation = 999;
  line.world.connect_cryptod(middle);
  line.world.run(seconds(1));
  EXPECT_EQ(middle.cryptod.incarnation, 2u);
  EXPECT_EQ(middle.cryptod.table, table);
  EXPECT_EQ(middle.cryptod.neighbours.size(), 2u);
}

TEST(MetadMesh, AClosedLinkIsHeldWhileItsDataPathLives) {
  Mesh line(3, {{0, 1}, {1, 2}});
  line.world.run(seconds(5));
  line.edges.clear();  // no way to dial again
  line.world.break_wires(1, 2);
  for (int i = 0; i < 9; ++i) {
    line.world.run(seconds(1));
    EXPECT_TRUE(line.reaches(0, 2)) << i;
  }
  line.world.run(seconds(4));
  EXPECT_FALSE(line.reaches(0, 2)) << "ten seconds are over";
  EXPECT_FALSE(line.reaches(1, 2));
}

TEST(MetadMesh, AHeldLinkEndsWithItsDataPath) {
  Mesh line(3, {{0, 1}, {1, 2}});
  line.world.run(seconds(5));
  line.edges.clear();
  line.world.break_wires(1, 2);
  EXPECT_TRUE(line.reaches(1, 2));
  line.world.set_path(1, 2, false);
  EXPECT_FALSE(line.reaches(1, 2));
  line.world.run(seconds(2));
  EXPECT_FALSE(line.reaches(0, 2));
}

TEST(MetadMesh, ARevokedMembersLinkIsNotHeld) {
  Mesh line(3, {{0, 1}, {1, 2}});
  line.world.run(seconds(5));
  NetworkDocument document;
  document.network = line.world.realm.network;
  document.version = 5;
  document.time = line.world.now.unix;
  document.revoked = {{1003, {Realm::kStart + 1000}}};
  const std::string text = build_network_document(document, line.world.realm.document_key);
  line.world.act(line.node(1), line.engine(1).on_document(text, line.world.now));
  line.world.settle();
  EXPECT_FALSE(line.reaches(1, 2));
}

TEST(MetadMesh, WhoDoesNotRelayTellsOfItselfAlone) {
  Mesh line(3, {{0, 1}, {1, 2}}, [](NodeSetup& s, std::size_t i) { s.transit = i != 1; });
  line.world.run(seconds(8));
  EXPECT_TRUE(line.reaches(0, 1));
  EXPECT_TRUE(line.reaches(1, 2));
  EXPECT_FALSE(line.reaches(0, 2));
}

TEST(MetadMesh, IndirectMembersAreNotDialledByHearsay) {
  World world;
  world.add([](NodeSetup& s) { s.options = kOptionIndirect; });
  world.add([](NodeSetup& s) { s.connect = {place(1)}; });
  world.add([](NodeSetup& s) { s.connect = {place(2)}; });
  world.run(seconds(10));
  EXPECT_EQ(world.open_wires(0, 2), 0u);
  EXPECT_EQ(world.nodes[2]->engine->nodes().find("n1")->origin.record.options, kOptionIndirect);
  const auto* told = newest<meta_link::Endpoints>(*world.nodes[2]);
  ASSERT_NE(told, nullptr);
  EXPECT_TRUE(std::any_of(world.nodes[2]->to_cryptod.begin(), world.nodes[2]->to_cryptod.end(),
                          [&](const auto& message) {
                            const auto* m = std::get_if<meta_link::Endpoints>(&message);
                            return m != nullptr && m->address == world.realm.address(1).bytes &&
                                   m->options == kOptionIndirect;
                          }));
}

// ---- lies ---------------------------------------------------------------------------------------

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
  EXPECT_EQ(line.route(0, 2).chosen.seqno, 999'999u);
}

TEST(MetadMesh, TheWaysSeqnoMayBeOlderThanTheRecordsButNotNewer) {
  Mesh line(3, {{0, 1}, {1, 2}});
  line.world.run(seconds(5));
  Request request = print_origin(line.world.realm.origin(3, "n3", 50));
  request.keys.emplace_back("route", "49");
  request.keys.emplace_back("metric", "7");
  line.say(1, 0, print_request(request));
  EXPECT_EQ(line.route(0, 2).chosen.seqno, 49u);
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
  EXPECT_EQ(line.route(2, 0).chosen.seqno, seqno + 1) << "and all hear of it";
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

// ---- keys, records, packets ---------------------------------------------------------------------

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
  EXPECT_EQ(line.route(0, 3).chosen.seqno, held) << "a record alone is no way";
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
