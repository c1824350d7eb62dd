# b and c reach each other only through a.
# shellcheck shell=bash disable=SC2034
SCENARIO_TITLE="b to c through one relay"
SCENARIO_MACHINES="a b c"
scenario_open() { link_open "$BENCH_TOOLS" a b c && link_star && measure_services b c; }
scenario_measure() {
  peer_ready b c a || return
  ! wanted ping || test_ping b c
  ! wanted stream || test_stream b c a
  ! wanted stream || direct
  ! wanted udp || test_udp b c
}
# The same stream without the relay, right after it: what 60 % are of.
direct() {
  local rate rest
  read -r rate rest < <(stream b a "$(seconds 2 4)") || { missing "direct stream" "$rest"; return; }
  sample direct_gbit "$rate"
}
