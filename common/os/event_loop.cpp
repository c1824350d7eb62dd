#include "common/os/event_loop.h"

#include <event2/event.h>

#include "common/base/check.h"
#include "common/os/clock.h"

namespace wattle::os {

namespace {

// Rounded up to whole microseconds, so that nothing fires early; bounded so that libevent's
// arithmetic cannot overflow.
timeval to_timeval(Duration delay) {
  constexpr Duration kLongest = std::chrono::hours(24 * 365);
  if (delay < Duration::zero()) delay = Duration::zero();
  if (delay > kLongest) delay = kLongest;
  const auto us = std::chrono::ceil<std::chrono::microseconds>(delay).count();
  timeval out{};
  out.tv_sec = static_cast<time_t>(us / 1000000);
  out.tv_usec = static_cast<suseconds_t>(us % 1000000);
  return out;
}

}  // namespace

struct Watch::State {
  event* ev = nullptr;
  // Shared with a running callback, so that the watch may end inside it.
  std::shared_ptr<std::function<void()>> callback;

  ~State() {
    if (ev != nullptr) event_free(ev);
  }

  static std::unique_ptr<State> make(event_base* base, int fd, short what, const timeval* delay,
                                     std::function<void()> callback) {
    auto state = std::make_unique<State>();
    state->callback = std::make_shared<std::function<void()>>(std::move(callback));
    state->ev = event_new(base, fd, what, &State::fire, state.get());
    WATTLE_CHECK(state->ev != nullptr);
    WATTLE_CHECK(event_add(state->ev, delay) == 0);
    return state;
  }

  static void fire(int, short, void* self) {
    const auto callback = static_cast<State*>(self)->callback;
    (*callback)();
  }
};

Watch::Watch() = default;
Watch::Watch(Watch&&) noexcept = default;
Watch& Watch::operator=(Watch&&) noexcept = default;
Watch::~Watch() = default;
void Watch::reset() { state_.reset(); }

EventLoop::EventLoop() {
  event_config* config = event_config_new();
  WATTLE_CHECK(config != nullptr);
  // Without the cache a timer made at the end of a long callback would fire early.
  event_config_set_flag(config, EVENT_BASE_FLAG_NO_CACHE_TIME);
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
  event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
  base_ = event_base_new_with_config(config);
  event_config_free(config);
  WATTLE_CHECK(base_ != nullptr);
}

EventLoop::~EventLoop() { event_base_free(base_); }

Watch EventLoop::on_readable(int fd, std::function<void()> callback) {
  Watch watch;
  watch.state_ = Watch::State::make(base_, fd, EV_READ | EV_PERSIST, nullptr, std::move(callback));
  return watch;
}

Watch EventLoop::on_writable(int fd, std::function<void()> callback) {
  Watch watch;
  watch.state_ = Watch::State::make(base_, fd, EV_WRITE | EV_PERSIST, nullptr, std::move(callback));
  return watch;
}

Watch EventLoop::after(Duration delay, std::function<void()> callback) {
  const timeval time = to_timeval(delay);
  Watch watch;
  watch.state_ = Watch::State::make(base_, -1, 0, &time, std::move(callback));
  return watch;
}

Watch EventLoop::every(Duration period, std::function<void()> callback) {
  WATTLE_CHECK(period > Duration::zero());
  const timeval time = to_timeval(period);
  Watch watch;
  watch.state_ = Watch::State::make(base_, -1, EV_PERSIST, &time, std::move(callback));
  return watch;
}

Watch EventLoop::on_signal(int signal, std::function<void()> callback) {
  Watch watch;
  watch.state_ =
      Watch::State::make(base_, signal, EV_SIGNAL | EV_PERSIST, nullptr, std::move(callback));
  return watch;
}

void EventLoop::run() { WATTLE_CHECK(event_base_loop(base_, EVLOOP_NO_EXIT_ON_EMPTY) != -1); }

void EventLoop::stop() { event_base_loopexit(base_, nullptr); }

struct EventLoop::Timer::State {
  event* ev = nullptr;
  std::shared_ptr<std::function<void()>> callback;
  Instant due = kNever;  // by os::now()

  // libevent reads a clock of some milliseconds' grain, so it is early by up to a grain: a long
  // wait is made a grain longer, which costs less than waking twice.
  void start(Duration delay) {
    constexpr Duration kLong = std::chrono::milliseconds(20), kGrain = std::chrono::milliseconds(9);
    const timeval time = to_timeval(delay < kLong ? delay : delay + kGrain);
    WATTLE_CHECK(event_add(ev, &time) == 0);
  }

  static void fire(int, short, void* argument) {
    State* self = static_cast<State*>(argument);
    if (self->due == kNever) return;
    // libevent's clock is coarser than ours: wait for the rest rather than fire early.
    const Duration rest = self->due - now();
    if (rest > Duration::zero()) return self->start(rest);
    self->due = kNever;
    const auto callback = self->callback;
    (*callback)();
  }
};

EventLoop::Timer::Timer(EventLoop& loop, std::function<void()> callback)
    : state_(std::make_unique<State>()) {
  state_->callback = std::make_shared<std::function<void()>>(std::move(callback));
  state_->ev = event_new(loop.base(), -1, 0, &State::fire, state_.get());
  WATTLE_CHECK(state_->ev != nullptr);
}

EventLoop::Timer::~Timer() { event_free(state_->ev); }

void EventLoop::Timer::arm(Instant deadline, Instant now_given) {
  if (deadline == kNever) {
    state_->due = kNever;
    event_del(state_->ev);
    return;
  }
  const Duration delay = deadline > now_given ? Duration(deadline - now_given) : Duration::zero();
  const Instant current = now();
  // A deadline so far away that it does not fit is a year and more: to_timeval bounds it anyway.
  state_->due = delay < kNever - current ? current + delay : current + std::chrono::hours(24 * 365);
  state_->start(delay);
}

}  // namespace wattle::os
