wattle_test(os_sandbox_test
  SOURCES unit/common/os/sandbox_test.cpp
  LINKS wattle_os)
