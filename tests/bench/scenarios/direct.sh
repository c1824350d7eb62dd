# Two machines, one cable: everything that is measured between two.
# shellcheck shell=bash disable=SC2034
SCENARIO_TITLE="two machines, one veth of MTU 1500"
SCENARIO_MACHINES="a b"
scenario_open() { link_open "$BENCH_TOOLS" a b && link_pair && measure_services a b; }
scenario_measure() {
  local name
  for name in ping ask udp stream streams load rss; do
    wanted "$name" || continue
    case $name in
      load) test_load a b b ;;
      *) "test_$name" a b ;;
    esac
  done
}
