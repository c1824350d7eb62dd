// Which way frames go: through NATs, around cut paths, and back to the better way.
#include <gtest/gtest.h>

#include <algorithm>

#include "common/proto/origin_record.h"
#include "cryptod/core/path_desk.h"
#include "cryptod/core/probe_body.h"
#include "cryptod/core/punch_desk.h"
#include "hand_member.h"

namespace wattle::cryptod::lab {
namespace {

using meta_link::PeerWay;
using std::chrono::milliseconds;
using std::chrono::seconds;

const IpAddress kNatA = IpAddress::v4({203, 0, 113, 1}), kNatB = IpAddress::v4({203, 0, 113, 2});

// A hub that everybody reaches and is linked with, and routes of the others through it.
struct Paths : Lab {
  explicit Paths(std::size_t nodes = 3, std::uint64_t seed = 1) : Lab(seed, nodes) {}

  Node& hub() { return node(0); }
  Node& alice() { return node(1); }
  Node& bob() { return node(2); }

  void settle() {
    for (const auto& one : all())
      for (const auto& other : all())
        if (one != other) one->give_member(*other);
    for (Node* node : all())
      if (node != &hub()) link(hub(), *node);
    run(seconds(4));
    for (Node* one : all())
      for (Node* other : all())
        if (one != other && one != &hub()) route(*one, *other, hub());
  }
  std::vector<Node*> all() {
    std::vector<Node*> out;
    for (std::size_t i = 0; i < size(); ++i) out.push_back(&node(i));
    return out;
  }
  // A frame each way every 20 ms; says how many of alice's have reached bob.
  std::size_t talk(Duration duration) {
    const std::size_t before = bob().frames.size();
    for (const Instant until = moment.now + duration; moment.now < until;) {
      alice().send(ip_frame(alice(), bob(), numbered(number_++)));
      bob().send(ip_frame(bob(), alice(), numbered(number_++)));
      run(milliseconds(20));
    }
    return bob().frames.size() - before;
  }
  // The same, but only alice speaks.
  std::size_t call(Duration duration) {
    const std::size_t before = bob().frames.size();
    for (const Instant until = moment.now + duration; moment.now < until;) {
      alice().send(ip_frame(alice(), bob(), numbered(number_++)));
      run(milliseconds(20));
    }
    return bob().frames.size() - before;
  }
  static meta_link::PeerState state(Node& node, const Node& other) {
    node.say(meta_link::ListPeers{9});
    for (auto m = node.told.rbegin(); m != node.told.rend(); ++m)
      if (const auto* s = std::get_if<meta_link::PeerState>(&*m))
        if (s->id == 9 && s->address == other.address.bytes) return *s;
    return {};
  }
  static PeerWay way(Node& node, const Node& other) { return state(node, other).way; }
  static std::string why(Node& node, const Node& other) {
    node.say(meta_link::AskWhy{5, other.address.bytes});
    const auto& answer = std::get<meta_link::Why>(node.told.back());
    std::string out;
    for (const auto& d : answer.decisions) out += d.sentence + '\n';
    return out;
  }
  static std::vector<Endpoint> seen_by_others(const Node& node) {
    for (auto m = node.told.rbegin(); m != node.told.rend(); ++m)
      if (const auto* l = std::get_if<meta_link::LocalEndpoints>(&*m)) return l->seen;
    return {};
  }
  // Nothing passes between these two any more.
  void cut(const Node& one, const Node& other) {
    const Endpoint a = one.endpoint, b = other.endpoint;
    pass = [a, b](const Packet& p) {
      return !((p.from == a && p.to == b) || (p.from == b && p.to == a));
    };
  }
  std::size_t sent(const Node& from, const Node& to) {
    return static_cast<std::size_t>(std::count_if(seen.begin(), seen.end(), [&](const Packet& p) {
      return p.from == from.endpoint && p.to == to.endpoint;
    }));
  }

