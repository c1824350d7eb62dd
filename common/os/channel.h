// One end of a link on a SOCK_SEQPACKET socket in the loop: packs what is sent, unpacks and checks
// what comes, in both directions of two lanes. The first message each way is the fingerprint of
// both lanes (ipc::pack_hello): unequal builds refuse each other with a clear log line. A malformed
// message, a wrong number of descriptors or hang-up ends the channel (on_end is called once, with
// the reason); load never does.
//
// send() writes at once or queues up to `queue_limit` messages and kQueueBytes; false = not taken
// (the sender keeps state, not events: it tries again in on_drained, which is called whenever a
// queue has become empty) or closed. It never calls back. Sending is allowed from the constructor
// on: the other end reads our fingerprint first.
//
// Every handler may call send() and close(). on_end may also destroy the channel: it is the last
// thing that happens to it. The other handlers must not: they call close() and destroy it later.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/base/mutant.h"
#include "common/base/token_bucket.h"
#include "common/ipc/lane.h"
#include "common/os/event_loop.h"
#include "common/os/fd.h"
#include "common/os/log.h"
#include "common/os/unix_socket.h"

namespace wattle::os {

// Untyped half of Channel (channel.cpp).
class RawChannel {
 public:
  struct Callbacks {
    // Returns an error to end the channel (malformed or out of phase).
    std::function<Result<void>(ByteView bytes, std::vector<Fd>& descriptors)> on_message;
    std::function<void(const Error& reason)> on_end;
    std::function<void()> on_drained;  // may be empty
    std::function<void()> on_open;     // fingerprints agree; may be empty
  };
  RawChannel(EventLoop& loop, Fd socket, std::uint32_t own_fingerprint, std::uint32_t expected,
             std::string lane, Callbacks callbacks, std::size_t queue_limit = 256);
  ~RawChannel();

  static constexpr std::size_t kQueueBytes = 8 * 1024 * 1024;

  // `bytes` at most ipc::kMaxMessage (CHECKed: senders bound what they build). The descriptors stay
  // the caller's; they are duplicated (fcntl) if the message is queued.
  bool send(Bytes bytes, const std::vector<int>& descriptors = {});
  void close();  // no further callback; what is queued is dropped
  bool is_open() const { return socket_.is_open(); }
  bool agreed() const { return agreed_; }
  // For `wattle log PROCESS debug`: one line for a message, 600 a minute.
  void note(std::string_view what, std::string_view message);
  int socket() const { return socket_.raw(); }
  const std::string& lane() const { return lane_; }

 private:
  struct Pending {
    Bytes bytes;
    std::vector<Fd> descriptors;
  };
  enum class Sent { Yes, Later, Broken };
  Sent write(ByteView bytes, const std::vector<int>& descriptors);
  bool enqueue(Bytes bytes, const std::vector<int>& descriptors);
  bool take(ByteView bytes, std::vector<Fd>& descriptors);
  void on_readable();
  void flush();
  void end(Error reason);

  EventLoop& loop_;
  Fd socket_;
  std::uint32_t own_, expected_;
  std::string lane_;
  Callbacks callbacks_;
  std::size_t queue_limit_;
  std::deque<Pending> queue_;
  std::size_t queued_bytes_ = 0;
  bool agreed_ = false;
  Watch readable_, writable_, ending_;
  log::Limited notes_{600};
};

template <typename Out, typename In>
class Channel {
 public:
  struct Callbacks {
    std::function<void(typename In::Message& message, std::vector<Fd>& descriptors)> on_message;
    std::function<void(const Error& reason)> on_end;
    std::function<void()> on_drained;
    std::function<void()> on_open;
    // Phase check of the privileged side: false = out of phase, ends the channel. May be empty.
    std::function<bool(const typename In::Message& message)> is_legal;
  };

  Channel(EventLoop& loop, Fd socket, std::string lane, Callbacks callbacks,
          std::size_t queue_limit = 256)
      : callbacks_(std::move(callbacks)),
        raw_(loop, std::move(socket), Out::fingerprint(), In::fingerprint(), std::move(lane),
             RawChannel::Callbacks{
                 [this](ByteView bytes, std::vector<Fd>& fds) { return take(bytes, fds); },
                 callbacks_.on_end, callbacks_.on_drained, callbacks_.on_open},
             queue_limit) {}

  template <typename M>
  requires(Out::template has<M>) bool send(const M& message,
                                           const std::vector<int>& descriptors = {}) {
    WATTLE_CHECK(descriptors.size() == ipc::descriptors_of<M>());
    if (log::level() == log::Level::Debug) raw_.note("says", M::kName);
    return raw_.send(Out::pack(message), descriptors);
  }
  void close() { raw_.close(); }
  bool is_open() const { return raw_.is_open(); }
  bool agreed() const { return raw_.agreed(); }

 private:
  Result<void> take(ByteView bytes, std::vector<Fd>& descriptors) {
    auto message = In::unpack(bytes);
    if (!message)
      return Error(message.error().code, "malformed message " + std::string(In::kind(bytes)) +
                                             ": " + message.error().text());
    if (WATTLE_CHECKED(lane_descriptors, descriptors.size() != In::descriptors(*message)))
      return Error(Errc::BadValue, std::string(In::name(*message)) + " came with " +
                                       std::to_string(descriptors.size()) + " descriptors");
    if (callbacks_.is_legal && !WATTLE_CHECKED(lane_phase, callbacks_.is_legal(*message)))
      return Error(Errc::Denied, std::string(In::name(*message)) + " is out of phase");
    if (log::level() == log::Level::Debug) raw_.note("hears", In::name(*message));
    callbacks_.on_message(*message, descriptors);
    return {};
  }

  Callbacks callbacks_;
  RawChannel raw_;
};

// The accepting end: takes connections on a listening socket, refuses every uid but `allowed_uid`
// (logged), and keeps one connection: a newcomer of the right uid replaces the old one (its maker
// was restarted). on_connect hands over the socket; its owner makes a new Channel of it in place of
// the old one. Who connects again and again waits: after a burst of 64, twenty times a second.
// Needs accept4 and getsockopt after the seal.
class LaneListener {
 public:
  LaneListener(EventLoop& loop, Fd listener, uid_t allowed_uid, std::string lane,
               std::function<void(Fd socket)> on_connect);
  LaneListener(const LaneListener&) = delete;
  LaneListener& operator=(const LaneListener&) = delete;

 private:
  void watch();
  void on_readable();
  EventLoop& loop_;
  Fd listener_;
  uid_t allowed_uid_;
  void rest(Duration pause);
  std::string lane_;
  std::function<void(Fd)> on_connect_;
  log::Limited refused_;
  TokenBucket pace_{20, 64};
  Watch watch_, pause_;
};

}  // namespace wattle::os
