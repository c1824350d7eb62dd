wattle_test(tapd_unit_test
  SOURCES unit/tapd/netlink_message_test.cpp unit/tapd/settings_test.cpp
  LINKS tapd_core)
wattle_test(up_unit_test
  SOURCES unit/metad/ctl/up_test.cpp
  LINKS wattle_up)
