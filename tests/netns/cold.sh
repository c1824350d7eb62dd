#!/usr/bin/env bash
# The registry is dead and every member is started anew: all pairs reach each other again from cached peers alone.
set -u
here=$(cd "$(dirname "$0")" && pwd); . "$here/lab.sh"; . "$here/network.sh"; . "$here/five.sh"
lab_open "${1:?folder of the programs}"
five_cables || exit 1
lab_machine registry 192.0.2.2/24 net
lab_gateway registry 192.0.2.254
on registry wattle-registry init $NET --no-member --url https://192.0.2.2:8443 > "$LAB/init.out" 2>&1 || { cat "$LAB/init.out"; exit 1; }
for name in "${FIVE[@]}"; do network_join $name || exit 1; done
check "all 20 ordered pairs ping" wait_for 30 all_pairs 4
sleep 6      # the file of peers is written some seconds after the last news
on registry wattle down $NET
for name in "${FIVE[@]}"; do on $name wattle down $NET; done
at=${EPOCHREALTIME/./}
starts=()
for name in "${FIVE[@]}"; do on $name wattle up $NET & starts+=($!); done
wait "${starts[@]}"
check "registry dead, all members restarted: all pairs again within 30 s" wait_for 30 all_pairs 4
echo "        $(( (${EPOCHREALTIME/./} - at) / 1000 )) ms after the first wattle up"
check "IPv6 and fe80, too" all_pairs 6 fe80
lab_verdict
