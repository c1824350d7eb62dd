// Frames of a hostile member: first byte = the credential's flags, rest = the frame. What passes
// must hold the promises of DESIGN 8 by a second reading of the same bytes.
#include <algorithm>

#include "cryptod/core/ether_guard.h"
#include "tests/support/ether_frames.h"
#include "tests/support/naive_walker.h"

using namespace wattle;         // NOLINT
using namespace wattle::tests;  // NOLINT

namespace {

// The sender's own addresses, written out: 10.1.0.2, fd00:0:0:1:0... as tests::member(2) has them.
bool is_own(const Bytes& address) {
  if (address.size() == 4) return address == Bytes{10, 1, 0, 2};
  const Bytes prefix{0xfd, 0, 0, 1, 0, 0, 0, 2};
  const Bytes local{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0x00, 0x11, 0x22, 0xff, 0xfe, 0x33, 0x44, 0x02};
  return address == local || std::equal(prefix.begin(), prefix.end(), address.begin());
}

bool is_zero(const Bytes& address) {
  return std::all_of(address.begin(), address.end(), [](std::uint8_t b) { return b == 0; });
}

void check_ip(ByteView payload, bool v6, std::uint8_t flags) {
  const auto ip = v6 ? naive_ipv6(payload) : naive_ipv4(payload);
  WATTLE_CHECK(ip.has_value());
  WATTLE_CHECK(is_own(ip->source) || is_zero(ip->source));
  const ByteView body = payload.subspan(ip->body_at, ip->body_size);
  if (!ip->first) return;
  if (v6 && ip->protocol == 58) {
    WATTLE_CHECK(body.size() >= 4);
    const bool neighbour = body[0] >= 133 && body[0] <= 137;
    WATTLE_CHECK(!neighbour || !ip->fragment);
    if (body[0] == 133 || body[0] == 134 || body[0] == 137) WATTLE_CHECK((flags & 4) != 0);
    if (body[0] == 136) WATTLE_CHECK(is_own(Bytes(body.begin() + 8, body.begin() + 24)));
    if (body[0] == 135 && is_zero(ip->source))
      WATTLE_CHECK(is_own(Bytes(body.begin() + 8, body.begin() + 24)));
  }
  if (ip->protocol == 17) {
    const std::size_t from = *naive_number(body, 0, 2), to = *naive_number(body, 2, 2);
    const bool server = v6 ? from == 547 || to == 546 : from == 67 || to == 68;
    WATTLE_CHECK(!server || (flags & 8) != 0);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::uint8_t flags = data[0];
  const ByteView frame(data + 1, size - 1);
  const auto drop = cryptod::judge_incoming(frame, member(2, flags), mac(1));
  WATTLE_CHECK(static_cast<std::size_t>(drop) < cryptod::kEtherDrops);
  if (drop != cryptod::EtherDrop::None) return 0;
  WATTLE_CHECK(equal(frame.subspan(6, 6), mac(2).bytes));
  WATTLE_CHECK(equal(frame.first(6), mac(1).bytes) || (frame[0] & 1) == 1);
  const ByteView payload = frame.subspan(14);
  switch (*naive_number(frame, 12, 2)) {
    case 0x0806:
      WATTLE_CHECK(equal(payload.subspan(8, 6), mac(2).bytes));
      WATTLE_CHECK(is_own(Bytes(payload.begin() + 14, payload.begin() + 18)) ||
                   is_own(Bytes(payload.begin() + 24, payload.begin() + 28)));
      break;
    case 0x0800:
      check_ip(payload, false, flags);
      break;
    case 0x86dd:
      check_ip(payload, true, flags);
      break;
    default:
      WATTLE_CHECK(false);
  }
  return 0;
}
