// Real sockets on loopback.
#include "cryptod/io/udp_port.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>

namespace wattle::cryptod {
namespace {

Endpoint at(const char* address, std::uint16_t port) {
  return {WATTLE_MUST(IpAddress::parse(address)), port};
}

// As tapd makes them, on a free port of `address`.
os::Fd bound(const char* address, bool gro, std::uint16_t& port) {
  const bool v4 = std::string_view(address).find(':') == std::string_view::npos;
  os::Fd fd(::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (v4) {
    EXPECT_EQ(setsockopt(fd.raw(), IPPROTO_IP, IP_PKTINFO, &on, sizeof on), 0);
    sockaddr_in in{};
    in.sin_family = AF_INET;
    inet_pton(AF_INET, address, &in.sin_addr);
    EXPECT_EQ(bind(fd.raw(), reinterpret_cast<sockaddr*>(&in), sizeof in), 0);
    socklen_t size = sizeof in;
    getsockname(fd.raw(), reinterpret_cast<sockaddr*>(&in), &size);
    port = ntohs(in.sin_port);
  } else {
    EXPECT_EQ(setsockopt(fd.raw(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on), 0);
    EXPECT_EQ(setsockopt(fd.raw(), IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on), 0);
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    inet_pton(AF_INET6, address, &in.sin6_addr);
    EXPECT_EQ(bind(fd.raw(), reinterpret_cast<sockaddr*>(&in), sizeof in), 0);
    socklen_t size = sizeof in;
    getsockname(fd.raw(), reinterpret_cast<sockaddr*>(&in), &size);
    port = ntohs(in.sin6_port);
  }
  if (gro) {
    EXPECT_EQ(setsockopt(fd.raw(), IPPROTO_UDP, UDP_GRO, &on, sizeof on), 0);
  }
  return fd;
}

const UdpPort::TooBig ignored = [](const Endpoint&, std::size_t) {};

bool readable(const UdpPort& port) {
  pollfd p{port.socket(), POLLIN, 0};
  return poll(&p, 1, 2000) == 1;
}

struct Taken {
  Endpoint source;
  IpAddress local;
  Bytes bytes;
};

// Everything that arrives until `count` datagrams are here.
std::vector<Taken> take(UdpPort& port, std::size_t count, Counters& counters) {
  ReceiveBuffers buffers;
  std::vector<Received> batch;
  std::vector<Taken> out;
  while (out.size() < count && readable(port)) {
    port.receive(buffers, batch, counters);
    for (const Received& r : batch) out.push_back({r.source, r.local, to_bytes(r.bytes)});
  }
  return out;
}

OutDatagram datagram(const Endpoint& to, const Bytes& bytes, const char* source = nullptr) {
  OutDatagram d;
  d.destination = to;
  if (source != nullptr) d.source = WATTLE_MUST(IpAddress::parse(source));
  d.bytes = bytes;
  return d;
}

TEST(UdpPort, CarriesDatagramsWithBothAddresses) {
  std::uint16_t pa = 0, pb = 0;
  UdpPort a(bound("0.0.0.0", false, pa), 4, pa, true, ignored);
  UdpPort b(bound("0.0.0.0", false, pb), 4, pb, true, ignored);
  Counters counters;
  const Bytes hello{1, 2, 3};
  const OutDatagram asked[] = {datagram(at("127.0.0.5", pb), hello, "127.0.0.9")};
  a.send(asked, counters);
  auto got = take(b, 1, counters);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].source, at("127.0.0.9", pa));
  EXPECT_EQ(got[0].local, WATTLE_MUST(IpAddress::parse("127.0.0.5")));
  EXPECT_EQ(got[0].bytes, hello);
  EXPECT_EQ(counters.of(Counter::IoSendFailed), 0u);
}

TEST(UdpPort, CarriesIpv6) {
  std::uint16_t pa = 0, pb = 0;
  UdpPort a(bound("::", false, pa), 6, pa, true, ignored);
  UdpPort b(bound("::", false, pb), 6, pb, true, ignored);
  Counters counters;
  const Bytes hello{9};
  const OutDatagram asked[] = {datagram(at("::1", pb), hello, "::1")};
  a.send(asked, counters);
  auto got = take(b, 1, counters);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].source, at("::1", pa));
  EXPECT_EQ(got[0].local, WATTLE_MUST(IpAddress::parse("::1")));
}

