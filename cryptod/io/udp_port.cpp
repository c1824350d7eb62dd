#include "cryptod/io/udp_port.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>
#include <cerrno>
#include <cstring>

#include "common/os/log.h"
#include "common/os/socket_address.h"

namespace wattle::cryptod {

namespace {

constexpr std::size_t kControl = 128;  // packet info, segment size and TTL, of either family
using Control = std::array<std::uint8_t, kControl>;
static_assert(CMSG_SPACE(sizeof(in6_pktinfo)) + 2 * CMSG_SPACE(sizeof(int)) <= kControl);

struct alignas(cmsghdr) AlignedControl {
  Control bytes{};
};

constexpr std::size_t kTrainSegments = 64;  // UDP_MAX_SEGMENTS
constexpr std::size_t kTrainBytes = 65000;  // below 65507

// What the control data says of a received message.
struct Facts {
  IpAddress local;
  std::uint32_t interface = 0;
  std::size_t segment = 0;  // 0: no train
};

Facts read_control(msghdr& header, std::uint8_t family) {
  Facts facts;
  facts.local.family = family;
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    const std::size_t size = c->cmsg_len - CMSG_LEN(0);
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO && size >= sizeof(in_pktinfo)) {
      in_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(c), sizeof info);
      std::memcpy(facts.local.bytes.data(), &info.ipi_addr, 4);
      facts.interface = static_cast<std::uint32_t>(info.ipi_ifindex);
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO &&
               size >= sizeof(in6_pktinfo)) {
      in6_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(c), sizeof info);
      std::memcpy(facts.local.bytes.data(), &info.ipi6_addr, 16);
      facts.interface = info.ipi6_ifindex;
    } else if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO && size >= sizeof(int)) {
      int segment = 0;
      std::memcpy(&segment, CMSG_DATA(c), sizeof segment);
      facts.segment = segment > 0 ? static_cast<std::size_t>(segment) : 0;
    }
  }
  return facts;
}

template <typename T>
void add_control(msghdr& header, int level, int type, const T& value) {
  auto* c = reinterpret_cast<cmsghdr*>(static_cast<std::uint8_t*>(header.msg_control) +
                                       header.msg_controllen);
  c->cmsg_level = level;
  c->cmsg_type = type;
  c->cmsg_len = CMSG_LEN(sizeof value);
  std::memcpy(CMSG_DATA(c), &value, sizeof value);
  header.msg_controllen += CMSG_SPACE(sizeof value);
}

void add_source(msghdr& header, const OutDatagram& datagram) {
  if (datagram.source.is_unspecified() && datagram.interface == 0) return;
  if (datagram.destination.address.is_v4()) {
    in_pktinfo info{};
    if (datagram.source.is_v4()) std::memcpy(&info.ipi_spec_dst, datagram.source.bytes.data(), 4);
    add_control(header, IPPROTO_IP, IP_PKTINFO, info);
  } else {
    in6_pktinfo info{};
    if (!datagram.source.is_v4()) std::memcpy(&info.ipi6_addr, datagram.source.bytes.data(), 16);
    if (datagram.destination.address.is_link_local()) info.ipi6_ifindex = datagram.interface;
    add_control(header, IPPROTO_IPV6, IPV6_PKTINFO, info);
  }
}

void add_ttl(msghdr& header, const OutDatagram& datagram) {
  if (datagram.ttl == 0) return;
  const int ttl = datagram.ttl;
  if (datagram.destination.address.is_v4())
    add_control(header, IPPROTO_IP, IP_TTL, ttl);
  else
    add_control(header, IPPROTO_IPV6, IPV6_HOPLIMIT, ttl);
}

// What the kernel says, among other reasons, where the wanted source address is not this host's.
bool is_source_error(int error) {
  return error == EINVAL || error == EADDRNOTAVAIL || error == ENETUNREACH;
}

void take_pieces(MutableBytes bytes, const Endpoint& source, const Facts& facts,
                 std::vector<Received>& out) {
  const std::size_t piece =
      facts.segment == 0 || facts.segment > bytes.size() ? bytes.size() : facts.segment;
  do {
    const std::size_t n = piece < bytes.size() ? piece : bytes.size();
    out.push_back({source, facts.local, facts.interface, bytes.first(n)});
    bytes = bytes.subspan(n);
  } while (!bytes.empty());
}

}  // namespace

