#include "common/net/ether_frame.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "tests/support/ether_frames.h"
#include "tests/support/naive_walker.h"

namespace wattle {
namespace {

using namespace tests;  // NOLINT

// A packet that is mostly right: valid headers with random extension headers, then a few bytes
// changed and sometimes the end cut off.
Bytes random_packet(std::mt19937& random, bool v6) {
  const auto pick = [&](auto... values) {
    const std::array<int, sizeof...(values)> all{values...};
    return static_cast<std::uint8_t>(all[random() % all.size()]);
  };
  Bytes body(random() % 40);
  for (auto& byte : body) byte = static_cast<std::uint8_t>(random());
  std::uint8_t next = pick(6, 17, 58, 59, 1, 50);
  Bytes out;
  if (v6) {
    for (std::size_t n = random() % 11; n > 0; --n) {
      const std::uint8_t kind = pick(0, 43, 44, 51, 60, 135, 139, 140);
      Bytes header(8, 0);
      header[0] = next;
      if (kind == 44) {
        header[3] = pick(0, 1, 1, 8);
      } else if (kind != 51 && random() % 4 == 0) {
        header[1] = 1;
        header.resize(16, 0);
      }
      body = header + body;
      next = kind;
    }
    out = ipv6("fd00:1:0:2::1", "fd00:1:0:1::1", next, body);
  } else {
    out = ipv4("10.1.0.2", "10.1.0.1", next, body,
               static_cast<std::uint16_t>(pick(0, 0, 8, 32) << 8));
    if (random() % 3 == 0) out[0] = 0x46;
  }
  for (std::size_t n = random() % 3; n > 0; --n)
    out[random() % out.size()] = static_cast<std::uint8_t>(random());
  if (random() % 4 == 0) out.resize(random() % (out.size() + 1));
  if (random() % 4 == 0) out.resize(out.size() + random() % 20);
  return out;
}

void expect_same(const Bytes& packet, const std::optional<IpView>& view,
                 const std::optional<NaiveIp>& naive) {
  ASSERT_EQ(view.has_value(), naive.has_value());
  if (!view) return;
  EXPECT_TRUE(equal(view->source.view(), naive->source));
  EXPECT_TRUE(equal(view->destination.view(), naive->destination));
  EXPECT_EQ(view->protocol, naive->protocol);
  EXPECT_EQ(view->fragment, naive->fragment);
  EXPECT_EQ(view->first_fragment, naive->first);
  EXPECT_EQ(view->body.size(), naive->body_size);
  EXPECT_TRUE(view->body.empty() || view->body.data() == packet.data() + naive->body_at);
}

TEST(EtherFrame, AgreesWithANaiveWalker) {
  std::mt19937 random(20260917);
  int passed = 0, fragments = 0;
  for (int round = 0; round < 200'000; ++round) {
    const bool v6 = round % 2 == 0;
    const Bytes packet = random_packet(random, v6);
    const auto view = v6 ? view_ipv6(packet) : view_ipv4(packet);
    expect_same(packet, view, v6 ? naive_ipv6(packet) : naive_ipv4(packet));
    if (HasFatalFailure() || HasNonfatalFailure()) FAIL() << "round " << round;
    if (view) ++passed;
    if (view && view->fragment) ++fragments;
  }
  EXPECT_GT(passed, 40'000);
  EXPECT_LT(passed, 190'000);
  EXPECT_GT(fragments, 10'000);
}

TEST(EtherFrame, BoundsTheChainOfExtensionHeaders) {
  Bytes body = udp(1, 2);
  std::uint8_t next = 17;
  for (int i = 0; i < kMaxExtensions; ++i) {
    body = extension(next, body);
    next = 60;
  }
  const auto deepest = view_ipv6(ipv6("::1", "::2", next, body));
  ASSERT_TRUE(deepest);
  EXPECT_EQ(deepest->protocol, 17);
  EXPECT_FALSE(view_ipv6(ipv6("::1", "::2", 60, extension(next, body))));
}

// RFC 7112: a first fragment that hides where its headers end is no packet.
TEST(EtherFrame, FirstFragmentHoldsTheWholeChain) {
  const Bytes cut = fragment_header(60, 1, Bytes{58, 1, 0, 0, 0, 0, 0, 0});
  EXPECT_FALSE(view_ipv6(ipv6("::1", "::2", 44, cut)));
  EXPECT_TRUE(view_ipv6(ipv6("::1", "::2", 44, cut + Bytes(8))));
  // In later fragments nothing is walked: these bytes are not headers.
  const auto later = view_ipv6(ipv6("::1", "::2", 44, fragment_header(60, 8, Bytes{58, 255})));
  ASSERT_TRUE(later);
  EXPECT_FALSE(later->first_fragment);
  EXPECT_EQ(later->protocol, 60);
}

// The worked example of RFC 1071 3 (sum ddf2), and UDP's rule for zero (RFC 8200 8.1).
TEST(EtherFrame, Checksum) {
  const IpAddress zero = IpAddress::v6({});
  EXPECT_EQ(ipv6_checksum(zero, zero, 0, Bytes{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}),
            static_cast<std::uint16_t>(~(0xddf2u + 8u)));
  EXPECT_EQ(ipv6_checksum(zero, zero, 0, Bytes{0xab}), static_cast<std::uint16_t>(~(0xab00u + 1u)));
  const Bytes all{0xff, 0xff - 19};
  EXPECT_EQ(ipv6_checksum(zero, zero, 17, all), 0xffff);
  EXPECT_EQ(ipv6_checksum(zero, zero, 19, Bytes{0xff, 0xff - 21}), 0);
}

}  // namespace
}  // namespace wattle
