// What members may not do with endpoints and probes.
#include <gtest/gtest.h>

#include "cryptod/core/own_endpoints.h"
#include "cryptod/core/probe_body.h"
#include "cryptod/core/punch_desk.h"
#include "hand_member.h"
#include "path_lab.h"

namespace wattle::cryptod::lab {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

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

}  // namespace
}  // namespace wattle::cryptod::lab