// One sendmmsg in the making; made once, reused.
struct UdpPort::Outbox {
  static constexpr std::size_t kMessages = 64;
  static constexpr std::size_t kParts = 256;

  std::array<mmsghdr, kMessages> messages{};
  std::array<iovec, kParts> parts{};
  std::array<sockaddr_storage, kMessages> addresses{};
  std::array<AlignedControl, kMessages> controls{};
  std::array<std::size_t, kMessages> counts{};  // datagrams in each message
  std::size_t filled = 0, parts_used = 0;

  void clear() { filled = parts_used = 0; }
  bool has_room(std::size_t datagrams) const {
    return filled < kMessages && parts_used + datagrams <= kParts;
  }
  // `datagrams` go to one destination and are one train if there is more than one.
  void add(std::span<const OutDatagram> datagrams, bool with_source) {
    const OutDatagram& first = datagrams.front();
    msghdr& header = messages[filled].msg_hdr;
    header = {};
    header.msg_name = &addresses[filled];
    header.msg_namelen = os::write_address(first.destination, first.interface, addresses[filled]);
    header.msg_iov = &parts[parts_used];
    header.msg_iovlen = datagrams.size();
    for (const OutDatagram& d : datagrams)
      parts[parts_used++] = {const_cast<std::uint8_t*>(d.bytes.data()), d.bytes.size()};
    header.msg_control = controls[filled].bytes.data();
    if (with_source) add_source(header, first);
    add_ttl(header, first);
    if (datagrams.size() > 1)
      add_control(header, IPPROTO_UDP, UDP_SEGMENT, static_cast<std::uint16_t>(first.bytes.size()));
    if (header.msg_controllen == 0) header.msg_control = nullptr;
    counts[filled++] = datagrams.size();
  }
};

struct ReceiveBuffers::Messages {
  std::array<mmsghdr, kCount> headers{};
  std::array<iovec, kCount> parts{};
  std::array<sockaddr_storage, kCount> addresses{};
  std::array<AlignedControl, kCount> controls{};

  // The kernel has changed the lengths.
  void prepare(std::size_t i) {
    msghdr& header = headers[i].msg_hdr;
    header.msg_namelen = sizeof addresses[i];
    header.msg_controllen = kControl;
  }
};

ReceiveBuffers::ReceiveBuffers()
    : bytes_(std::make_unique_for_overwrite<std::uint8_t[]>(kCount * kSize)),
      messages_(std::make_unique<Messages>()) {
  for (std::size_t i = 0; i < kCount; ++i) {
    messages_->parts[i] = {at(i).data(), at(i).size()};
    msghdr& header = messages_->headers[i].msg_hdr;
    header.msg_name = &messages_->addresses[i];
    header.msg_iov = &messages_->parts[i];
    header.msg_iovlen = 1;
    header.msg_control = messages_->controls[i].bytes.data();
    messages_->prepare(i);
  }
}

ReceiveBuffers::~ReceiveBuffers() = default;

UdpPort::UdpPort(os::Fd socket, std::uint8_t family, std::uint16_t port, bool rows,
                 TooBig on_too_big)
    : socket_(std::move(socket)),
      family_(family),
      port_(port),
      on_too_big_(std::move(on_too_big)),
      segments_(rows),
      outbox_(std::make_unique<Outbox>()) {}

UdpPort::~UdpPort() = default;

void UdpPort::take_trains(bool on) {
  const int value = on ? 1 : 0;
  ::setsockopt(socket_.raw(), IPPROTO_UDP, UDP_GRO, &value, sizeof value);
}

