// bench-middle INTERFACE INTERFACE [OPTION VALUE]…: a bad network between two Ethernet cards, since
// not every kernel has netem. Frames go from one card to the other, each by itself decided upon:
//   --delay MS       one way, both directions (0)
//   --loss PERCENT   gone
//   --late PERCENT   passed by others: delayed by --late-by MS (1) more than the rest
//   --twice PERCENT  sent twice; not those with a turned bit
//   --flip PERCENT   one bit turned. In a UDP payload the checksum is made right again, so that the
//                    damage reaches the program instead of being dropped by the kernel; else
//                    anywhere behind the Ethernet header
//   --udp PORT       all that only happens to UDP datagrams of this port, at either end; other
//                    frames are delayed
//   --seed N         the same frames in the same order meet the same fate (1)
//   --limit FRAMES   that are under way at most (50000); what comes above is dropped and counted
// On SIGTERM or SIGINT it lets what is under way arrive, prints, as JSON, what it did in each
// direction, and ends: `sent` is `received` + `twice` - `lost` - `full` - `too_large`; `subject`
// are those received that --udp means; `turned_first` are bits turned in the first byte of a
// payload, lowest bit first (a datagram may have something there that nothing protects); `missed`
// never came so far as `received`. The cards' other ends must have their offloads off, transmit
// checksums included: what arrives here is a frame as on a wire, or is not sent on.
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <queue>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kBatch = 64, kSlot = 2048;
constexpr int kRounds = 8;                     // batches read before the others have their turn
constexpr std::uint64_t kShortSleep = 50'000;  // ns; frames due within it leave together

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "bench-middle: %s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(1);
}

std::uint64_t now() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000u +
         static_cast<std::uint64_t>(t.tv_nsec);
}

class Random {  // SplitMix64
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t number() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
  }
  bool happens(double percent) {
    return static_cast<double>(number() >> 11) * 0x1p-53 * 100 < percent;
  }

 private:
  std::uint64_t state_;
};

struct Options {
  double delay = 0, loss = 0, late = 0, late_by = 1, twice = 0, flip = 0, udp = 0, seed = 1,
         limit = 50'000;
  void set(const std::string& name, const char* value) {
    constexpr std::array<std::pair<const char*, double Options::*>, 9> kNames{{
        {"--delay", &Options::delay},
        {"--loss", &Options::loss},
        {"--late", &Options::late},
        {"--late-by", &Options::late_by},
        {"--twice", &Options::twice},
        {"--flip", &Options::flip},
        {"--udp", &Options::udp},
        {"--seed", &Options::seed},
        {"--limit", &Options::limit},
    }};
    for (const auto& [known, member] : kNames)
      if (name == known) {
        this->*member = std::atof(value);
        return;
      }
    errno = EINVAL;
    fail(name);
  }
};

struct Counts {
  std::uint64_t received = 0, subject = 0, sent = 0, lost = 0, late = 0, twice = 0, flipped = 0,
                bytes = 0;
  std::array<std::uint64_t, 8> turned_first{};
  std::uint64_t missed = 0, full = 0,
                too_large = 0;  // not asked for: this program was too slow, or was fed wrong
};

constexpr std::size_t kEthernet = 14, kUdp = 8;

// Where the UDP header of a frame over IPv4 begins, if it has one with a payload behind it; else 0.
std::size_t udp_of(const std::uint8_t* frame, std::size_t size) {
  if (size <= kEthernet + 20 || frame[12] != 8 || frame[13] != 0 || frame[23] != IPPROTO_UDP)
    return 0;
  const std::size_t udp = kEthernet + 4u * (frame[14] & 15u);
  return udp + kUdp < size ? udp : 0;
}

bool is_of_port(const std::uint8_t* udp, unsigned port) {
  return (256u * udp[0] + udp[1]) == port || (256u * udp[2] + udp[3]) == port;
}

// Turns one bit; in a UDP payload over IPv4 the checksum follows (RFC 1624). Counts it if it is in
// the first byte.
void flip_bit(std::uint8_t* frame, std::size_t size, std::uint64_t number, Counts& counts) {
  if (size <= kEthernet) return;
  const std::size_t udp = udp_of(frame, size), checksum = udp == 0 ? 0 : udp + 6;
  const std::size_t from = udp == 0 ? kEthernet : udp + kUdp;
  const std::size_t at = from + (number >> 8) % (size - from);
  const std::uint8_t bit = static_cast<std::uint8_t>(1u << (number & 7));
  if (at == from) ++counts.turned_first[number & 7];
  if (checksum != 0 && (frame[checksum] | frame[checksum + 1]) != 0) {
    const std::uint32_t weight = (at - from) % 2 == 0 ? 256u * bit : bit;
    std::uint32_t sum = 0xffffu & ~(256u * frame[checksum] + frame[checksum + 1]);
    sum += (frame[at] & bit) != 0 ? 0xffffu - weight : weight;
    sum = (sum & 0xffff) + (sum >> 16);
    sum = 0xffffu & ~sum;
    if (sum == 0) sum = 0xffff;
    frame[checksum] = static_cast<std::uint8_t>(sum >> 8);
    frame[checksum + 1] = static_cast<std::uint8_t>(sum);
  }
  frame[at] = static_cast<std::uint8_t>(frame[at] ^ bit);
}

