#!/usr/bin/env bash
# Five members, two behind NATs: registry, signer, every metad and every keyd killed under pings of all 20 pairs lose
# none; a killed cryptod is back with all its peers.
set -u
here=$(cd "$(dirname "$0")" && pwd); . "$here/lab.sh"; . "$here/network.sh"; . "$here/five.sh"
lab_open "${1:?folder of the programs}"
five_open || exit 1
check "all 20 ordered pairs ping" wait_for 60 all_pairs 4 6 fe80
flows_start
sleep 1
check "the registry is back" killed_and_back hub registry 10
check "the signer is back" killed_and_back hub signer 10
for name in "${FIVE[@]}"; do
  check "metad of $name is back" killed_and_back $name metad 10
  sleep 0.5
  check "keyd of $name is back" killed_and_back $name keyd 10
  sleep 0.5
done
sleep 12     # beyond the time for which links are held
check "no ping of any pair was lost" flows_end
cat "$LAB/check.out" | tail -1 | sed 's/^/        /'
for name in bob carol; do
  at=${EPOCHREALTIME/./}
  check "cryptod of $name is back" killed_and_back $name cryptod 10
  for to in "${FIVE[@]}"; do
    [ "$to" = $name ] || check "$name reaches $to within 5 s" wait_for 5 on $name ping -n -q -c 1 -W 0.1 "$(address4 "$to")"
  done
  echo "        all peers of $name answer $(( (${EPOCHREALTIME/./} - at) / 1000 )) ms after the kill of its cryptod"
done
lab_verdict
