// One engine with thousands of sessions and tens of thousands of members that it knows: what a
// session weighs, and that nothing is done for those who are idle. A program of its own, because
// it replaces operator new and OpenSSL's allocator. WATTLE_SESSIONS and WATTLE_MEMBERS choose other
// numbers.
#include <gtest/gtest.h>

#include "crowd.h"
#include "weights.h"

namespace wattle::cryptod::lab {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::size_t number_of(const char* name, std::size_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoul(text, nullptr, 10);
}

// Everything of the engine is weighed, nothing of the crowd.
struct Scale : testing::Test {
  static constexpr std::size_t kWarm = 64;  // vectors of actions have grown, frames were sent
  static Crowd& crowd() {
    static Crowd crowd(kWarm + number_of("WATTLE_SESSIONS", 10'000));
    return crowd;
  }
  static std::uint64_t counter(Counter c) { return crowd().node().counter(c); }
  // Lets time pass; says how often the engine wanted to be called.
  static std::size_t pass(Duration duration) {
    Lab& lab = crowd().lab;
    const Instant end = lab.moment.now + duration;
    std::size_t ticks = 0;
    for (;;) {
      const Instant next = std::max(crowd().node().engine->next_deadline(), lab.moment.now);
      if (next >= end) break;
      advance(next - lab.moment.now);
      crowd().tick();
      ++ticks;
    }
    advance(end - lab.moment.now);
    return ticks;
  }
  static void advance(Duration duration) {
    Moment& moment = crowd().lab.moment;
    const Instant start(std::chrono::hours(1));
    moment.now += duration;
    moment.unix_now.seconds =
        1800000000 + static_cast<std::uint64_t>((moment.now - start) / seconds(1));
  }
  // A frame in each direction.
  static void talk(Crowd::Member& m) {
    crowd().frame(crowd().frame_to(m, 100));
    for (const OutDatagram& d : crowd().out.datagrams) {
      if (d.destination != m.endpoint) continue;
      Bytes copy = to_bytes(d.bytes);
      Session::Opened opened;
      ASSERT_EQ(m.session->open(copy, opened), WireCheck::Accept);
    }
    const Bytes frame = crowd().frame_of(m, 100);
    Bytes datagram(kTransportOverhead + frame.size() - 12);
    m.session->seal(InnerType::Frame, ByteView(frame).subspan(12), datagram);
    crowd().datagram(m.endpoint, datagram);
    ASSERT_EQ(crowd().out.frames.size(), 1u);
  }
};

// One test: what it builds takes ten seconds, and each step begins where the one before ended.
TEST_F(Scale, TenThousandIdleSessionsCostNothingButAFewKilobytesEach) {
  ASSERT_TRUE(weights::replaced());
  Crowd& all = crowd();
  all.enter = [] { weights::begin(); };
  all.leave = [] { weights::end(); };
  const std::size_t sessions = all.size() - kWarm;
  const auto connect = [&](std::size_t i) {
    return i % 2 == 0 ? all.connect(all.member(i)) : all.be_connected(all.member(i));
  };
  for (std::size_t i = 0; i < kWarm; ++i) {
    ASSERT_TRUE(connect(i)) << i;
    talk(all.member(i));
  }

  // What each weighs.
  const std::size_t before = weights::bytes(), keys_before = weights::key_bytes();
  for (std::size_t i = kWarm; i < all.size(); ++i) ASSERT_TRUE(connect(i)) << i;
  EXPECT_EQ(counter(Counter::HandshakesDone), all.size());
  const std::size_t each = (weights::bytes() - before) / sessions - sizeof(ReplayWindow);
  const std::size_t keys = (weights::key_bytes() - keys_before) / sessions;
  std::printf("%zu sessions: %zu bytes each, besides %zu of replay window and %zu of keys\n",
              sessions, each, sizeof(ReplayWindow), keys);
  RecordProperty("bytes_per_session", static_cast<int>(each));
  EXPECT_LE(each, 4096u);
  EXPECT_GE(keys, 2u * 240);  // two key schedules of AES-256, wherever they are

  // Handshakes under way, keepalives, confirmations: all that is over soon.
  pass(seconds(20));
  std::uint64_t due = counter(Counter::PeersDue), walks = counter(Counter::PeerWalks);
  std::uint64_t sent = counter(Counter::TxDatagrams);
  EXPECT_LE(pass(seconds(5)), 1u);
  EXPECT_LE(counter(Counter::PeersDue), due + 1);
  EXPECT_EQ(counter(Counter::TxDatagrams), sent);

  // Who talks is looked after, the others are not.
  due = counter(Counter::PeersDue);
  for (std::size_t i = 0; i < 10; ++i) talk(all.member(kWarm + i * 7));
  pass(seconds(5));
  EXPECT_LE(counter(Counter::PeersDue), due + 10 * 8);
  EXPECT_GE(counter(Counter::PeersDue), due);

  // Members that are only known.
  const std::size_t known = number_of("WATTLE_MEMBERS", 50'000);
  const std::size_t hints = weights::bytes();
  for (std::size_t i = all.size(); i < known; ++i) {
    const auto number = static_cast<std::uint32_t>(i);
    all.hint(Crowd::stranger(number), Crowd::endpoint_of(number));
  }
  EXPECT_EQ(counter(Counter::MembersFull) + counter(Counter::HintsRefused), 0u);
  const std::size_t hint = (weights::bytes() - hints) / (known - all.size());
  std::printf("%zu members known besides: %zu bytes each\n", known - all.size(), hint);
  EXPECT_LE(hint, 2048u);

  // A packet allocates nothing, whoever it is of.
  const auto talks = [&] {
    for (std::size_t i = 0; i < 100; ++i) talk(all.member(kWarm + i * 31 % sessions));
  };
  talks();
  const std::size_t allocations = weights::allocations();
  talks();
  EXPECT_EQ(weights::allocations(), allocations);

  // Neither a packet, nor one for a group, nor a timer looks at everybody.
  EXPECT_EQ(counter(Counter::PeerWalks), walks);
  const Bytes group = broadcast_frame(all.node(), Bytes(64, 0x33));
  all.frame(group);
  EXPECT_EQ(all.out.datagrams.size(), 64u);
  EXPECT_EQ(counter(Counter::PeerWalks), walks);
}

}  // namespace
}  // namespace wattle::cryptod::lab
