# The machines and cables of the bench: sourced after tests/netns/lab.sh.
#
#   link_open FOLDER MACHINE…    a lab with these machines, without cables; the bench's own programs from FOLDER on
#                                their PATH
#   link_cable A IF ADDR/LEN B IF ADDR/LEN     one veth pair of MTU 1500, nothing between; ADDR "-" for none
#   link_pair                    a 192.0.2.1 - 192.0.2.2 b
#   link_star                    the same and a 198.51.100.1 - 198.51.100.2 c; no way between b and c but through a
#   link_middle                  a - m - b: m forwards nothing by itself; every offload of a and b is off
#   outer MACHINE                the address under which it is reached from outside
# Congestion control is cubic by the routes: a kernel may refuse the setting to a namespace, and the host's is not ours.
# shellcheck shell=bash

declare -A OUTER=([a]=192.0.2.1 [b]=192.0.2.2 [c]=198.51.100.2)
outer() { echo "${OUTER[$1]}"; }

link_open() {
  local name folder=$1
  shift
  lab_open "$BENCH_PROGRAMS"
  cp "$folder"/bench-* "$LAB/bin/"
  for name in "$@"; do
    lab_machine "$name" - || return 1
  done
}

link_cable() {
  ip link add "$2" netns "$(lab_pid "$1")" mtu 1500 type veth peer name "$5" netns "$(lab_pid "$4")" mtu 1500
  link_end "$1" "$2" "$3"
  link_end "$4" "$5" "$6"
}
link_end() {
  on "$1" ip link set "$2" mtu 1500 up
  [ "$3" != - ] || return 0
  on "$1" ip address add "$3" dev "$2" noprefixroute
  on "$1" ip route add "${3%.*}.0/24" dev "$2" src "${3%/*}" congctl cubic
}

link_pair() { link_cable a eth0 192.0.2.1/24 b eth0 192.0.2.2/24; }

link_star() {
  link_pair
  link_cable a eth1 198.51.100.1/24 c eth0 198.51.100.2/24
  on c ip route add default via 198.51.100.1 congctl cubic
}

# The middle machine's cards have no address and no IPv6: what passes is what a and b sent.
link_middle() {
  local name card
  on m bash -c 'echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6'
  link_cable a eth0 192.0.2.1/24 m left -
  link_cable b eth0 192.0.2.2/24 m right -
  for name in a:eth0 b:eth0 m:left m:right; do
    card=${name#*:}
    on "${name%:*}" ethtool -K "$card" tx off rx off sg off tso off gso off gro off > /dev/null
    on "${name%:*}" ethtool -K "$card" tx-udp-segmentation off > /dev/null 2>&1 || true
  done
}
