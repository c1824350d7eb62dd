// A lane that metad keeps connected: to cryptod and to keyd. A lane that was up and ends is
// connected again after 10 ms (its socket outlives the other daemon, whose successor finds us
// waiting on it); what fails is tried every 100 to 200 ms.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/base/random.h"
#include "common/os/channel.h"

namespace wattle::metad {

template <typename Out, typename In>
class LaneClient {
 public:
  struct Callbacks {
    std::function<void()> on_up;
    std::function<void(const typename In::Message&)> on_message;
    std::function<void(const Error& why)> on_down;  // only after on_up
    std::function<void()> on_drained;
  };
  LaneClient(os::EventLoop& loop, std::string path, std::string lane, Random& random,
             Callbacks callbacks)
      : loop_(loop),
        path_(std::move(path)),
        lane_(std::move(lane)),
        random_(random),
        callbacks_(std::move(callbacks)) {
    connect();
  }

  template <typename M>
  bool send(const M& message) {
    return up_ && channel_->send(message);
  }

 private:
  using Channel = os::Channel<Out, In>;

  void connect() {
    channel_.reset();
    auto socket = os::connect_lane(path_);
    if (!socket) return again(pause());
    typename Channel::Callbacks callbacks;
    callbacks.on_message = [this](typename In::Message& message, std::vector<os::Fd>&) {
      callbacks_.on_message(message);
    };
    callbacks.on_open = [this] {
      up_ = true;
      callbacks_.on_up();
    };
    callbacks.on_drained = [this] {
      if (up_ && callbacks_.on_drained) callbacks_.on_drained();
    };
    callbacks.on_end = [this](const Error& why) {
      again(up_ ? kFirstPause : pause());
      if (std::exchange(up_, false)) callbacks_.on_down(why);
    };
    channel_ = std::make_unique<Channel>(loop_, std::move(*socket), lane_, std::move(callbacks));
  }

  static constexpr Duration kFirstPause = std::chrono::milliseconds(10);
  Duration pause() { return std::chrono::milliseconds(100 + random_.u32() % 100); }
  void again(Duration delay) {
    retry_ = loop_.after(delay, [this] { connect(); });
  }

  os::EventLoop& loop_;
  std::string path_, lane_;
  Random& random_;
  Callbacks callbacks_;
  std::unique_ptr<Channel> channel_;
  os::Watch retry_;
  bool up_ = false;
};

}  // namespace wattle::metad
