// Lines of the seal that a build with WATTLE_MUTANTS leaves out when WATTLE_MUTANT names them, for
// tests/proc/sealcheck/loosen, which shows that sealcheck turns red. In every other build no line
// is ever loosened, and no name of one is in the programs.
#pragma once

#include "common/base/mutant.h"

#ifdef WATTLE_MUTANTS
#define WATTLE_LOOSENED(name) (::wattle::mutate(#name, false))
#else
#define WATTLE_LOOSENED(name) (false)
#endif
