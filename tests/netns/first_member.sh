#!/usr/bin/env bash
# `wattle-registry init` as a new user runs it: the registry's own host becomes the first member, a relay; a joiner
# meets it at once; leaving the network there leaves the registry alone.
set -u
here=$(dirname "$0"); . "$here/lab.sh"; . "$here/network.sh"
lab_open "${1:?folder of the programs}"
lab_switch lan
lab_machine registry 192.0.2.1/24 lan
lab_machine alice 192.0.2.11/24 lan
check "init" on registry wattle-registry init $NET --url https://192.0.2.1:8443
check "the server is a member of its own network" test "$(member registry $NET name)" = registry
relay() { on registry wattle-registry node show registry | grep -q '^roles  *relay'; }
check "with the role of a relay" relay
again() { local out status; out=$(on registry wattle-registry init $NET 2>&1); status=$?; echo "$status $out"; [ $status != 0 ] && [ "$(echo "$out" | wc -l)" = 1 ]; }
check "a second init is refused in one sentence" again
check "invite and join alice" network_join alice
check "alice pings the server" pings alice registry 4 2
check "the server pings alice" pings registry alice 6 2
check "wattle ping names the path" bash -c "nsenter -t $(lab_pid alice) -n -m -u -p wattle ping -c 1 registry | grep 'direct over 192.0.2.1:8737'"
check "the server leaves" on registry wattle leave
still() { on registry wattle-registry node list | grep -q '^alice '; }
check "its registry goes on" still
no_device() { ! on registry ip link show "wt-$NET"; }
check "its device is gone" no_device
lab_verdict