 private:
  std::uint32_t number_ = 0;
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// ---- choice ----------------------------------------------------------------------------------

TEST(PathDesk, PublicMembersSpeakStraight) {
  Paths lab;
  lab.settle();
  EXPECT_GE(lab.talk(seconds(1)), 50u);
  EXPECT_EQ(lab.way(lab.alice(), lab.bob()), PeerWay::Direct);
  EXPECT_EQ(lab.way(lab.bob(), lab.alice()), PeerWay::Direct);
  EXPECT_TRUE(has(lab.why(lab.alice(), lab.bob()),
                  "session made: direct way " + lab.bob().endpoint.text() + ", 10.0 ms"));
  EXPECT_EQ(lab.hub().counter(Counter::NotesHeard), 0u);
  EXPECT_EQ(lab.alice().counter(Counter::NotesSent), 0u);
}

TEST(PathDesk, CutDirectWayIsLeftForTheTableAndTakenAgain) {
  Paths lab;
  lab.settle();
  lab.talk(seconds(1));
  lab.cut(lab.alice(), lab.bob());
  const Instant cut = lab.moment.now;
  lab.talk(milliseconds(100));
  while (lab.moment.now < cut + seconds(20) && lab.talk(milliseconds(20)) == 0) continue;
  EXPECT_LT(lab.moment.now - cut, seconds(4));
  EXPECT_GT(lab.moment.now - cut, seconds(2));  // not for one lost packet
  lab.talk(seconds(1));
  EXPECT_EQ(lab.way(lab.alice(), lab.bob()), PeerWay::Routed);
  EXPECT_EQ(lab.state(lab.alice(), lab.bob()).first_hop, lab.hub().address.bytes);
  EXPECT_EQ(lab.way(lab.bob(), lab.alice()), PeerWay::Routed);
  EXPECT_TRUE(
      has(lab.why(lab.alice(), lab.bob()), "direct way " + lab.bob().endpoint.text() +
                                               " left: three probes unanswered; now way through " +
                                               lab.hub().address.text()))
      << lab.why(lab.alice(), lab.bob());
  lab.talk(seconds(10));
  EXPECT_TRUE(has(lab.why(lab.alice(), lab.bob()),
                  "tried " + lab.bob().endpoint.text() + ": no answer in 2.0 s"))
      << lab.why(lab.alice(), lab.bob());
  EXPECT_EQ(lab.way(lab.alice(), lab.bob()), PeerWay::Routed);
  EXPECT_EQ(lab.talk(seconds(1)), 50u);  // all of them

  lab.pass = nullptr;
  lab.talk(seconds(31));
  EXPECT_EQ(lab.way(lab.alice(), lab.bob()), PeerWay::Direct);
  EXPECT_EQ(lab.way(lab.bob(), lab.alice()), PeerWay::Direct);
  EXPECT_TRUE(has(lab.why(lab.alice(), lab.bob()), "now direct way " + lab.bob().endpoint.text()));
  EXPECT_EQ(lab.talk(seconds(1)), 50u);
}

// One direction only: the other side's packets still arrive, so silence alone tells nothing.
TEST(PathDesk, HalfBrokenWayIsLeftByBoth) {
  Paths lab;
  lab.settle();
  lab.talk(seconds(1));
  lab.pass = [&](const Packet& p) {
    return p.from != lab.alice().endpoint || p.to != lab.bob().endpoint;
  };
  lab.talk(seconds(8));
  EXPECT_EQ(lab.way(lab.alice(), lab.bob()), PeerWay::Routed);
  EXPECT_EQ(lab.talk(seconds(1)), 50u);
}

TEST(PathDesk, AWayIsTakenOnlyAfterAnAnswerCameBackThroughIt) {
  Paths lab;
  lab.settle();
  lab.talk(seconds(1));
  // The relay swallows everything, and the direct way is cut: nothing may be believed to work.
  const Endpoint hub = lab.hub().endpoint;
  lab.pass = [hub](const Packet& p) { return p.bytes[0] == 0 && (p.to == hub || p.from == hub); };
  lab.talk(seconds(6));
  EXPECT_EQ(lab.way(lab.alice(), lab.bob()), PeerWay::Direct);
  EXPECT_TRUE(has(lab.why(lab.alice(), lab.bob()), "three probes unanswered, and no other way"))
      << lab.why(lab.alice(), lab.bob());
  EXPECT_EQ(lab.alice().counter(Counter::PathsLeft), 1u);
}

TEST(PathDesk, QuietPairIsNotProbed) {
  Paths lab;
  lab.settle();
  lab.talk(seconds(1));
  lab.run(seconds(15));
  const std::size_t before = lab.sent(lab.alice(), lab.bob());
  lab.run(seconds(100));
  EXPECT_EQ(lab.sent(lab.alice(), lab.bob()), before);
}

TEST(PathDesk, OneWayTrafficIsAskedAboutOnceASecond) {
  Paths lab;
  lab.settle();
  lab.talk(seconds(1));
  const std::uint64_t before = lab.alice().counter(Counter::ProbesSent);
  EXPECT_EQ(lab.call(seconds(20)), 1000u);
  EXPECT_GE(lab.alice().counter(Counter::ProbesSent), before + 15);
  EXPECT_LE(lab.alice().counter(Counter::ProbesSent), before + 28);  // 7 are the watch's of the hub
  EXPECT_EQ(lab.alice().counter(Counter::PathsLeft), 0u);
}

TEST(PathDesk, IndirectMembersAreReachedThroughOthersOnly) {
  Paths lab;
  lab.settle();
  for (Node* one : {&lab.alice(), &lab.bob()}) {
    Node* other = one == &lab.alice() ? &lab.bob() : &lab.alice();
    one->say(meta_link::Endpoints{other->address.bytes, {other->endpoint}, kOptionIndirect});
  }
  EXPECT_GE(lab.talk(seconds(40)), 1990u);
  EXPECT_EQ(lab.way(lab.alice(), lab.bob()), PeerWay::Routed);
  EXPECT_EQ(lab.sent(lab.alice(), lab.bob()) + lab.sent(lab.bob(), lab.alice()), 0u);
  EXPECT_EQ(lab.alice().counter(Counter::NotesSent), 0u);
}

TEST(PathDesk, IndirectToldInALiveSessionEndsTheDirectWay) {
  Paths lab;
  lab.settle();
  lab.talk(seconds(1));
  ASSERT_EQ(lab.way(lab.alice(), lab.bob()), PeerWay::Direct);
  lab.alice().say(
      meta_link::Endpoints{lab.bob().address.bytes, {lab.bob().endpoint}, kOptionIndirect});
  lab.talk(seconds(1));
  EXPECT_EQ(lab.way(lab.alice(), lab.bob()), PeerWay::Routed);
  EXPECT_TRUE(has(lab.why(lab.alice(), lab.bob()), "its options forbid the direct way"));
}

TEST(PathDesk, WithoutAnyWayItIsSaid) {
  Lab lab;
  meta_link::Member m{
      lab.b().address.bytes, *lab.b().record, lab.b().credential_bytes, {}, 0, false};
  lab.a().say(m);
  lab.a().send(ip_frame(lab.a(), lab.b(), numbered(1)));
  const std::string why = Paths::why(lab.a(), lab.b());
  EXPECT_TRUE(has(why, "no way known: no endpoint that may be used, no route, no link")) << why;
  EXPECT_TRUE(has(why, "now: no session")) << why;
  EXPECT_EQ(lab.a().counter(Counter::DropNoEndpoint), 1u);
}

// ---- NATs ------------------------------------------------------------------------------------

struct Natted : Paths {
  explicit Natted(Nat::Mapping b = Nat::Mapping::Same) {
    put_behind(alice(), Nat(kNatA));
    put_behind(bob(), Nat(kNatB, b));
    settle();
  }
};

TEST(PathDesk, NeighboursTellWhatTheySee) {
  Natted lab;
  const std::vector<Endpoint> expected{{kNatA, 40000}};
  EXPECT_EQ(lab.seen_by_others(lab.alice()), expected);
  EXPECT_TRUE(lab.seen_by_others(lab.hub()).empty());
}

TEST(PathDesk, NatedPairIsRoutedAtOnceAndThenPunchesThrough) {
  Natted lab;
  lab.alice().send(ip_frame(lab.alice(), lab.bob(), numbered(1)));
  lab.run(milliseconds(100));
  EXPECT_EQ(lab.bob().frames.size(), 1u);
  EXPECT_GT(lab.hub().counter(Counter::Relayed), 0u);
  EXPECT_EQ(lab.talk(seconds(4)), 200u);  // nothing is lost on the way over
  EXPECT_EQ(lab.way(lab.alice(), lab.bob()), PeerWay::Direct);
  EXPECT_EQ(lab.way(lab.bob(), lab.alice()), PeerWay::Direct);
  EXPECT_EQ(lab.state(lab.alice(), lab.bob()).endpoint, (Endpoint{kNatB, 40000}));
  const std::string why = lab.why(lab.alice(), lab.bob()) + lab.why(lab.bob(), lab.alice());
  EXPECT_TRUE(has(why, "session made: way through " + lab.hub().address.text())) << why;
  EXPECT_TRUE(has(why, "now direct way 203.0.113.2:40000 by hole punching")) << why;
  const std::uint64_t relayed = lab.hub().counter(Counter::Relayed);
  EXPECT_EQ(lab.talk(seconds(4)), 200u);
  EXPECT_EQ(lab.hub().counter(Counter::Relayed), relayed);
}

TEST(PathDesk, OpenersDieUnderwayAndComeFirst) {
  Natted lab;
  lab.talk(seconds(4));
  std::map<Endpoint, bool> opened;  // from where towards the other's NAT
  std::size_t openers = 0;
  for (const Packet& p : lab.seen) {
    if (p.ttl != 0) {
      EXPECT_EQ(p.ttl, 2);
      EXPECT_EQ(p.bytes.size(), kTransportOverhead);
      ++openers;
      opened[p.to] = true;
    } else if (p.to.address == kNatA || p.to.address == kNatB) {
      if (p.from.address == lab.hub().endpoint.address) continue;
      EXPECT_TRUE(opened[p.to]) << "asked before opening";
    }
  }
  EXPECT_GE(openers, 2u);
}

TEST(PathDesk, SymmetricNatStaysRelayedAndSaysSo) {
  Natted lab(Nat::Mapping::PerDestination);
  EXPECT_GE(lab.talk(seconds(70)), 3490u);
  EXPECT_EQ(lab.way(lab.alice(), lab.bob()), PeerWay::Routed);
  EXPECT_EQ(lab.way(lab.bob(), lab.alice()), PeerWay::Routed);
  const std::string why = lab.why(lab.alice(), lab.bob());
  EXPECT_TRUE(has(why, "hole punching to 203.0.113.2:40000")) << why;
  EXPECT_TRUE(has(why, ": no answer")) << why;
  EXPECT_TRUE(has(why, "now: way through " + lab.hub().address.text())) << why;
  EXPECT_LE(lab.alice().counter(Counter::NotesSent), 3u);  // at 0, 30 s; then rarer
  EXPECT_GE(lab.alice().counter(Counter::NotesSent), 2u);
}

TEST(PathDesk, TwoNeighboursTellASymmetricNat) {
  Paths lab(4);
  lab.put_behind(lab.alice(), Nat(kNatA));
  lab.put_behind(lab.bob(), Nat(kNatB, Nat::Mapping::PerDestination));
  lab.settle();
  lab.link(lab.node(3), lab.bob());
  lab.run(seconds(5));
  EXPECT_EQ(lab.seen_by_others(lab.bob()).size(), 2u);
  lab.talk(seconds(10));
  EXPECT_TRUE(has(lab.why(lab.alice(), lab.bob()), "its NAT gives each destination another port"))
      << lab.why(lab.alice(), lab.bob());
  EXPECT_TRUE(has(lab.why(lab.bob(), lab.alice()), "our NAT gives each destination another port"));
}

TEST(PathDesk, NewMappingIsFollowed) {
  for (const bool both_speak : {true, false}) {
    Natted lab;
    lab.talk(seconds(5));
    ASSERT_EQ(lab.way(lab.alice(), lab.bob()), PeerWay::Direct);
    lab.nat(lab.bob()).rebind();
    const Instant changed = lab.moment.now;
    const auto speak = [&](Duration d) { return both_speak ? lab.talk(d) : lab.call(d); };
    speak(milliseconds(200));
    while (lab.moment.now < changed + seconds(20) && speak(milliseconds(100)) == 0) continue;
    EXPECT_LT(lab.moment.now - changed, seconds(4)) << both_speak;
    speak(seconds(60));
    EXPECT_EQ(lab.way(lab.alice(), lab.bob()), PeerWay::Direct);
    EXPECT_EQ(lab.state(lab.alice(), lab.bob()).endpoint, (Endpoint{kNatB, 41001}));
    const std::string why = lab.why(lab.alice(), lab.bob());
    EXPECT_TRUE(has(why, "direct way 203.0.113.2:40000 left: three probes unanswered")) << why;
    EXPECT_TRUE(has(why, "now direct way 203.0.113.2:41001")) << why;
  }
}

TEST(PathDesk, NewMappingOfASpeakerTowardsAPublicMemberCostsNothing) {
  Paths lab;
  lab.put_behind(lab.bob(), Nat(kNatB));
  lab.settle();
  lab.talk(seconds(2));
  ASSERT_EQ(lab.way(lab.alice(), lab.bob()), PeerWay::Direct);
  lab.nat(lab.bob()).rebind();
  lab.talk(milliseconds(200));
  EXPECT_EQ(lab.talk(seconds(1)), 50u);
  EXPECT_EQ(lab.alice().counter(Counter::PathsLeft), 0u);
  EXPECT_EQ(lab.state(lab.alice(), lab.bob()).endpoint, (Endpoint{kNatB, 41001}));
}

TEST(PathDesk, MappingsAreKeptForFiveMinutesAfterTheLastFrame) {
  Natted lab;
  lab.talk(seconds(5));
  ASSERT_EQ(lab.way(lab.alice(), lab.bob()), PeerWay::Direct);
  const Instant quiet = lab.moment.now;
  Instant last = quiet, end = quiet;
  Duration longest{};
  lab.pass = [&](const Packet& p) {
    if (p.from.address == kNatA && p.to.address == kNatB) {
      longest = std::max(longest, lab.moment.now - last);
      end = last = lab.moment.now;
    }
    return true;
  };
  lab.run(seconds(600));
  EXPECT_LE(longest, seconds(26));
  EXPECT_GE(end - quiet, seconds(270));
  EXPECT_LE(end - quiet, seconds(330));
}

// ---- over the meta link ----------------------------------------------------------------------

TEST(PathDesk, NeighbourWithoutUdpIsCarriedAndUdpIsTriedAgain) {
  Lab lab;
  lab.carries = true;
  lab.pass = [](const Packet&) { return false; };
  lab.a().give_member(lab.b());
  lab.b().give_member(lab.a());
  lab.link(lab.a(), lab.b());
  for (std::uint32_t i = 0; i < 100; ++i) {
    lab.a().send(ip_frame(lab.a(), lab.b(), numbered(i)));
    lab.run(milliseconds(200));
  }
  EXPECT_GE(lab.b().frames.size(), 40u);
  EXPECT_EQ(Paths::way(lab.a(), lab.b()), PeerWay::Carried);
  EXPECT_EQ(Paths::way(lab.b(), lab.a()), PeerWay::Carried);
  lab.pass = nullptr;
  lab.run(seconds(31));  // no frames needed
  EXPECT_EQ(Paths::way(lab.a(), lab.b()), PeerWay::Direct);
  EXPECT_EQ(Paths::way(lab.b(), lab.a()), PeerWay::Direct);
}

TEST(PathDesk, TcpOnlyMemberGetsNoDatagramFromItsNeighbour) {
  Lab lab;
  lab.carries = true;
  for (const auto& [one, other] : {std::pair(&lab.a(), &lab.b()), std::pair(&lab.b(), &lab.a())}) {
    one->say(meta_link::Endpoints{other->address.bytes, {other->endpoint}, kOptionTcpOnly});
    one->say(meta_link::Member{other->address.bytes,
                               *other->record,
                               other->credential_bytes,
                               {other->endpoint},
                               kOptionTcpOnly,
                               false});
  }
  lab.link(lab.a(), lab.b());
  lab.run(seconds(1));
  lab.a().send(ip_frame(lab.a(), lab.b(), numbered(1)));
  lab.run(seconds(60));
  EXPECT_EQ(lab.b().frames.size(), 1u);
  EXPECT_EQ(Paths::way(lab.a(), lab.b()), PeerWay::Carried);
  EXPECT_TRUE(lab.seen.empty());
}

TEST(PathDesk, NeighboursAreNeverRouted) {
  Paths lab(4);
  lab.carries = true;
  lab.settle();
  lab.link(lab.alice(), lab.bob());
  lab.run(seconds(4));
  ASSERT_EQ(lab.way(lab.alice(), lab.bob()), PeerWay::Direct);
  lab.cut(lab.alice(), lab.bob());
  lab.talk(seconds(6));
  EXPECT_EQ(lab.way(lab.alice(), lab.bob()), PeerWay::Carried);
  EXPECT_EQ(lab.talk(seconds(1)), 50u);
  // The link ends: now the table may be asked.
  lab.unlink(lab.alice(), lab.bob());
  lab.talk(seconds(4));
  EXPECT_EQ(lab.way(lab.alice(), lab.bob()), PeerWay::Routed);
  EXPECT_EQ(lab.talk(seconds(1)), 50u);
}

// ---- hostile members -------------------------------------------------------------------------

// A lone engine and members played by hand; what they send seems to have come straight, or through
// a relay.
struct HandPaths : ::testing::Test {
  Lab lab{1, 1};
  HandMember member{lab};
  Node& a = lab.a();
  const Endpoint victim{IpAddress::v4({192, 0, 2, 9}), 53};

