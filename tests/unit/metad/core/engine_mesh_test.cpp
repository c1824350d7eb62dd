// Engines wired in memory, as a mesh: routes through others, held links, restarts.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/mesh.h"

namespace wattle::metad::test {
namespace {

using NodeSetup = metad::Setup;  // testing::Test has a Setup of its own
using std::chrono::milliseconds;
using std::chrono::seconds;

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

TEST(MetadMesh, NewEndpointsReachEverybodySoon) {
  Mesh line(4, {{0, 1}, {1, 2}, {2, 3}}, [](NodeSetup& s, std::size_t i) {
    if (i == 0) s.own_endpoints.clear();
  });
  line.world.run(seconds(10));
  meta_link::LocalEndpoints local;
  local.addresses = {IpAddress::v4({203, 0, 113, 7})};
  local.port4 = 8737;
  line.world.act(line.node(0), line.engine(0).on_cryptod(local, line.world.now));
  line.world.run(seconds(4));
  EXPECT_EQ(line.engine(3).nodes().find("n1")->origin.record.endpoints.front(),
            (Endpoint{IpAddress::v4({203, 0, 113, 7}), 8737}));
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
  for (int step = 0; step < 300; ++step) {
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

TEST(MetadMesh, ACryptodThatComesBackMakesNoRouteWaver) {
  Mesh line(3, {{0, 1}, {1, 2}});
  line.world.run(seconds(5));
  World::Node& middle = line.node(1);
  line.world.act(middle, middle.engine->on_cryptod_down(line.world.now));
  middle.cryptod.table.clear();
  middle.cryptod.neighbours.clear();
  middle.cryptod.incarnation = 999;
  const auto measure = std::exchange(middle.cryptod.measure, [](const RoutingCryptod::Address& to) {
    return meta_link::LinkState{to, meta_link::LinkWay::Down, 0, 0};  // no session yet
  });
  line.world.connect_cryptod(middle);
  line.world.run(seconds(1));
  EXPECT_TRUE(line.reaches(1, 0));
  EXPECT_TRUE(line.reaches(0, 2));
  // One path comes back, the other one does not.
  line.world.act(middle, middle.engine->on_cryptod(measure(line.address(0).bytes), line.world.now));
  line.world.run(seconds(8));
  EXPECT_TRUE(line.reaches(0, 2));
  line.world.run(seconds(3));
  EXPECT_TRUE(line.reaches(0, 1));
  EXPECT_FALSE(line.reaches(0, 2)) << "ten seconds are enough";
  // Once it was up, down is down at once.
  line.world.act(middle, middle.engine->on_cryptod(meta_link::LinkState{line.address(0).bytes},
                                                   line.world.now));
  EXPECT_FALSE(line.reaches(1, 0));
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
  // Its own cryptod hears it of everybody: it, too, leaves the direct ways alone.
  const auto* own = newest<meta_link::Endpoints>(*world.nodes[0]);
  ASSERT_NE(own, nullptr);
  EXPECT_EQ(own->options, kOptionIndirect);
}

}  // namespace
}  // namespace wattle::metad::test
