#include "tests/proc/sealcheck/memory.h"

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <cstring>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>

namespace wattle::sealcheck {
namespace {

constexpr std::size_t kSchedule = 240;  // of AES-256: 15 round keys

void read_all(pid_t pid, const std::function<void(const Region&, const Bytes&)>& use) {
  const int memory =
      ::open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
  for (const Region& region : regions_of(pid)) {
    if (region.rights.substr(0, 2) != "rw") continue;
    Bytes bytes(region.to - region.from);
    const ssize_t n = ::pread(memory, bytes.data(), bytes.size(), static_cast<off_t>(region.from));
    if (n <= 0) continue;
    bytes.resize(static_cast<std::size_t>(n));
    use(region, bytes);
  }
  ::close(memory);
}

std::string place(const Region& region, std::size_t offset) {
  char text[64];
  std::snprintf(text, sizeof text, "%#lx in %s ", static_cast<unsigned long>(region.from + offset),
                region.rights.c_str());
  return text + (region.name.empty() ? "anonymous memory" : region.name);
}

// Of any eight words of an expanded AES-256 key, three in four are the XOR of the word before and
// the one eight before.
bool is_schedule(const std::uint8_t* at) {
  std::uint32_t w[kSchedule / 4];
  std::memcpy(w, at, sizeof w);
  if (w[9] != (w[1] ^ w[8]) || (w[8] == 0 && w[9] == 0) || w[8] == w[0]) return false;
  for (std::size_t i = 9; i < std::size(w); ++i)
    if (i % 4 != 0 && w[i] != (w[i - 8] ^ w[i - 1])) return false;
  const std::set<std::uint8_t> different(at, at + 32);
  return different.size() >= 12;  // not a key of zeros or the like
}

}  // namespace

bool Region::has(const char* flag) const {
  return std::find(flags.begin(), flags.end(), flag) != flags.end();
}

std::vector<Region> regions_of(pid_t pid) {
  std::ifstream maps("/proc/" + std::to_string(pid) + "/smaps");
  std::vector<Region> out;
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    std::string first;
    words >> first;
    if (first == "VmFlags:" && !out.empty()) {
      for (std::string flag; words >> flag;) out.back().flags.push_back(flag);
    } else if (const auto dash = first.find('-');
               dash != std::string::npos && first.back() != ':') {
      Region region;
      region.from = std::stoull(first, nullptr, 16);
      region.to = std::stoull(first.substr(dash + 1), nullptr, 16);
      std::string offset, device, inode;
      words >> region.rights >> offset >> device >> inode >> region.name;
      out.push_back(region);
    }
  }
  return out;
}

Places find_in_memory(pid_t pid, ByteView pattern) {
  Places out;
  read_all(pid, [&](const Region& region, const Bytes& bytes) {
    for (auto at = bytes.begin();; ++at) {
      at = std::search(at, bytes.end(), pattern.begin(), pattern.end());
      if (at == bytes.end()) break;
      if (region.is_guarded())
        ++out.guarded;
      else
        out.others.push_back(place(region, static_cast<std::size_t>(at - bytes.begin())));
    }
  });
  return out;
}

std::vector<Bytes> aes_schedules(pid_t pid) {
  std::vector<Bytes> out;
  read_all(pid, [&](const Region&, const Bytes& bytes) {
    for (std::size_t at = 0; at + kSchedule <= bytes.size(); at += 8)
      if (is_schedule(bytes.data() + at)) {
        const auto from = bytes.begin() + static_cast<std::ptrdiff_t>(at);
        Bytes found(from, from + kSchedule);
        if (std::find(out.begin(), out.end(), found) == out.end()) out.push_back(std::move(found));
      }
  });
  return out;
}

}  // namespace wattle::sealcheck
