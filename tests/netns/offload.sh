#!/usr/bin/env bash
# Every byte arrives whatever is left to the kernel: `offload` of wattle.conf, each switch off alone at either end and at
# both, and all of them. offload.sh PROGRAMS [MB-BY-TCP MB-BY-UDP]: so much each way by IPv4 and by IPv6, all at once.
set -u
here=$(cd "$(dirname "$0")" && pwd); . "$here/lab.sh"; . "$here/network.sh"
lab_open "${1:?folder of the programs}"
tcp=${2:-10} udp=${3:-2.5}
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
counters() { on "$1" wattle status --json | python3 -c 'import json, sys
all = json.load(sys.stdin)["counters"]
print(*(all.get("crypto." + name, 0) for name in sys.argv[1:]))' tx_segments rx_joined drop_offload drop_inner_segment io_tap_offload io_tap_failed; }
cryptod() { on "$1" pgrep -f "wattle-cryptod --net $NET"; }
conf=/etc/wattle/$NET/wattle.conf
came_back() { local now; now=$(cryptod "$1") && [ "$now" != "$2" ]; }
# The device does what is asked: checksums, TSO, USO.
switched() {
  local word want="" is
  for word in csum tso uso; do case ,$2, in *,$word,*|,all,) want+=" on" ;; *) want+=" off" ;; esac; done
  is=$(on "$1" ethtool -k "wt-$NET" | sed -nE 's/^\t?(tx-checksumming|tcp-segmentation-offload|tx-udp-segmentation): (on|off).*/ \2/p' | tr -d '\n')
  [ "$is" = "$want" ] || { echo "$1:$is instead of$want"; return 1; }
}
as_asked() { switched alice "${SET[alice]}" && switched bob "${SET[bob]}"; }
# With csum at both ends segments go unsummed, and are joined; else none.
moved() {
  local each
  case ${SET[alice]}/${SET[bob]} in
    */none|none/*|*/gso,gro|gso,gro/*) [ "$*" = "0 0 0 0" ] ;;
    *) for each in "$@"; do [ "$each" -gt 0 ] || return 1; done ;;
  esac
}
none_dropped() { [ "$*" = "0 0 0 0 0 0 0 0" ]; }

declare -A SET=([alice]=all [bob]=all)
round() {
  local what="alice: ${SET[alice]}, bob: ${SET[bob]}" began=${EPOCHREALTIME/./} a0 a1 b0 b1
  check "$what: the devices say so, and they ping" wait_for 10 eval 'as_asked && both'
  read -ra a0 < <(counters alice); read -ra b0 < <(counters bob)
  check "$what: TCP" transfer tcp "$tcp"
  check "$what: UDP" transfer udp "$udp"
  read -ra a1 < <(counters alice); read -ra b1 < <(counters bob)
  local moves=($((a1[0] - a0[0])) $((a1[1] - a0[1])) $((b1[0] - b0[0])) $((b1[1] - b0[1])))
  printf '        segments: alice sent %d and joined %d, bob sent %d and joined %d' "${moves[@]}"
  echo ", in $(((${EPOCHREALTIME/./} - began) / 1000)) ms"
  check "$what: unsummed segments" moved "${moves[@]}"
  check "$what: no drops" none_dropped "${a1[@]:2}" "${b1[@]:2}"
}
change() {  # MACHINE OFFLOAD: its cryptod is started again with that
  local old
  SET[$1]=$2
  on "$1" bash -c "sed -i '/^offload/d' $conf && echo 'offload = $2' >> $conf"
  old=$(cryptod "$1")
  on "$1" kill -TERM "$old"
  wait_for 8 came_back "$1" "$old" || check "wattle-cryptod of $1 is back" false
  round
}

round
# One of them at a time: a daemon that has lived for five seconds is started again at once.
first=alice second=bob
for switches in gso,gro csum,uso,gso,gro csum,tso,gso,gro csum,tso,uso,gro csum,tso,uso,gso none; do
  change $first "$switches"
  change $second "$switches"
  change $first all
  swap=$first first=$second second=$swap
done
lab_verdict
