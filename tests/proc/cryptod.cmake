wattle_test(cryptod_proc_test
  SOURCES
    proc/cryptod/cryptod_process_test.cpp
    proc/cryptod/net_space.cpp
    proc/cryptod/node.cpp
    proc/cryptod/offload_process_test.cpp
  LINKS wattle_loop wattle_proto)
add_dependencies(cryptod_proc_test wattle-cryptod)
