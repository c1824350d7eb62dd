// A member with good papers that misbehaves inside its session.
#include <gtest/gtest.h>

#include "hand_member.h"

namespace wattle::cryptod::lab {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Hostile : ::testing::Test {
  Lab lab{1, 2};
  HandMember member{lab};
  Node& a = lab.a();

  void SetUp() override {
    const Initiator initiator = member.initiator(a);
    lab.inject(a, member.endpoint, to_bytes(initiator.message1()));
    ASSERT_EQ(member.finish(initiator, lab.seen.back().bytes), WireCheck::Accept);
    say(InnerType::Empty, {});
  }
  void say(InnerType type, const Bytes& body) {
    lab.inject(a, member.endpoint, member.seal(type, body));
  }
  // ethertype and IPv4 with this source address.
  Bytes ip_from(const IpAddress& source) {
    Bytes frame = ip_frame(lab.b(), a, numbered(1));
    std::copy(source.bytes.begin(), source.bytes.begin() + 4, frame.begin() + 26);
    return Bytes(frame.begin() + 12, frame.end());
  }
  Bytes records(std::uint64_t epoch) {
    return to_bytes(build_packet_key({lab.config.network,
                                      member.address,
                                      epoch,
                                      lab.moment.unix_now,
                                      {lab.moment.unix_now.seconds + kPacketKeyLife},
                                      HandMember::key(0x44).public_key(),
                                      member.credential.serial},
                                     HandMember::key(0x21)));
  }
};

TEST_F(Hostile, SpeaksOnlyFromItsOwnAddresses) {
  say(InnerType::Frame, ip_from(member.credential.ipv4.address));
  ASSERT_EQ(a.frames.size(), 1u);
  EXPECT_TRUE(equal(ByteView(a.frames[0]).first(6), a.credential.mac.bytes));
  EXPECT_TRUE(equal(ByteView(a.frames[0]).subspan(6, 6), member.credential.mac.bytes));
  say(InnerType::Frame, ip_from(lab.b().credential.ipv4.address));
  EXPECT_EQ(a.engine->counters().of_rx(EtherDrop::SourceIp), 1u);

  Bytes full = broadcast_frame(lab.b(), numbered(1));
  say(InnerType::FullFrame, full);  // with the MAC of B
  EXPECT_EQ(a.engine->counters().of_rx(EtherDrop::SourceMac), 1u);
  std::copy(member.credential.mac.bytes.begin(), member.credential.mac.bytes.end(),
            full.begin() + 6);
  say(InnerType::FullFrame, full);  // with the IP of B
  EXPECT_EQ(a.engine->counters().of_rx(EtherDrop::SourceIp), 2u);
  EXPECT_EQ(a.frames.size(), 1u);
}

TEST_F(Hostile, MalformedInnerMessagesAreCounted) {
  EXPECT_EQ(a.counter(Counter::DropInnerLength), 0u);
  say(InnerType::Empty, {1, 1});
  say(InnerType::Frame, {8});
  say(InnerType::FullFrame, Bytes(13));
  say(InnerType::Probe, Bytes(8));
  say(InnerType::Probe, {0, 0, 0, 0, 0, 0, 0, 0, 2});
  say(InnerType::Records, Bytes(199));
  say(InnerType::Endpoints, {});
  say(InnerType::Endpoints, {1, 2, 203, 0, 113, 7, 0x22, 0x21, 0});
  say(InnerType::Fragment, {});
  EXPECT_EQ(a.counter(Counter::DropInnerLength), 9u);
  say(static_cast<InnerType>(16), {});
  say(static_cast<InnerType>(255), {});
  EXPECT_EQ(a.counter(Counter::DropInnerType), 2u);
  EXPECT_TRUE(a.frames.empty());
}

TEST_F(Hostile, ProbeAnswerThatNobodyAskedForDoesNothing) {
  const std::size_t sent = lab.seen.size();
  say(InnerType::Probe, {0, 0, 0, 0, 0, 0, 0, 0, 1});
  EXPECT_EQ(lab.seen.size(), sent);
  EXPECT_EQ(a.path_to(lab.b()), std::nullopt);
  say(InnerType::Probe, {1, 2, 3, 4, 5, 6, 7, 8, 0});
  EXPECT_EQ(lab.seen.size(), sent + 1);  // a question is answered, with as much
}

TEST_F(Hostile, ProbeAnswerCountsOnlyThroughTheWayThatWasTried) {
  const Endpoint other{IpAddress::v4({203, 0, 113, 5}), 1000}, third{other.address, 2000};
  const auto path = [&]() -> Endpoint {
    for (auto m = a.told.rbegin(); m != a.told.rend(); ++m)
      if (const auto* s = std::get_if<meta_link::PeerState>(&*m)) return s->endpoint;
    return {};
  };
  lab.inject(a, other, member.seal(InnerType::Empty, {}));
  EXPECT_EQ(lab.seen.back().to, other);
  Bytes question = lab.seen.back().bytes;
  Session::Opened opened;
  ASSERT_EQ(member.session->open(question, opened), WireCheck::Accept);
  Bytes answer = to_bytes(opened.body);
  ASSERT_EQ(answer.size(), 9u);
  answer[8] = 1;
  lab.inject(a, third, member.seal(InnerType::Probe, answer));
  EXPECT_EQ(path(), member.endpoint);
  Bytes guessed = answer;
  guessed[3] ^= 1;
  lab.inject(a, other, member.seal(InnerType::Probe, guessed));
  EXPECT_EQ(path(), member.endpoint);
  lab.inject(a, other, member.seal(InnerType::Probe, answer));
  EXPECT_EQ(path(), other);
}

TEST_F(Hostile, PushedRecordsAreVerifiedUnderABudget) {
  const std::uint64_t before = a.counter(Counter::MembersAccepted);
  say(InnerType::Records, records(7));
  EXPECT_EQ(a.counter(Counter::MembersAccepted), before + 1);
  say(InnerType::Records, records(6));  // older
  Bytes forged = records(8);
  forged[199] ^= 1;
  say(InnerType::Records, forged);
  EXPECT_EQ(a.counter(Counter::MembersRefused), 2u);
  for (int i = 0; i < 50; ++i) say(InnerType::Records, forged);
  EXPECT_EQ(a.counter(Counter::MembersRefused), 3u);
  EXPECT_EQ(a.counter(Counter::DropRecordBudget), 49u);
}

TEST_F(Hostile, CannotTakeOverAnotherMembersMac) {
  // The network's registry would never sign this; if it did, nodes still refuse the newcomer.
  a.give_member(lab.b());
  Credential c = member.credential;
  c.mac = lab.b().credential.mac;
  c.serial += 1;
  const CredentialBytes bytes = build_credential(c, lab.credential_key);
  Bytes both = to_bytes(build_packet_key({lab.config.network,
                                          member.address,
                                          9,
                                          lab.moment.unix_now,
                                          {lab.moment.unix_now.seconds + kPacketKeyLife},
                                          HandMember::key(0x22).public_key(),
                                          c.serial},
                                         HandMember::key(0x21)));
  both.insert(both.end(), bytes.begin(), bytes.end());
  say(InnerType::Records, both);
  EXPECT_EQ(a.counter(Counter::MemberClash), 1u);
}

TEST_F(Hostile, ManySessionsOfOneMemberLeaveThree) {
  for (int i = 0; i < 30; ++i) {
    const Initiator initiator = member.initiator(a);
    lab.inject(a, member.endpoint, to_bytes(initiator.message1()));
    ASSERT_EQ(member.finish(initiator, lab.seen.back().bytes), WireCheck::Accept);
    if (i % 2 == 0) say(InnerType::Empty, {});
  }
  EXPECT_EQ(a.counter(Counter::HandshakesAnswered), 31u);
  EXPECT_EQ(a.counter(Counter::HandshakesDone), 16u);
  say(InnerType::Frame, ip_from(member.credential.ipv4.address));
  EXPECT_EQ(a.frames.size(), 1u);
}

}  // namespace
}  // namespace wattle::cryptod::lab
