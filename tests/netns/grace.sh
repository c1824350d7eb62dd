#!/usr/bin/env bash
# A certificate that ends because the registry is away: traffic stops, the node's own status says why, renewal goes on,
# and works in the grace period; a restart in between changes nothing; a revoked member's renewal is refused, and its
# status says so.
set -u
here=$(dirname "$0"); . "$here/lab.sh"; . "$here/network.sh"
lab_open "${1:?folder of the programs}"

lab_switch lan
lab_machine registry 192.0.2.1/24 lan
on registry wattle-registry init "$NET" --no-member --lifetime 60s --url https://192.0.2.1:8443 > "$LAB/init.out" 2>&1 || {
  cat "$LAB/init.out"; exit 1; }
number=11
for name in alice bob; do
  lab_machine $name "192.0.2.$number/24" lan
  number=$((number + 1))
  network_join $name || exit 1
done
check "alice pings bob" wait_for 20 pings alice bob 4 1
check "the registry goes away" on registry wattle down "$NET"

says() { on "$1" wattle status | grep -qi "$2"; }
check "alice's status says that it could not be renewed" wait_for 80 says alice 'could not be renewed yet; the last try: the registry cannot be reached'
check "and when it has ended, that nobody talks to her" wait_for 60 says alice 'the certificate has ended: no member talks to this host'
silent() { ! pings alice bob 4 1; }
check "traffic stops, 120 s of tolerance later" wait_for 150 silent
echo "--- wattle status at alice"; on alice wattle status
logged() { on "$1" grep -q "$2" "/run/wattle/$NET/log"; }
check "her log says it" logged alice 'the certificate has ended'
check "a restart in the grace period" on alice bash -c "wattle down $NET && wattle up $NET"
check "she is still told" wait_for 20 says alice 'the certificate has ended'

check "the registry comes back" on registry wattle up "$NET"
check "alice and bob talk again" wait_for 60 pings alice bob 4 1
well() { ! says "$1" 'has ended\|could not be renewed'; }
for name in alice bob; do check "$name's status says nothing of it any more" wait_for 30 well $name; done

check "bob is revoked" on registry wattle-registry node revoke bob
check "his renewal is refused with its sentence" wait_for 60 logged bob "renewal refused: this member's certificates are revoked"
check "his status says that he was revoked" wait_for 30 says bob 'this member was revoked'
echo "--- wattle status at bob"; on bob wattle status
lab_verdict
