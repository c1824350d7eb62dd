# The bench's own tools (their sources say what they do); tests/bench/run finds them beside wattle's programs.
foreach(tool udp ask middle)
  add_executable(bench_${tool} bench/${tool}.cpp)
  target_link_libraries(bench_${tool} PRIVATE wattle_flags)
  set_target_properties(bench_${tool} PROPERTIES OUTPUT_NAME bench-${tool}
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endforeach()
add_test(NAME bench.smoke COMMAND ${CMAKE_SOURCE_DIR}/tests/bench/smoke.sh ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
set_tests_properties(bench.smoke PROPERTIES LABELS netns TIMEOUT 120 RUN_SERIAL ON)
add_test(NAME bench.middle COMMAND ${CMAKE_SOURCE_DIR}/tests/bench/middle.sh ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
set_tests_properties(bench.middle PROPERTIES LABELS netns TIMEOUT 120)
