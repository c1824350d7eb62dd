// What tapd reads from netlink sockets.
#include "common/base/check.h"
#include "tapd/netlink_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wattle;
  const ByteView datagram(data, size);
  const tapd::Answer answer = tapd::parse_answer(datagram, 1);
  for (const tapd::LinkInfo& link : answer.links) WATTLE_CHECK(link.name.size() <= 16);
  for (const tapd::AddressInfo& info : answer.addresses)
    WATTLE_CHECK(info.address.length <= info.address.address.size() * 8);
  WATTLE_CHECK(answer.error >= 0);
  const auto reachable = tapd::reachable_addresses(answer.links, answer.addresses, 2);
  WATTLE_CHECK(reachable.size() <= tapd::kMaxLocalAddresses);
  tapd::tells_link_gone(datagram, 3);
  return 0;
}
