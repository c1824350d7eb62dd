wattle_fuzz(tapd_settings SOURCES fuzz/tapd_settings_fuzz.cpp LINKS tapd_core)
wattle_fuzz(tapd_netlink SOURCES fuzz/tapd_netlink_fuzz.cpp LINKS tapd_core)
wattle_fuzz(up_notification SOURCES fuzz/up_notification_fuzz.cpp LINKS wattle_up)
