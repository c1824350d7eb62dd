#!/usr/bin/env bash
# A cable that is cut one way: b hears nothing of a any more, a hears all that b sends. They go by c soon, and directly
# again when the cable is whole.
set -u
here=$(cd "$(dirname "$0")" && pwd); . "$here/lab.sh"; . "$here/network.sh"; . "$here/five.sh"
lab_open "${1:?folder of the programs}"
network_open a b c || exit 1
check "all 6 ordered pairs ping" wait_for 30 all_pairs 4
linked() { [ "$(talk "$1" 'DUMP LINKS' | grep -c 'state=active')" = 2 ]; }
for name in a b c; do check "$name has two links" wait_for 60 linked $name; done
sleep 5
for round in 1 2; do
  flow_start a b "$LAB/there" 0.1
  flow_start b a "$LAB/back" 0.1
  sleep 2
  cut=${EPOCHREALTIME/./}
  on b nft -f - <<'NFT'
table inet oneway {
  chain in { type filter hook input priority 0; iifname "eth0" ip saddr 192.0.2.11 drop; }
}
NFT
  check "a reaches b within 25 s of the cut (12 s on a machine at rest)" wait_for 25 on a ping -n -q -c 1 -W 0.3 "$(address4 b)"
  echo "        answered again $(( (${EPOCHREALTIME/./} - cut) / 1000 )) ms after the cut"
  on a wattle peers | sed 's/^/        /'
  by_c() { on "$1" wattle peers > "$LAB/peers" && grep -E "^$2 .*through c" "$LAB/peers"; }
  check "a goes by c" wait_for 10 by_c a b
  check "b goes by c" wait_for 10 by_c b a
  on b nft delete table inet oneway
  directly() { on "$1" wattle peers > "$LAB/peers" && grep -E "^$2 .* direct " "$LAB/peers"; }
  check "a goes directly again" wait_for 90 directly a b
  check "b goes directly again" wait_for 90 directly b a
  for flow in there:a back:b; do
    flow_end "${flow#*:}" "$LAB/${flow%:*}"
    echo "        $(grep -o '[0-9]* packets transmitted.*loss' "$LAB/${flow%:*}")"
  done
done
lab_verdict
