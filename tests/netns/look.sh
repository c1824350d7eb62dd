#!/usr/bin/env bash
# What an administrator sees of a line of three members, alice - bob - carol: routes, why, trace, peers, log,
# each in words and as JSON; and the level of a running daemon's log, changed and changed back.
set -u
here=$(dirname "$0"); . "$here/lab.sh"; . "$here/network.sh"
lab_open "${1:?folder of the programs}"

network_open alice bob || exit 1
lab_machine carol 192.0.2.13/24 lan
on alice ip route add blackhole 192.0.2.13/32
on carol ip route add blackhole 192.0.2.11/32
network_join carol || exit 1

json() { python3 -c "import json,sys; d=json.load(sys.stdin); assert d['schema'] == 1; assert $1, d"; }
says() { local text=$1; shift; "$@" | tee "$LAB/said"; grep -q -- "$text" "$LAB/said"; }

check "carol is reached through bob within 15 s" wait_for 15 pings alice carol 4 1
check "an IPv6 ping too" pings alice carol 6 2

# wattle peers
peer_json() { on alice wattle peers --json | json "[p for p in d['peers'] if p['name'] == '$1' and $2]"; }
check "peers: bob is direct, with a round trip" wait_for 10 peer_json bob "p['state'] == 'direct' and p.get('rtt_us', 0) > 0 and p['link']"
check "peers: carol is relayed by bob, and bytes came" wait_for 10 peer_json carol "p['state'] == 'relayed' and p['via'] == 'bob' and p['rx_bytes'] > 0 and not p['link']"
check "peers in words" says "through bob" on alice wattle peers
check "status counts them" says "2 known, 1 direct, 1 through others; 1 meta link" on alice wattle status

# wattle routes
route() { on alice wattle routes --json | json "[r for r in d['routes'] if r['name'] == '$1' and $2]"; }
check "routes: carol through bob, one candidate in use" route carol "r['via'] == 'bob' and r['state'] == 'reachable' and r['candidates'][0]['reason'] == 'in_use' and r['metric'] > 96"
check "routes: bob over its own link" route bob "r['via'] == 'bob'"
check "routes in words" says "^carol *bob " on alice wattle routes

# wattle trace
check "trace: alice, bob, carol, and an answer end to end" eval "on alice wattle trace carol --json | json \"[h['name'] for h in d['hops']] == ['alice', 'bob', 'carol'] and d['complete'] and d['probe']['answered'] and d['probe']['via'] == 'bob'\""
check "trace in words" says "^1    bob " on alice wattle trace carol
check "trace of nobody: exit 6" eval '! on alice wattle trace nobody; on alice wattle trace nobody 2>/dev/null; [ $? = 6 ]'

# wattle why
check "why: through bob, by the table and by the packets" says "routing table says: through bob" on alice wattle why carol
check "why names the candidate" grep -q "through bob: told .* in use" "$LAB/said"
check "why tells decisions with their ages" grep -q " ago  " "$LAB/said"
check "why as JSON" eval "on alice wattle why carol --json | json \"[l for l in d['lines'] if l['kind'] == 'route' and l['age_ms'] >= 0]\""

# wattle log
debug_lines() { on alice grep -c "^debug $1: " /run/wattle/$NET/log; }
check "no debug line yet" test "$(debug_lines metad)" = 0
check "log metad debug" says "wattle-metad of home: debug" on alice wattle log metad debug
on alice wattle routes > /dev/null; on alice wattle peers > /dev/null
check "debug lines appear" wait_for 10 eval '[ "$(debug_lines metad)" -gt 0 ]'
check "and only of metad" test "$(debug_lines cryptod)" = 0
check "log metad configured" on alice wattle log metad configured --json
check "it says so" wait_for 5 says "metad: the log level is the configured one again" on alice wattle log -n 20
sleep 0.3; lines=$(debug_lines metad); on alice wattle peers > /dev/null
check "debug lines have stopped" test "$(debug_lines metad)" = "$lines"
for process in cryptod keyd tapd; do
  check "the level of $process changes, and it lives" eval "on alice wattle log $process debug && wait_for 5 on alice grep -q 'notice $process: the log level is debug' /run/wattle/$NET/log && on alice wattle log $process configured"
done
check "cryptod tells of its neighbours at debug level" eval 'on alice wattle log cryptod debug; on alice wattle peers >/dev/null; wait_for 10 on alice grep -q "^debug cryptod: " /run/wattle/$NET/log'
on alice wattle log all configured > /dev/null
check "the same daemons run" eval '! on alice grep -q "started wattle-.*again\|was killed\|ended with" /run/wattle/$NET/log'
for process in registry signer; do
  check "the registry's machine: the level of $process changes" eval "on registry wattle log $process debug && wait_for 5 on registry grep -q 'notice $process: the log level is debug' /run/wattle/$NET/log"
done
check "an invite is seen at debug level" eval 'on registry wattle-registry invite dave > /dev/null; wait_for 5 on registry grep -q "^debug signer: hears lane=sign.admin msg=MakeInvite" /run/wattle/$NET/log'
check "log as JSON, one object a line" eval 'on alice wattle log -n 3 --json | python3 -c "import json,sys; l=[json.loads(x) for x in sys.stdin]; assert len(l) == 3 and all(x[\"schema\"] == 1 and x[\"text\"] for x in l), l"'
check "log of a process that is not here: exit 3" eval 'on alice wattle log registry debug; [ $? = 3 ]'
check "who is not root may not: exit 77" eval 'on alice setpriv --reuid=65534 --clear-groups wattle log metad debug home; [ $? = 77 ]'
check "log -f follows" eval '(on alice timeout 3 wattle log -n 0 -f > "$LAB/follow" &) ; sleep 0.7; on alice wattle log metad debug > /dev/null; wait_for 3 grep -q "the log level is debug" "$LAB/follow"; on alice wattle log metad configured'

# The debug socket, typed by hand.
typed() { printf '%s\n' "$@" | on alice nc -q 1 -w 3 -U /run/wattle/$NET/meta; }
# What is measured goes on changing.
dumped() { typed "DUMP ROUTES" "DUMP LINKS" "DUMP HOSTS" | sed -E 's/ (rtt_us|cost|metric|told_metric|fd_metric)=[0-9]+//g'; }
before=$(dumped)
check "rehearse: bob's end would lose carol" says "INFO would tell cryptod Route name=carol via=-" typed "REHEARSE bob DEL_HOST carol 0:0 0"
check "nothing has changed" test "$(dumped)" = "$before"
check "carol still answers" pings alice carol 4 1
lab_verdict