  void SetUp() override { meet(member); }
  void meet(HandMember& m) {
    const Initiator initiator = m.initiator(a);
    lab.inject(a, m.endpoint, to_bytes(initiator.message1()));
    ASSERT_EQ(m.finish(initiator, lab.seen.back().bytes), WireCheck::Accept);
    say(m, InnerType::Empty, {});
  }
  void say(HandMember& m, InnerType type, const Bytes& body, std::uint8_t hops = 0) {
    Bytes bytes = m.seal(type, body);
    bytes[0] = hops;
    lab.inject(a, m.endpoint, bytes);
  }
  // Its way is left: three questions stay unanswered, and no other answers.
  void fall_silent() {
    a.give_member(a);
    say(member, InnerType::Frame, frame());
    a.send(to_member());
    lab.run(seconds(4));
  }
  Bytes frame() {
    const Bytes whole = to_member();
    return Bytes(whole.begin() + 12, whole.end());
  }
  Bytes to_member() {
    Bytes out = ip_frame(a, a, numbered(1));
    std::copy(member.credential.mac.bytes.begin(), member.credential.mac.bytes.end(), out.begin());
    return out;
  }
  std::size_t towards(const IpAddress& to) {
    return static_cast<std::size_t>(std::count_if(
        lab.seen.begin(), lab.seen.end(), [&](const Packet& p) { return p.to.address == to; }));
  }
  static Bytes answer(const Endpoint& seen) {
    Bytes body(kProbeMost);
    body.resize(build_probe({77, true, seen}, body));
    return body;
  }
};

TEST_F(HandPaths, OneMemberCannotFloodAnyoneThroughUs) {
  fall_silent();
  EndpointNote note;
  for (std::uint16_t i = 0; i < EndpointNote::kMost; ++i)
    note.endpoints.push_back({victim.address, static_cast<std::uint16_t>(53 + i)});
  for (int i = 0; i < 600; ++i) {
    say(member, InnerType::Endpoints, build_endpoint_note(note), 1);
    lab.run(milliseconds(100));
  }
  EXPECT_GT(towards(victim.address), 8u);
  EXPECT_LE(towards(victim.address),
            6 * 8 * (1 + PunchDesk::kSteps.size()));  // once in ten seconds
  EXPECT_GE(a.counter(Counter::DropNote), 590u);
}

TEST_F(HandPaths, ManyMembersTogetherHaveOneBudget) {
  std::vector<std::unique_ptr<HandMember>> members;
  for (std::uint8_t i = 0; i < 12; ++i) {
    auto m = std::make_unique<HandMember>(lab, static_cast<std::uint8_t>(0x60 + 2 * i));
    m->endpoint.port = static_cast<std::uint16_t>(9000 + i);
    meet(*m);
    members.push_back(std::move(m));
  }
  // Their ways are silent, so that endpoint information is heeded.
  a.say(meta_link::Endpoints{a.address.bytes, {}, 0});
  for (auto& m : members) {
    Bytes out = ip_frame(a, a, numbered(1));
    std::copy(m->credential.mac.bytes.begin(), m->credential.mac.bytes.end(), out.begin());
    a.send(out);
  }
  lab.run(seconds(4));
  EndpointNote note;
  for (std::uint16_t i = 0; i < EndpointNote::kMost; ++i)
    note.endpoints.push_back({victim.address, static_cast<std::uint16_t>(53 + i)});
  for (auto& m : members) say(*m, InnerType::Endpoints, build_endpoint_note(note), 1);
  lab.run(seconds(5));
  EXPECT_GT(towards(victim.address), 60u);
  EXPECT_LE(towards(victim.address), PunchDesk::kPacketsPerSecond * 4);  // 40 saved up and 3 s
  EXPECT_GT(a.counter(Counter::PunchesPaced), 100u);
}

TEST_F(HandPaths, OnlyPlacesThatMayBeUsedAreOpened) {
  fall_silent();
  const EndpointNote note{
      {Endpoint{IpAddress::v4({10, 91, 4, 9}), 8737},
       Endpoint{WATTLE_MUST(IpAddress::parse("fd12:3456:789a:2::1")), 8737}, a.endpoint,
       Endpoint{IpAddress::v4({127, 0, 0, 1}), 53}, Endpoint{IpAddress::v4({224, 0, 0, 1}), 8737},
       Endpoint{IpAddress::v4({169, 254, 1, 1}), 8737}, Endpoint{IpAddress::v4({0, 0, 0, 0}), 8737},
       victim},
      PunchMode::Simultaneous};
  const std::size_t before = lab.seen.size();
  say(member, InnerType::Endpoints, build_endpoint_note(note), 1);
  lab.run(seconds(5));
  EXPECT_EQ(towards(victim.address), PunchDesk::kSteps.size());  // who answers skips the first
  for (std::size_t i = before; i < lab.seen.size(); ++i)
    EXPECT_TRUE(lab.seen[i].to == victim || lab.seen[i].to == member.endpoint)
        << lab.seen[i].to.text();
}

TEST_F(HandPaths, WhoComesFromInsideTheNetworkIsNotFollowedThere) {
  const Endpoint inside{IpAddress::v4({10, 91, 4, 77}), 8737}, outside{victim.address, 8737};
  Bytes bytes = member.seal(InnerType::Empty, {});
  lab.inject(a, inside, bytes);
  EXPECT_EQ(towards(inside.address), 0u);
  lab.run(seconds(1));
  bytes = member.seal(InnerType::Empty, {});
  lab.inject(a, outside, bytes);
  EXPECT_EQ(towards(outside.address), 1u);
}

TEST_F(HandPaths, OnlyNeighboursTellHowWeAreSeenAndOnlyStraight) {
  const Endpoint mapped{IpAddress::v4({203, 0, 113, 9}), 40001};
  say(member, InnerType::Probe, answer(mapped));
  EXPECT_TRUE(Paths::seen_by_others(a).empty());  // a member, but no neighbour
  a.say(meta_link::Neighbour{member.address.bytes, true});
  say(member, InnerType::Probe, answer(mapped), 1);  // through a relay
  EXPECT_TRUE(Paths::seen_by_others(a).empty());
  for (const Endpoint& e : {a.endpoint, Endpoint{IpAddress::v4({10, 91, 4, 9}), 8737},
                            Endpoint{IpAddress::v4({127, 0, 0, 1}), 8737},
                            Endpoint{IpAddress::v4({169, 254, 0, 1}), 8737},
                            Endpoint{WATTLE_MUST(IpAddress::parse("fd12:3456:789a:2::1")), 8737}})
    say(member, InnerType::Probe, answer(e));
  EXPECT_TRUE(Paths::seen_by_others(a).empty());
  say(member, InnerType::Probe, answer(mapped));
  EXPECT_EQ(Paths::seen_by_others(a), std::vector{mapped});
  const std::size_t told = a.told.size();
  say(member, InnerType::Probe, answer(mapped));
  EXPECT_EQ(a.told.size(), told);  // changes only
  a.say(meta_link::Neighbour{member.address.bytes, false});
  EXPECT_TRUE(Paths::seen_by_others(a).empty());
}

TEST_F(HandPaths, AtMostFourSeenEndpointsAreAnnounced) {
  std::vector<std::unique_ptr<HandMember>> members;
  for (std::uint8_t i = 0; i < 6; ++i) {
    members.push_back(std::make_unique<HandMember>(lab, static_cast<std::uint8_t>(0x60 + 2 * i)));
    HandMember& m = *members.back();
    m.endpoint.port = static_cast<std::uint16_t>(9000 + i);
    meet(m);
    a.say(meta_link::Neighbour{m.address.bytes, true});
    say(m, InnerType::Probe,
        answer({IpAddress::v4({203, 0, 113, 9}), static_cast<std::uint16_t>(4000 + i % 5)}));
  }
  const std::vector<Endpoint> seen = Paths::seen_by_others(a);
  ASSERT_EQ(seen.size(), OwnEndpoints::kSeen);
  EXPECT_EQ(seen.front().port, 4000);  // that two of them see
}

TEST(PathDesk, AnswersFindBackThoughTheTableHasNoWay) {
  Paths lab;
  lab.put_behind(lab.bob(), Nat(kNatB));
  lab.put_behind(lab.alice(), Nat(kNatA));
  lab.settle();
  lab.bob().say(meta_link::Route{lab.alice().address.bytes, 1000, {}});  // unreachable
  lab.alice().send(ip_frame(lab.alice(), lab.bob(), numbered(1)));
  lab.run(milliseconds(200));
  EXPECT_EQ(lab.bob().frames.size(), 1u);
}

TEST(PathDesk, FrameThatWaitsLeavesWhenARouteComes) {
  Paths lab;
  lab.put_behind(lab.bob(), Nat(kNatB));
  for (Node* one : lab.all())
    for (Node* other : lab.all())
      if (one != other)
        one->say(meta_link::Member{
            other->address.bytes, *other->record, other->credential_bytes, {}, 0, false});
  lab.hub().say(meta_link::Endpoints{lab.bob().address.bytes, {}, 0});
  lab.bob().say(meta_link::Endpoints{lab.hub().address.bytes, {lab.hub().endpoint}, 0});
  lab.alice().say(meta_link::Endpoints{lab.hub().address.bytes, {lab.hub().endpoint}, 0});
  lab.link(lab.hub(), lab.alice());
  lab.link(lab.hub(), lab.bob());
  lab.run(seconds(4));
  lab.alice().send(ip_frame(lab.alice(), lab.bob(), numbered(1)));
  lab.run(seconds(1));
  EXPECT_TRUE(lab.bob().frames.empty());
  lab.route(lab.bob(), lab.alice(), lab.hub());
  lab.route(lab.alice(), lab.bob(), lab.hub());
  lab.run(milliseconds(100));
  EXPECT_EQ(lab.bob().frames.size(), 1u);
}

TEST(PathDesk, ChangeOfLocalAddressesAsksAtOnce) {
  Paths lab;
  lab.settle();
  lab.talk(seconds(1));
  lab.run(seconds(20));
  lab.alice().move({IpAddress::v4({198, 51, 100, 77}), 8737});
  lab.run(milliseconds(100));
  const Endpoint moved = lab.alice().endpoint;
  EXPECT_EQ(lab.state(lab.bob(), lab.alice()).endpoint, moved);
  EXPECT_EQ(lab.sent(lab.alice(), lab.bob()), 2u);  // a question, and an answer to bob's
}

}  // namespace
}  // namespace wattle::cryptod::lab
