wattle_test(ctl_core_test
  SOURCES
    unit/metad/ctl/checker_test.cpp unit/metad/ctl/command_test.cpp unit/metad/ctl/files_test.cpp
    unit/metad/ctl/patience_test.cpp unit/metad/ctl/protocol_test.cpp unit/metad/ctl/render_test.cpp
  LINKS ctl_core wattle_os)
wattle_test(ctl_conf_test
  SOURCES unit/metad/ctl/conf_options_test.cpp unit/metad/ctl/man_test.cpp
  LINKS ctl_core wattle_options)
