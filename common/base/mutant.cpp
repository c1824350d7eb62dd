#include "common/base/mutant.h"

#ifdef WATTLE_MUTANTS
#include <cstdlib>
#include <string_view>

namespace wattle {

bool is_mutant(const char* name) {
  static const char* const chosen = std::getenv("WATTLE_MUTANT");  // pure-exception: mutants
  return chosen != nullptr && std::string_view(chosen) == name;
}

}  // namespace wattle
#endif
