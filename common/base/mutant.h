// Checks that a test must hold: in a mutant build (preset `mutants`) the environment variable
// WATTLE_MUTANT=name inverts the one check of that name, and tests/mutants/run expects a test to
// turn red. In every other build WATTLE_CHECKED is its condition and nothing else, and no trace of
// names or of the variable is in the programs (tests/mutants/absent.sh).
//
//   if (!WATTLE_CHECKED(session_replay, window.is_new(counter))) return drop(Counter::Replay);
//
// Names are area_what, unique in the tree, each with a row in tests/mutants/table.txt.
#pragma once

#ifdef WATTLE_MUTANTS
namespace wattle {
bool is_mutant(const char* name);  // the environment, read once
}
#define WATTLE_CHECKED(name, condition) (static_cast<bool>(condition) != ::wattle::is_mutant(#name))
#else
#define WATTLE_CHECKED(name, condition) (condition)
#endif