class Card {
 public:
  explicit Card(const char* name) {
    fd_ = ::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
    if (fd_ < 0) fail("socket");
    option(SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20);
    option(SOL_SOCKET, SO_SNDBUFFORCE, 16 << 20);
    option(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
    option(SOL_PACKET, PACKET_QDISC_BYPASS, 1);
    sockaddr_ll here{};
    here.sll_family = AF_PACKET;
    here.sll_protocol = htons(ETH_P_ALL);
    here.sll_ifindex = static_cast<int>(if_nametoindex(name));
    if (here.sll_ifindex == 0) fail(name);
    if (::bind(fd_, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0) fail("bind");
    packet_mreq all{};
    all.mr_ifindex = here.sll_ifindex;
    all.mr_type = PACKET_MR_PROMISC;
    ::setsockopt(fd_, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all);
  }
  int fd() const { return fd_; }
  std::uint64_t missed() const {
    tpacket_stats stats{};
    socklen_t size = sizeof stats;
    ::getsockopt(fd_, SOL_PACKET, PACKET_STATISTICS, &stats, &size);
    return stats.tp_drops;
  }

 private:
  void option(int level, int name, int value) const {
    if (::setsockopt(fd_, level, name, &value, sizeof value) != 0) fail("setsockopt");
  }
  int fd_ = -1;
};

// One direction: from a card, through a queue ordered by time, to the other card.
class Way {
 public:
  Way(const Card& from, const Card& to, const Options& options, std::uint64_t seed)
      : from_(from), to_(to), options_(options), random_(seed) {
    memory_.resize((static_cast<std::size_t>(options.limit) + kBatch) * kSlot);
    for (std::size_t i = memory_.size() / kSlot; i > 0; --i) free_.push_back((i - 1) * kSlot);
    for (std::size_t& slot : reading_) slot = take();
  }

  void receive() {
    std::array<iovec, kBatch> parts;
    std::array<mmsghdr, kBatch> messages;
    for (int round = 0; round < kRounds; ++round) {
      for (std::size_t i = 0; i < kBatch; ++i) {
        parts[i] = {&memory_[reading_[i]], kSlot};
        messages[i] = {};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
      }
      const int n = ::recvmmsg(from_.fd(), messages.data(), kBatch, MSG_DONTWAIT, nullptr);
      const std::uint64_t time = now();
      for (std::size_t i = 0; static_cast<int>(i) < n; ++i) {
        ++counts_.received;
        if ((messages[i].msg_hdr.msg_flags & MSG_TRUNC) != 0)
          ++counts_.too_large;
        else
          decide(i, messages[i].msg_len, time);
      }
      if (n < static_cast<int>(kBatch)) return;
    }
  }

  void send() {
    const std::uint64_t due = now() + (queue_.empty() || options_.delay == 0 ? 0 : kShortSleep / 2);
    while (!queue_.empty() && queue_.top().due <= due) {
      std::array<iovec, kBatch> parts;
      std::array<mmsghdr, kBatch> messages;
      std::array<Item, kBatch> items;
      unsigned n = 0;
      for (; n < kBatch && !queue_.empty() && queue_.top().due <= due; ++n) {
        items[n] = queue_.top();
        queue_.pop();
        parts[n] = {&memory_[items[n].slot], items[n].size};
        messages[n] = {};
        messages[n].msg_hdr.msg_iov = &parts[n];
        messages[n].msg_hdr.msg_iovlen = 1;
      }
      const int done = ::sendmmsg(to_.fd(), messages.data(), n, MSG_DONTWAIT);
      for (unsigned i = 0; i < n; ++i) {
        if (static_cast<int>(i) < done) {
          ++counts_.sent;
          counts_.bytes += items[i].size;
          free_.push_back(items[i].slot);
        } else if (done < 0 && i == 0 && errno != EAGAIN && errno != ENOBUFS) {
          ++counts_.too_large;  // EMSGSIZE: no frame of this card
          free_.push_back(items[i].slot);
        } else {
          queue_.push(items[i]);
        }
      }
      if (done < 0 && (errno == EAGAIN || errno == ENOBUFS)) return;
    }
  }

  // ns until something is due; -1 for nothing.
  std::int64_t wait() const {
    if (queue_.empty()) return -1;
    const std::uint64_t time = now();
    return static_cast<std::int64_t>(
        std::max(kShortSleep, queue_.top().due > time ? queue_.top().due - time : 0));
  }

  void print(const char* name, const char* end) {
    const Counts& c = counts_;
    std::printf(
        "\"%s\": {\"received\": %lu, \"subject\": %lu, \"sent\": %lu, \"bytes\": %lu, \"lost\": "
        "%lu, "
        "\"late\": %lu, \"twice\": %lu, \"flipped\": %lu, \"missed\": %lu, "
        "\"full\": %lu, \"too_large\": %lu, \"turned_first\": [",
        name, c.received, c.subject, c.sent, c.bytes, c.lost, c.late, c.twice, c.flipped,
        from_.missed(), c.full, c.too_large);
    for (std::size_t i = 0; i < c.turned_first.size(); ++i)
      std::printf("%s%lu", i == 0 ? "" : ", ", c.turned_first[i]);
    std::printf("]}%s", end);
  }

 private:
  struct Item {
    std::uint64_t due = 0, order = 0;
    std::size_t slot = 0, size = 0;
    bool operator<(const Item& other) const {
      return due != other.due ? due > other.due : order > other.order;
    }
  };

  std::size_t take() {
    const std::size_t slot = free_.back();
    free_.pop_back();
    return slot;
  }

  bool is_subject(std::size_t i, std::size_t size) const {
    if (options_.udp == 0) return true;
    const std::size_t udp = udp_of(&memory_[reading_[i]], size);
    return udp != 0 && is_of_port(&memory_[reading_[i] + udp], static_cast<unsigned>(options_.udp));
  }

  void decide(std::size_t i, std::size_t size, std::uint64_t time) {
    const bool subject = is_subject(i, size);
    bool lost = false, late = false, twice = false, flip = false;
    std::uint64_t number = 0;
    if (subject) {
      ++counts_.subject;
      // Each draws the same number of times, so that the fate of one does not change that of the
      // others.
      lost = random_.happens(options_.loss);
      late = random_.happens(options_.late);
      twice = random_.happens(options_.twice);
      flip = random_.happens(options_.flip);
      number = random_.number();
      twice = twice && !flip;
    }
    if (lost) {
      ++counts_.lost;
      return;
    }
    if (free_.size() < 2) {
      ++counts_.full;
      return;
    }
    Item item{
        time + static_cast<std::uint64_t>(1e6 * (options_.delay + (late ? options_.late_by : 0))),
        ++order_, reading_[i], size};
    if (flip) flip_bit(&memory_[item.slot], size, number, counts_);
    counts_.late += late;
    counts_.twice += twice;
    counts_.flipped += flip;
    reading_[i] = take();
    if (twice) {
      const std::size_t copy = take();
      std::memcpy(&memory_[copy], &memory_[item.slot], size);
      queue_.push({item.due, ++order_, copy, size});
    }
    queue_.push(item);
  }

  const Card& from_;
  const Card& to_;
  const Options& options_;
  Random random_;
  Counts counts_;
  std::vector<std::uint8_t> memory_;
  std::vector<std::size_t> free_;  // offsets into memory_
  std::array<std::size_t, kBatch> reading_{};
  std::priority_queue<Item> queue_;
  std::uint64_t order_ = 0;
};

volatile sig_atomic_t ended = 0;
void on_end(int) { ended = 1; }

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || argc % 2 == 0) {
    std::fprintf(stderr, "bench-middle INTERFACE INTERFACE [OPTION VALUE]... (see its source)\n");
    return 2;
  }
  Options options;
  for (int i = 3; i + 1 < argc; i += 2) options.set(argv[i], argv[i + 1]);
  prctl(PR_SET_TIMERSLACK, 1);
  sigset_t ends, none;
  sigemptyset(&none);
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  sigprocmask(SIG_BLOCK, &ends, nullptr);  // but in ppoll
  struct sigaction action {};
  action.sa_handler = on_end;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);

  const Card left(argv[1]), right(argv[2]);
  const auto seed = static_cast<std::uint64_t>(options.seed);
  static Way there(left, right, options, 2 * seed), back(right, left, options, 2 * seed + 1);
  while (!ended) {
    const std::int64_t a = there.wait(), b = back.wait();
    const std::int64_t wait = a < 0 ? b : b < 0 ? a : std::min(a, b);
    const timespec limit{0, std::min<long>(wait, 999'999'999)};
    std::array<pollfd, 2> ready{{{left.fd(), POLLIN, 0}, {right.fd(), POLLIN, 0}}};
    if (::ppoll(ready.data(), 2, wait < 0 ? nullptr : &limit, &none) < 0 && errno != EINTR)
      fail("ppoll");
    if (ready[0].revents != 0) there.receive();
    if (ready[1].revents != 0) back.receive();
    there.send();
    back.send();
  }
  while (there.wait() >= 0 || back.wait() >= 0) {  // what is under way still arrives
    there.send();
    back.send();
    const timespec pause{0, static_cast<long>(kShortSleep)};
    ::nanosleep(&pause, nullptr);
  }
  std::printf("{");
  there.print("there", ", ");
  back.print("back", "}\n");
}
