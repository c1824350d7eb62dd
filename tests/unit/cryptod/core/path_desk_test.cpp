// Which way frames go: around cut paths, over the meta link, and back to the better way.
#include <gtest/gtest.h>

#include "common/proto/origin_record.h"
#include "path_lab.h"

namespace wattle::cryptod::lab {
namespace {

using meta_link::PeerWay;
using std::chrono::milliseconds;
using std::chrono::seconds;

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
  lab.run(seconds(3000));
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
