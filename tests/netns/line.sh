#!/usr/bin/env bash
# Five members in a line, each of which sees only its neighbours on the wire: the ends ping each other through three
# relays, which see no plaintext, hold a hop limit and a budget; a cut in the middle is healed by a detour.
set -u
here=$(cd "$(dirname "$0")" && pwd); . "$here/lab.sh"; . "$here/network.sh"; . "$here/five.sh"
lab_open "${1:?folder of the programs}"
network_open a b c d e f || exit 1

# Who sees whom; f is the detour between b and d.
place() { case $1 in a) echo 11 ;; b) echo 12 ;; c) echo 13 ;; d) echo 14 ;; e) echo 15 ;; f) echo 16 ;; esac; }
sees() {
  local name=$1 other list=""
  shift
  for other in "$@"; do list+="${list:+, }192.0.2.$(place "$other")"; done
  on "$name" nft -f - <<NFT
table inet sight
delete table inet sight
table inet sight {
  chain in {
    type filter hook input priority 0
    iifname "eth0" ip saddr != { $list } drop
  }
}
NFT
}
sees a b; sees b a c; sees c b d; sees d c e; sees e d; sees f f
ends() { pings a e 4 1 && pings e a 6 1; }
check "a reaches e through b, c and d" wait_for 40 ends
check "by IPv4, IPv6 and fe80" bash -c ". $here/lab.sh; . $here/network.sh; $(declare -p LAB_INIT NET); LAB=$LAB; pings a e 4 3 && pings a e 6 3 && pings a e fe80 3"
trace() { on a wattle trace e > "$LAB/trace" 2>&1; }
check "wattle trace e" trace
sed 's/^/        /' "$LAB/trace"
by_relay() { on a wattle peers > "$LAB/peers" && grep -E '^e .*through b' "$LAB/peers"; }
check "wattle peers says that e is relayed" by_relay
sed 's/^/        /' "$LAB/peers"
on a wattle why e | sed 's/^/        /'

# What a relay sees.
hidden=$(printf 'plain%.0s' 1 2 3 4 5 6)
pattern=$(printf plainplainplai | od -An -tx1 | tr -d ' \n')
on c tcpdump -i eth0 --immediate-mode -U -s 0 -w "$LAB/relay.pcap" 2> "$LAB/tcpdump.c" & sniffer=$!
on e tcpdump -i "wt-$NET" --immediate-mode -U -s 0 -w "$LAB/end.pcap" 2> "$LAB/tcpdump.e" & end=$!
for log in c e; do wait_for 5 grep -q listening "$LAB/tcpdump.$log"; done
on a ping -n -q -c 10 -i 0.1 -s 200 -p "$pattern" "$(address4 e)" > /dev/null
sleep 0.5
kill $sniffer $end; wait $sniffer $end 2>/dev/null

check "e's own device shows the text (positive control)" grep -aq plainplain "$LAB/end.pcap"
check "the relay c carried packets" test "$(stat -c %s "$LAB/relay.pcap")" -gt 3000
no_text() { ! grep -aq plainplain "$LAB/relay.pcap"; }
check "and no plaintext: ${#hidden} known bytes do not occur in it" no_text

# The hop limit: a's own relayed datagram again, with the hop byte near the end of its life.
counter() { on "$1" wattle status --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["counters"].get(sys.argv[1], 0))' "crypto.$2"; }
aged() {
  on a ping -n -q -c 15 -i 0.1 "$(address4 e)" > /dev/null & local flow=$!
  on a python3 "$here/../support/again.py" eth0 192.0.2.11 192.0.2.12 8737 "$1" || return 1
  wait $flow
}
before=$(counter b drop_hops)
check "a datagram that has made 32 hops is sent once more" aged 32
grew() { [ "$(counter b drop_hops)" -gt "$before" ]; }
check "the first relay drops it: drop_hops" wait_for 5 grew
before=$(counter c drop_hops)
grew() { [ "$(counter c drop_hops)" -gt "$before" ]; }
check "one that has made 31 hops" aged 31
check "is dropped by the second relay" wait_for 5 grew

# The detour: f sees b and d from now on, then the middle one is cut off.
sees b a c f; sees d c e f; sees f b d
knows_f() { talk b 'DUMP LINKS' | grep -q 'name=f .*state=active' && talk d 'DUMP LINKS' | grep -q 'name=f .*state=active'; }
check "f has links with b and d" wait_for 70 knows_f
sleep 3
flow_start a e "$LAB/cut" 0.1
sleep 1
cut=${EPOCHREALTIME/./}
middle=c; on a wattle trace e | grep -qw c || middle=f
on $middle nft -f - <<'NFT'
table inet gone {
  chain in { type filter hook input priority -10; policy drop; }
  chain out { type filter hook output priority -10; policy drop; }
}
NFT
sleep 0.5
check "$middle, through which it went, is cut: a reaches e by the detour within 10 s" wait_for 10 on a ping -n -q -c 1 -W 0.3 "$(address4 e)"
echo "        answered again $(( (${EPOCHREALTIME/./} - cut) / 1000 )) ms after the cut"
on a wattle trace e | sed 's/^/        /'
on b wattle why e | sed 's/^/        /'
talk b 'DUMP ROUTES' | grep -E '=e( |$)' | sed 's/^/        /'
flow_end a "$LAB/cut"
echo "        $(grep -o '[0-9]* packets transmitted.*loss' "$LAB/cut")"
on $middle nft delete table inet gone

# A relay's budget, in bytes per second of each source.
on b bash -c "echo 'relay = 100k' >> /etc/wattle/$NET/wattle.conf"
on b wattle down $NET; on b wattle up $NET
check "b is back with relay = 100k" wait_for 60 ends
on e iperf3 -s -1 -D --forceflush > /dev/null
before=$(counter b relay_bytes)
on a iperf3 -u -c "$(address4 e)" -b 4M -l 1000 -t 10 -f k > "$LAB/iperf" 2>&1
used=$(( ($(counter b relay_bytes) - before) / 10 ))
echo "        4 Mbit/s offered; b relayed $used bytes/s in both directions; $(grep receiver "$LAB/iperf" | tail -1)"
within() { [ "$used" -gt 85000 ] && [ "$used" -lt 125000 ]; }
check "b relays about 100 kB/s" within
lab_verdict