// Size and TTL of the next datagram that arrives on a socket made by bound().
std::pair<std::size_t, int> next_ttl(int socket) {
  pollfd p{socket, POLLIN, 0};
  std::array<std::uint8_t, 2048> bytes{};
  alignas(cmsghdr) std::array<std::uint8_t, 256> control{};
  iovec part{bytes.data(), bytes.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  if (poll(&p, 1, 2000) != 1) return {0, -1};
  const ssize_t n = recvmsg(socket, &header, 0);
  int ttl = -1;
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c))
    if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) ||
        (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT))
      std::memcpy(&ttl, CMSG_DATA(c), sizeof ttl);
  return {n < 0 ? 0 : static_cast<std::size_t>(n), ttl};
}

// The opener of a NAT must die on its way, and nothing else may: neither those of its run.
TEST(UdpPort, OpenersLeaveAloneWithTheirTtl) {
  for (const char* host : {"127.0.0.1", "::1"}) {
    const bool v4 = std::string_view(host) != "::1";
    std::uint16_t pa = 0, pb = 0;
    UdpPort a(bound(host, false, pa), v4 ? 4 : 6, pa, true, ignored);
    const os::Fd b = bound(host, false, pb);
    const int on = 1;
    ASSERT_EQ(v4 ? setsockopt(b.raw(), IPPROTO_IP, IP_RECVTTL, &on, sizeof on)
                 : setsockopt(b.raw(), IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof on),
              0);
    Counters counters;
    const std::vector<Bytes> sent{Bytes(60, 1), Bytes(60, 2), Bytes(60, 3), Bytes(60, 4)};
    std::vector<OutDatagram> batch;
    for (const Bytes& bytes : sent) batch.push_back(datagram(at(host, pb), bytes, host));
    batch[1].ttl = 2;
    batch[2].ttl = 3;
    a.send(batch, counters);
    for (const int wanted : {64, 2, 3, 64}) {
      const auto [size, ttl] = next_ttl(b.raw());
      EXPECT_EQ(size, 60u);
      EXPECT_EQ(ttl, wanted) << host;
    }
    EXPECT_EQ(counters.of(Counter::IoSendFailed), 0u);
  }
}

// Whatever tapd or the cryptod before said.
TEST(UdpPort, SwitchesTrainsOfTheKernel) {
  for (const char* host : {"127.0.0.1", "::1"}) {
    std::uint16_t number = 0;
    UdpPort port(bound(host, true, number), *host == ':' ? 6 : 4, number, true, ignored);
    for (const bool on : {false, false, true, true, false}) {
      port.take_trains(on);
      int value = -1;
      socklen_t size = sizeof value;
      ASSERT_EQ(getsockopt(port.socket(), IPPROTO_UDP, UDP_GRO, &value, &size), 0);
      EXPECT_EQ(value, on ? 1 : 0) << host;
    }
  }
}

TEST(UdpPort, SaysWhatIsTooLongForTheLink) {
  std::uint16_t number = 0;
  std::vector<std::pair<Endpoint, std::size_t>> said;
  UdpPort port(bound("127.0.0.1", false, number), 4, number, true,
               [&](const Endpoint& to, std::size_t bytes) { said.emplace_back(to, bytes); });
  Counters counters;
  const Bytes fits(60), longer(65'508);
  const OutDatagram batch[] = {datagram(at("127.0.0.1", number), fits),
                               datagram(at("127.0.0.1", number), longer),
                               datagram(at("127.0.0.1", number), fits)};
  port.send(batch, counters);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0], std::pair(at("127.0.0.1", number), longer.size()));
  EXPECT_EQ(take(port, 2, counters).size(), 2u);
}

