// Credentials that change, or end, under live sessions.
#include <gtest/gtest.h>

#include "engine_lab.h"

namespace wattle::cryptod::lab {
namespace {

using meta_link::SessionState;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct Renewal : ::testing::Test {
  Lab lab{3};
  Node& a = lab.a();
  Node& b = lab.b();
  std::uint32_t sent = 0;

  void SetUp() override {
    a.give_member(b);
    b.give_member(a);
    a.send(ip_frame(a, b, numbered(sent++)));
    b.send(ip_frame(b, a, numbered(sent)));
    lab.run(milliseconds(200));
    ASSERT_EQ(b.frames.size(), 1u);
    ASSERT_EQ(a.frames.size(), 1u);
  }
  void renew(Node& node, std::uint64_t serial, std::uint64_t life = 2592000) {
    node.issue(serial, life);
    node.give_credential();
  }
};

TEST_F(Renewal, ThreeOfThemUnderAStreamOfFramesLoseNone) {
  const std::uint64_t handshakes = a.counter(Counter::HandshakesDone);
  std::size_t expected = 1;
  for (std::uint64_t round = 1; round <= 3; ++round) {
    for (int i = 0; i < 100; ++i, ++expected) {
      if (i == 50) renew(a, 2000 + round);
      if (i == 75) renew(b, 3000 + round);
      a.send(ip_frame(a, b, numbered(sent++)));
      b.send(ip_frame(b, a, numbered(sent++)));
      lab.run(milliseconds(20));
    }
  }
  lab.run(milliseconds(100));
  EXPECT_EQ(a.frames.size(), expected);
  EXPECT_EQ(b.frames.size(), expected);
  EXPECT_EQ(a.state_of(b), SessionState::Live);
  EXPECT_EQ(a.counter(Counter::HandshakesDone), handshakes);  // the same session all the time
  const auto own = WATTLE_MUST(decode_packet_key(*a.record));
  EXPECT_EQ(own.serial, 2003u);
}

TEST_F(Renewal, TheGuardObeysTheNewOneFromTheNextFrameOn) {
  const Credential before = a.credential;
  a.issue(2001);
  Credential moved = a.credential;
  moved.ipv4 = {IpAddress::v4({10, 91, 4, 77}), 32};
  a.credential = moved;
  a.credential_bytes = build_credential(moved, lab.credential_key);
  a.give_credential();
  lab.run(milliseconds(20));
  const std::size_t count = b.frames.size();
  a.send(ip_frame(a, b, numbered(1)));  // from .77
  lab.run(milliseconds(20));
  EXPECT_EQ(b.frames.size(), count + 1);
  EXPECT_EQ(b.engine->counters().of_rx(EtherDrop::SourceIp), 0u);
  a.credential = before;
  a.send(ip_frame(a, b, numbered(2)));  // from its old address: refused at home already
  lab.run(milliseconds(20));
  EXPECT_EQ(b.frames.size(), count + 1);
}

TEST_F(Renewal, ALostPushIsRepeated) {
  lab.pass = [](const Packet&) { return false; };
  renew(a, 2001);
  lab.run(milliseconds(100));
  lab.pass = {};
  const std::uint64_t accepted = b.counter(Counter::MembersAccepted);
  lab.run(seconds(3));
  EXPECT_EQ(b.counter(Counter::MembersAccepted), accepted + 1);
  // Those that arrive again cost nothing.
  const std::uint64_t budget = b.counter(Counter::DropRecordBudget);
  lab.run(seconds(10));
  EXPECT_EQ(b.counter(Counter::MembersAccepted), accepted + 1);
  EXPECT_EQ(b.counter(Counter::DropRecordBudget), budget);
}

TEST_F(Renewal, AnOlderCredentialDoesNotComeBack) {
  const CredentialBytes first = a.credential_bytes;
  renew(a, 2001);
  lab.run(milliseconds(20));
  const PacketKeyBytes record = *a.record;
  a.say(meta_link::OwnCredential{first});
  EXPECT_EQ(a.counter(Counter::CredentialsRefused), 1u);
  EXPECT_EQ(*a.record, record);
}

TEST_F(Renewal, OneThatEndsWithoutASuccessorEndsItsSessionsAtBothEnds) {
  renew(a, 2001, 60);
  lab.run(seconds(170));
  a.send(ip_frame(a, b, numbered(9)));
  lab.run(milliseconds(100));
  EXPECT_EQ(a.state_of(b), SessionState::Live);  // 120 s of tolerance
  lab.run(seconds(25));
  EXPECT_EQ(a.state_of(b), SessionState::None);
  EXPECT_EQ(b.state_of(a), SessionState::None);
  EXPECT_FALSE(a.engine->ready());
  const std::size_t count = b.frames.size();
  a.send(ip_frame(a, b, numbered(10)));
  b.send(ip_frame(b, a, numbered(10)));
  lab.run(seconds(5));
  EXPECT_EQ(b.frames.size(), count);
  // Late, but it comes.
  renew(a, 2002);
  b.give_member(a);
  a.send(ip_frame(a, b, numbered(11)));
  lab.run(seconds(2));
  EXPECT_EQ(b.frames.size(), count + 1);
}

}  // namespace
}  // namespace wattle::cryptod::lab
