# The simulator of the routing engine. sim_no_*: the same with one rule taken out (their own
# route_rules); those must find loops.
function(wattle_sim name)
  add_executable(${name} sim/main.cpp sim/world.cpp sim/world_links.cpp sim/checks.cpp sim/churn.cpp
    sim/figures.cpp ${ARGN})
  target_link_libraries(${name} PRIVATE wattle_flags metad_core)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endfunction()
wattle_sim(sim)
wattle_sim(sim_no_barrier sim/rules_no_barrier.cpp)
wattle_sim(sim_no_feasibility sim/rules_no_feasibility.cpp)

add_test(NAME sim.gate COMMAND sim --nodes 40 --events 1000 --seeds 3)
add_test(NAME sim.no_barrier COMMAND sim_no_barrier --nodes 40 --events 1000 --seeds 3 --expect-loops)
add_test(NAME sim.no_feasibility
  COMMAND sim_no_feasibility --nodes 40 --events 1000 --seeds 3 --expect-loops)
add_test(NAME sim.full COMMAND sim --nodes 200 --events 10000 --seeds 20 --jobs 2)
set_tests_properties(sim.full PROPERTIES LABELS long TIMEOUT 3600 PROCESSORS 2)
