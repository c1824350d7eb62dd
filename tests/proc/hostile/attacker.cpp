#include "tests/proc/hostile/attacker.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace wattle::test {

Attacker::Attacker(const std::string& path, std::uint32_t sends, std::uint32_t reads)
    : socket_(WATTLE_MUST(os::connect_unix(path, os::SocketKind::Seqpacket))) {
  EXPECT_TRUE(os::send_message(socket_.raw(), ipc::pack_hello(sends, reads)));
}

bool Attacker::say(ByteView bytes, const std::vector<int>& descriptors) {
  while (!over_) {
    const auto sent = os::send_message(socket_.raw(), bytes, descriptors);
    if (sent) {
      ++said_;
      return true;
    }
    if (sent.error().code != Errc::Again) {
      over_ = true;
      break;
    }
    if (!deaf_) drain(0);
    pollfd item{socket_.raw(), static_cast<short>(POLLOUT | (deaf_ ? 0 : POLLIN)), 0};
    if (poll(&item, 1, 10'000) != 1) return false;
  }
  return false;
}

Bytes Attacker::hear(int ms) {
  pollfd item{socket_.raw(), POLLIN, 0};
  if (over_ || poll(&item, 1, ms) != 1) return {};
  auto received = os::receive_message(socket_.raw(), ipc::kMaxMessage);
  if (!received) {
    over_ = received.error().code != Errc::Again;
    return {};
  }
  ++heard_;
  return std::move(received->bytes);
}

std::size_t Attacker::drain(int quiet_ms) {
  std::size_t count = 0;
  while (!hear(quiet_ms).empty()) ++count;
  return count;
}

bool Attacker::ended(int ms) {
  while (!over_)
    if (hear(ms).empty()) return over_;
  return true;
}

Bytes Mutator::next() {
  Bytes out = recorded_[below(recorded_.size())];
  for (std::size_t changes = below(4); changes != 0; --changes) {
    const std::size_t size = out.size();
    switch (size < 2 ? 4 : below(8)) {
      case 0:
      case 1:  // bits
        for (std::size_t i = below(8) + 1; i != 0; --i)
          out[1 + below(size - 1)] ^= static_cast<std::uint8_t>(1u << below(8));
        break;
      case 2: {  // a number at its end
        const std::size_t width = std::min<std::size_t>(std::size_t{1} << below(4), size - 1);
        const std::size_t at = 1 + below(size - width);
        static constexpr std::uint8_t kExtremes[] = {0, 1, 0x7f, 0x80, 0xff};
        std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(at), width, kExtremes[below(5)]);
        break;
      }
      case 3:  // cut
        out.resize(1 + below(size));
        break;
      case 4:  // longer
        out.resize(size + 1 + below(64), static_cast<std::uint8_t>(below(256)));
        break;
      case 5:  // another kind
        out[0] = static_cast<std::uint8_t>(below(20));
        break;
      default: {  // what another message has in this place
        const Bytes& other = recorded_[below(recorded_.size())];
        const std::size_t at = below(std::min(size, other.size()));
        const std::size_t most = std::min(size, other.size()) - at;
        std::copy_n(other.begin() + static_cast<std::ptrdiff_t>(at), below(most) + 1,
                    out.begin() + static_cast<std::ptrdiff_t>(at));
      }
    }
  }
  return out;
}

std::size_t rss_kb(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
  return 0;
}

void expect_grown_less([[maybe_unused]] std::size_t before_kb,
                       [[maybe_unused]] std::size_t after_kb, [[maybe_unused]] std::size_t limit_kb,
                       [[maybe_unused]] std::source_location where) {
#ifndef __SANITIZE_ADDRESS__
  EXPECT_LT(after_kb, before_kb + limit_kb) << where.file_name() << ":" << where.line();
#endif
}

std::size_t cpu_ms(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(stat, line);
  std::istringstream rest(line.substr(line.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) rest >> skipped;
  std::size_t user = 0, kernel = 0;
  rest >> user >> kernel;
  return (user + kernel) * 1000 / static_cast<std::size_t>(sysconf(_SC_CLK_TCK));
}

bool is_alive(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(stat, line);
  const auto end = line.rfind(')');
  return end != std::string::npos && end + 2 < line.size() && line[end + 2] != 'Z';
}

std::size_t count_lines(const std::string& text, const std::vector<std::string>& words) {
  std::size_t count = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (words.empty() ? !line.starts_with("debug ")
                      : std::all_of(words.begin(), words.end(), [&](const std::string& w) {
                          return line.find(w) != std::string::npos;
                        }))
      ++count;
  return count;
}

namespace {

bool is_long() {
  const char* set = std::getenv("WATTLE_LONG");
  return set != nullptr && *set == '1';
}

}  // namespace

std::size_t flood(std::size_t gate) { return is_long() ? 10 * gate : gate; }
int stop_seconds() { return is_long() ? 60 : 4; }

}  // namespace wattle::test
