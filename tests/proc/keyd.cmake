wattle_test(keyd_proc_test
  SOURCES proc/keyd_test.cpp
  LINKS keyd_core wattle_os)
add_dependencies(keyd_proc_test wattle-keyd)
