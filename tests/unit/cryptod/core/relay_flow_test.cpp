// Relaying: who may, where to, how far, how much, and what the one before is told.
#include "cryptod/core/relay_flow.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/base/writer.h"
#include "cryptod/core/endpoint_map.h"
#include "engine_lab.h"
#include "hand_member.h"

namespace wattle::cryptod::lab {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Endpoint kStranger{IpAddress::v4({203, 0, 113, 66}), 4444};

// a, b and d reach only r, whose neighbours a and b are; d is a member with a session at r.
struct Star : Lab {
  explicit Star(std::uint64_t rate = 125'000'000) : Lab(1, 0) {
    config.relay_rate = rate;
    for (int i = 0; i < 4; ++i) add();
    pass = [this](const Packet& p) { return p.from == r().endpoint || p.to == r().endpoint; };
    for (Node* leaf : {&a(), &b(), &d()}) {
      leaf->give_member(r());
      r().give_member(*leaf);
    }
    link(r(), a());
    link(r(), b());
    route(r(), a(), a());
    route(r(), b(), b());
    d().send(ip_frame(d(), r(), numbered(0)));
    run(milliseconds(500));
    seen.clear();
  }
  Node& b() { return node(1); }
  Node& r() { return node(2); }
  Node& d() { return node(3); }

