#include "tapd/netlink_message.h"

#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <algorithm>
#include <cerrno>
#include <map>

namespace wattle::tapd {
namespace {

// One request in a buffer that is large enough for every request here.
class Request {
 public:
  Request(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence)
      : header_(mnl_nlmsg_put_header(buffer_)) {
    header_->nlmsg_type = type;
    header_->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    header_->nlmsg_seq = sequence;
  }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  template <typename T>
  T* body() {
    return static_cast<T*>(mnl_nlmsg_put_extra_header(header_, sizeof(T)));
  }
  nlmsghdr* header() { return header_; }
  Bytes bytes() const { return {buffer_, buffer_ + header_->nlmsg_len}; }

 private:
  alignas(nlmsghdr) std::uint8_t buffer_[512] = {};
  nlmsghdr* header_;
};

Bytes build_dump(std::uint16_t type, std::uint32_t sequence) {
  Request request(type, NLM_F_DUMP, sequence);
  request.body<rtgenmsg>()->rtgen_family = AF_UNSPEC;
  return request.bytes();
}

ifinfomsg* put_link(Request& request, std::uint32_t index) {
  auto* link = request.body<ifinfomsg>();
  link->ifi_family = AF_UNSPEC;
  link->ifi_index = static_cast<int>(index);
  return link;
}

Bytes build_address(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence,
                    std::uint32_t index, const IpPrefix& prefix) {
  const IpAddress& address = prefix.address;
  Request request(type, static_cast<std::uint16_t>(NLM_F_ACK | flags), sequence);
  auto* body = request.body<ifaddrmsg>();
  body->ifa_family = address.is_v4() ? AF_INET : AF_INET6;
  body->ifa_prefixlen = prefix.length;
  body->ifa_scope = !address.is_v4() && address.is_link_local() ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  body->ifa_index = index;
  mnl_attr_put(request.header(), IFA_LOCAL, address.size(), address.bytes.data());
  mnl_attr_put(request.header(), IFA_ADDRESS, address.size(), address.bytes.data());
  if (type == RTM_DELADDR) return request.bytes();
  if (address.is_v4() && prefix.length <= 30) {
    IpAddress last = prefix.network().address;
    for (unsigned bit = prefix.length; bit < 32; ++bit)
      last.bytes[bit / 8] = static_cast<std::uint8_t>(last.bytes[bit / 8] | (0x80u >> (bit % 8)));
    mnl_attr_put(request.header(), IFA_BROADCAST, last.size(), last.bytes.data());
  }
  mnl_attr_put_u32(request.header(), IFA_FLAGS,
                   IFA_F_PERMANENT | (address.is_v4() ? 0u : IFA_F_NODAD));
  mnl_attr_put_u8(request.header(), IFA_PROTO, kAddressProtocol);
  return request.bytes();
}

// The kernel says -errno; anything else is taken as success or as EPROTO.
int errno_of(int value) { return value >= 0 ? 0 : value < -4095 ? EPROTO : -value; }

using Attributes = std::map<int, const nlattr*>;

Attributes attributes_of(const nlmsghdr* header, unsigned offset) {
  Attributes out;
  if (header->nlmsg_len < MNL_NLMSG_HDRLEN + MNL_ALIGN(offset)) return out;
  const auto collect = [](const nlattr* attribute, void* data) {
    (*static_cast<Attributes*>(data))[mnl_attr_get_type(attribute)] = attribute;
    return MNL_CB_OK;
  };
  mnl_attr_parse(header, offset, collect, &out);
  return out;
}

ByteView value_of(const Attributes& attributes, int type) {
  const auto found = attributes.find(type);
  if (found == attributes.end()) return {};
  return {static_cast<const std::uint8_t*>(mnl_attr_get_payload(found->second)),
          mnl_attr_get_payload_len(found->second)};
}

void take_link(const nlmsghdr* header, Answer& out) {
  const auto* body = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(header));
  const ByteView name = value_of(attributes_of(header, sizeof(ifinfomsg)), IFLA_IFNAME);
  LinkInfo link{static_cast<std::uint32_t>(body->ifi_index), body->ifi_flags, {}};
  for (const std::uint8_t c : name.first(std::min<std::size_t>(name.size(), IFNAMSIZ)))
    if (c != 0) link.name += static_cast<char>(c);
  out.links.push_back(std::move(link));
}

void take_address(const nlmsghdr* header, Answer& out) {
  const auto* body = static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(header));
  if (body->ifa_family != AF_INET && body->ifa_family != AF_INET6) return;
  const Attributes attributes = attributes_of(header, sizeof(ifaddrmsg));
  AddressInfo info{body->ifa_index, body->ifa_flags, body->ifa_scope, 0, {}};
  info.address.address.family = body->ifa_family == AF_INET ? 4 : 6;
  const std::size_t size = info.address.address.size();
  ByteView bytes = value_of(attributes, IFA_LOCAL);  // of a point-to-point link: our side
  if (bytes.empty()) bytes = value_of(attributes, IFA_ADDRESS);
  if (bytes.size() != size || body->ifa_prefixlen > size * 8) return;
  std::copy(bytes.begin(), bytes.end(), info.address.address.bytes.begin());
  info.address.length = body->ifa_prefixlen;
  if (const ByteView flags = value_of(attributes, IFA_FLAGS); flags.size() == sizeof info.flags)
    std::memcpy(&info.flags, flags.data(), sizeof info.flags);
  if (const ByteView protocol = value_of(attributes, IFA_PROTO); protocol.size() == 1)
    info.protocol = protocol[0];
  out.addresses.push_back(info);
}

