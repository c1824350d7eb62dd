wattle_test(metad_proc_test
  SOURCES proc/metad/metad_process_test.cpp proc/metad/control_socket_test.cpp proc/metad/meta_node.cpp
  LINKS wattle_loop wattle_proto wattle_crypto)
add_dependencies(metad_proc_test wattle-metad)
add_test(NAME man.requests
  COMMAND ${CMAKE_SOURCE_DIR}/tests/proc/metad/man_table.sh ${CMAKE_SOURCE_DIR}
    ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/wattle-metad)
wattle_test(metad_mesh40_test
  SOURCES proc/metad/mesh40_test.cpp proc/metad/meta_node.cpp
  LABEL long TIMEOUT 280
  LINKS wattle_loop wattle_proto wattle_crypto)
add_dependencies(metad_mesh40_test wattle-metad)
