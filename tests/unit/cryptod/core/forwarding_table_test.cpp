// The forwarding table, and how it outlives metad.
#include "cryptod/core/forwarding_table.h"

#include <gtest/gtest.h>

#include "engine_lab.h"

namespace wattle::cryptod::lab {
namespace {

using meta_link::LinkWay;
using meta_link::RouteState;
using std::chrono::seconds;

NodeAddress numbered_address(std::uint32_t n) {
  NodeAddress address;
  address.bytes[0] = kAddressType;
  address.bytes[7] = 2;
  FixedWriter(MutableBytes(address.bytes).subspan(36)).u32(n);
  return address;
}

struct Table : testing::Test {
  Peer& peer(std::uint32_t n) {
    PeerTable::Fault fault{};
    Peer& p = *peers.add(numbered_address(n), fault);
    p.neighbour = true;
    p.link_way = LinkWay::Udp;
    p.path = Path::direct(Endpoint{IpAddress::v4({198, 51, 100, 1}), 1});
    p.current = std::make_unique<Session>(SessionKeys{}, now);
    return p;
  }
  ForwardingRow& reachable(const NodeAddress& to, const Peer& next, const Peer* alternate) {
    ForwardingRow& row = *table.put(to);
    row.entry.state = RouteState::Reachable;
    row.next = next.slot;
    row.alternate = alternate == nullptr ? kNoSlot : alternate->slot;
    return row;
  }

