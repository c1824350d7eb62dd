# A long way that loses: bench-middle between a and b, 20 ms there and back, single wire packets.
# shellcheck shell=bash disable=SC2034
SCENARIO_TITLE="20 ms, single wire packets lost or reordered, offloads off on the link"
SCENARIO_MACHINES="a b"
SCENARIO_PEERS="plain wattle"
scenario_open() { link_open "$BENCH_TOOLS" a b m && link_middle && measure_services a b; }
# scenario_kinds: one line each, the figure's name, how many streams at once (their mean is told: where much is lost, a
# single one hangs on a few dice) and what the middle does.
scenario_kinds() {
  echo "none 1 --loss 0"
  echo "loss_0.1 8 --loss 0.1"
  echo "loss_1 8 --loss 1"
  echo "loss_5 8 --loss 5"
  echo "reorder_5 1 --late 5 --late-by 1"
}
scenario_before() { middle none 0 start --delay 10; }
scenario_after() { middle_end; }
scenario_measure() {
  local name count rate rest options
  wanted stream || return 0
  while read -r name count options; do
    # shellcheck disable=SC2086
    middle "$PEER" "$ROUND" "$name" --delay 10 --seed "$ROUND" $options
    peer_ready a b || return
    # What the kernel remembers of the last kind's losses is not this one's.
    on a ip tcp_metrics flush all
    read -r rate rest < <(stream a b "$(seconds 5 15)" -P "$count") || { missing "$name" "$rest"; continue; }
    sample "${name}_gbit" "$(awk -v rate="$rate" -v n="$count" 'BEGIN { print rate / n }')"
  done < <(scenario_kinds)
}

# middle PEER ROUND KIND OPTIONS…: the program between them, anew; what the last one did goes beside the result.
middle() {
  middle_end
  printf '{"peer": "%s", "round": %s, "kind": "%s", "did": ' "$1" "$2" "$3" > "$LAB/middle"
  shift 3
  on m bench-middle left right "$@" < /dev/null >> "$LAB/middle" 2>&1 &
  disown
  wait_for 5 on m pidof bench-middle
  wait_for 5 on a ping -n -q -c 1 -W 1 "$(outer b)"
}
middle_end() {
  local pid
  pid=$(on m pidof bench-middle) || return 0
  on m kill "$pid"
  wait_for 5 on m bash -c '! pidof bench-middle'
  echo "$(cat "$LAB/middle")}" >> "$BENCH_OUT/middle.json"
}
