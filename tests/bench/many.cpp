// bench-many: one engine of cryptod with many live sessions, against one with a single session, in
// one process and by this thread's CPU time; the other members are made by tests/unit's Crowd,
// whose own work is not counted.
//   bench-many [--sessions N] [--members N] [--rounds N] [--aead openssl] [--least RATIO]
// --least: exit 1 if a session among many has less than that of the single one's throughput.
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <string>

#include "common/crypto/aead_ipsec_mb.h"
#include "unit/cryptod/core/crowd.h"

namespace wattle::cryptod::lab {
namespace {

constexpr std::size_t kBatch = 64, kBatches = 32, kTalkers = 256;

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

std::size_t resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::strtoul(line.c_str() + 6, nullptr, 10);
  return 0;
}

struct Watch {
  double spent = 0, began = 0;
  void put_on(Crowd& crowd) {
    crowd.enter = [this] { began = cpu_seconds(); };
    crowd.leave = [this] { spent += cpu_seconds() - began; };
  }
};

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "bench-many: %s\n", what);
  std::exit(2);
}

// What has been queued is over, and every peer rests.
void settle(Crowd& crowd, Duration duration, std::size_t* ticks = nullptr) {
  Instant& now = crowd.lab.moment.now;
  const Instant end = now + duration;
  while (crowd.node().engine->next_deadline() < end) {
    now = std::max(now, crowd.node().engine->next_deadline());
    crowd.tick();
    if (ticks != nullptr) ++*ticks;
  }
  now = end;
}

// Half of them as initiators; those that will not talk forget their session again.
void fill(Crowd& crowd, Watch& watch) {
  double answering = 0, beginning = 0;
  const std::size_t half = (crowd.size() + 1) / 2, before = resident_kib();
  for (std::size_t i = 0; i < crowd.size(); ++i) {
    Crowd::Member& member = crowd.member(i);
    watch.spent = 0;
    if (!(i < half ? crowd.connect(member) : crowd.be_connected(member)))
      fail("a handshake came to nothing");
    (i < half ? answering : beginning) += watch.spent;
    if (i >= kTalkers) member.session.reset();
  }
  if (crowd.size() == 1) return;
  const auto rate = [](std::size_t n, double seconds) { return static_cast<double>(n) / seconds; };
  std::printf(
      "handshakes per second and core: %.0f answered, %.0f begun (the member's record "
      "verified in both)\n",
      rate(half, answering), rate(crowd.size() - half, beginning));
  std::printf("resident memory: %zu KiB more with %zu sessions, %.1f KiB each, keys included\n",
              resident_kib() - before, crowd.size(),
              static_cast<double>(resident_kib() - before) / static_cast<double>(crowd.size()));
}

void know(Crowd& crowd, std::size_t members) {
  const std::size_t before = resident_kib();
  for (std::size_t i = crowd.size(); i < members; ++i) {
    const auto number = static_cast<std::uint32_t>(i);
    crowd.hint(Crowd::stranger(number), Crowd::endpoint_of(number));
  }
  if (members > crowd.size())
    std::printf("resident memory: %zu KiB more with %zu members known besides\n",
                resident_kib() - before, members - crowd.size());
}

void rest(Crowd& crowd, Watch& watch) {
  settle(crowd, std::chrono::seconds(20));
  const std::uint64_t due = crowd.node().counter(Counter::PeersDue);
  std::size_t ticks = 0;
  watch.spent = 0;
  settle(crowd, std::chrono::seconds(60), &ticks);
  std::printf("idle: %zu wake-ups, %llu peers looked at, %.0f us of CPU in 60 s\n", ticks,
              static_cast<unsigned long long>(crowd.node().counter(Counter::PeersDue) - due),
              watch.spent * 1e6);
}

// ns of the engine per packet; with `of` members in turn.
double seal(Crowd& crowd, Watch& watch, std::size_t payload, std::size_t of) {
  std::vector<Bytes> frames;
  for (std::size_t i = 0; i < of; ++i) frames.push_back(crowd.frame_to(crowd.member(i), payload));
  std::vector<TapFrame> batch;
  std::size_t sent = 0;
  watch.spent = 0;
  for (std::size_t b = 0; b < kBatches; ++b) {
    batch.clear();
    for (std::size_t i = 0; i < kBatch; ++i) batch.push_back({frames[(b * kBatch + i) % of], {}});
    crowd.out.clear();
    crowd.enter();
    crowd.node().engine->frames(crowd.lab.moment, batch, crowd.out);
    crowd.leave();
    sent += crowd.out.datagrams.size();
  }
  if (sent != kBatch * kBatches) fail("a frame was not sealed");
  return watch.spent * 1e9 / (kBatch * kBatches);
}

