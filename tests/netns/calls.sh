#!/usr/bin/env bash
# In bulk cryptod makes at most one system call for each 16 KiB that it moves, sending as well as receiving: counted by
# perf, which hardly slows it (under strace TCP sends shorter super-frames).
# calls.sh PROGRAMS [MB]
set -u
here=$(cd "$(dirname "$0")" && pwd); . "$here/lab.sh"; . "$here/network.sh"
lab_open "${1:?folder of the programs}"
size=${2:-500}
network_open alice bob || exit 1
both() { pings alice bob 4 && pings bob alice 6; }
check "alice and bob ping each other" wait_for 10 both
on bob "$here/../support/transfer.py" serve > "$LAB/serve" 2>&1 < /dev/null & disown
check "bob serves" wait_for 20 on bob bash -c 'ss -Hltn | grep -q ":9000 "'

# The process of a machine as this host numbers it.
cryptod() {
  local pid
  for pid in $(pgrep -f "wattle-cryptod --net $NET"); do
    [ "$(readlink "/proc/$pid/ns/pid")" != "$(readlink "/proc/$(lab_pid "$1")/ns/pid")" ] || echo "$pid"
  done
}
perf stat -e raw_syscalls:sys_enter -x, -o "$LAB/try" true && grep -q '^[1-9]' "$LAB/try" || { echo "perf cannot count here"; exit 77; }
count() {  # MACHINE
  perf stat -e raw_syscalls:sys_enter -x, -o "$LAB/count.$1" -p "$(cryptod "$1")" > /dev/null 2>&1 &
  counters+=($!)
}
at_most_one() {  # MACHINE
  local calls most
  calls=$(sed -n 's/^\([0-9]*\),.*/\1/p' "$LAB/count.$1") most=$((size * 1000000 / 16384))
  awk -v n="$calls" -v most="$most" 'BEGIN { printf "        %.2f calls for each 16 KiB\n", n / most }' >&3
  [ "$calls" -gt $((most / 100)) ] && [ "$calls" -le "$most" ]
}
exec 3>&1
for streams in 1 4; do
  targets=("$(address4 bob)" "$(address6 bob)" "$(address4 bob)" "$(address6 bob)")
  counters=()
  count alice
  count bob
  sleep 1
  check "TCP, streams: $streams" on alice "$here/../support/transfer.py" tcp $((size / streams)) "${targets[@]:0:streams}"
  kill -INT "${counters[@]}"
  wait "${counters[@]}" 2> /dev/null
  check "alice, who sends" at_most_one alice
  check "bob, who receives" at_most_one bob
done
lab_verdict
