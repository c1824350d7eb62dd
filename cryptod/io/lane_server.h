// The accepting end of one of cryptod's lanes: one connection at a time, of one uid. A newcomer
// takes the place of the old connection; whichever way a connection ends, on_end is called once for
// it, if on_open was.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/os/channel.h"
#include "common/os/log.h"

namespace wattle::cryptod {

template <typename Out, typename In>
class LaneServer {
 public:
  using Link = os::Channel<Out, In>;
  struct Callbacks {
    std::function<void()> on_open;  // the other end is of this build; send() works from here on
    std::function<void(typename In::Message&, std::vector<os::Fd>&)> on_message;
    std::function<void()> on_end;
    std::function<bool(const typename In::Message&)> is_legal;  // may be empty
    std::function<void()> on_drained;                           // may be empty
  };

  LaneServer(os::EventLoop& loop, os::Fd listener, uid_t allowed_uid, std::string lane,
             Callbacks callbacks)
      : loop_(loop),
        lane_(lane),
        callbacks_(std::move(callbacks)),
        listener_(loop, std::move(listener), allowed_uid, std::move(lane),
                  [this](os::Fd socket) { take(std::move(socket)); }) {}

  bool is_open() const { return open_; }

  // False if nobody is there or the queue is full (on_drained follows).
  template <typename M>
  bool send(const M& message) {
    return open_ && link_->send(message);
  }

 private:
  void take(os::Fd socket) {
    ended();
    link_.emplace(loop_, std::move(socket), lane_,
                  typename Link::Callbacks{.on_message = callbacks_.on_message,
                                           .on_end = [this](const Error& reason) { lost(reason); },
                                           .on_drained = callbacks_.on_drained,
                                           .on_open = [this] { opened(); },
                                           .is_legal = callbacks_.is_legal});
  }

  void opened() {
    begins_.write(os::log::Level::Info, "connected", {{os::log::Key::Lane, lane_}});
    open_ = true;
    callbacks_.on_open();
  }

  void lost(const Error& reason) {
    const auto level = reason.code == Errc::Closed ? os::log::Level::Info : os::log::Level::Warning;
    ends_.write(level, "the lane ended",
                {{os::log::Key::Lane, lane_}, {os::log::Key::Err, reason.text()}});
    ended();
  }

  void ended() {
    if (std::exchange(open_, false)) callbacks_.on_end();
  }

  os::EventLoop& loop_;
  std::string lane_;
  Callbacks callbacks_;
  os::log::Limited begins_, ends_;
  bool open_ = false;
  std::optional<Link> link_;
  os::LaneListener listener_;
};

}  // namespace wattle::cryptod
