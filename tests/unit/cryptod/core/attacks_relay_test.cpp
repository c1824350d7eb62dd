// What a relay may try with the datagrams that it is trusted to pass on: 1 - 2 - 3 in a row, 2
// hostile.
#include <gtest/gtest.h>

#include <set>

#include "engine_lab.h"

namespace wattle::cryptod::lab {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct HostileRelay : ::testing::Test {
  Lab lab{3, 3};
  Node& from = lab.a();
  Node& relay = lab.b();
  Node& to = lab.c();
  std::vector<Bytes> held;  // what the relay should have passed on to the last

  void SetUp() override {
    lab.line();
    ASSERT_TRUE(lab.run_until(seconds(20), [&] {
      from.send(ip_frame(from, to, numbered(0)));
      lab.run(milliseconds(50));
      return !to.frames.empty();
    }));
    to.frames.clear();
    const auto line = lab.pass;
    lab.pass = [this, line](const Packet& p) {
      const bool passes_on =
          p.from == relay.endpoint && p.to == to.endpoint && type_of(p) == 0x26 && p.bytes[0] == 1;
      if (passes_on && is_frame(p)) held.push_back(p.bytes);
      return !(passes_on && is_frame(p)) && line(p);
    };
    for (std::uint32_t i = 1; i <= 6; ++i) from.send(ip_frame(from, to, numbered(i)));
    lab.run(milliseconds(12));
    ASSERT_EQ(held.size(), 6u);
    ASSERT_TRUE(to.frames.empty());
  }
  bool is_frame(const Packet& p) const {
    const ShortId id = from.address.short_id();
    return equal(ByteView(p.bytes).subspan(10, 8), id) && p.bytes.size() > 100;
  }
  void pass_on(const Bytes& bytes) { lab.inject(to, relay.endpoint, bytes); }
};

TEST_F(HostileRelay, ReordersAndNothingIsLost) {
  for (const std::size_t i : {5u, 0u, 3u, 1u, 4u, 2u}) pass_on(held[i]);
  EXPECT_EQ(to.frames.size(), 6u);
  EXPECT_EQ(to.counter(Counter::DropReplay), 0u);
}

TEST_F(HostileRelay, DuplicatesAndNothingComesTwice) {
  for (int round = 0; round < 3; ++round)
    for (const Bytes& bytes : held) pass_on(bytes);
  EXPECT_EQ(to.frames.size(), 6u);
  EXPECT_EQ(to.counter(Counter::DropReplay), 12u);
}

TEST_F(HostileRelay, SplicesAndTheTagIsWrong) {
  Bytes spliced = held[0];
  std::copy(held[1].begin() + kTransportHeader, held[1].end(), spliced.begin() + kTransportHeader);
  pass_on(spliced);  // the header of one, the body of another
  Bytes longer = held[2];
  longer.insert(longer.end(), held[3].begin(), held[3].end());
  pass_on(longer);  // two in one
  pass_on(Bytes(held[4].begin(), held[4].end() - 1));
  EXPECT_EQ(to.counter(Counter::DropTag), 3u);
  EXPECT_TRUE(to.frames.empty());
  pass_on(held[0]);  // the forgeries spoiled nothing
  EXPECT_EQ(to.frames.size(), 1u);
}

TEST_F(HostileRelay, ReturnsToTheSenderAndItGoesNoFurther) {
  const std::size_t sent = lab.seen.size();
  const std::uint64_t before = from.counter(Counter::DropRelayBack);
  for (const Bytes& bytes : held) lab.inject(from, relay.endpoint, bytes);
  EXPECT_EQ(from.counter(Counter::DropRelayBack), before + 6);
  for (std::size_t i = sent; i < lab.seen.size(); ++i)  // at most the word that it is refused
    EXPECT_LT(lab.seen[i].bytes.size(), held[0].size());
  EXPECT_TRUE(from.frames.empty());
}

TEST_F(HostileRelay, PassesOnWhatHasFlagsThatNobodyKnows) {
  Bytes flagged = held[0];
  flagged[1] = 4;
  const std::size_t sent = lab.seen.size();
  lab.inject(relay, from.endpoint, flagged);  // an honest relay does not, not even that
  EXPECT_EQ(relay.counter(Counter::DropHeader), 1u);
  relay.say(meta_link::Carried{from.address.bytes, flagged});
  EXPECT_EQ(relay.counter(Counter::DropCarry), 1u);
  EXPECT_EQ(lab.seen.size(), sent);
}

TEST_F(HostileRelay, RaisesNoHopCountForEver) {
  Bytes far = held[0];
  far[0] = 32;
  lab.inject(from, relay.endpoint, far);
  EXPECT_EQ(from.counter(Counter::DropHops), 1u);
}

}  // namespace
}  // namespace wattle::cryptod::lab
