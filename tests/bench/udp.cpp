// bench-udp count PORT                       the receiver: counts, and answers what it has counted
// bench-udp search ADDRESS PORT [SIZE [SECONDS [PERCENT]]]
//   the most packets a second of SIZE payload bytes (64) that arrive with at most PERCENT (1) loss,
//   found by doubling and then halving the step, in trials of SECONDS (0.5). Prints one JSON
//   object.
// Paced by sleeping, not by spinning: the sender shares its cores with the daemons that are
// measured. A trial that fails is tried once more, so that one hiccup of the host does not decide.
// The figure is the rate at which packets came in, not the one at which they were sent: what a
// large buffer holds back is not throughput.
#include <netdb.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

constexpr std::uint32_t kData = 0x57624431, kQuestion = 0x57625131;
constexpr std::size_t kMaxBatch = 64, kMaxSize = 1400;

struct Header {  // of every packet; of a question only what is needed
  std::uint32_t kind, trial;
  std::uint64_t padding;
};
struct Tally {  // the answer
  std::uint32_t trial, padding;
  std::uint64_t count, first, last;  // the two in ns
};

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "bench-udp: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

std::uint64_t now() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000u +
         static_cast<std::uint64_t>(t.tv_nsec);
}

void sleep_until(std::uint64_t when) {
  timespec t{};
  t.tv_sec = static_cast<time_t>(when / 1'000'000'000u);
  t.tv_nsec = static_cast<long>(when % 1'000'000'000u);
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr);
}

int open_socket(const char* host, const char* port, bool listens) {
  addrinfo hints{};
  hints.ai_family = host ? AF_UNSPEC : AF_INET6;
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = listens ? AI_PASSIVE : 0;
  addrinfo* found = nullptr;
  if (getaddrinfo(host, port, &hints, &found) != 0) fail("no such address");
  const int fd = ::socket(found->ai_family, SOCK_DGRAM, 0);
  if (fd < 0) fail("socket");
  const int bytes = 16 << 20;
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes);
  const int result = listens ? ::bind(fd, found->ai_addr, found->ai_addrlen)
                             : ::connect(fd, found->ai_addr, found->ai_addrlen);
  if (result != 0) fail(listens ? "bind" : "connect");
  freeaddrinfo(found);
  return fd;
}

// Buffers for many messages at once.
struct Batch {
  std::array<std::array<std::uint8_t, kMaxSize>, kMaxBatch> bytes{};
  std::array<iovec, kMaxBatch> parts{};
  std::array<mmsghdr, kMaxBatch> messages{};
  std::array<sockaddr_storage, kMaxBatch> from{};
  explicit Batch(std::size_t size, bool with_source) {
    for (std::size_t i = 0; i < kMaxBatch; ++i) {
      parts[i] = {bytes[i].data(), size};
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
      if (with_source) messages[i].msg_hdr.msg_name = &from[i];
    }
  }
};

[[noreturn]] void count(const char* port) {
  const int fd = open_socket(nullptr, port, true);
  static Batch batch(kMaxSize, true);
  Tally tally{};
  for (;;) {
    for (mmsghdr& message : batch.messages) message.msg_hdr.msg_namelen = sizeof(sockaddr_storage);
    const int received = ::recvmmsg(fd, batch.messages.data(), kMaxBatch, MSG_WAITFORONE, nullptr);
    const std::uint64_t time = now();
    for (std::size_t i = 0; static_cast<int>(i) < received; ++i) {
      Header header{};
      if (batch.messages[i].msg_len < sizeof header) continue;
      std::memcpy(&header, batch.bytes[i].data(), sizeof header);
      if (header.kind == kData) {
        if (header.trial != tally.trial) tally = {header.trial, 0, 0, time, time};
        ++tally.count;
        tally.last = time;
      } else if (header.kind == kQuestion) {
        const Tally answer = header.trial == tally.trial ? tally : Tally{header.trial, 0, 0, 0, 0};
        ::sendto(fd, &answer, sizeof answer, 0, reinterpret_cast<const sockaddr*>(&batch.from[i]),
                 batch.messages[i].msg_hdr.msg_namelen);
      }
    }
  }
}

struct Outcome {
  double offered = 0, arrived = 0, loss = 1;  // packets a second, packets a second, a fraction
};

class Search {
 public:
  Search(int fd, std::size_t size, double seconds, double percent)
      : fd_(fd), seconds_(seconds), allowed_(percent / 100), batch_(size, false) {}

