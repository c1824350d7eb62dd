wattle_test(ctl_fetch_test SOURCES proc/ctl/fetch_test.cpp LINKS ctl_io)
add_dependencies(ctl_fetch_test wattle-fetch wattle-check)

# Manuals, --help and the reference of the configuration; wrong values of each key.
add_test(NAME ctl.manuals
  COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/proc/ctl/manuals.py ${CMAKE_SOURCE_DIR} ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
add_test(NAME ctl.bad_config
  COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/proc/ctl/bad_config.py ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
add_test(NAME ctl.api_page
  COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/proc/ctl/api_page.py ${CMAKE_SOURCE_DIR})