// Calls handle(header) for every whole message of the datagram.
template <typename Handler>
void for_each_message(ByteView datagram, Handler&& handle) {
  // libmnl reads the headers in place; netlink datagrams are aligned, foreign ones are copied so.
  std::vector<std::uint64_t> aligned((datagram.size() + 7) / 8);
  if (datagram.empty()) return;
  std::memcpy(aligned.data(), datagram.data(), datagram.size());
  const auto* header = reinterpret_cast<const nlmsghdr*>(aligned.data());
  int left = static_cast<int>(datagram.size());
  // libmnl takes a length of 2^31 and more for a negative one, which is short enough for it.
  while (mnl_nlmsg_ok(header, left) && header->nlmsg_len <= static_cast<unsigned>(left)) {
    handle(header);
    header = mnl_nlmsg_next(header, &left);
  }
}

}  // namespace

Bytes build_link_dump(std::uint32_t sequence) { return build_dump(RTM_GETLINK, sequence); }
Bytes build_address_dump(std::uint32_t sequence) { return build_dump(RTM_GETADDR, sequence); }

Bytes build_link_change(std::uint32_t sequence, std::uint32_t index, const MacAddress& mac,
                        std::uint16_t mtu) {
  Request request(RTM_NEWLINK, NLM_F_ACK, sequence);
  put_link(request, index);
  mnl_attr_put(request.header(), IFLA_ADDRESS, mac.bytes.size(), mac.bytes.data());
  mnl_attr_put_u32(request.header(), IFLA_MTU, mtu);
  mnl_attr_put_u32(request.header(), IFLA_TXQLEN, kQueueLength);
  return request.bytes();
}

Bytes build_no_autoconf(std::uint32_t sequence, std::uint32_t index) {
  Request request(RTM_NEWLINK, NLM_F_ACK, sequence);
  put_link(request, index);
  nlattr* families = mnl_attr_nest_start(request.header(), IFLA_AF_SPEC);
  nlattr* inet6 = mnl_attr_nest_start(request.header(), AF_INET6);
  mnl_attr_put_u8(request.header(), IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
  mnl_attr_nest_end(request.header(), inet6);
  mnl_attr_nest_end(request.header(), families);
  return request.bytes();
}

Bytes build_link_up(std::uint32_t sequence, std::uint32_t index) {
  Request request(RTM_NEWLINK, NLM_F_ACK, sequence);
  ifinfomsg* link = put_link(request, index);
  link->ifi_flags = IFF_UP;
  link->ifi_change = IFF_UP;
  return request.bytes();
}

Bytes build_address_add(std::uint32_t sequence, std::uint32_t index, const IpPrefix& address) {
  return build_address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, sequence, index, address);
}

Bytes build_address_remove(std::uint32_t sequence, std::uint32_t index, const IpPrefix& address) {
  return build_address(RTM_DELADDR, 0, sequence, index, address);
}

Answer parse_answer(ByteView datagram, std::uint32_t sequence) {
  Answer out;
  for_each_message(datagram, [&](const nlmsghdr* header) {
    if (header->nlmsg_seq != sequence) return;
    if ((header->nlmsg_flags & NLM_F_DUMP_INTR) != 0) out.interrupted = true;
    const std::size_t size = mnl_nlmsg_get_payload_len(header);
    switch (header->nlmsg_type) {
      case NLMSG_ERROR:
        if (size < sizeof(nlmsgerr)) return;
        out.error = errno_of(static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(header))->error);
        out.done = true;
        return;
      case NLMSG_DONE:
        out.done = true;
        return;
      case RTM_NEWLINK:
        if (size >= sizeof(ifinfomsg)) take_link(header, out);
        return;
      case RTM_NEWADDR:
        if (size >= sizeof(ifaddrmsg)) take_address(header, out);
        return;
      default:
        return;
    }
  });
  return out;
}

bool tells_link_gone(ByteView datagram, std::uint32_t index) {
  bool gone = false;
  for_each_message(datagram, [&](const nlmsghdr* header) {
    if (header->nlmsg_type != RTM_DELLINK) return;
    if (mnl_nlmsg_get_payload_len(header) < sizeof(ifinfomsg)) return;
    const auto* body = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(header));
    if (body->ifi_family == AF_UNSPEC && body->ifi_index == static_cast<int>(index)) gone = true;
  });
  return gone;
}

std::vector<IpAddress> reachable_addresses(const std::vector<LinkInfo>& links,
                                           const std::vector<AddressInfo>& addresses,
                                           std::uint32_t own) {
  std::map<std::uint32_t, bool> usable;
  for (const LinkInfo& link : links)
    usable[link.index] = link.index != own && (link.flags & IFF_UP) != 0 &&
                         (link.flags & IFF_LOOPBACK) == 0 && !link.name.starts_with("wt-");
  std::vector<IpAddress> out;
  for (const AddressInfo& info : addresses) {
    const IpAddress& address = info.address.address;
    const auto link = usable.find(info.index);
    if (link == usable.end() || !link->second) continue;
    if ((info.flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED)) != 0) continue;
    if (address.is_loopback() || address.is_multicast() || address.is_unspecified()) continue;
    if (!address.is_v4() && address.is_link_local()) continue;
    out.push_back(address);
  }
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  if (out.size() > kMaxLocalAddresses) out.resize(kMaxLocalAddresses);
  return out;
}

}  // namespace wattle::tapd
