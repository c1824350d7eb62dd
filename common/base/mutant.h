// Checks that a test must hold: in a mutant build (presets `mutants` and `asan`) the environment
// variable WATTLE_MUTANT=NAME inverts the one check of that name, NAME:true and NAME:false make it
// a constant (one of them is the check left out, the other one refuses everything), and
// tests/mutants/run expects a test to turn red each time. In every other build WATTLE_CHECKED is
// its condition and nothing else, and no trace of names or of the variable is in the programs
// (tests/mutants/absent.sh).
//
//   if (!WATTLE_CHECKED(session_replay, window.is_new(counter))) return drop(Counter::Replay);
//
// Names are area_what, unique in the tree, each with a row in tests/mutants/table.txt. The
// condition is always evaluated. It never guards memory: a mutant is to be found by a test, not to
// crash.
#pragma once

#ifdef WATTLE_MUTANTS
namespace wattle {
bool mutate(const char* name, bool value);  // the environment, read once
}
#define WATTLE_CHECKED(name, ...) (::wattle::mutate(#name, static_cast<bool>(__VA_ARGS__)))
#else
#define WATTLE_CHECKED(name, ...) (__VA_ARGS__)
#endif
