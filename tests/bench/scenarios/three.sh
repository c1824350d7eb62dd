# A server and two others: what a transfer from a to b does to the ping from a to c, which has a cable of its own.
# shellcheck shell=bash disable=SC2034
SCENARIO_TITLE="a transfer a-b, pings a-c over another cable"
SCENARIO_MACHINES="a b c"
scenario_open() { link_open "$BENCH_TOOLS" a b c && link_star && measure_services b c; }
scenario_measure() { ! wanted load || test_load a b c; }
