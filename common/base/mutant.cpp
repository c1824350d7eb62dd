#include "common/base/mutant.h"

#ifdef WATTLE_MUTANTS
#include <cstdlib>
#include <string_view>

namespace wattle {

bool mutate(const char* name, bool value) {
  static const char* const chosen = std::getenv("WATTLE_MUTANT");  // pure-exception: mutants
  const std::string_view wanted = chosen == nullptr ? "" : chosen;
  if (!wanted.starts_with(name)) return value;
  const std::string_view form = wanted.substr(std::string_view(name).size());
  if (form.empty()) return !value;
  if (form == ":true") return true;
  return form == ":false" ? false : value;
}

}  // namespace wattle
#endif
