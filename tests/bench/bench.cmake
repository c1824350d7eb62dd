# The bench's own tools (their sources say what they do); tests/bench/run finds them beside wattle's programs.
foreach(tool udp ask middle)
  add_executable(bench_${tool} bench/${tool}.cpp)
  target_link_libraries(bench_${tool} PRIVATE wattle_flags)
  set_target_properties(bench_${tool} PROPERTIES OUTPUT_NAME bench-${tool}
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endforeach()
# Many sessions in one engine, see its source.
add_executable(bench_many bench/many.cpp unit/cryptod/core/crowd.cpp unit/cryptod/core/engine_lab.cpp)
target_include_directories(bench_many PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(bench_many PRIVATE wattle_flags cryptod_core wattle_ipsec_mb)
set_target_properties(bench_many PROPERTIES OUTPUT_NAME bench-many
  RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
add_test(NAME bench.many_smoke COMMAND bench_many --sessions 300 --members 1000 --rounds 1)
add_test(NAME bench.many COMMAND bench_many --least 0.9)
set_tests_properties(bench.many PROPERTIES LABELS "long;release-only" TIMEOUT 900 RUN_SERIAL ON)
add_test(NAME bench.smoke COMMAND ${CMAKE_SOURCE_DIR}/tests/bench/smoke.sh ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
set_tests_properties(bench.smoke PROPERTIES LABELS netns TIMEOUT 120 RUN_SERIAL ON)
add_test(NAME bench.middle COMMAND ${CMAKE_SOURCE_DIR}/tests/bench/middle.sh ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
set_tests_properties(bench.middle PROPERTIES LABELS netns TIMEOUT 120)
