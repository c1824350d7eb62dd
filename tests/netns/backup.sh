#!/usr/bin/env bash
# The registry's host is lost with its journal, after a backup that is older than a member, a renewal and a revocation:
# restored on a fresh machine, with the network document that a member holds, it hands out nothing again, the member
# that it does not know comes back by itself, and those who were thrown out stay out. Pings go on meanwhile.
#   backup.sh PROGRAMS
set -u
here=$(dirname "$0"); . "$here/lab.sh"; . "$here/network.sh"
lab_open "${1:?folder of the programs}"

lab_switch lan
lab_machine registry 192.0.2.1/24 lan
on registry wattle-registry init "$NET" --no-member --lifetime 60s --url https://192.0.2.1:8443 > "$LAB/init.out" 2>&1 || {
  cat "$LAB/init.out"; exit 1; }
number=11
for name in alice bob carol dave; do
  lab_machine $name "192.0.2.$number/24" lan
  number=$((number + 1))
done
# A relay hears of new documents at once.
on alice wattle join "$(on registry wattle-registry invite alice --relay)" > "$LAB/join.alice" 2>&1 || {
  cat "$LAB/join.alice"; exit 1; }
network_join bob || exit 1
check "alice pings bob" wait_for 10 pings alice bob 4 1

check "a backup while it runs" on registry wattle-registry backup /var/saved
network_join carol || exit 1
before=$(address4 carol)
check "alice pings carol" wait_for 10 pings alice carol 4 1
check "bob is revoked" on registry wattle-registry node revoke bob
off() { ! pings alice bob 4 1 > /dev/null 2>&1; }
check "and cut off" wait_for 10 off
held() { on alice grep '^version ' "/var/lib/wattle/$NET/meta/document" | cut -d' ' -f2; }
newest=$(held)

on alice ping -n -i 0.2 -W 5 -c 300 "$before" > "$LAB/ping" 2>&1 & pings=$!

# The machine is gone; a fresh one has its address, the backup, and a document of alice's.
mkdir "$LAB/rescue"
cp -r "$LAB/registry/var/saved" "$LAB/rescue/"
on alice cat "/var/lib/wattle/$NET/meta/document" > "$LAB/rescue/document"
on registry wattle down "$NET"
on registry sh -c "rm -rf /etc/wattle /var/lib/wattle /run/wattle; userdel wattle-$NET-signer; userdel wattle-$NET-registry" 2> /dev/null
check "nothing of it is left" on registry sh -c "! getent passwd wattle-$NET-signer && ! test -e /etc/wattle"
no_word() { ! on registry wattle-registry restore "$LAB/rescue/saved" 2> "$LAB/err" && grep -q -- --journal-lost "$LAB/err"; }
check "a restore without the journal wants a word" no_word
check "the restore" on registry wattle-registry restore "$LAB/rescue/saved" --journal-lost --document "$LAB/rescue/document"
check "the registry starts" on registry wattle up "$NET"
nodes() { on registry wattle-registry node list --json | python3 -c 'import json,sys
print(" ".join(n["name"] + ":" + n["state"] for n in json.load(sys.stdin)["nodes"]))'; }
echo "        $(nodes)"
bob_out() { nodes | grep -q 'bob:revoked'; }
check "bob is revoked, though the backup did not know it" bob_out
ahead() { [ "$(held)" -ge $((newest + 1048576)) ]; }
check "alice takes the new document" wait_for 20 ahead
network_join dave || exit 1
new=$(address4 dave)
echo "        carol $before, dave $new"
check "dave has another address than carol" test "$new" != "$before"
carol_back() { nodes | grep -q 'carol:member'; }
check "carol comes back by herself" wait_for 90 carol_back
check "with her address" test "$(address4 carol)" = "$before"
wait $pings
echo "        $(grep 'packets transmitted' "$LAB/ping")"
check "no ping between alice and carol was lost" grep -q ' 0% packet loss' "$LAB/ping"
check "dave pings carol" wait_for 10 pings dave carol 4 1
check "bob is still out" off
check "the audit" on registry wattle-registry audit
on registry wattle-registry audit
lab_verdict
