wattle_test(ether_test
  SOURCES
    unit/common/net/ether_frame_test.cpp
    unit/common/net/segment_test.cpp
    unit/cryptod/core/ether_incoming_test.cpp
    unit/cryptod/core/ether_outgoing_test.cpp
  LINKS cryptod_core)
wattle_test(cryptod_io_test
  SOURCES
    unit/cryptod/io/backlog_test.cpp
    unit/cryptod/io/packet_io_test.cpp
    unit/cryptod/io/ring_test.cpp
    unit/cryptod/io/tap_port_test.cpp
    unit/cryptod/io/udp_port_test.cpp
  LINKS cryptod_io PkgConfig::SECCOMP)
wattle_test(cryptod_fallback_test SOURCES unit/cryptod/io/udp_fallback_test.cpp LINKS cryptod_io)
target_link_options(cryptod_fallback_test PRIVATE -Wl,--wrap=sendmmsg -Wl,--wrap=sendmsg)
