wattle_test(cryptod_core_test
  SOURCES
    unit/cryptod/core/attacks_frame_test.cpp
    unit/cryptod/core/attacks_handshake_test.cpp
    unit/cryptod/core/attacks_relay_test.cpp
    unit/cryptod/core/engine_fragment_test.cpp
    unit/cryptod/core/engine_hostile_test.cpp
    unit/cryptod/core/engine_lab.cpp
    unit/cryptod/core/engine_lanes_test.cpp
    unit/cryptod/core/engine_line_test.cpp
    unit/cryptod/core/engine_member_test.cpp
    unit/cryptod/core/engine_offload_test.cpp
    unit/cryptod/core/engine_pack_test.cpp
    unit/cryptod/core/engine_keys_test.cpp unit/cryptod/core/engine_renewal_test.cpp
    unit/cryptod/core/engine_return_test.cpp
    unit/cryptod/core/engine_test.cpp
    unit/cryptod/core/fair_queue_test.cpp
    unit/cryptod/core/forwarding_table_test.cpp
    unit/cryptod/core/fragments_test.cpp
    unit/cryptod/core/handshake_gate_test.cpp
    unit/cryptod/core/neighbour_watch_test.cpp
    unit/cryptod/core/parse_offloads_test.cpp
    unit/cryptod/core/path_desk_test.cpp
    unit/cryptod/core/path_hostile_test.cpp
    unit/cryptod/core/path_nat_test.cpp
    unit/cryptod/core/path_parts_test.cpp
    unit/cryptod/core/pkik_vectors_test.cpp
    unit/cryptod/core/relay_flow_test.cpp
    unit/cryptod/core/replay_window_test.cpp
    unit/cryptod/core/tables_test.cpp
  LINKS cryptod_core nlohmann_json::nlohmann_json)

wattle_test(cryptod_allocation_test
  SOURCES
    unit/cryptod/core/engine_allocation_test.cpp
    unit/cryptod/core/engine_lab.cpp
    unit/cryptod/io/io_allocation_test.cpp
  LINKS cryptod_io)

wattle_test(cryptod_scale_test LABEL release-only TIMEOUT 600
  SOURCES
    unit/cryptod/core/crowd.cpp
    unit/cryptod/core/engine_lab.cpp
    unit/cryptod/core/engine_scale_test.cpp
    unit/cryptod/core/weights.cpp
  LINKS cryptod_core)
