#!/usr/bin/env bash
# A member that speaks an older or a newer meta protocol is named so in `wattle peers`, and told so itself; the rest of
# the network does not care. The strange one is played with bob's own certificate by openssl s_client.
set -u
here=$(cd "$(dirname "$0")" && pwd); . "$here/lab.sh"; . "$here/network.sh"
lab_open "${1:?folder of the programs}"
network_open alice bob carol || exit 1
check "alice reaches carol" wait_for 10 pings alice carol 4 1
on bob wattle down $NET > /dev/null 2>&1
meta=/var/lib/wattle/$NET/meta
ours=$(on alice bash -c "echo PING | nc -N -w 3 127.0.0.1 8737" | sed -n 's/.*protocol=\([0-9]*\).*/\1/p')
check "the greeting names the protocol ($ours)" test "${ours:-0}" -ge 9

speak() {  # protocol: what alice answers
  # The input stays open until she has closed.
  on bob bash -c "(echo 'ID bob $1 0 8737 dial=1'; sleep 3) | timeout 8 openssl s_client -connect 192.0.2.11:8737 -tls1_3 -alpn wattle-meta/1 \
    -cert $meta/certificate -key $meta/tls.key -quiet 2>/dev/null" | tr -d '\r' > "$LAB/said"
  grep -a "$2" "$LAB/said"
}
named() { on alice wattle peers $NET | grep "^bob .*$1"; }
named_json() { on alice wattle peers $NET --json | python3 -c "import json,sys; sys.exit(0 if [p for p in json.load(sys.stdin)['peers'] if p['name'] == 'bob' and p['state'] == '$1'] else 1)"; }
for case in "$((ours - 1)) too.old" "$((ours + 1)) too.new"; do
  set -- $case
  what=${2/./ }
  check "protocol $1 is told that it is $what" speak "$1" "$what"
  sed 's/^/        /' "$LAB/said" | grep -a ERROR
  check "wattle peers names bob $what" wait_for 5 named "$what"
  named "$what" | sed 's/^/        /'
  check "and so does its JSON" named_json "${2/./-}"
done
check "alice still reaches carol" pings alice carol 4 2
on bob wattle up $NET > /dev/null 2>&1
check "with the right protocol bob is back" wait_for 15 pings alice bob 4 1
check "and named so no more" eval '! named too'
lab_verdict
