# metad: table, grammar, tables, policies and engines in memory.
wattle_test(metad_test
  SOURCES unit/metad/core/engine_test.cpp unit/metad/core/grammar_test.cpp
    unit/metad/core/tables_test.cpp unit/metad/core/dial_policy_test.cpp
  LINKS metad_core)
