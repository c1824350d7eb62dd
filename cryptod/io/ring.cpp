#include "cryptod/io/ring.h"

#include <liburing.h>
#include <linux/fs.h>
#include <cerrno>
#include <cstring>
#include <string>

#include "common/base/check.h"
#include "common/base/loosened.h"
#include "common/os/file.h"

namespace wattle::cryptod {

namespace {

// Whatever is added here is a power of the sealed process: man/wattle-privsep.7 lists them.
constexpr std::uint8_t kOperations[] = {IORING_OP_READ, IORING_OP_WRITE, IORING_OP_WRITEV};
constexpr std::uint8_t kRequired = IOSQE_FIXED_FILE;
constexpr std::uint8_t kAllowed = kRequired | IOSQE_CQE_SKIP_SUCCESS;

Error unsupported(const std::string& what, int code = 0) {
  return {Errc::Unsupported, code == 0 ? what : what + ": " + std::strerror(-code)};
}

}  // namespace

Ring::Ring() : ring_(std::make_unique<io_uring>()) {}

Ring::~Ring() {
  if (made_) io_uring_queue_exit(ring_.get());
}

Result<std::unique_ptr<Ring>> Ring::create() {
  auto ring = std::unique_ptr<Ring>(new Ring);
  WATTLE_TRY(ring->prepare());
  WATTLE_TRY(ring->restrict());
  return ring;
}

Result<void> Ring::prepare() {
  io_uring_params params{};
  params.flags = IORING_SETUP_R_DISABLED | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_SUBMIT_ALL;
  if (const int code = io_uring_queue_init_params(kCalls, ring_.get(), &params); code != 0)
    return unsupported("the kernel makes no io_uring", code);
  made_ = true;
  if (const int code = io_uring_register_files_sparse(ring_.get(), 1); code != 0)
    return unsupported("the kernel's io_uring has no table of files", code);
  return {};
}

Result<void> Ring::restrict() {
  io_uring_restriction rules[std::size(kOperations) + 4]{};
  io_uring_restriction* rule = rules;
  for (const std::uint8_t operation : kOperations) {
    rule->opcode = IORING_RESTRICTION_SQE_OP;
    rule++->sqe_op = operation;
  }
  if (WATTLE_LOOSENED(ring_operations)) {
    rule->opcode = IORING_RESTRICTION_SQE_OP;
    rule++->sqe_op = IORING_OP_SOCKET;
  }
  rule->opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
  rule++->sqe_flags = kAllowed;
  rule->opcode = IORING_RESTRICTION_SQE_FLAGS_REQUIRED;
  rule++->sqe_flags = WATTLE_LOOSENED(ring_files) ? 0 : kRequired;
  rule->opcode = IORING_RESTRICTION_REGISTER_OP;
  rule++->register_op = IORING_REGISTER_FILES_UPDATE;

  // The library of Debian 12 declares functions for these two, and lacks them.
  const auto control = [&](unsigned operation, void* argument, std::size_t size) {
    return io_uring_register(static_cast<unsigned>(descriptor()), operation, argument,
                             static_cast<unsigned>(size));
  };
  const auto count = static_cast<std::size_t>(rule - rules);
  if (const int code = WATTLE_LOOSENED(ring_restrictions)
                           ? 0
                           : control(IORING_REGISTER_RESTRICTIONS, rules, count);
      code != 0)
    return unsupported("the kernel does not restrict its io_uring", code);
  if (const int code = control(IORING_REGISTER_ENABLE_RINGS, nullptr, 0); code != 0)
    return unsupported("the kernel does not enable its io_uring", code);

  io_uring_probe probe{};
  const bool holds = is_refused(IORING_OP_NOP, IOSQE_FIXED_FILE) &&
                     is_refused(IORING_OP_WRITE, 0) &&
                     is_refused(IORING_OP_WRITE, IOSQE_FIXED_FILE | IOSQE_ASYNC) &&
                     control(IORING_REGISTER_PROBE, &probe, 0) == -EACCES;
  if (!holds) return unsupported("the kernel's io_uring does more than it was told to");
  return {};
}

bool Ring::is_refused(std::uint8_t operation, std::uint8_t flags) {
  call(operation, nullptr, 0).flags = flags;
  Completion answer;
  return submit() == 0 && next(answer) && answer.result == -EACCES;
}

int Ring::descriptor() const { return ring_->ring_fd; }

Result<void> Ring::put_file(int file) {
  const int code = io_uring_register_files_update(ring_.get(), 0, &file, 1);
  if (code == 1) return {};
  errno = -code;
  return os::system_error("cannot give the device to the io_uring");
}

bool Ring::has_room() const { return io_uring_sq_space_left(ring_.get()) != 0; }

io_uring_sqe& Ring::call(std::uint8_t operation, const void* memory, std::size_t size) {
  io_uring_sqe* entry = io_uring_get_sqe(ring_.get());
  WATTLE_CHECK(entry != nullptr);
  *entry = {};
  entry->opcode = operation;
  entry->flags = IOSQE_FIXED_FILE;  // number 0 of the table
  entry->addr = reinterpret_cast<std::uint64_t>(memory);
  entry->len = static_cast<std::uint32_t>(size);
  entry->rw_flags = RWF_NOWAIT;
  entry->user_data = kWriteTag;
  return *entry;
}

void Ring::read(MutableBytes place, std::uint64_t tag) {
  call(IORING_OP_READ, place.data(), place.size()).user_data = tag;
}

void Ring::write(ByteView bytes) {
  call(IORING_OP_WRITE, bytes.data(), bytes.size()).flags |= IOSQE_CQE_SKIP_SUCCESS;
}

void Ring::write(std::span<const iovec> parts) {
  call(IORING_OP_WRITEV, parts.data(), parts.size()).flags |= IOSQE_CQE_SKIP_SUCCESS;
}

std::size_t Ring::submit() {
  for (;;) {
    const int taken = io_uring_submit(ring_.get());
    const unsigned left = io_uring_sq_ready(ring_.get());
    if (left != 0 && (taken > 0 || taken == -EINTR)) continue;
    // Nothing but a call looks at the queue: what was not taken can be unsaid.
    io_uring_sq& queue = ring_->sq;
    queue.sqe_head = queue.sqe_tail = *queue.ktail = *queue.khead;
    return left;
  }
}

bool Ring::next(Completion& out) {
  if (io_uring_cq_ready(ring_.get()) == 0) return false;
  const io_uring_cq& queue = ring_->cq;
  const io_uring_cqe& entry = queue.cqes[*queue.khead & queue.ring_mask];
  out = {entry.user_data, entry.res};
  io_uring_cq_advance(ring_.get(), 1);
  return true;
}

}  // namespace wattle::cryptod
