foreach(name ctl_helper_protocol ctl_join_answer ctl_control_reply ctl_member_conf)
  wattle_fuzz(${name} SOURCES fuzz/${name}_fuzz.cpp LINKS ctl_core)
endforeach()