  Bytes datagram(const ShortId& to, std::size_t size = 100, std::uint8_t type = 0x26) {
    Bytes out(size, 0x77);
    write_header(out, static_cast<WireType>(type), a().address.short_id(), to, 99);
    return out;
  }
  // How many of the datagrams that left r since `seen` was cleared are like this but for the hops.
  std::size_t relayed(const Bytes& bytes, const Node& to) const {
    return static_cast<std::size_t>(std::count_if(seen.begin(), seen.end(), [&](const Packet& p) {
      return p.to == to.endpoint && p.bytes.size() == bytes.size() &&
             std::equal(p.bytes.begin() + 1, p.bytes.end(), bytes.begin() + 1);
    }));
  }
  std::uint64_t refusals() { return r().counter(Counter::RefusalsSent); }
};

TEST(RelayFlow, OnlyTheHopByteChanges) {
  Star lab;
  for (const std::uint8_t type : ByteArray<5>{0x20, 0x21, 0x22, 0x23, 0x26}) {
    lab.seen.clear();
    Bytes bytes = lab.datagram(lab.b().address.short_id(), 300, type);
    bytes[0] = 3;
    lab.inject(lab.r(), lab.a().endpoint, bytes);
    ASSERT_EQ(lab.seen.size(), 1u);
    EXPECT_EQ(lab.seen[0].to, lab.b().endpoint);
    EXPECT_EQ(lab.seen[0].bytes[0], 4);
    EXPECT_EQ(lab.relayed(bytes, lab.b()), 1u);
  }
  EXPECT_EQ(lab.r().counter(Counter::Relayed), 5u);
  EXPECT_EQ(lab.r().counter(Counter::RelayBytes), 1500u);
  EXPECT_EQ(lab.refusals(), 0u);
}

TEST(RelayFlow, ABatchKeepsItsOrderAndItsBuffer) {
  Star lab;
  std::vector<Bytes> bytes;
  for (std::size_t i = 0; i < 64; ++i)
    bytes.push_back(lab.datagram(lab.b().address.short_id(), 1000 + i));
  std::vector<Received> batch;
  for (Bytes& one : bytes)
    batch.push_back({lab.a().endpoint, lab.r().endpoint.address, 2, MutableBytes(one)});
  Actions out;
  lab.r().engine->datagrams(lab.moment, batch, out);
  ASSERT_EQ(out.datagrams.size(), 64u);
  for (std::size_t i = 0; i < 64; ++i) {
    EXPECT_EQ(out.datagrams[i].bytes.data(), bytes[i].data());  // not copied
    EXPECT_EQ(out.datagrams[i].destination, lab.b().endpoint);
  }
}

TEST(RelayFlow, NothingIsRelayedForAnUnknownSource) {
  Star lab;
  const Bytes bytes = lab.datagram(lab.b().address.short_id());
  lab.inject(lab.r(), kStranger, bytes);
  Endpoint close = lab.a().endpoint;  // the right host, another port
  ++close.port;
  lab.inject(lab.r(), close, bytes);
  EXPECT_TRUE(lab.seen.empty());
  EXPECT_EQ(lab.r().counter(Counter::DropRelaySource), 2u);
  EXPECT_EQ(lab.refusals(), 0u);  // a stranger is told nothing
  lab.inject(lab.r(), lab.a().endpoint, bytes);
  EXPECT_EQ(lab.seen.size(), 1u);
}

TEST(RelayFlow, ARevokedMemberIsAStranger) {
  Star lab;
  lab.r().say(meta_link::Document{lab.document(7, {lab.a().credential.serial})});
  lab.seen.clear();
  lab.inject(lab.r(), lab.a().endpoint, lab.datagram(lab.b().address.short_id()));
  EXPECT_TRUE(lab.seen.empty());
  EXPECT_EQ(lab.r().counter(Counter::DropRelaySource), 1u);
}

TEST(RelayFlow, ThirtyTwoHopsAndNotOneMore) {
  Star lab;
  Bytes bytes = lab.datagram(lab.b().address.short_id());
  bytes[0] = 31;
  lab.inject(lab.r(), lab.a().endpoint, bytes);
  ASSERT_EQ(lab.seen.size(), 1u);
  EXPECT_EQ(lab.seen[0].bytes[0], 32);
  for (const int hops : {32, 33, 255}) {
    bytes[0] = static_cast<std::uint8_t>(hops);
    lab.inject(lab.r(), lab.a().endpoint, bytes);
    EXPECT_EQ(lab.relayed(bytes, lab.b()), 1u);
  }
  EXPECT_EQ(lab.r().counter(Counter::DropHops), 3u);
  EXPECT_EQ(lab.refusals(), 1u);  // at most one a second
}

TEST(RelayFlow, NeverBackWhereItCameFrom) {
  Star lab;
  const Bytes own = lab.datagram(lab.a().address.short_id());
  lab.inject(lab.r(), lab.a().endpoint, own);
  EXPECT_EQ(lab.relayed(own, lab.a()), 0u);
  EXPECT_EQ(lab.r().counter(Counter::DropRelayBack), 1u);
  // A destination behind the very neighbour that asks us.
  Node& far = lab.add();
  lab.route(lab.r(), far, lab.a());
  const Bytes bytes = lab.datagram(far.address.short_id());
  lab.inject(lab.r(), lab.a().endpoint, bytes);
  EXPECT_EQ(lab.relayed(bytes, lab.a()), 0u);
  EXPECT_EQ(lab.r().counter(Counter::DropRelayBack), 2u);
  lab.inject(lab.r(), lab.b().endpoint, bytes);
  EXPECT_EQ(lab.relayed(bytes, lab.a()), 1u);
  // The alternate may be used where the next hop may not.
  lab.route(lab.r(), far, lab.a(), &lab.b());
  lab.inject(lab.r(), lab.a().endpoint, bytes);
  EXPECT_EQ(lab.relayed(bytes, lab.b()), 1u);
}

TEST(RelayFlow, OnlyNeighboursGoAlongTheTable) {
  Star lab;
  Node& far = lab.add();
  lab.route(lab.r(), far, lab.b());
  const Bytes bytes = lab.datagram(far.address.short_id());
  lab.inject(lab.r(), lab.d().endpoint, bytes);  // a member with a session, no neighbour
  EXPECT_EQ(lab.relayed(bytes, lab.b()), 0u);
  EXPECT_EQ(lab.r().counter(Counter::DropRelayUnknown), 1u);
  lab.inject(lab.r(), lab.a().endpoint, bytes);
  EXPECT_EQ(lab.relayed(bytes, lab.b()), 1u);
}

TEST(RelayFlow, ARegistrationIsForgottenAfterSilence) {
  Star lab;
  const Bytes bytes = lab.datagram(lab.d().address.short_id());
  lab.inject(lab.r(), lab.a().endpoint, bytes);
  EXPECT_EQ(lab.relayed(bytes, lab.d()), 1u);
  lab.run(seconds(40));  // its keepalive has come meanwhile
  lab.pass = [&](const Packet& p) {
    return p.from != lab.d().endpoint && (p.from == lab.r().endpoint || p.to == lab.r().endpoint);
  };
  lab.run(seconds(79));
  lab.inject(lab.r(), lab.a().endpoint, bytes);
  EXPECT_EQ(lab.relayed(bytes, lab.d()), 2u);
  lab.run(seconds(50));
  lab.inject(lab.r(), lab.a().endpoint, bytes);
  EXPECT_EQ(lab.relayed(bytes, lab.d()), 2u);
  EXPECT_EQ(lab.r().counter(Counter::DropRelayUnknown), 1u);
}

TEST(RelayFlow, TheBudgetIsTheRate) {
  constexpr std::uint64_t kRate = 500'000;
  Star lab(kRate);
  const Bytes bytes = lab.datagram(lab.b().address.short_id(), 1000);
  std::uint64_t through = 0;
  constexpr int kSeconds = 10;
  for (int ms = 0; ms < kSeconds * 1000; ++ms) {
    for (int i = 0; i < 2; ++i) lab.inject(lab.r(), lab.a().endpoint, bytes);  // 2 MB/s
    through += lab.relayed(bytes, lab.b()) * 1000;
    lab.seen.clear();
    lab.run(milliseconds(1));
    through += lab.relayed(bytes, lab.b()) * 1000;
    lab.seen.clear();
  }
  const double rate = static_cast<double>(through) / kSeconds;
  EXPECT_NEAR(rate, kRate, kRate * 0.1);
  EXPECT_GT(lab.r().counter(Counter::DropRelayBudget), 0u);
  // It is the source's: another one has its own.
  const Bytes other = lab.datagram(lab.a().address.short_id(), 1000);
  lab.inject(lab.r(), lab.b().endpoint, other);
  EXPECT_EQ(lab.relayed(other, lab.a()), 1u);
  // One refusal a second.
  EXPECT_LE(lab.refusals(), kSeconds + 1u);
  EXPECT_GE(lab.refusals(), kSeconds - 2u);
}

TEST(RelayFlow, RatesAboveAMillionAreKeptToo) {
  for (const std::uint64_t rate : {20'000'000ull, 125'000'000ull, 1'000'000'000'000ull}) {
    TokenBucket bucket = RelayFlow::make_budget(rate);
    Instant now{seconds(1)};
    std::uint64_t through = 0;
    const std::uint64_t piece = rate / 1000;  // twice the rate is asked for
    for (int half_ms = 0; half_ms < 10'000; ++half_ms, now += std::chrono::microseconds(500))
      if (bucket.take(now, piece)) through += piece;
    EXPECT_NEAR(static_cast<double>(through) / 5, static_cast<double>(rate),
                static_cast<double>(rate) * 0.1);
  }
}

TEST(RelayFlow, SwitchedOffItSaysSo) {
  Star lab(0);
  const Bytes bytes = lab.datagram(lab.b().address.short_id());
  lab.inject(lab.r(), lab.a().endpoint, bytes);
  EXPECT_EQ(lab.relayed(bytes, lab.b()), 0u);
  EXPECT_EQ(lab.r().counter(Counter::DropRelayOff), 1u);
  EXPECT_EQ(lab.refusals(), 1u);
  lab.run(milliseconds(50));
  EXPECT_EQ(lab.a().counter(Counter::RefusalsHeard), 1u);
  EXPECT_EQ(lab.a().counter(Counter::DropInnerLength), 0u);
}

TEST(RelayFlow, WhatIsNoDatagramOfOursIsDropped) {
  Star lab;
  const ShortId to = lab.b().address.short_id();
  Bytes bytes = lab.datagram(to, kHeaderSize);
  bytes.pop_back();
  lab.inject(lab.r(), lab.a().endpoint, bytes);
  EXPECT_EQ(lab.r().counter(Counter::DropLength), 1u);
  bytes = lab.datagram(to);
  bytes[1] = 1;
  lab.inject(lab.r(), lab.a().endpoint, bytes);
  EXPECT_EQ(lab.r().counter(Counter::DropHeader), 1u);
  for (const std::uint8_t type : ByteArray<7>{0x00, 0x01, 0x1f, 0x24, 0x25, 0x27, 0xff})
    lab.inject(lab.r(), lab.a().endpoint, lab.datagram(to, 100, type));
  EXPECT_EQ(lab.r().counter(Counter::DropType), 7u);
  EXPECT_TRUE(lab.seen.empty());
  lab.inject(lab.r(), lab.a().endpoint, lab.datagram(to, kHeaderSize));  // the shortest
  EXPECT_EQ(lab.seen.size(), 1u);
  lab.seen.clear();
  // Our own id is never relayed.
  lab.inject(lab.r(), lab.a().endpoint, lab.datagram(lab.r().address.short_id()));
  EXPECT_TRUE(lab.seen.empty());
  EXPECT_EQ(lab.r().counter(Counter::Relayed), 1u);
}

TEST(RelayFlow, ARefusalTurnsTheSenderToItsAlternate) {
  // a has the next hops r (which refuses) and b for a destination that r does not know.
  Star lab;
  lab.pass = {};
  lab.a().give_member(lab.b());
  lab.b().give_member(lab.a());
  lab.link(lab.a(), lab.b());
  Node& far = lab.add();
  lab.route(lab.a(), far, lab.r(), &lab.b());
  lab.a().hear_of(far);
  lab.run(milliseconds(500));
  const Bytes bytes = lab.datagram(far.address.short_id());
  // Somebody (d) sends through a: first to r, which refuses.
  const auto through_a = [&](const Node& to) {
    lab.seen.clear();
    lab.inject(lab.a(), lab.b().endpoint, bytes);
    return lab.relayed(bytes, to);
  };
  EXPECT_EQ(through_a(lab.r()), 1u);
  lab.run(milliseconds(50));
  EXPECT_EQ(lab.a().counter(Counter::RefusalsHeard), 1u);
  lab.a().say(meta_link::AskWhy{7, far.address.bytes});
  const auto* why = std::get_if<meta_link::Why>(&lab.a().told.back());
  ASSERT_NE(why, nullptr);
  EXPECT_TRUE(std::any_of(why->decisions.begin(), why->decisions.end(), [&](const auto& d) {
    return d.sentence.starts_with(lab.r().address.text() +
                                  " does not relay to it: it knows no way");
  }));
  // b is where it came from, so for b the next hop stays; for r's datagrams it is b now.
  EXPECT_EQ(through_a(lab.r()), 1u);
  lab.seen.clear();
  lab.inject(lab.a(), lab.r().endpoint, bytes);
  EXPECT_EQ(lab.relayed(bytes, lab.b()), 1u);
}

TEST(RelayFlow, AFloodOfRefusalsIsHeededSeldom) {
  Lab lab(1, 1);
  HandMember member(lab);
  Node& far = lab.add();
  Node& node = lab.a();
  const Initiator initiator = member.initiator(node);
  lab.seen.clear();
  lab.inject(node, member.endpoint, to_bytes(initiator.message1()));
  ASSERT_EQ(member.finish(initiator, lab.seen.back().bytes), WireCheck::Accept);
  lab.inject(node, member.endpoint, member.seal(InnerType::Empty, {}));
  node.hear_of(far);
  node.say(meta_link::Neighbour{member.address.bytes, true});
  meta_link::RouteEntry entry;
  entry.state = meta_link::RouteState::Reachable;
  entry.next_hop = member.address.bytes;
  node.say(meta_link::Route{far.address.bytes, 1, entry});
  Bytes body{4};
  const ShortId id = far.address.short_id();
  body.insert(body.end(), id.begin(), id.end());
  const auto refused = [&](const Node& peer) {
    node.say(meta_link::AskWhy{7, peer.address.bytes});
    std::size_t count = 0;
    for (const auto& d : std::get<meta_link::Why>(node.told.back()).decisions)
      if (d.sentence.find("does not relay") != std::string::npos)
        count += d.sentence.find("times") == std::string::npos ? 1 : 2;
    return count;
  };
  EXPECT_EQ(refused(far), 0u);
  for (int i = 0; i < 50; ++i)
    lab.inject(node, member.endpoint, member.seal(InnerType::Refusal, body));
  EXPECT_EQ(node.counter(Counter::RefusalsHeard), 50u);
  EXPECT_EQ(refused(far), 1u);
  lab.run(seconds(1));
  lab.inject(node, member.endpoint, member.seal(InnerType::Refusal, body));
  EXPECT_EQ(refused(far), 2u);
  // Of a member that is not asked to relay there, nothing is noted.
  entry.next_hop = far.address.bytes;
  node.say(meta_link::Route{far.address.bytes, 2, entry});
  lab.run(seconds(1));
  lab.inject(node, member.endpoint, member.seal(InnerType::Refusal, body));
  EXPECT_EQ(refused(far), 2u);
  // Nor of what is no refusal.
  for (const std::size_t size : {0, 1, 8, 10})
    lab.inject(node, member.endpoint, member.seal(InnerType::Refusal, Bytes(size, 4)));
  EXPECT_EQ(node.counter(Counter::DropInnerLength), 4u);
}

TEST(RelayFlow, ACarriedDatagramNeedsASessionToo) {
  Star lab;
  lab.r().say(meta_link::Document{lab.document(7, {lab.a().credential.serial})});
  lab.seen.clear();
  lab.r().say(meta_link::Carried{lab.a().address.bytes, lab.datagram(lab.b().address.short_id())});
  EXPECT_TRUE(lab.seen.empty());
  EXPECT_EQ(lab.r().counter(Counter::DropRelaySource), 1u);
}

TEST(RelayFlow, AnEndpointIsOfWhoeverHasItsPathThere) {
  PeerTable peers(1);
  EndpointMap map(1);
  PeerTable::Fault fault{};
  SeededRandom random(3);
  const auto add = [&] {
    ByteArray<32> scalar;
    random.fill(scalar);
    const auto key = WATTLE_MUST(crypto::PrivateKey::from_scalar(scalar));
    return peers.add(NodeAddress::from_key(key.public_key()), fault);
  };
  Peer &one = *add(), &other = *add();
  const auto move = [&](Peer& peer, const std::optional<Path>& path) {
    map.move(peer, path);
    peer.path = path;
  };
  const Endpoint x{IpAddress::v4({192, 0, 2, 1}), 1}, y{IpAddress::v4({192, 0, 2, 1}), 2};
  move(one, Path::direct(x));
  EXPECT_EQ(map.find(peers, x), nullptr);  // no session
  one.current = std::make_unique<Session>(SessionKeys{}, Instant{});
  other.current = std::make_unique<Session>(SessionKeys{}, Instant{});
  EXPECT_EQ(map.find(peers, x), &one);
  EXPECT_EQ(map.find(peers, y), nullptr);
  move(one, Path::direct(y));
  EXPECT_EQ(map.find(peers, x), nullptr);
  EXPECT_EQ(map.find(peers, y), &one);
  move(other, Path::direct(y));  // whoever proved it last
  EXPECT_EQ(map.find(peers, y), &other);
  move(one, Path::routed());
  EXPECT_EQ(map.find(peers, y), &other);
  move(other, std::nullopt);
  EXPECT_EQ(map.find(peers, y), nullptr);
  EXPECT_EQ(map.size(), 0u);
}

TEST(RelayFlow, CarriedDatagramsAreRelayedToo) {
  Star lab;
  const Bytes bytes = lab.datagram(lab.b().address.short_id());
  lab.r().say(meta_link::Carried{lab.a().address.bytes, bytes});
  EXPECT_EQ(lab.relayed(bytes, lab.b()), 1u);
  lab.r().say(meta_link::Carried{lab.d().address.bytes, bytes});  // no neighbour
  EXPECT_EQ(lab.relayed(bytes, lab.b()), 1u);
  lab.r().say(meta_link::Carried{lab.a().address.bytes, Bytes(27, 1)});
  lab.r().say(meta_link::Carried{lab.a().address.bytes, Bytes(5000, 0)});
  EXPECT_EQ(lab.r().counter(Counter::DropCarry), 3u);
}

}  // namespace
}  // namespace wattle::cryptod::lab