  Instant now{seconds(1000)};
  PeerTable peers{7};
  ForwardingTable table{7};
  const NodeAddress far = numbered_address(1000);
};

TEST_F(Table, NextHopThenAlternateThenNothing) {
  Peer& next = peer(1);
  Peer& other = peer(2);
  EXPECT_EQ(table.first_hop(peers, far.short_id(), now), nullptr);
  ForwardingRow& row = reachable(far, next, &other);
  EXPECT_EQ(table.first_hop(peers, far.short_id(), now), &next);
  EXPECT_EQ(table.first_hop(peers, far.short_id(), now, &next), &other);
  next.link_way = LinkWay::Down;
  EXPECT_EQ(table.first_hop(peers, far.short_id(), now), &other);
  other.path = Path::routed();  // what is itself reached through others relays nothing for us
  EXPECT_EQ(table.first_hop(peers, far.short_id(), now), nullptr);
  other.path = Path::carried();
  EXPECT_EQ(table.first_hop(peers, far.short_id(), now), &other);
  other.neighbour = false;
  EXPECT_EQ(table.first_hop(peers, far.short_id(), now), nullptr);
  next.link_way = LinkWay::Carried;
  EXPECT_EQ(table.first_hop(peers, far.short_id(), now), &next);
  next.current.reset();
  EXPECT_EQ(table.first_hop(peers, far.short_id(), now), nullptr);
  other.neighbour = true;
  row.entry.state = RouteState::Unreachable;
  EXPECT_EQ(table.first_hop(peers, far.short_id(), now), nullptr);
}

TEST_F(Table, ARefusalTurnsToTheAlternateForAWhile) {
  Peer& next = peer(1);
  Peer& other = peer(2);
  Peer& third = peer(3);
  reachable(far, next, &other);
  EXPECT_FALSE(table.refused(far.short_id(), third, now));  // nobody asked it
  EXPECT_FALSE(table.refused(numbered_address(5).short_id(), next, now));
  EXPECT_FALSE(table.refused(far.short_id(), other, now));
  EXPECT_EQ(table.first_hop(peers, far.short_id(), now), &next);
  EXPECT_TRUE(table.refused(far.short_id(), next, now));
  EXPECT_EQ(table.first_hop(peers, far.short_id(), now), &other);
  EXPECT_EQ(table.first_hop(peers, far.short_id(), now, &other), &next);
  EXPECT_EQ(table.first_hop(peers, far.short_id(), now + ForwardingTable::kTurned), &next);
  EXPECT_TRUE(table.refused(far.short_id(), other, now));  // both refuse
  EXPECT_EQ(table.first_hop(peers, far.short_id(), now), &next);
  table.find(far.short_id())->alternate = kNoSlot;
  EXPECT_FALSE(table.refused(far.short_id(), next, now));  // the only way stays
  EXPECT_EQ(table.first_hop(peers, far.short_id(), now), &next);
}

TEST_F(Table, IsBounded) {
  for (std::uint32_t n = 0; n < ForwardingTable::kMost; ++n)
    ASSERT_NE(table.put(numbered_address(n)), nullptr);
  EXPECT_EQ(table.put(numbered_address(ForwardingTable::kMost)), nullptr);
  EXPECT_NE(table.put(numbered_address(3)), nullptr);  // known
  table.erase(numbered_address(3));
  EXPECT_NE(table.put(numbered_address(ForwardingTable::kMost)), nullptr);
  EXPECT_EQ(table.size(), ForwardingTable::kMost);
}

// ---- through the engine ------------------------------------------------------------------------

struct Meta : Lab {
  Meta() : Lab(1, 3) { introduce(); }
  template <typename M>
  std::vector<M> told(Node& node) const {
    std::vector<M> out;
    for (const auto& m : node.told)
      if (const auto* one = std::get_if<M>(&m)) out.push_back(*one);
    return out;
  }
  // metad dies, another one comes.
  void reconnect(Node& node) {
    node.told.clear();
    node.meta_again();
  }
};

TEST(RouteFlow, EveryRouteIsAcknowledgedAndHandedBackToTheNextMetad) {
  Meta lab;
  const std::uint64_t first = lab.route(lab.a(), lab.c(), lab.b());
  const std::uint64_t second = lab.route(lab.a(), lab.b(), lab.b());
  const auto acks = lab.told<meta_link::RouteAck>(lab.a());
  ASSERT_EQ(acks.size(), 2u);
  EXPECT_EQ(acks[0].ticket, first);
  EXPECT_EQ(acks[1].ticket, second);
  const auto incarnation = lab.told<meta_link::Ready>(lab.a()).front().incarnation;

  lab.reconnect(lab.a());
  // Ready, the table, its end, and only then anything else.
  ASSERT_GE(lab.a().told.size(), 4u);
  ASSERT_TRUE(std::holds_alternative<meta_link::Ready>(lab.a().told[0]));
  EXPECT_EQ(std::get<meta_link::Ready>(lab.a().told[0]).incarnation, incarnation);
  EXPECT_TRUE(std::holds_alternative<meta_link::HeldRoute>(lab.a().told[1]));
  EXPECT_TRUE(std::holds_alternative<meta_link::HeldRoute>(lab.a().told[2]));
  EXPECT_TRUE(std::holds_alternative<meta_link::HeldRoutesEnd>(lab.a().told[3]));
  const auto held = lab.told<meta_link::HeldRoute>(lab.a());
  ASSERT_EQ(held.size(), 2u);
  for (const auto& h : held) {
    EXPECT_EQ(h.entry.state, RouteState::Reachable);
    EXPECT_EQ(h.entry.fd_metric, 96u);
    EXPECT_EQ(h.entry.next_hop, lab.b().address.bytes);
  }
}

TEST(RouteFlow, TheSnapshotsEndTakesAwayWhatWasNotRepeated) {
  Meta lab;
  lab.route(lab.a(), lab.c(), lab.b());
  lab.route(lab.a(), lab.b(), lab.b());
  lab.reconnect(lab.a());
  lab.route(lab.a(), lab.c(), lab.b());
  lab.reconnect(lab.a());  // it died before the end: nothing is lost
  EXPECT_EQ(lab.told<meta_link::HeldRoute>(lab.a()).size(), 2u);
  lab.route(lab.a(), lab.c(), lab.b());
  lab.a().say(meta_link::SnapshotEnd{});
  lab.reconnect(lab.a());
  ASSERT_EQ(lab.told<meta_link::HeldRoute>(lab.a()).size(), 1u);
  EXPECT_EQ(lab.told<meta_link::HeldRoute>(lab.a())[0].destination, lab.c().address.bytes);
  meta_link::RouteEntry none;
  none.state = RouteState::Forgotten;
  lab.a().say(meta_link::Route{lab.c().address.bytes, 77, none});
  EXPECT_EQ(lab.told<meta_link::RouteAck>(lab.a()).back().ticket, 77u);
  lab.reconnect(lab.a());
  EXPECT_TRUE(lab.told<meta_link::HeldRoute>(lab.a()).empty());
}

TEST(RouteFlow, AnIncarnationIsInForceOnlyWithItsWholeTable) {
  Meta lab;
  lab.a().say(meta_link::KeepIncarnation{4711});
  lab.reconnect(lab.a());
  EXPECT_NE(lab.told<meta_link::Ready>(lab.a())[0].incarnation, 4711u);
  lab.a().say(meta_link::KeepIncarnation{4711});
  lab.a().say(meta_link::SnapshotEnd{});
  lab.reconnect(lab.a());
  EXPECT_EQ(lab.told<meta_link::Ready>(lab.a())[0].incarnation, 4711u);
}

}  // namespace
}  // namespace wattle::cryptod::lab
