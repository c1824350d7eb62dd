#!/usr/bin/env bash
# Two members behind separate port-restricted NATs: first through a relay, then straight; a NAT that forgets its mapping
# costs seconds; what `why` and the debug socket say of it all.
set -u
here=$(cd "$(dirname "$0")" && pwd); . "$here/lab.sh"; . "$here/network.sh"; . "$here/five.sh"
lab_open "${1:?folder of the programs}"
five_open || exit 1
check "carol pings dave at once" pings carol dave 4 3
check "all 20 ordered pairs ping" wait_for 30 all_pairs 4 6 fe80
flow_start carol dave "$LAB/flow"
direct() { on carol wattle peers | grep -qE '^dave .*direct'; }
check "a direct way is found through both NATs" wait_for 30 direct
on carol wattle peers | sed 's/^/        /'
on carol wattle why dave | sed 's/^/        /'

at=${EPOCHREALTIME/./}
lab_rebind nat1 30777
check "nat1 gives carol another port: traffic goes on within 10 s" wait_for 10 on carol ping -n -q -c 1 -W 0.3 "$(address4 dave)"
echo "        answered $(( (${EPOCHREALTIME/./} - at) / 1000 )) ms after the rebinding"
sleep 12
check "all pairs still ping" wait_for 20 all_pairs 4
on hub wattle peers | sed 's/^/        /'
on hub wattle why carol | sed 's/^/        /'
talk hub 'DUMP ROUTES' 'WHY carol' | grep -E 'carol' | sed 's/^/        /'

# No direct way at all: the router drops what is between the two outer addresses.
on isp nft -f - <<'NFT'
table ip wall {
  chain between {
    type filter hook forward priority 0
    ip saddr 198.51.100.2 ip daddr 203.0.113.2 drop
    ip saddr 203.0.113.2 ip daddr 198.51.100.2 drop
  }
}
NFT
at=${EPOCHREALTIME/./}
sleep 0.5
check "the direct way is cut: relayed within 10 s" wait_for 10 on carol ping -n -q -c 1 -W 0.3 "$(address4 dave)"
echo "        answered $(( (${EPOCHREALTIME/./} - at) / 1000 )) ms after the cut"
relayed() { on carol wattle peers | grep -qE '^dave .*through'; }
check "wattle peers says so" wait_for 10 relayed
on carol wattle why dave | sed 's/^/        /'
flow_end carol "$LAB/flow"
echo "        $(grep -o '[0-9]* packets transmitted.*loss' "$LAB/flow")"
lab_verdict
