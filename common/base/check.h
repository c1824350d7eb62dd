// Programmer errors: a false CHECK prints its place and aborts, in every build.
// Never use it on foreign input; that is Result's job (common/base/result.h).
#pragma once

namespace wattle {

[[noreturn]] void check_failed(const char* expression, const char* file, int line);

}  // namespace wattle

#define WATTLE_CHECK(expression) \
  ((expression) ? static_cast<void>(0) : ::wattle::check_failed(#expression, __FILE__, __LINE__))
#define WATTLE_UNREACHABLE() ::wattle::check_failed("unreachable", __FILE__, __LINE__)
