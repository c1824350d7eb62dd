wattle_test(keyd_test
  SOURCES
    unit/cryptod/keys/counter_file_test.cpp
    unit/cryptod/keys/counter_slot_test.cpp
    unit/cryptod/keys/keeper_test.cpp
  LINKS keyd_io)
