#include "tests/proc/sealcheck/ring.h"

#include <sys/syscall.h>

#include "cryptod/io/ring.h"
#include "tests/support/raw_ring.h"

namespace wattle::sealcheck {
namespace {

using test::RawRing;

constexpr unsigned kEntries = cryptod::Ring::kCalls;

// The descriptor of its ring is the first argument.
Attempt of_ring(const char* name, long number, long b = 0, Argument c = 0, Argument d = 0) {
  return {name, [=](Injector& in, const Targets&) {
            const RawRing ring(in.pid(), kEntries);
            return in.call(number, {ring.descriptor(), b, c, d, 0, 0});
          }};
}

std::string one_file() {
  io_uring_files_update update{};
  return std::string(reinterpret_cast<const char*>(&update), sizeof update);
}

}  // namespace

std::vector<Attempt> ring_calls() {
  const std::string room(4096, '\0');
  return {
      of_ring("io_uring_enter of its ring, to see nothing done", SYS_io_uring_enter),
      of_ring("io_uring_enter of its ring, collecting", SYS_io_uring_enter, 0, 0,
              long{IORING_ENTER_GETEVENTS}),
      of_ring("io_uring_enter of its ring, waking a thread", SYS_io_uring_enter, 0, 0,
              long{IORING_ENTER_SQ_WAKEUP}),
      {"io_uring_enter of another descriptor",
       [](Injector& in, const Targets&) {
         return in.call(SYS_io_uring_enter, {0, 0, 0, 0, 0, 0});
       }},
      of_ring("io_uring_register of its file by another", SYS_io_uring_register,
              IORING_REGISTER_FILES_UPDATE, one_file(), 1),
      of_ring("io_uring_register of more files", SYS_io_uring_register, IORING_REGISTER_FILES, room,
              1),
      of_ring("io_uring_register of buffers", SYS_io_uring_register, IORING_REGISTER_BUFFERS, room,
              1),
      of_ring("io_uring_register of restrictions", SYS_io_uring_register,
              IORING_REGISTER_RESTRICTIONS, room, 1),
      {"io_uring_register of another descriptor",
       [](Injector& in, const Targets&) {
         return in.call(SYS_io_uring_register, {0, IORING_REGISTER_FILES_UPDATE, 0, 0, 0, 0});
       }},
  };
}

std::vector<std::pair<std::string, std::string>> try_ring(Injector& process) {
  RawRing ring(process.pid(), kEntries);
  const struct {
    const char* name;
    int operation;
    unsigned flags;
    int file;
  } kTable[] = {
      {"openat", IORING_OP_OPENAT, IOSQE_FIXED_FILE, 0},
      {"openat2", IORING_OP_OPENAT2, IOSQE_FIXED_FILE, 0},
      {"statx", IORING_OP_STATX, IOSQE_FIXED_FILE, 0},
      {"unlinkat", IORING_OP_UNLINKAT, IOSQE_FIXED_FILE, 0},
      {"renameat", IORING_OP_RENAMEAT, IOSQE_FIXED_FILE, 0},
      {"socket", IORING_OP_SOCKET, IOSQE_FIXED_FILE, 0},
      {"socket without a file", IORING_OP_SOCKET, 0, 0},
      {"connect", IORING_OP_CONNECT, IOSQE_FIXED_FILE, 0},
      {"accept", IORING_OP_ACCEPT, IOSQE_FIXED_FILE, 0},
      {"sendmsg", IORING_OP_SENDMSG, IOSQE_FIXED_FILE, 0},
      {"recvmsg", IORING_OP_RECVMSG, IOSQE_FIXED_FILE, 0},
      {"splice", IORING_OP_SPLICE, IOSQE_FIXED_FILE, 0},
      {"a command of a driver", IORING_OP_URING_CMD, IOSQE_FIXED_FILE, 0},
      {"a message to another ring", IORING_OP_MSG_RING, IOSQE_FIXED_FILE, 0},
      {"more files", IORING_OP_FILES_UPDATE, IOSQE_FIXED_FILE, 0},
      {"read of a descriptor", IORING_OP_READ, 0, 3},
      {"write to a descriptor", IORING_OP_WRITE, 0, 3},
      {"read by a thread of the kernel", IORING_OP_READ, IOSQE_FIXED_FILE | IOSQE_ASYNC, 0},
      {"read beyond its table", IORING_OP_READ, IOSQE_FIXED_FILE, 1},
  };
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& row : kTable) {
    std::string came = "-";
    if (ring.found()) {
      ring.put(RawRing::call(row.operation, row.flags, row.file));
      const Outcome taken = process.call(SYS_io_uring_enter, {ring.descriptor(), 1, 0, 0, 0, 0});
      const auto result = ring.result();
      came = !taken.ok() || taken.value != 1 ? "not-taken:" + taken.text()
             : !result                       ? "no-result"
                                             : Outcome{.value = *result}.text();
    }
    out.emplace_back(std::string("in its ring: ") + row.name, came);
  }
  return out;
}

}  // namespace wattle::sealcheck
