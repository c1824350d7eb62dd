// flood KIND TO PORT SECONDS KEY [PPS]: first messages from sources that the sender only claims to
// be at, as many as this host can send, or PPS of them a second. For tests/netns/flood.sh.
//   junk    the right length, type and recipient, the rest random; what anybody can send
//   epoch   the right epoch, too: mac1 must be computed to refuse it; what one on the path can send
//   mac1    a right mac1: two DH, were it not for cookies; what only a member can send
//   cookie  as mac1, from 1,000 addresses that are its own: it shows the cookies that it is told
// KEY: the base64 of an ANS_KEY line, record and credential of the member at TO. Sources are in
// 198.18.0.0/15, port 4444. Prints what it sent and heard, one line.
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "common/base/hex.h"
#include "common/base/writer.h"
#include "cryptod/core/handshake_macs.h"

namespace {

using namespace wattle;
using namespace wattle::cryptod;

constexpr std::uint16_t kPort = 4444;
constexpr std::uint32_t kSources = 0xc6120000;  // 198.18.0.0/15
constexpr std::size_t kPool = 4096, kOwnSources = 1000, kBatch = 64;
constexpr std::size_t kHeaders = sizeof(iphdr) + sizeof(udphdr);

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "flood: %s\n", why.c_str());
  std::exit(1);
}

double seconds() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

std::uint64_t random_state = 0;
std::uint64_t random_number() {  // SplitMix64
  std::uint64_t z = random_state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}
void fill(MutableBytes out) {
  for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(random_number() >> 40);
}

struct Packet {
  std::array<std::uint8_t, kHeaders + kMessage1Size> bytes{};
  MutableBytes message() { return MutableBytes(bytes).subspan(kHeaders); }
};

enum class Kind { Junk, Epoch, Mac1, Cookie };

