// What stands in the memory of a process of an io_uring: calls put into its queue by hand, whatever
// the program itself would put there, and what they came to. By /proc/PID/mem, so of any process.
// The program's own use of the ring is over then.
#pragma once

#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

namespace wattle::test {

class RawRing {
 public:
  // The one ring of the process, made with so many entries.
  RawRing(pid_t pid, unsigned entries) {
    const std::string of = "/proc/" + std::to_string(pid);
    memory_ = ::open((of + "/mem").c_str(), O_RDWR | O_CLOEXEC);
    std::ifstream maps(of + "/maps");
    for (std::string line; std::getline(maps, line);) {
      if (line.find("[io_uring]") == std::string::npos) continue;
      std::istringstream words(line);
      std::string range, rights, offset;
      words >> range >> rights >> offset;
      const std::uint64_t at = std::stoull(range, nullptr, 16);
      (std::stoull(offset, nullptr, 16) == 0 ? queues_ : calls_) = at;
    }
    for (char name[64]; descriptor_ < 1024; ++descriptor_) {
      const std::string link = of + "/fd/" + std::to_string(descriptor_);
      const ssize_t n = ::readlink(link.c_str(), name, sizeof name);
      if (n > 0 && std::string(name, static_cast<std::size_t>(n)) == "anon_inode:[io_uring]") break;
    }
    // Where the parts are depends on the number of entries alone.
    like_ = {};
    const int other = static_cast<int>(::syscall(SYS_io_uring_setup, entries, &like_));
    if (other >= 0) ::close(other);
  }
  ~RawRing() { ::close(memory_); }
  RawRing(const RawRing&) = delete;
  RawRing& operator=(const RawRing&) = delete;

  bool found() const { return queues_ != 0 && calls_ != 0 && descriptor_ < 1024; }
  int descriptor() const { return descriptor_; }

  // One call at the end of the queue; io_uring_enter of one does it.
  void put(const io_uring_sqe& call) {
    const auto tail = word(like_.sq_off.tail), mask = word(like_.sq_off.ring_mask);
    const std::uint32_t index = tail & mask;
    write(calls_ + index * sizeof call, &call, sizeof call);
    write(queues_ + like_.sq_off.array + index * sizeof index, &index, sizeof index);
    const std::uint32_t next = tail + 1;
    write(queues_ + like_.sq_off.tail, &next, sizeof next);
  }
  static io_uring_sqe call(int operation, unsigned flags, int file) {
    io_uring_sqe out{};
    out.opcode = static_cast<std::uint8_t>(operation);
    out.flags = static_cast<std::uint8_t>(flags);
    out.fd = file;
    return out;
  }
  // What the last call came to; nothing if it has not completed.
  std::optional<int> result() {
    const auto head = word(like_.cq_off.head), mask = word(like_.cq_off.ring_mask);
    if (head == word(like_.cq_off.tail)) return std::nullopt;
    io_uring_cqe done{};
    read(queues_ + like_.cq_off.cqes + (head & mask) * sizeof done, &done, sizeof done);
    const std::uint32_t next = head + 1;
    write(queues_ + like_.cq_off.head, &next, sizeof next);
    return done.res;
  }

 private:
  std::uint32_t word(std::uint32_t offset) const {
    std::uint32_t out = 0;
    read(queues_ + offset, &out, sizeof out);
    return out;
  }
  void read(std::uint64_t at, void* to, std::size_t size) const {
    if (::pread(memory_, to, size, static_cast<off_t>(at)) != static_cast<ssize_t>(size))
      std::perror("reading a ring");
  }
  void write(std::uint64_t at, const void* from, std::size_t size) const {
    if (::pwrite(memory_, from, size, static_cast<off_t>(at)) != static_cast<ssize_t>(size))
      std::perror("writing a ring");
  }

  int memory_ = -1, descriptor_ = 3;
  std::uint64_t queues_ = 0, calls_ = 0;
  io_uring_params like_{};
};

}  // namespace wattle::test
