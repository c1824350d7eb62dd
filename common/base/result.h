// Result<T>: a value or an Error, named like std::expected (which replaces it with C++23).
// WATTLE_TRY(x) yields the value or returns the error from the calling function.
// WATTLE_MUST(x) yields the value or aborts: only where failure is a programming error.
#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "common/base/check.h"
#include "common/base/error.h"

namespace wattle {

template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT
  Result(Errc code) : state_(std::in_place_index<1>, code) {}                // NOLINT

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  T& value() & {
    WATTLE_CHECK(has_value());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    WATTLE_CHECK(has_value());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    WATTLE_CHECK(has_value());
    return std::move(*std::get_if<0>(&state_));
  }
  const Error& error() const {
    WATTLE_CHECK(!has_value());
    return *std::get_if<1>(&state_);
  }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT
  Result(Errc code) : error_(code) {}                // NOLINT

  bool has_value() const { return !error_.has_value(); }
  explicit operator bool() const { return has_value(); }
  void value() const { WATTLE_CHECK(has_value()); }
  const Error& error() const {
    WATTLE_CHECK(!has_value());
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

}  // namespace wattle

#define WATTLE_TRY(expression)                                            \
  __extension__({                                                         \
    auto wattle_try_result = (expression);                                \
    if (!wattle_try_result.has_value()) return wattle_try_result.error(); \
    std::move(wattle_try_result).value();                                 \
  })

#define WATTLE_MUST(expression)                   \
  __extension__({                                 \
    auto wattle_must_result = (expression);       \
    WATTLE_CHECK(wattle_must_result.has_value()); \
    std::move(wattle_must_result).value();        \
  })