  void run() {
    double low = 0, high = 0, rate = 20'000;
    while (high == 0 && rate < 8e6) {
      if (passes(rate)) {
        low = rate;
        rate *= 2;
      } else {
        high = rate;
      }
    }
    while (low == 0 && rate > 200) {
      rate /= 2;
      if (passes(rate)) low = rate;
      if (low == 0) high = rate;
    }
    for (int step = 0; step < 5 && low > 0 && high > 0; ++step) {
      rate = std::sqrt(low * high);
      (passes(rate) ? low : high) = rate;
    }
    std::printf("{\"pps\": %.0f, \"offered\": %.0f, \"loss\": %.5f, \"trials\": %d}\n",
                best_.arrived, best_.offered, best_.loss, static_cast<int>(trial_ - base_));
  }

 private:
  bool passes(double rate) {
    for (int i = 0; i < 2; ++i) {
      const Outcome outcome = try_rate(rate);
      if (outcome.loss > allowed_) continue;
      if (outcome.arrived > best_.arrived) best_ = outcome;
      // A sender that cannot offer what it was told to has found its own limit.
      return outcome.offered >= 0.9 * rate;
    }
    return false;
  }

  Outcome try_rate(double rate) {
    ++trial_;
    const Header header{kData, trial_, 0};
    for (auto& bytes : batch_.bytes) std::memcpy(bytes.data(), &header, sizeof header);
    const auto step = static_cast<std::size_t>(std::clamp(rate / 5000, 1.0, double{kMaxBatch}));
    const std::uint64_t start = now(), end = start + static_cast<std::uint64_t>(seconds_ * 1e9);
    std::uint64_t sent = 0, time = start;
    while (time < end) {
      const std::uint64_t due =
          start + static_cast<std::uint64_t>(static_cast<double>(sent) / rate * 1e9);
      if (due > time) sleep_until(due);
      const int n = ::sendmmsg(fd_, batch_.messages.data(), static_cast<unsigned>(step), 0);
      if (n > 0) sent += static_cast<std::uint64_t>(n);
      if (n < 0 && errno != ENOBUFS && errno != EAGAIN && errno != ECONNREFUSED) fail("sendmmsg");
      time = now();
    }
    const Tally tally = settled(sent);
    Outcome outcome;
    outcome.offered = static_cast<double>(sent) / (static_cast<double>(time - start) / 1e9);
    const double took = static_cast<double>(std::max(tally.last - tally.first, time - start)) / 1e9;
    outcome.arrived = static_cast<double>(tally.count) / took;
    outcome.loss = 1 - static_cast<double>(tally.count) / static_cast<double>(sent);
    return outcome;
  }

  // What the receiver has counted when nothing more comes, or all is there.
  Tally settled(std::uint64_t sent) {
    Tally seen{};
    int calm = 0;
    for (int i = 0; i < 100 && calm < 3 && seen.count < sent; ++i) {
      const Header question{kQuestion, trial_, 0};
      ::send(fd_, &question, sizeof question, 0);
      pollfd ready{fd_, POLLIN, 0};
      Tally answer{};
      while (::poll(&ready, 1, 100) > 0) {
        if (::recv(fd_, &answer, sizeof answer, 0) < 0 || answer.trial != trial_) continue;
        calm = answer.count == seen.count ? calm + 1 : 0;
        seen = answer;
        break;
      }
      sleep_until(now() + 10'000'000);
    }
    return seen;
  }

  const int fd_;
  const double seconds_, allowed_;
  Batch batch_;
  const std::uint32_t base_ = static_cast<std::uint32_t>(now());  // trials of another run differ
  std::uint32_t trial_ = base_;
  Outcome best_;
};

}  // namespace

int main(int argc, char** argv) {
  prctl(PR_SET_TIMERSLACK, 1);
  const std::string verb = argc > 1 ? argv[1] : "";
  if (verb == "count" && argc == 3) count(argv[2]);
  if (verb != "search" || argc < 4) {
    std::fprintf(stderr, "bench-udp count PORT | search ADDRESS PORT [SIZE [SECONDS [PERCENT]]]\n");
    return 2;
  }
  const auto size = static_cast<std::size_t>(argc > 4 ? std::atoi(argv[4]) : 64);
  if (size < sizeof(Header) || size > kMaxSize) fail("SIZE is 16 to 1400");
  static Search search(open_socket(argv[2], argv[3], false), size,
                       argc > 5 ? std::atof(argv[5]) : 0.5, argc > 6 ? std::atof(argv[6]) : 1);
  search.run();
}
