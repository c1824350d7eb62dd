#!/usr/bin/env bash
# Each process of a member (and of the registry beside it) stands still for 15 s and goes on, and for 30 s, by which time
# the watchdog has put another in its place: the network is whole again within seconds, and meanwhile nobody else loses
# anything.
# stop.sh PROGRAMS [SECONDS…]
set -u
here=$(cd "$(dirname "$0")" && pwd); . "$here/lab.sh"; . "$here/network.sh"; . "$here/five.sh"
support=$here/../support
lab_open "${1:?folder of the programs}"
shift
[ $# -gt 0 ] || set -- 15 30
lab_switch lan
place=1
for name in hub alice bob; do
  lab_machine $name 192.0.2.$place/24 lan || exit 1
  place=$((place + 1))
done
on hub wattle-registry init "$NET" --url https://192.0.2.1:8443 > "$LAB/init.out" 2>&1 || { cat "$LAB/init.out"; exit 1; }
MEMBERS+=(hub)
five_join alice && five_join bob || exit 1
check "all 6 ordered pairs ping" wait_for 30 all_pairs 4 6
members=()
for name in "${MEMBERS[@]}"; do members+=("$NET/$name=$(lab_pid $name)=$(address4 $name)"); done
flow_start alice bob "$LAB/others" 0.1
for seconds in "$@"; do
  check "whole again within 25 s of $seconds s of silence (5 s on a machine at rest)" \
    python3 "$support/killing.py" --stop "$seconds" --limit 25 "${members[@]}"
  sed 's/^/        /' "$LAB/check.out"
done
flow_end alice "$LAB/others"
lost() { grep 'packets transmitted' "$LAB/others" | tee "$LAB/lost"; awk '{ exit !($1 <= $4 + 1) }' "$LAB/lost"; }
check "alice and bob lost nothing meanwhile" lost
sed 's/^/        /' "$LAB/lost"
check "all pairs ping" wait_for 10 all_pairs 4 6 fe80
for name in "${MEMBERS[@]}"; do
  echo "        $name: $(on $name grep -c 'a link is active' "/run/wattle/$NET/log") times a link, $(on $name grep -c 'has not answered' "/run/wattle/$NET/log") killed by the watchdog"
done
lab_verdict
