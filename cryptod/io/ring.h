// One io_uring that serves as a batch of system calls and as nothing else: messages read from one
// file and written to it, many for one call, all of them done when submit() returns. It never
// waits, keeps nothing in flight and starts no thread of the kernel. The file stands in the ring's
// own table; no other descriptor can be named. The kernel holds it to all that
// (IORING_REGISTER_RESTRICTIONS) from before the seal on; create() tries what is forbidden, and
// fails if any of it works. One thread.
#pragma once

#include <sys/uio.h>
#include <cstdint>
#include <memory>
#include <span>

#include "common/base/bytes.h"
#include "common/base/result.h"

struct io_uring;
struct io_uring_sqe;

namespace wattle::cryptod {

class Ring {
 public:
  static constexpr unsigned kCalls = 128;  // prepared at a time

  // Before the seal. Unsupported, with the reason: this kernel cannot do it, or does not allow it.
  static Result<std::unique_ptr<Ring>> create();
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  int descriptor() const;

  // What is read and written from here on; -1: nothing. It is kept open until then.
  Result<void> put_file(int file);

  // Prepared; done by the next submit(), in this order, as far as it goes without waiting. Only
  // where has_room(). All memory named here lives until submit() returns.
  bool has_room() const;
  void read(MutableBytes place, std::uint64_t tag);  // completes, with what it came to
  void write(ByteView bytes);                        // completes only if it fails
  void write(std::span<const iovec> parts);

  // One system call. Returns how many calls the kernel did not take; they are forgotten.
  std::size_t submit();

  static constexpr std::uint64_t kWriteTag = UINT64_MAX;  // of all writes
  struct Completion {
    std::uint64_t tag = 0;
    int result = 0;  // bytes, or -errno; -EAGAIN: it would have to wait
  };
  // The next one; false: there is none.
  bool next(Completion& out);

 private:
  Ring();
  Result<void> prepare();
  Result<void> restrict();
  bool is_refused(std::uint8_t operation, std::uint8_t flags);
  io_uring_sqe& call(std::uint8_t operation, const void* memory, std::size_t size);

  std::unique_ptr<io_uring> ring_;
  bool made_ = false;
};

}  // namespace wattle::cryptod
