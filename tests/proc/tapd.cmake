add_library(proc_world STATIC proc/support/world.cpp)
target_link_libraries(proc_world PUBLIC wattle_flags)

wattle_test(tapd_process_test
  SOURCES proc/tapd/tapd_process_test.cpp
  LINKS proc_world wattle_up wattle_ipc)
add_dependencies(tapd_process_test wattle-tapd)
