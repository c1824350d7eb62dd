#!/usr/bin/env bash
# A parameter of the network reaches every member within 5 s, also those that cannot reach the registry: a relay
# hears of it at once, the others from their neighbours.
set -u
here=$(dirname "$0"); . "$here/lab.sh"; . "$here/network.sh"
lab_open "${1:?folder of the programs}"

lab_switch lan
lab_machine registry 192.0.2.1/24 lan
on registry wattle-registry init "$NET" --url https://192.0.2.1:8443 > "$LAB/init.out" 2>&1 || { cat "$LAB/init.out"; exit 1; }
number=11
for name in alice bob carol dave; do
  lab_machine $name "192.0.2.$number/24" lan
  number=$((number + 1))
  network_join $name || exit 1
done
for name in alice bob carol; do check "$name pings dave" wait_for 20 pings $name dave 4 1; done

for name in alice bob; do
  on $name nft -f - <<'NFT'
table inet away {
  chain out { type filter hook output priority 0
    tcp dport 8443 drop
  }
}
NFT
done
away() { ! on "$1" timeout 2 bash -c ': < /dev/tcp/192.0.2.1/8443'; }
for name in alice bob; do check "$name cannot reach the registry" away $name; done

version() { on "$1" wattle status --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["network"]["document"])'; }
holds() { [ "$(version "$1")" -ge "$2" ]; }
# change WHAT VALUE: all five hold it within 5 s, half of them without the registry
change() {
  local before began name
  local -A waits=()
  before=$(version registry)
  check "network set $1 $2" on registry wattle-registry network set "$1" "$2"
  began=${EPOCHREALTIME/./}
  for name in registry alice bob carol dave; do
    { wait_for 5 holds $name $((before + 1)) && echo $(((${EPOCHREALTIME/./} - began) / 1000)) > "$LAB/took.$name"; } &
    waits[$name]=$!
  done
  for name in registry alice bob carol dave; do
    check "$name holds it within 5 s" wait "${waits[$name]}"
    echo "        $name: $(cat "$LAB/took.$name" 2>/dev/null) ms"
    rm -f "$LAB/took.$name"
  done
}
sleep 3  # the question of the registry's own member waits at the registry
change broadcast no
change mtu 1390
check "a document survives its members' restart" on alice wattle down $NET
check "alice is up again" on alice wattle up $NET
kept() { holds alice "$(version registry)"; }
check "and holds the newest" wait_for 5 kept
lab_verdict
