// Ways through NATs: learned, punched, followed, kept open.
#include <gtest/gtest.h>

#include "path_lab.h"

namespace wattle::cryptod::lab {
namespace {

using meta_link::PeerWay;
using std::chrono::milliseconds;
using std::chrono::seconds;

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

}  // namespace
}  // namespace wattle::cryptod::lab
