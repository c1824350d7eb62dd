wattle_fuzz(counter_slot SOURCES fuzz/counter_slot_fuzz.cpp LINKS keyd_core)
