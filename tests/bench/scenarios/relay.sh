# b and c reach each other only through a.
# shellcheck shell=bash disable=SC2034
SCENARIO_TITLE="b to c through one relay"
SCENARIO_MACHINES="a b c"
scenario_open() { link_open "$BENCH_TOOLS" a b c && link_star && measure_services b c; }
scenario_measure() {
  peer_ready b c || return
  ! wanted ping || test_ping b c
  ! wanted stream || test_stream b c a
  ! wanted udp || test_udp b c
}
