add_library(proc_world STATIC proc/support/world.cpp)
target_link_libraries(proc_world PUBLIC wattle_flags)

wattle_test(tapd_process_test
  SOURCES proc/tapd/tapd_process_test.cpp
  LINKS proc_world wattle_up wattle_ipc)
add_dependencies(tapd_process_test wattle-tapd)

# The supervisor with small daemons under the real names, all in one folder.
set(up_folder ${CMAKE_BINARY_DIR}/tests/up)
add_executable(up-command proc/up/command_main.cpp)
target_link_libraries(up-command PRIVATE wattle_up)
set_target_properties(up-command PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${up_folder})
wattle_test(up_process_test SOURCES proc/up/up_test.cpp LINKS proc_world wattle_os)
target_compile_definitions(up_process_test PRIVATE WATTLE_UP_FOLDER="${up_folder}")
add_dependencies(up_process_test up-command)
foreach(part cryptod keyd tapd metad signer registry)
  add_executable(up-fake-${part} proc/up/daemon_main.cpp)
  target_link_libraries(up-fake-${part} PRIVATE wattle_os)
  set_target_properties(up-fake-${part} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${up_folder} OUTPUT_NAME wattle-${part})
  add_dependencies(up_process_test up-fake-${part})
endforeach()

# The units, with the programs of this build.
add_test(NAME systemd.units
  COMMAND ${CMAKE_SOURCE_DIR}/tests/proc/up/units.sh ${CMAKE_SOURCE_DIR} ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
add_test(NAME man.privsep
  COMMAND ${CMAKE_SOURCE_DIR}/tests/proc/up/policies.sh ${CMAKE_SOURCE_DIR})
