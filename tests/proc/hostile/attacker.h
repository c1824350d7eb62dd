// The compromised side of a lane, for tests that play it against a real daemon: an end that says
// whatever it likes, in whatever order, and listens or not; and what a victim costs meanwhile.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/types.h>

#include <cstdint>
#include <random>
#include <source_location>
#include <string>
#include <vector>

#include "common/ipc/lane.h"
#include "common/os/unix_socket.h"

namespace wattle::test {

// One connection. Not in the loop: it may be used from a thread of its own.
class Attacker {
 public:
  Attacker(const std::string& path, std::uint32_t sends, std::uint32_t reads);
  template <typename Out, typename In>
  static Attacker on(const std::string& path) {
    return {path, Out::fingerprint(), In::fingerprint()};
  }
  explicit Attacker(os::Fd socket) : socket_(std::move(socket)) {}

  // Waits for room, taking what comes meanwhile unless it is deaf. False: the victim has closed
  // the lane, or for 10 s has taken nothing.
  bool say(ByteView bytes, const std::vector<int>& descriptors = {});
  // What has come, or comes within the time; empty: nothing, or the end.
  Bytes hear(int ms = 5000);
  // Takes what has come until nothing comes for so long; how many messages that were.
  std::size_t drain(int quiet_ms = 100);
  bool ended(int ms = 5000);
  void set_deaf(bool deaf) { deaf_ = deaf; }
  std::uint64_t said() const { return said_; }
  std::uint64_t heard() const { return heard_; }

 private:
  os::Fd socket_;
  bool deaf_ = false, over_ = false;
  std::uint64_t said_ = 0, heard_ = 0;
};

// Messages of a real conversation, changed: bits flipped, cut, made longer, spliced with another
// one, numbers set to extremes, addresses exchanged. The same seed gives the same messages.
class Mutator {
 public:
  Mutator(std::vector<Bytes> recorded, std::uint64_t seed)
      : recorded_(std::move(recorded)), random_(seed) {}
  Bytes next();
  std::size_t below(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
  }

 private:
  std::vector<Bytes> recorded_;
  std::mt19937_64 random_;
};

std::size_t rss_kb(pid_t pid);  // resident memory
// Of two figures of it. Not looked at under ASan, which keeps for a while what was freed.
void expect_grown_less(std::size_t before_kb, std::size_t after_kb, std::size_t limit_kb,
                       std::source_location where = std::source_location::current());
bool is_alive(pid_t pid);
std::size_t cpu_ms(pid_t pid);  // processor time used
// Lines of a log that contain every one of the words; without words, all but those of debug level.
std::size_t count_lines(const std::string& text, const std::vector<std::string>& words);

// How many messages a flood has: of the gate, or with WATTLE_LONG=1 ten times as many.
std::size_t flood(std::size_t gate);
// How long a process is stopped.
int stop_seconds();

}  // namespace wattle::test
