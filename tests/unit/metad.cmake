# metad: table, grammar, tables, policies and engines in memory.
wattle_test(metad_test
  SOURCES unit/metad/core/engine_test.cpp unit/metad/core/engine_control_test.cpp unit/metad/core/engine_hostile_test.cpp unit/metad/core/engine_limits_test.cpp
    unit/metad/core/grammar_test.cpp
    unit/metad/core/tables_test.cpp unit/metad/core/link_cost_test.cpp unit/metad/core/engine_mesh_test.cpp unit/metad/core/engine_way_test.cpp unit/metad/core/own_origin_test.cpp
    unit/metad/core/stream_cutter_test.cpp unit/metad/core/dial_policy_test.cpp
    unit/metad/core/return_test.cpp unit/metad/core/trace_test.cpp unit/metad/core/engine_look_test.cpp unit/metad/core/engine_req_way_test.cpp
    unit/metad/core/document_gossip_test.cpp unit/metad/core/document_test.cpp
    unit/metad/core/renewal_test.cpp unit/metad/core/engine_renewal_test.cpp unit/metad/core/origin_answer_test.cpp unit/metad/core/standing_test.cpp
  LINKS metad_core)
wattle_test(router_test
  SOURCES unit/metad/core/router_test.cpp unit/metad/core/router_tell_test.cpp unit/metad/core/router_links_test.cpp unit/metad/core/router_net_test.cpp
  LINKS metad_core)
wattle_test(metad_io_test
  SOURCES unit/metad/io/registry_client_test.cpp unit/metad/io/listener_test.cpp
  LINKS metad_io)
wattle_test(metad_config_test
  SOURCES unit/metad/membership_files_test.cpp
  LINKS metad_config)
