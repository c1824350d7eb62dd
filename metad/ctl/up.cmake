# The supervisor. up.cpp is the entry of `wattle up` and `wattle down`.
wattle_library(up_core PURE
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/up_plan.cpp ${CMAKE_CURRENT_LIST_DIR}/up_restart.cpp
  LINKS wattle_os)
wattle_library(wattle_up
  SOURCES
    ${CMAKE_CURRENT_LIST_DIR}/up.cpp ${CMAKE_CURRENT_LIST_DIR}/up_daemon.cpp
    ${CMAKE_CURRENT_LIST_DIR}/up_children.cpp ${CMAKE_CURRENT_LIST_DIR}/up_leftovers.cpp
    ${CMAKE_CURRENT_LIST_DIR}/up_lock.cpp ${CMAKE_CURRENT_LIST_DIR}/up_log.cpp
    ${CMAKE_CURRENT_LIST_DIR}/up_notify.cpp ${CMAKE_CURRENT_LIST_DIR}/up_spawn.cpp
    ${CMAKE_CURRENT_LIST_DIR}/up_store.cpp ${CMAKE_CURRENT_LIST_DIR}/up_supervisor.cpp
    ${CMAKE_CURRENT_LIST_DIR}/up_systemd.cpp
  LINKS up_core ctl_core wattle_os wattle_users PkgConfig::CAPNG)