bool UdpPort::receive(ReceiveBuffers& buffers, std::vector<Received>& out, Counters& counters) {
  ReceiveBuffers::Messages& all = *buffers.messages_;
  out.clear();
  int n = 0;
  do {
    n = ::recvmmsg(socket_.raw(), all.headers.data(), ReceiveBuffers::kCount, MSG_DONTWAIT,
                   nullptr);
  } while (n < 0 && errno == EINTR);
  if (n <= 0) return false;
  for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
    msghdr& header = all.headers[i].msg_hdr;
    Facts facts = read_control(header, family_);
    const auto source =
        os::read_address(reinterpret_cast<const sockaddr*>(&all.addresses[i]), &facts.interface);
    all.prepare(i);
    if ((header.msg_flags & MSG_TRUNC) != 0 || !source || source->address.family != family_) {
      counters.add(Counter::IoTruncated);
      continue;
    }
    take_pieces(buffers.at(i).first(all.headers[i].msg_len), *source, facts, out);
  }
  return static_cast<std::size_t>(n) == ReceiveBuffers::kCount;
}

std::size_t UdpPort::train(std::span<const OutDatagram> rest) const {
  const OutDatagram& first = rest.front();
  if (!segments_ || first.bytes.empty() || first.ttl != 0) return 1;
  std::size_t count = 1, bytes = first.bytes.size();
  for (; count < rest.size() && count < kTrainSegments; ++count) {
    const OutDatagram& next = rest[count];
    if (next.destination != first.destination || next.source != first.source ||
        next.interface != first.interface || next.ttl != 0 || next.bytes.empty() ||
        next.bytes.size() > first.bytes.size() || bytes + next.bytes.size() > kTrainBytes)
      break;
    bytes += next.bytes.size();
    if (next.bytes.size() < first.bytes.size()) return count + 1;  // a shorter one is the last
  }
  return count;
}

void UdpPort::send(std::span<const OutDatagram> batch, Counters& counters) {
  bool waited = false;
  while (!batch.empty()) {
    outbox_->clear();
    for (std::size_t at = 0; at < batch.size();) {
      const std::size_t count = train(batch.subspan(at));
      if (!outbox_->has_room(count)) break;
      outbox_->add(batch.subspan(at, count), true);
      at += count;
    }
    const int sent = ::sendmmsg(socket_.raw(), outbox_->messages.data(),
                                static_cast<unsigned>(outbox_->filled), MSG_DONTWAIT);
    for (int i = 0; i < sent; ++i)
      batch = batch.subspan(outbox_->counts[static_cast<std::size_t>(i)]);
    if (sent > 0 || errno == EINTR) continue;
    if (errno == EAGAIN) {
      if (!waited && wait_for_room()) {
        waited = true;
        continue;
      }
      counters.add(Counter::IoSendBlocked, batch.size());
      return;
    }
    // The first message cannot go as it is. A train may still go datagram by datagram.
    const int error = errno;
    const std::size_t count = outbox_->counts[0];
    if (count > 1 && error == EIO) {
      segments_ = false;
      os::log::info("the network card cannot checksum trains of datagrams; sending them singly");
    }
    if (count > 1) {
      for (const OutDatagram& d : batch.first(count)) send_alone(d, true, counters);
    } else if (is_source_error(error) && !batch.front().source.is_unspecified()) {
      send_alone(batch.front(), false, counters);  // the address it was asked at is gone
    } else {
      failed(batch.first(1), error, counters);
    }
    batch = batch.subspan(count);
  }
}

void UdpPort::send_alone(const OutDatagram& datagram, bool with_source, Counters& counters) {
  outbox_->clear();
  outbox_->add({&datagram, 1}, with_source);
  while (::sendmsg(socket_.raw(), &outbox_->messages[0].msg_hdr, MSG_DONTWAIT) < 0) {
    if (errno == EINTR) continue;
    return failed({&datagram, 1}, errno, counters);
  }
}

bool UdpPort::wait_for_room() {
  pollfd wanted{socket_.raw(), POLLOUT, 0};
  return ::poll(&wanted, 1, kPatienceMs) == 1 && (wanted.revents & POLLOUT) != 0;
}

void UdpPort::failed(std::span<const OutDatagram> datagrams, int error, Counters& counters) {
  const bool blocked = error == EAGAIN || error == ENOBUFS || error == ENOMEM;
  counters.add(blocked ? Counter::IoSendBlocked : Counter::IoSendFailed, datagrams.size());
  if (error != EMSGSIZE) return;
  for (const OutDatagram& d : datagrams) on_too_big_(d.destination, d.bytes.size());
}

}  // namespace wattle::cryptod