double open(Crowd& crowd, Watch& watch, std::size_t payload, std::size_t of) {
  std::vector<Bytes> buffers(kBatch);
  std::vector<Received> batch(kBatch);
  std::size_t got = 0;
  watch.spent = 0;
  for (std::size_t b = 0; b < kBatches; ++b) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      Crowd::Member& member = crowd.member((b * kBatch + i) % of);
      const Bytes frame = crowd.frame_of(member, payload);
      buffers[i].resize(kTransportOverhead + frame.size() - 12);
      member.session->seal(InnerType::Frame, ByteView(frame).subspan(12), buffers[i]);
      batch[i] = {member.endpoint, crowd.node().endpoint.address, 2, buffers[i]};
    }
    crowd.out.clear();
    crowd.enter();
    crowd.node().engine->datagrams(crowd.lab.moment, batch, crowd.out);
    crowd.leave();
    got += crowd.out.frames.size();
  }
  if (got != kBatch * kBatches) fail("a datagram was not opened");
  return watch.spent * 1e9 / (kBatch * kBatches);
}

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1) + 0.5)];
}

struct Side {
  Crowd& crowd;
  Watch& watch;
};

// Interleaved, the ratio taken within each round: its median, of which the least is said.
double compare(Side one, Side many, std::size_t rounds) {
  double least = 1e9;
  std::printf("%-6s %6s %12s %12s %8s %14s   ns per packet, median (quartiles)\n", "", "bytes",
              "1 session", "one of many", "ratio", "256 in turn");
  for (const bool seals : {true, false})
    for (const std::size_t payload : {64u, 1400u}) {
      const auto measure = seals ? seal : open;
      std::vector<double> single, among, turns;
      for (std::size_t r = 0; r <= rounds; ++r) {
        const auto both = [&](bool first) {
          if (first)
            single.push_back(measure(one.crowd, one.watch, payload, 1));
          else
            among.push_back(measure(many.crowd, many.watch, payload, 1));
        };
        both(r % 2 == 0);
        both(r % 2 != 0);
        turns.push_back(
            measure(many.crowd, many.watch, payload, std::min(kTalkers, many.crowd.size())));
        if (r == 0) single.clear(), among.clear(), turns.clear();  // buffers have grown
      }
      std::vector<double> ratios;
      for (std::size_t r = 0; r < rounds; ++r) ratios.push_back(single[r] / among[r]);
      const double ratio = quantile(ratios, 0.5);
      least = std::min(least, ratio);
      std::printf("%-6s %6zu %4.0f (%.0f-%.0f) %4.0f (%.0f-%.0f) %8.2f %4.0f (%.0f-%.0f)\n",
                  seals ? "seal" : "open", payload, quantile(single, 0.5), quantile(single, 0.25),
                  quantile(single, 0.75), quantile(among, 0.5), quantile(among, 0.25),
                  quantile(among, 0.75), ratio, quantile(turns, 0.5), quantile(turns, 0.25),
                  quantile(turns, 0.75));
    }
  return least;
}

}  // namespace
}  // namespace wattle::cryptod::lab

int main(int argc, char** argv) {
  using namespace wattle;                // NOLINT
  using namespace wattle::cryptod::lab;  // NOLINT
  std::size_t sessions = 10'000, members = 50'000, rounds = 201;
  double least = 0;
  const crypto::AeadLibrary* aead = crypto::ipsec_mb_aead();
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string option = argv[i];
    if (option == "--sessions")
      sessions = std::strtoul(argv[i + 1], nullptr, 10);
    else if (option == "--members")
      members = std::strtoul(argv[i + 1], nullptr, 10);
    else if (option == "--rounds")
      rounds = std::strtoul(argv[i + 1], nullptr, 10);
    else if (option == "--least")
      least = std::strtod(argv[i + 1], nullptr);
    else if (option == "--aead")
      aead = nullptr;
    else
      fail("see the head of its source for the options");
  }
  if (sessions < 2 || rounds == 0 || (argc % 2) == 0) fail("see the head of its source");
  if (aead != nullptr) crypto::use_aead(*aead);
  std::printf("%zu sessions, %zu members, AES-256-GCM of %s\n", sessions, members,
              aead == nullptr ? "openssl" : "ipsec-mb");
  Crowd one(1), many(sessions);
  Watch watch_one, watch_many;
  watch_one.put_on(one);
  watch_many.put_on(many);
  one.takes = many.takes = 0;  // each frame its own datagram
  fill(one, watch_one);
  fill(many, watch_many);
  know(many, members);
  rest(many, watch_many);
  const double ratio = compare({one, watch_one}, {many, watch_many}, rounds);
  std::printf("least ratio: %.2f\n", ratio);
  return ratio >= least ? 0 : 1;
}
