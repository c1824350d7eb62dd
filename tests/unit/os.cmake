wattle_test(os_sandbox_test
  SOURCES unit/common/os/landlock_test.cpp unit/common/os/sandbox_test.cpp
  LINKS wattle_os)
wattle_test(os_test
  SOURCES
    unit/common/os/file_test.cpp
    unit/common/os/instance_test.cpp
    unit/common/os/log_test.cpp
    unit/common/os/service_test.cpp
    unit/common/os/unix_socket_test.cpp
  LINKS wattle_os)
wattle_test(os_loop_test
  SOURCES
    unit/common/os/channel_test.cpp
    unit/common/os/event_loop_test.cpp
  LINKS wattle_loop)
wattle_test(os_options_test
  SOURCES
    unit/common/os/manual_test.cpp
    unit/common/os/options_test.cpp
  LINKS wattle_options wattle_ipc)