class Flood {
 public:
  Flood(Kind kind, in_addr to, std::uint16_t port, Bytes key) : kind_(kind), to_(to), port_(port) {
    if (key.size() != 416) fail("the key has not 416 bytes");
    record_ = to_array<200>(key);
    mac1_key_ = mac1_key(record_);
    recipient_ = NodeAddress{to_array<40>(ByteView(record_).subspan(24))}.short_id();
    raw_ = ::socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
    if (raw_ < 0) fail("no raw socket; it must run as root");
    const int buffer = 4 << 20;
    ::setsockopt(raw_, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    pool_.resize(kind == Kind::Cookie ? kOwnSources : kPool);
    for (std::size_t i = 0; i < pool_.size(); ++i) make(pool_[i], static_cast<std::uint32_t>(i));
    if (kind == Kind::Cookie) listen();
  }

  void run(double duration, double rate) {
    const double begin = seconds();
    std::uint64_t sent = 0;
    for (double now = begin; now < begin + duration; now = seconds()) {
      if (rate > 0 && static_cast<double>(sent) > (now - begin) * rate) {
        const timespec pause{0, 200'000};
        nanosleep(&pause, nullptr);
        hear();
        continue;
      }
      sent += send_batch();
      hear();
    }
    std::printf(
        "sent %llu first messages in %.1f s, %.0f a second; %llu answers, %llu cookies heard\n",
        static_cast<unsigned long long>(sent), duration, static_cast<double>(sent) / duration,
        static_cast<unsigned long long>(answers_), static_cast<unsigned long long>(cookies_));
  }

 private:
  void make(Packet& packet, std::uint32_t number) {
    const MutableBytes d = packet.message();
    fill(d);
    ShortId sender{};
    fill(sender);
    if (kind_ == Kind::Cookie) FixedWriter(sender).u32(number);
    write_header(d, WireType::Message1, sender, recipient_);
    if (kind_ == Kind::Cookie) FixedWriter(d.subspan(kHeaderSize)).u32(number);
    if (kind_ != Kind::Junk) std::memcpy(d.data() + 32, record_.data() + 64, 8);
    if (kind_ >= Kind::Mac1) put_mac1(d);
    iphdr ip{};
    ip.version = 4;
    ip.ihl = 5;
    ip.tot_len = htons(static_cast<std::uint16_t>(packet.bytes.size()));
    ip.ttl = 64;
    ip.protocol = IPPROTO_UDP;
    ip.saddr = htonl(kSources + number + 1);
    ip.daddr = to_.s_addr;
    udphdr udp{};
    udp.source = htons(kPort);
    udp.dest = htons(port_);
    udp.len = htons(static_cast<std::uint16_t>(packet.bytes.size() - sizeof ip));
    std::memcpy(packet.bytes.data(), &ip, sizeof ip);
    std::memcpy(packet.bytes.data() + sizeof ip, &udp, sizeof udp);
  }
  void put_mac1(MutableBytes d) const {
    const Mac mac = mac1(mac1_key_, ByteView(d).first(562));
    std::memcpy(d.data() + 562, mac.data(), mac.size());
  }

  // Anything but the sources that are its own claims a new one each time.
  void refresh(Packet& packet) {
    const auto number = static_cast<std::uint32_t>(random_number());
    if (kind_ != Kind::Cookie) {
      const std::uint32_t source = htonl(kSources | (number & 0x1ffff));
      std::memcpy(packet.bytes.data() + offsetof(iphdr, saddr), &source, 4);
      return;
    }
    const std::size_t i = static_cast<std::size_t>(&packet - pool_.data());
    if (!known_[i]) return;
    const MutableBytes d = packet.message();
    fill(d.subspan(122, 64));  // another c2
    put_mac1(d);
    const Mac mac = mac2(cookie_of_[i], ByteView(d).first(578));
    std::memcpy(d.data() + 578, mac.data(), mac.size());
  }

  std::uint64_t send_batch() {
    std::array<mmsghdr, kBatch> messages{};
    std::array<iovec, kBatch> parts{};
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr = to_;
    for (std::size_t i = 0; i < kBatch; ++i) {
      Packet& packet = pool_[next_++ % pool_.size()];
      refresh(packet);
      parts[i] = {packet.bytes.data(), packet.bytes.size()};
      messages[i].msg_hdr.msg_name = &to;
      messages[i].msg_hdr.msg_namelen = sizeof to;
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int sent = ::sendmmsg(raw_, messages.data(), kBatch, 0);
    return sent < 0 ? 0 : static_cast<std::uint64_t>(sent);
  }

  void listen() {
    udp_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    const int one = 1;
    ::setsockopt(udp_, IPPROTO_IP, IP_PKTINFO, &one, sizeof one);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_port = htons(kPort);
    if (::bind(udp_, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0) fail("bind");
    cookie_of_.resize(pool_.size());
    known_.resize(pool_.size());
  }
  void hear() {
    if (udp_ < 0) return;
    std::array<std::uint8_t, 2048> buffer;
    for (int i = 0; i < 64; ++i) {
      const ssize_t size = ::recv(udp_, buffer.data(), buffer.size(), 0);
      if (size <= 0) return;
      ++answers_;
      if (static_cast<std::size_t>(size) != kCookieSize) continue;
      const ByteView note = ByteView(buffer).first(kCookieSize);
      const std::size_t number = read_u32(note, kHeaderSize);
      if (number >= pool_.size() || known_[number]) continue;
      Mac cookie{};
      if (open_note(WireType::Cookie, record_, pool_[number].message(), note, cookie) !=
          WireCheck::Accept)
        continue;
      ++cookies_;
      cookie_of_[number] = cookie;
      known_[number] = true;
    }
  }

  const Kind kind_;
  const in_addr to_;
  const std::uint16_t port_;
  ByteArray<200> record_{};
  crypto::Hash mac1_key_{};
  ShortId recipient_{};
  int raw_ = -1, udp_ = -1;
  std::vector<Packet> pool_;
  std::vector<Mac> cookie_of_;
  std::vector<bool> known_;
  std::size_t next_ = 0;
  std::uint64_t answers_ = 0, cookies_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) fail("flood junk|epoch|mac1|cookie TO PORT SECONDS KEY [PPS]");
  const std::string kind = argv[1];
  const Kind which = kind == "junk"    ? Kind::Junk
                     : kind == "epoch" ? Kind::Epoch
                     : kind == "mac1"  ? Kind::Mac1
                                       : Kind::Cookie;
  if (which == Kind::Cookie && kind != "cookie") fail("no such kind: " + kind);
  in_addr to{};
  if (inet_pton(AF_INET, argv[2], &to) != 1) fail("TO is no IPv4 address");
  std::string text = argv[5];
  text.append((4 - text.size() % 4) % 4, '=');
  const auto key = wattle::parse_base64(text);
  if (!key) fail("KEY is not base64");
  if (getrandom(&random_state, sizeof random_state, 0) < 0) fail("getrandom");
  Flood flood(which, to, static_cast<std::uint16_t>(std::atoi(argv[3])), *key);
  flood.run(std::atof(argv[4]), argc > 6 ? std::atof(argv[6]) : 0);
  return 0;
}
