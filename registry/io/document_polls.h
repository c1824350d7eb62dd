// Questions for a newer network document that wait until there is one: GET /NET/document?after=N.
// A held question costs one entry here and its connection, no thread and nothing at the signer.
// Bounded: kMaxHeld in all, kMaxPerClient of one client; who asks above that is told 204 at once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "common/net/ip_address.h"
#include "common/os/event_loop.h"
#include "registry/core/api.h"

namespace wattle::registry {

// The connection that a request came on, as far as a held answer concerns it.
struct Caller {
  // Set by who holds the answer; called at most once: the caller closed, or said something more.
  std::function<void()> on_gone;
  // Moves the connection's time limit, and watches for the above. Empty once it is closed.
  std::function<void(Duration)> keep_open;
};
using Reply = std::function<void(const Answer& answer)>;  // called exactly once, maybe later

class DocumentPolls {
 public:
  static constexpr std::size_t kMaxHeld = 256;
  static constexpr std::size_t kMaxPerClient = 32;
  static constexpr Duration kHold = std::chrono::seconds(50);

  explicit DocumentPolls(os::EventLoop& loop, Duration hold = kHold) : loop_(loop), hold_(hold) {}

  // Answers when wake() tells of a version above `after`, or with 204: after the hold, or at once
  // where there is no place. `caller` may be null.
  void hold(const IpAddress& client, std::uint64_t after, const Reply& reply,
            const std::shared_ptr<Caller>& caller);
  // There is this version, whose text is in `answer`.
  void wake(std::uint64_t version, const Answer& answer);
  std::size_t size() const { return held_.size(); }

 private:
  struct Held {
    IpPrefix client;
    std::uint64_t after = 0;
    Reply reply;
    std::weak_ptr<Caller> caller;
    Instant deadline;
  };
  using Table = std::map<std::uint64_t, Held>;  // by number: the oldest first
  Reply take(Table::iterator at);               // out of the table, its place is free again
  void gone(std::uint64_t number);
  void expire();
  void arm();

  os::EventLoop& loop_;
  Duration hold_;
  Table held_;
  std::map<IpPrefix, std::size_t> per_client_;
  std::uint64_t next_ = 0;
  os::Watch timer_;
};

}  // namespace wattle::registry
