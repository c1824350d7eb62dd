#!/usr/bin/env bash
# A network card that stops doing what cryptod asks of it is found out and done without, in the middle of traffic: no
# checksums of trains (UDP_SEGMENT fails with EIO before Linux 6.11, which is said once; later kernels make them), and
# packets no longer than 1280 bytes (EMSGSIZE).
# fallback.sh PROGRAMS [MB]
set -u
here=$(cd "$(dirname "$0")" && pwd); . "$here/lab.sh"; . "$here/network.sh"
lab_open "${1:?folder of the programs}"
size=${2:-20}
network_open alice bob || exit 1
both() { pings alice bob 4 && pings bob alice 6; }
check "alice and bob ping each other" wait_for 10 both
for name in alice bob; do on $name "$here/../support/transfer.py" serve > "$LAB/serve.$name" 2>&1 < /dev/null & disown; done
for name in alice bob; do check "$name serves" wait_for 20 on $name bash -c 'ss -Hltn | grep -q ":9000 "'; done
cryptod() { on "$1" pgrep -f "wattle-cryptod --net $NET"; }
daemons="$(cryptod alice) $(cryptod bob)"

transfer() {  # tcp|udp MB: each way, by IPv4 and IPv6
  local a b
  on alice "$here/../support/transfer.py" "$@" "$(address4 bob)" "$(address6 bob)" > "$LAB/from.alice" 2>&1 & a=$!
  on bob "$here/../support/transfer.py" "$@" "$(address4 alice)" "$(address6 alice)" > "$LAB/from.bob" 2>&1 & b=$!
  wait $a; a=$?
  wait $b; b=$?
  cat "$LAB/from.alice" "$LAB/from.bob"
  [ $a = 0 ] && [ $b = 0 ]
}
counter() { on "$1" wattle status --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["counters"].get("crypto." + sys.argv[1], 0))' "$2"; }
said() { on "$1" grep -c "cannot checksum trains" "/run/wattle/$NET/log"; }  # MACHINE
# Something happens in the middle of TCP each way.
meanwhile() {  # COMMAND…
  transfer tcp "$size" > "$LAB/transfer" 2>&1 & local running=$!
  sleep 0.3
  "$@" && kill -0 $running && wait $running || { cat "$LAB/transfer"; return 1; }
}
mtu=$(on alice ip -o link show "wt-$NET" | sed 's/.* mtu \([0-9]*\) .*/\1/')
fits() { on "$1" ping -n -q -c 2 -i 0.2 -W 2 -M "do" -s $((mtu - 28)) "$(address4 "$2")"; }

check "TCP" transfer tcp "$size"
check "nothing is said of the card" test "$(said alice) $(said bob)" = "0 0"

no_checksums() { on alice ethtool -K eth0 tx off; }
check "TCP while alice's card stops making checksums" meanwhile no_checksums
check "TCP after that" transfer tcp "$size"
check "UDP after that" transfer udp 2
check "alice has said so once at most, bob has not" test "$(said alice)" -le 1 -a "$(said bob)" = 0

failed=$(counter alice io_send_failed)
shorter() { for name in alice bob; do on $name ip link set eth0 mtu 1280 || return 1; done; }
check "TCP while the links become shorter" meanwhile shorter
check "a packet of the device's MTU passes unbroken" eval 'fits alice bob && fits bob alice'
check "TCP after that" transfer tcp "$size"
check "UDP after that" transfer udp 2
check "each way is known as smaller" test "$(counter alice paths_smaller)" -ge 1 -a "$(counter bob paths_smaller)" -ge 1
check "few datagrams were too long: $(($(counter alice io_send_failed) - failed)), $(counter bob io_send_failed)" \
  test $(($(counter alice io_send_failed) - failed)) -le 2000 -a "$(counter bob io_send_failed)" -le 2000
check "why says so" eval 'on alice wattle why bob | grep -q "bytes are too long"'
check "the same daemons run" test "$(cryptod alice) $(cryptod bob)" = "$daemons"
lab_verdict
