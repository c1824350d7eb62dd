#!/usr/bin/env bash
# io = uring: every byte arrives, whatever is left to the kernel and however the other end reads and writes; devices that
# vanish, daemons that are killed under traffic, and a kernel that allows no io_uring. uring.sh PROGRAMS [MB-TCP MB-UDP]
set -u
here=$(cd "$(dirname "$0")" && pwd); . "$here/lab.sh"; . "$here/network.sh"
lab_open "${1:?folder of the programs}"
tcp=${2:-10} udp=${3:-2.5}
switch=/proc/sys/kernel/io_uring_disabled
before=$(cat $switch 2> /dev/null || echo none)
network_open alice bob || exit 1
both() { pings alice bob 4 && pings bob alice 6; }
check "alice and bob ping each other" wait_for 10 both
for name in alice bob; do on $name "$here/../support/transfer.py" serve > "$LAB/serve.$name" 2>&1 & done

transfer() {  # tcp|udp MB
  local a b
  on alice "$here/../support/transfer.py" "$@" "$(address4 bob)" "$(address6 bob)" > "$LAB/from.alice" 2>&1 & a=$!
  on bob "$here/../support/transfer.py" "$@" "$(address4 alice)" "$(address6 alice)" > "$LAB/from.bob" 2>&1 & b=$!
  wait $a; a=$?
  wait $b; b=$?
  cat "$LAB/from.alice" "$LAB/from.bob"
  [ $a = 0 ] && [ $b = 0 ]
}
process() { on "$1" pgrep -f "wattle-$2 --net $NET"; }
came_back() { local now; now=$(process "$1" "$2") && [ "$now" != "$3" ]; }
end() {  # MACHINE DAEMON SIGNAL: it comes back
  local old
  old=$(process "$1" "$2")
  on "$1" kill "-$3" "$old"
  wait_for 8 came_back "$1" "$2" "$old" || check "wattle-$2 of $1 is back" false
}
change() {  # MACHINE IO OFFLOAD
  local conf=/etc/wattle/$NET/wattle.conf
  on "$1" bash -c "sed -i '/^offload/d; /^io/d' $conf && printf 'offload = %s\nio = %s\n' '$3' '$2' >> $conf"
  end "$1" cryptod TERM
}
rings() { on "$1" bash -c "ls -l /proc/$(process "$1" cryptod)/fd" | grep -c 'anon_inode:\[io_uring\]'; }
has_rings() { test "$(rings "$1")" = "$2"; }
counters() { on "$1" wattle status --json | python3 -c 'import json, sys
all = json.load(sys.stdin)["counters"]
print(*(all.get("crypto." + name, 0) for name in sys.argv[1:]))' drop_offload drop_inner_segment io_tap_offload io_tap_failed io_truncated; }
none_dropped() { test "$(counters alice) $(counters bob)" = "0 0 0 0 0 0 0 0 0 0"; }
bytes() { # WHAT
  check "$1: they ping" wait_for 20 both
  check "$1: TCP" transfer tcp "$tcp"
  check "$1: UDP" transfer udp "$udp"
}

with_rings() {
  local offload old flood
  for offload in all none csum csum,tso,gso csum,uso,gro gso,gro; do
    change alice uring $offload
    change bob uring $offload
    bytes "both uring, offload $offload"
    check "nothing was dropped" none_dropped
  done
  check "alice has one ring" has_rings alice 1
  change bob epoll all
  check "bob has none" has_rings bob 0
  bytes "alice uring with gso,gro, bob epoll with all"
  change alice uring all
  bytes "alice uring, bob epoll, all"
  check "nothing was dropped" none_dropped

  # The queue comes anew to a cryptod that goes on.
  old=$(process alice cryptod)
  end alice tapd KILL
  bytes "tapd killed"
  on alice ip link delete "wt-$NET"
  gone() { on alice grep -q "the network device is gone" "/run/wattle/$NET/log"; }
  check "cryptod sees that its device is gone" wait_for 5 gone
  bytes "device deleted and made anew"
  check "by the same cryptod" test "$(process alice cryptod)" = "$old"
  check "with the one ring" has_rings alice 1

  # Killed under traffic.
  on alice ping -q -i 0.002 -c 4000 "$(address4 bob)" > "$LAB/flood" 2>&1 & flood=$!
  for _ in 1 2 3; do
    end alice cryptod KILL
    check "alice reaches bob after her cryptod was killed" wait_for 15 both
  done
  wait $flood
  check "few of 4000 pings are lost" test "$(sed -n 's/.* \([0-9]*\) received.*/\1/p' "$LAB/flood")" -gt 3000
  tail -2 "$LAB/flood" | sed 's/^/        /'
  bytes "cryptod killed three times"
}

check "auto makes no ring" has_rings alice 0
if [ "$before" = 0 ]; then with_rings; else echo "        this kernel allows no io_uring"; fi

# A kernel that allows none: said once, and epoll is used.
trap '[ $before != 0 ] || echo 0 > $switch; lab_close' EXIT
said() { on alice grep -c "read and written with epoll" "/run/wattle/$NET/log"; }
check "nothing was said of epoll before" test "$(said)" = 0
[ "$before" != 0 ] || echo 2 > $switch
change alice uring all
check "no ring is made" has_rings alice 0
bytes "io_uring forbidden"
[ "$before" != 0 ] || echo 0 > $switch
check "the log says so once" test "$(said)" = 1
on alice grep "read and written with epoll" "/run/wattle/$NET/log" | sed 's/^/        /'
lab_verdict
