#!/usr/bin/env bash
# What an outsider on the wire and a third member see: no plaintext on the underlay, no foreign unicast in a TAP.
set -u
here=$(dirname "$0"); . "$here/lab.sh"; . "$here/network.sh"
lab_open "${1:?folder of the programs}"
network_open alice bob carol || exit 1
check "warm up alice-bob" pings alice bob 4 2
check "warm up alice-carol" pings alice carol 4 1
check "warm up bob-carol" pings bob carol 4 1

pattern=6b616e6761726f6f6b616e6761726f6f   # "kangarookangaroo"
nsenter -t "$(lab_pid lan)" -n -p tcpdump -i br0 --immediate-mode -U -s 0 -w "$LAB/wire.pcap" 2> "$LAB/tcpdump.wire" & wire=$!
on carol tcpdump -i "wt-$NET" --immediate-mode -U -s 0 -w "$LAB/carol.pcap" 2> "$LAB/tcpdump.carol" & tap=$!
on bob tcpdump -i "wt-$NET" --immediate-mode -U -s 0 -w "$LAB/bob.pcap" 2> "$LAB/tcpdump.bob" & plain=$!
for log in wire carol bob; do wait_for 5 grep -q listening "$LAB/tcpdump.$log"; done
check "twenty pings with a known pattern" on alice ping -n -q -c 20 -i 0.02 -s 400 -p $pattern "$(address4 bob)"
sleep 1
kill $wire $tap $plain; wait $wire $tap $plain 2>/dev/null

check "bob's TAP saw the pattern (the capture works)" grep -q kangarookangaroo "$LAB/bob.pcap"
check "the wire carried wattle's datagrams" bash -c "[ \$(tcpdump -nr $LAB/wire.pcap 'udp port 8737' 2>/dev/null | wc -l) -ge 40 ]"
absent() { ! grep -q kangarookangaroo "$1"; }
check "no plaintext on the underlay" absent "$LAB/wire.pcap"
foreign() { ! tcpdump -nr "$LAB/carol.pcap" "host $(address4 alice) and host $(address4 bob) and icmp" 2>/dev/null | grep .; }
check "carol's TAP shows no unicast between alice and bob" foreign

# An address that nobody owns: no answer, no flood.
check "an address nobody owns is not answered" bash -c "! nsenter -t $(lab_pid alice) -n ping -n -q -c 1 -W 1 $(address4 alice | sed 's/\.[0-9]*$/.200/')"
# A stranger's datagrams get no answer at all.
lab_machine stranger 192.0.2.66/24 lan
silence() { [ -z "$(on stranger bash -c 'head -c 594 /dev/urandom | nc -u -w 1 192.0.2.11 8737 | head -c 1')" ]; }
check "silence to strangers" silence
lab_verdict
