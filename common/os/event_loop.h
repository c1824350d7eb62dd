// libevent behind three verbs. One loop per process; callbacks run on it; no exception may leave
// one.
#pragma once

#include <functional>
#include <memory>

#include "common/base/time.h"

struct event_base;
struct event;

namespace wattle::os {

// A registered interest; ends when destroyed, which is allowed at any time, also inside its own
// callback (the callback itself lives until it returns). Must not outlive its loop.
class Watch {
 public:
  Watch();
  Watch(Watch&&) noexcept;
  Watch& operator=(Watch&&) noexcept;
  ~Watch();
  void reset();
  bool active() const { return state_ != nullptr; }

 private:
  friend class EventLoop;
  struct State;
  std::unique_ptr<State> state_;
};

class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  Watch on_readable(int fd, std::function<void()> callback);
  Watch on_writable(int fd, std::function<void()> callback);
  // These two may be early or late by some milliseconds; Timer is never early.
  Watch after(Duration delay, std::function<void()> callback);  // once
  Watch every(Duration period, std::function<void()> callback);
  // A timer that is armed and re-armed often (cryptod, metad): fires once per arm().
  class Timer;
  Watch on_signal(int signal, std::function<void()> callback);  // before the seal

  void run();                                 // until stop()
  void stop();                                // run() returns after the callbacks that are due now
  event_base* base() const { return base_; }  // for bufferevents and evhttp

 private:
  event_base* base_;
};

// One timer that is moved to the next deadline; kNever disarms it. Never early by os::now().
class EventLoop::Timer {
 public:
  Timer(EventLoop& loop, std::function<void()> callback);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  void arm(Instant deadline, Instant now);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace wattle::os
