#include "cryptod/io/uring_io.h"

#include <algorithm>
#include <cerrno>

#include "common/os/log.h"

namespace wattle::cryptod {

namespace {

constexpr std::size_t kParts = Ring::kCalls * 4;  // of the frames of one call
static_assert(kParts >= TapPort::kMaxParts);

}  // namespace

UringIo::UringIo(os::EventLoop& loop, const Offloads& offloads, Counters& counters, Events events,
                 std::unique_ptr<Ring> ring)
    : loop_(loop),
      offloads_(offloads),
      counters_(counters),
      events_(std::move(events)),
      ring_(std::move(ring)),
      udp_(
          loop, offloads, counters,
          [this](std::span<Received> batch) { events_.on_datagrams(batch); }, events_.on_too_big) {
  parts_.reserve(kParts);
}

void UringIo::attach_tap(os::Fd queue) {
  tap_watch_.reset();
  tap_.emplace(std::move(queue), offloads_);
  if (!ring_) return;
  if (const auto put = ring_->put_file(tap_->queue()); !put) {
    os::log::warning(put.error().text() + "; using epoll");
    ring_.reset();
  }
}

void UringIo::start_frames() {
  if (tap_ && !tap_watch_.active())
    tap_watch_ = loop_.on_readable(tap_->queue(), [this] { events_.on_frames(); });
}

bool UringIo::take_frames(std::vector<TapFrame>& out) {
  if (!tap_) return false;
  const TapPort::Taken taken =
      ring_ ? read_frames(out) : tap_->receive(frame_buffers_, out, counters_);
  if (taken == TapPort::Taken::Gone) {
    tap_watch_.reset();
    if (ring_) static_cast<void>(ring_->put_file(-1));
    tap_.reset();
    events_.on_tap_gone();
  }
  return taken == TapPort::Taken::More;
}

TapPort::Taken UringIo::read_frames(std::vector<TapFrame>& out) {
  const std::size_t count = std::min(reads_, frame_buffers_.free());
  for (std::size_t i = 0; i < count; ++i) {
    buffers_[i] = frame_buffers_.take();
    results_[i] = -EAGAIN;
    ring_->read(frame_buffers_.at(buffers_[i]), i);
  }
  submit();
  std::size_t found = 0, bytes = 0;
  int error = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (results_[i] < 0) {
      if (results_[i] != -EAGAIN && results_[i] != -EINTR) error = -results_[i];
      continue;
    }
    ++found;
    bytes += static_cast<std::size_t>(results_[i]);
    TapPort::take(frame_buffers_, buffers_[i], static_cast<std::size_t>(results_[i]), out,
                  counters_);
  }
  for (std::size_t i = count; i-- > 0;)
    if (results_[i] < 0) frame_buffers_.give_back(buffers_[i]);
  // As many as came and some more, but of long ones not more than a batch is to hold.
  const std::size_t most = bytes < TapPort::kBatchBytes ? kMost : kMost / 4;
  reads_ = std::clamp(found + found / 4 + 2, kFewest, most);
  if (error == EOPNOTSUPP) {
    os::log::info("the kernel's io_uring cannot read the device (before Linux 6.4); using epoll");
    ring_.reset();
    return TapPort::Taken::More;
  }
  if (error != 0) counters_.add(Counter::IoTapFailed);
  if (error == EBADFD || error == EIO) return TapPort::Taken::Gone;
  return found == count ? TapPort::Taken::More : TapPort::Taken::Drained;
}

void UringIo::send(const Actions& actions) {
  if (tap_) write_frames(actions);
  udp_.send(actions.datagrams);
}

void UringIo::write_frames(const Actions& actions) {
  if (!ring_ || actions.frames.size() <= 1)
    return tap_->send(actions.frames, actions.pieces, counters_);
  for (const OutFrame& frame : actions.frames) {
    if (!ring_->has_room() || parts_.size() + frame.count + 1 > kParts) submit();
    const std::size_t first = parts_.size();
    parts_.resize(first + frame.count + 1);
    const auto parts = std::span(parts_).subspan(first);
    TapPort::list_parts(frame, actions.pieces, parts);
    if (parts.size() == 1)
      ring_->write(ByteView(static_cast<const std::uint8_t*>(parts[0].iov_base), parts[0].iov_len));
    else
      ring_->write(parts);
  }
  submit();
}

// Takes all completions: the ring has room for those of one call.
void UringIo::submit() {
  const std::size_t lost = ring_->submit();
  if (lost != 0) counters_.add(Counter::IoTapBlocked, lost);
  for (Ring::Completion done; ring_->next(done);) {
    if (done.tag == Ring::kWriteTag)
      TapPort::count_failed(-done.result, counters_);
    else
      results_[done.tag] = done.result;
  }
  parts_.clear();
}

}  // namespace wattle::cryptod
