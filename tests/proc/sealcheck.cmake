# sealcheck: tries from inside each real daemon what its seal forbids; run by tests/netns/sealcheck.sh.
add_executable(sealcheck
  proc/sealcheck/main.cpp proc/sealcheck/injector.cpp proc/sealcheck/launcher.cpp
  proc/sealcheck/attempts.cpp proc/sealcheck/looks.cpp proc/sealcheck/memory.cpp
  proc/sealcheck/ring.cpp)
target_link_libraries(sealcheck PRIVATE wattle_up ctl_core wattle_users wattle_crypto)
set_target_properties(sealcheck PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
