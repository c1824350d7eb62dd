#include "common/os/channel.h"

#include <fcntl.h>

#include "common/base/mutant.h"
#include "common/os/clock.h"
#include "common/os/file.h"

namespace wattle::os {

namespace {

// Messages taken in one go before other descriptors of the loop get their turn.
constexpr int kBatch = 64;
constexpr Duration kAcceptPause = std::chrono::milliseconds(200);

std::string closed_sentence(const std::string& lane) {
  return "the other end of lane " + lane + " is gone";
}

}  // namespace

RawChannel::RawChannel(EventLoop& loop, Fd socket, std::uint32_t own_fingerprint,
                       std::uint32_t expected, std::string lane, Callbacks callbacks,
                       std::size_t queue_limit)
    : loop_(loop),
      socket_(std::move(socket)),
      own_(own_fingerprint),
      expected_(expected),
      lane_(std::move(lane)),
      callbacks_(std::move(callbacks)),
      queue_limit_(queue_limit) {
  readable_ = loop_.on_readable(socket_.raw(), [this] { on_readable(); });
  send(ipc::pack_hello(own_, expected_));
}

RawChannel::~RawChannel() = default;

void RawChannel::note(std::string_view what, std::string_view message) {
  notes_.write(log::Level::Debug, what,
               {{log::Key::Lane, lane_}, {log::Key::Msg, std::string(message)}});
}

RawChannel::Sent RawChannel::write(ByteView bytes, const std::vector<int>& descriptors) {
  const auto sent = send_message(socket_.raw(), bytes, descriptors);
  if (sent) return Sent::Yes;
  if (sent.error().code == Errc::Again) return Sent::Later;
  // No callback from here: send() promises that. Gone: what the other end wrote before is still to
  // be read, then comes its end.
  queue_.clear();
  queued_bytes_ = 0;
  writable_.reset();
  if (sent.error().code != Errc::Closed && !ending_.active())
    ending_ = loop_.after(Duration::zero(), [this, error = sent.error()] { end(error); });
  return Sent::Broken;
}

bool RawChannel::enqueue(Bytes bytes, const std::vector<int>& descriptors) {
  if (WATTLE_CHECKED(lane_queue, queue_.size() >= queue_limit_)) return false;
  if (!queue_.empty() && queued_bytes_ + bytes.size() > kQueueBytes) return false;
  Pending pending;
  for (const int fd : descriptors) {
    pending.descriptors.emplace_back(fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (!pending.descriptors.back().is_open()) return false;
  }
  queued_bytes_ += bytes.size();
  pending.bytes = std::move(bytes);
  queue_.push_back(std::move(pending));
  if (!writable_.active()) writable_ = loop_.on_writable(socket_.raw(), [this] { flush(); });
  return true;
}

bool RawChannel::send(Bytes bytes, const std::vector<int>& descriptors) {
  WATTLE_CHECK(bytes.size() <= ipc::kMaxMessage);
  if (!is_open()) return false;
  if (queue_.empty()) {
    const Sent sent = write(bytes, descriptors);
    if (sent != Sent::Later) return sent == Sent::Yes;
  }
  return enqueue(std::move(bytes), descriptors);
}

void RawChannel::flush() {
  while (!queue_.empty()) {
    std::vector<int> descriptors;
    for (const Fd& fd : queue_.front().descriptors) descriptors.push_back(fd.raw());
    const Sent sent = write(queue_.front().bytes, descriptors);
    if (sent == Sent::Later) return;
    if (sent == Sent::Broken) return;
    queued_bytes_ -= queue_.front().bytes.size();
    queue_.pop_front();
  }
  writable_.reset();
  if (callbacks_.on_drained) callbacks_.on_drained();
}

bool RawChannel::take(ByteView bytes, std::vector<Fd>& descriptors) {
  if (!agreed_) {
    if (!ipc::hello_agrees(bytes, own_, expected_) ||
        WATTLE_CHECKED(lane_hello_descriptors, !descriptors.empty())) {
      end(Error(Errc::Unsupported,
                "the other end of lane " + lane_ +
                    " is of another build of wattle; restart all daemons of this network"));
      return false;
    }
    agreed_ = true;
    if (callbacks_.on_open) callbacks_.on_open();
    return is_open();
  }
  auto taken = callbacks_.on_message(bytes, descriptors);
  if (!is_open()) return false;
  if (!taken) {
    end(taken.error());
    return false;
  }
  return true;
}

void RawChannel::on_readable() {
  for (int i = 0; i < kBatch; ++i) {
    auto received = receive_message(socket_.raw(), ipc::kMaxMessage);
    if (!received) {
      if (received.error().code == Errc::Again) return;
      if (received.error().code == Errc::Closed)
        return end(Error(Errc::Closed, closed_sentence(lane_)));
      return end(received.error());
    }
    const bool go_on = take(received->bytes, received->descriptors);
    wipe(received->bytes);
    if (!go_on) return;
  }
}

void RawChannel::close() {
  readable_.reset();
  writable_.reset();
  ending_.reset();
  queue_.clear();
  queued_bytes_ = 0;
  socket_.close();
}

void RawChannel::end(Error reason) {
  const auto on_end = std::move(callbacks_.on_end);
  close();
  if (on_end) on_end(reason);  // may destroy this
}

LaneListener::LaneListener(EventLoop& loop, Fd listener, uid_t allowed_uid, std::string lane,
                           std::function<void(Fd socket)> on_connect)
    : loop_(loop),
      listener_(std::move(listener)),
      allowed_uid_(allowed_uid),
      lane_(std::move(lane)),
      on_connect_(std::move(on_connect)) {
  watch();
}

void LaneListener::watch() {
  watch_ = loop_.on_readable(listener_.raw(), [this] { on_readable(); });
}

void LaneListener::rest(Duration pause) {
  watch_.reset();
  pause_ = loop_.after(pause, [this] { watch(); });
}

void LaneListener::on_readable() {
  for (int i = 0; i < kBatch; ++i) {
    if (const Instant current = now(); !pace_.has(current))
      return rest(pace_.ready_at(current) - current);
    auto socket = accept_unix(listener_.raw());
    if (!socket) {
      if (socket.error().code == Errc::Again) return;
      // Out of descriptors or memory: the listener stays readable, so rest before the next try.
      refused_.write(log::Level::Error, socket.error().text(), {{log::Key::Lane, lane_}});
      return rest(kAcceptPause);
    }
    const auto who = peer_credentials(socket->raw());
    if (!who || WATTLE_CHECKED(lane_uid, who->uid != allowed_uid_)) {
      refused_.write(log::Level::Warning, "refused a connection from a user that may not connect",
                     {{log::Key::Lane, lane_},
                      {log::Key::Uid, who ? std::to_string(who->uid) : "unknown"},
                      {log::Key::Pid, who ? std::to_string(who->pid) : "unknown"}});
      continue;
    }
    pace_.take(now());
    on_connect_(std::move(*socket));
  }
}

}  // namespace wattle::os
