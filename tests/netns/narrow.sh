#!/usr/bin/env bash
# Frames of an Ethernet of 1500 bytes over ways that carry less than such a frame needs, and over links that become
# narrower and wide again while they are used. narrow.sh PROGRAMS
set -u
here=$(cd "$(dirname "$0")" && pwd); . "$here/lab.sh"; . "$here/network.sh"
lab_open "${1:?folder of the programs}"
network_open alice bob || exit 1
for name in alice bob; do
  on $name bash -c "sed -i '/^mtu/d' /etc/wattle/$NET/wattle.conf; echo 'mtu = 1500' >> /etc/wattle/$NET/wattle.conf"
  on $name wattle down "$NET" > /dev/null && on $name wattle up "$NET" > /dev/null || exit 1
done
both() { pings alice bob 4 && pings bob alice 6; }
check "alice and bob ping each other" wait_for 20 both
check "the device has 1500 bytes" eval 'on alice ip link show dev wt-$NET | grep -q "mtu 1500"'
for name in alice bob; do on $name "$here/../support/transfer.py" serve > "$LAB/serve.$name" 2>&1 & done

# Whole frames, none of which may be cut by IP: DF is set.
full4() { on "$1" ping -n -q -4 -M do -s 1472 -c "${3:-5}" -i 0.1 -W 2 "$(address4 "$2")"; }
full6() { on "$1" ping -n -q -6 -M do -s 1452 -c "${3:-5}" -i 0.1 -W 2 "$(address6 "$2")"; }
full() { full4 alice bob "$@" && full6 bob alice "$@"; }
transfer() { on "$1" "$here/../support/transfer.py" "$2" "$3" "$(address4 "$4")" "$(address6 "$4")"; }
counter() { on "$1" wattle status --json | python3 -c 'import json, sys
print(json.load(sys.stdin)["counters"].get("crypto." + sys.argv[1], 0))' "$2"; }
link() { local name; for name in alice bob; do on $name ip link set eth0 mtu "$1"; done; }
none() { [ "$(counter alice "$1")" = 0 ] && [ "$(counter bob "$1")" = 0 ]; }

check "1500 bytes over Ethernet" full
check "they went in parts" eval '[ "$(counter alice tx_fragments)" -gt 0 ] && [ "$(counter alice rx_reassembled)" -gt 0 ]'
check "TCP over Ethernet" transfer alice tcp 20 bob
check "UDP over Ethernet" transfer bob udp 2 alice
check "no link was too narrow" none paths_smaller

narrower() {  # MTU
  local began=${EPOCHREALTIME/./}
  link "$1"
  check "1500 bytes over links of $1" wait_for 5 eval 'full4 alice bob 1 && full4 bob alice 1'
  echo "        after $(((${EPOCHREALTIME/./} - began) / 1000)) ms"
  check "all of them, both ways" full 20
  check "TCP over links of $1" transfer bob tcp 20 alice
  # What is on its way while the kernel says so is lost.
  check "UDP over links of $1" wait_for 15 transfer alice udp 2 bob
}
narrower 1400
narrower 1280
check "both know it" eval '[ "$(counter alice paths_smaller)" -gt 0 ] && [ "$(counter bob paths_smaller)" -gt 0 ]'
check "why says so" eval 'on alice wattle why bob | grep "are too long for"'
check "nothing stayed incomplete" none drop_incomplete
link 1500
check "1500 bytes over Ethernet again" full

# In the middle of a transfer.
on alice "$here/../support/transfer.py" tcp 200 "$(address4 bob)" > "$LAB/long" 2>&1 & long=$!
sleep 0.3
link 1280
check "a transfer goes on when the link gets narrower" wait $long
cat "$LAB/long"
lab_verdict
