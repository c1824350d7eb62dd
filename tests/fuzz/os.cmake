wattle_fuzz(lanes SOURCES fuzz/lanes_fuzz.cpp LINKS wattle_ipc)
wattle_fuzz(options SOURCES fuzz/options_fuzz.cpp LINKS wattle_options)
