// Nodes in a row, each seeing only its neighbours: frames between the ends go through all others,
// which see nothing of them.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine_lab.h"

namespace wattle::cryptod::lab {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Line : Lab {
  explicit Line(std::size_t nodes) : Lab(1, nodes), first(node(0)), last(node(nodes - 1)) {
    line();
    run(seconds(1));
  }
  // One frame each way; true if both came.
  bool ping(std::uint32_t number) {
    const Bytes there = ip_frame(first, last, numbered(number));
    const Bytes back = ip_frame(last, first, numbered(number));
    const auto has = [](const Node& n, const Bytes& frame) {
      return std::find(n.frames.begin(), n.frames.end(), frame) != n.frames.end();
    };
    first.send(there);
    if (!run_until(seconds(3), [&] { return has(last, there); })) return false;
    last.send(back);
    return run_until(seconds(3), [&] { return has(first, back); });
  }
  Node& first;
  Node& last;
};

TEST(EngineLine, EndsPingThroughOneRelay) {
  Line lab(3);
  EXPECT_TRUE(lab.ping(1));
  EXPECT_GT(lab.node(1).counter(Counter::Relayed), 0u);
  EXPECT_TRUE(lab.node(1).frames.empty());
}

TEST(EngineLine, EndsPingThroughThreeRelaysThatSeeNothing) {
  Line lab(5);
  lab.seen.clear();
  EXPECT_TRUE(lab.ping(2));
  const Bytes mark(16, 0x5a);  // of the payload
  std::uint8_t most = 0;
  for (const Packet& p : lab.seen) {
    EXPECT_EQ(std::search(p.bytes.begin(), p.bytes.end(), mark.begin(), mark.end()), p.bytes.end());
    most = std::max(most, p.bytes[0]);
  }
  EXPECT_EQ(most, 3);  // hops
  for (std::size_t i = 1; i < 4; ++i) {
    EXPECT_GE(lab.node(i).counter(Counter::Relayed), 4u);  // handshake and frames
    EXPECT_TRUE(lab.node(i).frames.empty());
    EXPECT_EQ(lab.node(i).counter(Counter::DropRelaySource), 0u);
  }
  // It goes on, over many lives of sessions.
  for (std::uint32_t i = 0; i < 40; ++i) {
    EXPECT_TRUE(lab.ping(100 + i));
    lab.run(seconds(20));
  }
}

TEST(EngineLine, TheLastRelayRestartedIsNoEnd) {
  Line lab(4);
  ASSERT_TRUE(lab.ping(1));
  lab.node(2).restart();
  for (std::size_t i = 0; i < 4; ++i) {
    if (i == 2) continue;
    lab.node(2).give_member(lab.node(i));
    lab.route(lab.node(2), lab.node(i), lab.node(i < 2 ? 1 : 3));
  }
  lab.run(seconds(2));
  EXPECT_TRUE(lab.ping(2));
}

TEST(EngineLine, ACutLinkIsLeftForADetourInTime) {
  // first - 1 - last and first - 3 - last: the way over 1 is cut silently.
  Lab lab(1, 4);
  Node &first = lab.node(0), &one = lab.node(1), &last = lab.node(2), &three = lab.node(3);
  bool cut = false;
  lab.pass = [&](const Packet& p) {
    const auto ends = [&](const Node& x, const Node& y) {
      return (p.from == x.endpoint && p.to == y.endpoint) ||
             (p.from == y.endpoint && p.to == x.endpoint);
    };
    return !ends(first, last) && !(cut && ends(one, last));
  };
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t k = 0; k < 4; ++k)
      if (i != k) lab.node(i).give_member(lab.node(k));
  for (Node* relay : {&one, &three}) {
    lab.link(first, *relay);
    lab.link(*relay, last);
  }
  lab.link(one, three);
  for (Node* end : {&first, &last}) {
    Node& other = end == &first ? last : first;
    lab.route(*end, other, one, &three);
    lab.route(one, *end, *end, &three);
    lab.route(three, *end, *end, &one);
  }
  lab.run(seconds(5));
  const auto arrives = [&](std::uint32_t n) {
    const Bytes frame = ip_frame(first, last, numbered(n));
    first.send(frame);
    lab.run(milliseconds(100));
    return std::find(last.frames.begin(), last.frames.end(), frame) != last.frames.end();
  };
  ASSERT_TRUE(arrives(0) || arrives(1));
  cut = true;
  const Instant begun = lab.moment.now;
  std::uint32_t n = 10;
  while (!arrives(++n)) ASSERT_LT(lab.moment.now - begun, seconds(10));
  EXPECT_GT(three.counter(Counter::Relayed), 0u);
}

}  // namespace
}  // namespace wattle::cryptod::lab
