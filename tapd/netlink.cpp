#include "tapd/netlink.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "common/os/file.h"
#include "common/os/log.h"
#include "tapd/settings.h"

namespace wattle::tapd {
namespace {

constexpr std::size_t kDatagram = 32 * 1024;  // what the kernel fills in one dump datagram
constexpr int kDumpTries = 5;

Error refused(const std::string& what, int error) {
  return {Errc::System, what + ": " + std::strerror(error)};
}

Result<os::Fd> open_socket(std::uint32_t groups, int flags) {
  os::Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, NETLINK_ROUTE));
  if (!fd.is_open()) return os::system_error("cannot open a netlink socket");
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = groups;
  if (::bind(fd.raw(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return os::system_error("cannot bind a netlink socket");
  return fd;
}

// One datagram of the kernel's; empty if none is there or it came from elsewhere. Sets `lost` when
// the kernel had to drop some.
Bytes receive(int fd, int& error) {
  Bytes buffer(kDatagram);
  sockaddr_nl from{};
  socklen_t from_size = sizeof from;
  const ssize_t size = ::recvfrom(fd, buffer.data(), buffer.size(), 0,
                                  reinterpret_cast<sockaddr*>(&from), &from_size);
  error = size < 0 ? errno : 0;
  if (size < 0 || from_size != sizeof from || from.nl_pid != 0) return {};
  buffer.resize(static_cast<std::size_t>(size));
  return buffer;
}

}  // namespace

Result<Netlink> Netlink::open() {
  Netlink out;
  out.socket_ = WATTLE_TRY(open_socket(0, 0));
  const timeval limit{5, 0};
  if (::setsockopt(out.socket_.raw(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0)
    return os::system_error("cannot set a time limit on a netlink socket");
  out.watch_ =
      WATTLE_TRY(open_socket(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR, SOCK_NONBLOCK));
  return out;
}

Result<Answer> Netlink::ask(const Bytes& request, std::uint32_t sequence) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  if (::sendto(socket_.raw(), request.data(), request.size(), 0,
               reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel) < 0)
    return os::system_error("netlink request");
  Answer all;
  while (!all.done) {
    int error = 0;
    const Bytes datagram = receive(socket_.raw(), error);
    if (error == EINTR) continue;
    if (error != 0) return refused("netlink answer", error);
    Answer part = parse_answer(datagram, sequence);
    std::ranges::move(part.links, std::back_inserter(all.links));
    std::ranges::move(part.addresses, std::back_inserter(all.addresses));
    all.done = part.done;
    all.interrupted = all.interrupted || part.interrupted;
    all.error = part.error;
  }
  return all;
}

Result<Answer> Netlink::dump(Bytes (*build)(std::uint32_t)) {
  for (int tries = 0;; ++tries) {
    const std::uint32_t sequence = next();
    Answer answer = WATTLE_TRY(ask(build(sequence), sequence));
    if (answer.error != 0) return refused("netlink dump", answer.error);
    if (!answer.interrupted || tries == kDumpTries) return answer;
  }
}

Result<void> Netlink::configure(const DeviceState& state) {
  const auto change = [&](Bytes request, const char* what) -> Result<void> {
    const Answer answer = WATTLE_TRY(ask(request, sequence_));
    if (answer.error != 0) return refused(what, answer.error);
    return {};
  };
  WATTLE_TRY(change(build_link_change(next(), state.index, state.mac, state.mtu),
                    "cannot set MAC address and MTU of the device"));
  if (const auto done = change(build_no_autoconf(next(), state.index), "addrgenmode none"); !done)
    os::log::notice("this host has no IPv6 on the device",
                    {{os::log::Key::Err, done.error().text()}});
  WATTLE_TRY(change(build_link_up(next(), state.index), "cannot set the device up"));
  return set_addresses(state);
}

Result<void> Netlink::set_addresses(const DeviceState& state) {
  std::vector<IpPrefix> wanted = state.addresses;
  wanted.push_back({IpAddress::link_local(state.mac), 64});
  const Answer present = WATTLE_TRY(dump(build_address_dump));
  for (const AddressInfo& info : present.addresses) {
    if (info.index != state.index || info.protocol != kAddressProtocol) continue;
    if (std::ranges::find(wanted, info.address) != wanted.end()) continue;
    const std::uint32_t sequence = next();
    const Answer answer =
        WATTLE_TRY(ask(build_address_remove(sequence, state.index, info.address), sequence));
    if (answer.error != 0)
      os::log::warning("cannot remove the former address " + info.address.text(),
                       {{os::log::Key::Err, std::strerror(answer.error)}});
  }
  for (const IpPrefix& address : wanted) {
    const std::uint32_t sequence = next();
    const Answer answer =
        WATTLE_TRY(ask(build_address_add(sequence, state.index, address), sequence));
    if (answer.error == 0) continue;
    const std::string what = "cannot set the address " + address.text();
    if (address.address.is_v4()) return refused(what, answer.error);
    os::log::warning(what + "; the network runs without IPv6 on this host",
                     {{os::log::Key::Err, std::strerror(answer.error)}});
  }
  return {};
}

Result<std::vector<IpAddress>> Netlink::local_addresses(std::uint32_t own_index) {
  const Answer links = WATTLE_TRY(dump(build_link_dump));
  const Answer addresses = WATTLE_TRY(dump(build_address_dump));
  return reachable_addresses(links.links, addresses.addresses, own_index);
}

Netlink::Changes Netlink::read_changes(std::uint32_t own_index) {
  Changes changes;
  for (int i = 0; i < 64; ++i) {  // the rest waits for the next round of the loop
    int error = 0;
    const Bytes datagram = receive(watch_.raw(), error);
    if (error == ENOBUFS) {  // more changes than the socket holds: look at everything
      changes.any = true;
      continue;
    }
    if (error != 0) break;
    changes.any = true;
    if (tells_link_gone(datagram, own_index)) changes.device_gone = true;
  }
  return changes;
}

}  // namespace wattle::tapd
