wattle_test(ctl_fetch_test SOURCES proc/ctl/fetch_test.cpp LINKS ctl_io)
add_dependencies(ctl_fetch_test wattle-fetch wattle-check)
