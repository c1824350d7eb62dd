#!/usr/bin/env bash
# Three members join by invites over HTTPS and ping in every direction and family; first pings are fast and
# lose nothing; every kind of bad invite is one sentence, its own exit code, and nothing written.
set -u
here=$(dirname "$0"); . "$here/lab.sh"; . "$here/network.sh"
lab_open "${1:?folder of the programs}"

network_open alice bob || exit 1

# carol's join, with the clock running: the first ping is answered within 2 s of join's return.
lab_machine carol 192.0.2.13/24 lan
invite=$(on registry wattle-registry invite carol)
check "invite prints one line" test "$(echo "$invite" | wc -l)" = 1
check "carol joins" on carol wattle join "$invite"
MEMBERS+=(carol)
first_ping_within() {
  local deadline=$((${EPOCHREALTIME/./} + $1 * 1000000))
  until pings carol alice 4 1; do [ "${EPOCHREALTIME/./}" -lt $deadline ] || return 1; done
  [ "${EPOCHREALTIME/./}" -lt $deadline ]
}
check "first ping within 2 s of join" first_ping_within 2
no_loss() { pings "$@" | tee "$LAB/ping" ; grep -q ' 0% packet loss' "$LAB/ping"; }
check "the first ping to a further member loses nothing" no_loss carol bob 4 3

for from in alice bob carol; do
  for to in alice bob carol; do
    [ $from != $to ] || continue
    for family in 4 6 fe80; do check "$from pings $to, $family" no_loss $from $to $family 2; done
  done
done

# The neighbour tables hold the MACs that the registry certified.
certified() { on alice ip neighbour show dev "wt-$NET" | grep -q "$(address4 bob) lladdr $(member bob $NET mac)"; }
check "alice resolved bob to the certified MAC" certified

# wattle's own words.
check "wattle status" on alice wattle status
status_json() { on alice wattle status --json | python3 -c 'import json,sys; assert json.load(sys.stdin)["schema"] == 1'; }
check "wattle status --json is JSON with a schema" status_json
direct() { on alice wattle peers --json | python3 -c 'import json,sys; p=json.load(sys.stdin)["peers"]; assert sorted(x["name"] for x in p if x["state"]=="direct")==["bob","carol"], p'; }
check "wattle peers: bob and carol are direct" direct
check "wattle ping bob" on alice wattle ping bob
three() { on registry wattle-registry node list --json | python3 -c 'import json,sys; assert len(json.load(sys.stdin)["nodes"]) == 3'; }
check "the registry lists three members" three

# Bad invites: one sentence, own exit code, nothing written.
lab_machine dave 192.0.2.14/24 lan
traces() { on dave bash -c 'ls -d /etc/wattle/* /var/lib/wattle/*/[!p]* /run/wattle/* 2>/dev/null; getent passwd | grep wattle-'; }
refused() {  # what, expected exit code, URL
  local out status
  out=$(on dave wattle join "$3" 2>&1); status=$?
  echo "exit $status: $out"
  [ $status = "$2" ] && [ "$(echo "$out" | wc -l)" = 1 ] && [ -z "$(traces)" ]
}
check "a used invite is refused with exit 10" refused used 10 "$invite"
short=$(on registry wattle-registry invite dave --expires 1s)
sleep 2
check "an expired invite is refused with exit 11" refused expired 11 "$short"
good=$(on registry wattle-registry invite erin)
hash=${good#*#}; other=$(echo "${hash:0:1}" | tr 'a-z2-7' 'b-z2-7a')
check "a wrong genesis hash is refused with exit 13" refused wrong 13 "${good%%#*}#$other${hash:1}"
check "an unreachable registry is exit 6" refused unreachable 6 "${good/192.0.2.1/192.0.2.99}"
check "no invite at all is exit 2" refused text 2 "https://192.0.2.1:8443/home"
second() { local out status; out=$(on alice wattle join "$good" 2>&1); status=$?; echo "$status $out"; [ $status = 16 ]; }
check "a second join on a member is exit 16" second
check "the unused invite still works" on dave wattle join "$good"
check "dave, named erin by the registry, pings alice" pings dave alice 4 2

# Two that join at the same moment, with no other member up, find each other.
for name in alice bob carol dave; do check "$name goes down" on $name wattle down $NET; done
twins() {
  local first second
  lab_machine twin1 192.0.2.21/24 lan && lab_machine twin2 192.0.2.22/24 lan || return 1
  first=$(on registry wattle-registry invite twin1) && second=$(on registry wattle-registry invite twin2) || return 1
  on twin1 wattle join "$first" & local one=$!
  on twin2 wattle join "$second" & local two=$!
  wait $one && wait $two
}
check "two members join at once" twins
check "they find each other" wait_for 10 pings twin1 twin2 4
for name in alice dave; do check "$name comes back" on $name wattle up $NET; done

# Leaving takes all of it back.
check "dave leaves" on dave wattle leave
check "nothing of wattle is left on dave" test -z "$(traces)"
gone() { ! on dave ip link show "wt-$NET"; }
check "dave's device is gone" gone
lab_verdict
