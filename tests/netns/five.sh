# The network of five of tests/demo and its namespace tests: sourced after lab.sh and network.sh.
#
#   hub 192.0.2.1 (registry, first member, relay) -+
#   alice 192.0.2.11 ------------------------------+- isp -+- nat1 198.51.100.2 - carol 10.1.0.2
#   bob   192.0.2.12 ------------------------------+       +- nat2 203.0.113.2  - dave  10.2.0.2
#
# nat1 and nat2 are separate, port-restricted, with the router hop isp between them and everybody.
# shellcheck shell=bash

FIVE=(hub alice bob carol dave)

five_cables() {
  local name
  for name in net left right home1 home2; do lab_switch $name || return 1; done
  lab_router isp || return 1
  lab_wire isp net 192.0.2.254/24 net
  lab_wire isp left 198.51.100.254/24 left
  lab_wire isp right 203.0.113.254/24 right
  lab_nat nat1 198.51.100.2/24 left 198.51.100.254 10.1.0.1/24 home1 || return 1
  lab_nat nat2 203.0.113.2/24 right 203.0.113.254 10.2.0.1/24 home2 || return 1
  lab_machine hub 192.0.2.1/24 net
  lab_machine alice 192.0.2.11/24 net
  lab_machine bob 192.0.2.12/24 net
  lab_machine carol 10.1.0.2/24 home1
  lab_machine dave 10.2.0.2/24 home2
  for name in hub alice bob; do lab_gateway $name 192.0.2.254; done
  lab_gateway carol 10.1.0.1
  lab_gateway dave 10.2.0.1
}

# five_open: cables, registry, all five joined.
five_open() { five_cables && five_members; }

five_members() {
  on hub wattle-registry init "$NET" --url https://192.0.2.1:8443 > "$LAB/init.out" 2>&1 || { cat "$LAB/init.out"; return 1; }
  MEMBERS+=(hub)
  local name
  for name in alice bob carol dave; do five_join $name || return 1; done
}

five_join() {
  local url
  url=$(on hub wattle-registry invite "$1") || return 1
  on "$1" wattle join "$url" > "$LAB/join.$1" 2>&1 || { cat "$LAB/join.$1"; return 1; }
  MEMBERS+=("$1")
}

# all_pairs FAMILY…: every ordered pair of MEMBERS once, all at the same time; prints who fails.
all_pairs() {
  local from to family jobs=() failed=0 job
  for from in "${MEMBERS[@]}"; do
    for to in "${MEMBERS[@]}"; do
      [ "$from" != "$to" ] || continue
      for family in "$@"; do
        { pings "$from" "$to" "$family" 1 > /dev/null 2>&1 || { echo "$from -> $to $family"; exit 1; }; } & jobs+=($!)
      done
    done
  done
  for job in "${jobs[@]}"; do wait "$job" || failed=1; done
  return $failed
}

# flow_start FROM TO FILE [INTERVAL]: a ping that goes on until flow_end FROM FILE; what it said is in FILE.
flow_start() {
  on "$1" bash -c "echo \$\$ > $3.pid; exec ping -n -i ${4:-0.2} -W 2 $(address4 "$2")" > "$3" 2>&1 &
}
flow_end() {
  on "$1" kill -INT "$(cat "$2.pid")"
  wait_for 5 grep -q 'packets transmitted' "$2"
}

# flows_start: a flow 5 times a second for every ordered pair of MEMBERS; flows_end: ends them, prints the pairs that
# lost any and how many, true if none did.
flows_start() {
  local from to
  rm -rf "$LAB/flows"; mkdir "$LAB/flows"
  for from in "${MEMBERS[@]}"; do
    for to in "${MEMBERS[@]}"; do
      [ "$from" = "$to" ] || flow_start "$from" "$to" "$LAB/flows/$from.$to"
    done
  done
}
flows_end() {
  local from to lost=0 sent=0 pairs=0 file
  for from in "${MEMBERS[@]}"; do
    for to in "${MEMBERS[@]}"; do
      [ "$from" != "$to" ] || continue
      file=$LAB/flows/$from.$to
      flow_end "$from" "$file" || { echo "$from -> $to: no summary"; lost=$((lost + 1)); continue; }
      # shellcheck disable=SC2046
      set -- $(grep 'packets transmitted' "$file")
      sent=$((sent + $1)); pairs=$((pairs + 1))
      # The one that was on its way at the end counts for nobody.
      if [ "$1" -gt $(($4 + 1)) ]; then echo "$from -> $to: $1 sent, $4 answered"; lost=$((lost + $1 - $4)); fi
    done
  done
  echo "$sent pings sent by $pairs pairs, $lost lost"
  [ $lost = 0 ]
}

# daemon MACHINE PROGRAM: its pids, as the machine sees them.
daemon() {
  on "$1" bash -c "for p in /proc/[0-9]*; do [ \"\$(tr '\\0' '\\n' < \$p/cmdline 2>/dev/null | head -n 1 | sed 's|.*/||')\" = wattle-$2 ] && echo \${p#/proc/}; done; true"
}
# killed_and_back MACHINE PROGRAM SECONDS: SIGKILL; true when another one runs in time.
killed_and_back() {
  local old
  old=$(daemon "$1" "$2")
  [ -n "$old" ] || { echo "no wattle-$2 runs on $1"; return 1; }
  on "$1" kill -KILL $old
  wait_for "$3" another "$1" "$2" "$old"
}
another() { local now; now=$(daemon "$1" "$2"); [ -n "$now" ] && [ "$now" != "$3" ]; }
# talk MACHINE LINE…: types lines at the debug socket.
talk() { local machine=$1; shift; printf '%s\n' "$@" | on "$machine" timeout 5 nc -NU "/run/wattle/$NET/meta"; }
