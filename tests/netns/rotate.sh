#!/usr/bin/env bash
# New keys of a network of five while pings run: document key, credential key, CA; all who are there renew and lose
# nothing; a machine joins by an invite of before; one that was off renews when it is back; one that cannot reach the
# registry says why it is refused, and is back as soon as it can.
set -u
here=$(dirname "$0"); . "$here/lab.sh"; . "$here/network.sh"; . "$here/five.sh"
lab_open "${1:?folder of the programs}"

lab_switch lan
lab_machine registry 192.0.2.1/24 lan
on registry wattle-registry init "$NET" --url https://192.0.2.1:8443 > "$LAB/init.out" 2>&1 || { cat "$LAB/init.out"; exit 1; }
MEMBERS=(registry)
number=11
for name in alice bob carol dave; do
  lab_machine $name "192.0.2.$number/24" lan
  number=$((number + 1))
  network_join $name || exit 1
done
check "all pairs ping" wait_for 20 all_pairs 4
lab_machine erin 192.0.2.20/24 lan
invited=$(on registry wattle-registry invite erin)

keys() { on registry wattle-registry key list --json; }
# depends KIND: the members that depend on the older key, in a line.
depends() { keys | python3 -c 'import json,sys
print(*sorted(m for k in json.load(sys.stdin)["keys"] if k["kind"] == sys.argv[1] and k["state"] == "accepted" for m in k["members"]))' "$1"; }
# signed KIND MEMBER: its newest certificate is of the newest key.
signed() { keys | python3 -c 'import json,sys
assert any(sys.argv[2] in k["members"] for k in json.load(sys.stdin)["keys"] if k["kind"] == sys.argv[1] and k["state"] == "signs")' "$@"; }
only() { [ "$(depends "$1")" = "${*:2}" ]; }
version() { on "$1" wattle status --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["network"]["document"])'; }
newest() { on registry wattle-registry network show --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["document"]["version"])'; }
holds() { [ "$(version "$1")" -ge "$2" ]; }
all_hold() { local name wanted; wanted=$(newest); for name in "$@"; do holds "$name" "$wanted" || return 1; done; }
refused() { ! on registry "$@" && grep -q "$SENTENCE" "$LAB/check.out"; }

check "dave goes" on dave wattle down "$NET"
MEMBERS=(registry alice bob carol)
flows_start
began=${EPOCHREALTIME/./}
check "a new document key" on registry wattle-registry key rotate document
check "all hold the document that it signs" wait_for 10 all_hold "${MEMBERS[@]}"
check "another one" on registry wattle-registry key rotate document
check "a new credential key" on registry wattle-registry key rotate credential
SENTENCE="retire it first" check "not a third one beside it" refused wattle-registry key rotate credential
check "a new CA" on registry wattle-registry key rotate ca
SENTENCE="dave" check "the old CA cannot go: dave needs it" refused wattle-registry key retire ca
for kind in credential ca; do check "only dave has nothing of the new $kind key" wait_for 30 only $kind dave; done
echo "        all others have renewed after $(((${EPOCHREALTIME/./} - began) / 1000)) ms"
check "all hold the newest document" wait_for 10 all_hold "${MEMBERS[@]}"
check "the old CA goes" on registry wattle-registry key retire ca --force
check "the old credential key goes" on registry wattle-registry key retire credential --force
check "all hold the document without them" wait_for 10 all_hold "${MEMBERS[@]}"
sleep 2
check "no ping is lost" flows_end
tail -n 1 "$LAB/check.out" | sed 's/^/        /'
on registry wattle-registry key list | sed 's/^/        | /'

# Whoever knows the genesis alone follows the chain.
check "erin joins by an invite of before" on erin wattle join "$invited"
check "erin pings alice" wait_for 20 pings erin alice 4 1
# Whoever was off renews at the registry by its identity key.
check "dave comes back" on dave wattle up "$NET"
check "dave pings bob" wait_for 40 pings dave bob 4 1
for kind in credential ca; do check "and has renewed its $kind part" signed $kind dave; done

# Without a way to the registry nothing helps, and the log says what would.
check "carol goes" on carol wattle down "$NET"
check "a CA again" on registry wattle-registry key rotate ca
check "only carol has nothing of it" wait_for 30 only ca carol
check "the old one goes" on registry wattle-registry key retire ca --force
on carol nft -f - <<'NFT'
table inet away {
  chain out { type filter hook output priority 0
    tcp dport 8443 drop
  }
}
NFT
check "carol comes back" on carol wattle up "$NET"
told() { on carol wattle log -n 200 2>/dev/null | grep -q 'refuses our certificate: it has ended, or a key that made it is retired'; }
check "and is told why it is refused" wait_for 30 told
check "carol pings nobody" eval '! pings carol alice 4 1'
on carol nft delete table inet away
check "carol pings alice when it reaches the registry" wait_for 60 pings carol alice 4 1

# The signer has its newer keys from the journal.
check "the registry stops" on registry wattle down "$NET"
check "and starts" on registry wattle up "$NET"
check "what it signs now is good" on registry wattle-registry network set mtu 1390
check "and reaches all" wait_for 30 all_hold registry alice bob carol dave erin
lab_verdict