// Runs of equal datagrams leave as trains and arrive as trains; neither changes what arrives.
TEST(UdpPort, TrainsKeepBordersAndOrder) {
  for (const bool gro : {false, true}) {
    std::uint16_t pa = 0, pb = 0, pc = 0;
    UdpPort a(bound("127.0.0.1", false, pa), 4, pa, true, ignored);
    UdpPort b(bound("127.0.0.1", gro, pb), 4, pb, true, ignored);
    UdpPort c(bound("127.0.0.1", gro, pc), 4, pc, true, ignored);
    Counters counters;
    std::vector<Bytes> sent;
    // 70 of one size, a shorter one, a longer one, then a mix for two destinations.
    for (std::size_t i = 0; i < 70; ++i) sent.emplace_back(1400, static_cast<std::uint8_t>(i));
    sent.emplace_back(100, 200);
    sent.emplace_back(1401, 201);
    for (std::size_t i = 0; i < 20; ++i)
      sent.emplace_back(60 + i % 3, static_cast<std::uint8_t>(i));
    std::vector<OutDatagram> batch;
    for (const Bytes& bytes : sent) batch.push_back(datagram(at("127.0.0.1", pb), bytes));
    const Bytes other(60, 77);
    batch.insert(batch.begin() + 80, datagram(at("127.0.0.1", pc), other));
    a.send(batch, counters);
    const auto got = take(b, sent.size(), counters);
    ASSERT_EQ(got.size(), sent.size()) << gro;
    for (std::size_t i = 0; i < sent.size(); ++i) EXPECT_EQ(got[i].bytes, sent[i]) << i;
    EXPECT_EQ(take(c, 1, counters).at(0).bytes, other);
    EXPECT_EQ(counters.of(Counter::IoSendFailed), 0u);
    EXPECT_EQ(counters.of(Counter::IoSendBlocked), 0u);
  }
}

TEST(UdpPort, EmptyDatagramsPass) {
  std::uint16_t pa = 0, pb = 0;
  UdpPort a(bound("127.0.0.1", false, pa), 4, pa, true, ignored);
  UdpPort b(bound("127.0.0.1", true, pb), 4, pb, true, ignored);
  Counters counters;
  const Bytes none, one{1};
  const OutDatagram batch[] = {datagram(at("127.0.0.1", pb), none),
                               datagram(at("127.0.0.1", pb), one)};
  a.send(batch, counters);
  const auto got = take(b, 2, counters);
  ASSERT_EQ(got.size(), 2u);
  EXPECT_TRUE(got[0].bytes.empty());
  EXPECT_EQ(got[1].bytes, one);
}

TEST(UdpPort, OneThatCannotLeaveIsCountedAndStopsNoOther) {
  std::uint16_t pa = 0, pb = 0;
  UdpPort a(bound("127.0.0.1", false, pa), 4, pa, true, ignored);
  UdpPort b(bound("127.0.0.1", false, pb), 4, pb, true, ignored);
  Counters counters;
  const Bytes one{1}, two{2}, huge(65600, 3);
  const OutDatagram batch[] = {
      datagram(at("127.0.0.1", pb), one), datagram(at("127.0.0.1", pb), huge),  // EMSGSIZE
      datagram(at("203.0.113.77", 9), two),               // bound to loopback: EINVAL
      datagram(at("127.0.0.1", pb), two, "192.0.2.123"),  // not our address (any more)
  };
  a.send(batch, counters);
  const auto got = take(b, 2, counters);
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0].bytes, one);
  EXPECT_EQ(got[1].bytes, two);
  EXPECT_EQ(counters.of(Counter::IoSendFailed), 2u);
}

TEST(UdpPort, AnEmptyQueueYieldsNothing) {
  std::uint16_t pa = 0;
  UdpPort a(bound("127.0.0.1", false, pa), 4, pa, true, ignored);
  ReceiveBuffers buffers;
  std::vector<Received> batch(3);
  Counters counters;
  EXPECT_FALSE(a.receive(buffers, batch, counters));
  EXPECT_TRUE(batch.empty());
}

}  // namespace
}  // namespace wattle::cryptod
