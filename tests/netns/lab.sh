# A lab of machines on one host, for tests/demo and tests/netns: sourced, not run.
#
#   lab_open [FOLDER-OF-PROGRAMS]    once; sets LAB; everything is gone at lab_close (trap on EXIT)
#   lab_machine NAME ADDRESS/LEN [SWITCH]   own network, mount and PID namespace; /etc and /var are overlays, /run is empty
#   lab_switch NAME                  an Ethernet switch (a bridge in a namespace of its own)
#   lab_wire MACHINE IF ADDR/LEN SWITCH   one more cable; lab_gateway MACHINE ADDRESS, its default route
#   lab_router NAME                  a machine that forwards; cable it with lab_wire
#   lab_nat NAME OUTER/LEN SWITCH GATEWAY INNER/LEN SWITCH   a router whose inside hides behind its outer address:
#                                    port-restricted (only whom was asked may answer); wattle's port 8737 is seen as
#                                    30001 outside. lab_rebind NAME PORT: a new mapping, the old one forgotten
#   on NAME COMMAND…                 runs a command inside a machine, with the programs on its PATH
#   lab_pid NAME                     the machine's first process, for nsenter
#   lab_close                        ends every process of the lab, removes every trace
# All traffic stays on the lab's own switches. Nothing outside is changed but the folder $LAB.
# shellcheck shell=bash

declare -A LAB_INIT=()
LAB=""

lab_open() {
  LAB=$(mktemp -d /tmp/wattle-lab.XXXXXX)
  chmod 755 "$LAB"
  mount -t tmpfs -o mode=755 tmpfs "$LAB"
  trap lab_close EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  mkdir "$LAB/bin"
  cp "${1:?lab_open: folder of programs}"/wattle* "$LAB/bin/"
  chmod 755 "$LAB/bin" "$LAB"/bin/*
  export PATH="$LAB/bin:$PATH"
}

# One namespace holder: a shell that reaps whatever is left to it. $1 name, $2 set-up commands.
lab_hold() {
  unshare --net --mount --uts --pid --fork --mount-proc --kill-child --propagation private \
    bash -c "$2"' || exit 1; : > "$0"; trap : CHLD TERM; while :; do sleep 3600 & wait $!; done' "$LAB/$1.up" \
    < /dev/null > "$LAB/$1.log" 2>&1 &
  local holder=$! tries=0
  while [ ! -e "$LAB/$1.up" ]; do
    tries=$((tries + 1))
    if [ $tries -gt 200 ] || ! kill -0 $holder 2>/dev/null; then
      echo "lab: $1 did not start: $(cat "$LAB/$1.log")" >&2
      return 1
    fi
    sleep 0.02
  done
  LAB_INIT[$1]=$(cat "/proc/$holder/task/$holder/children" | tr -d ' ')
  LAB_INIT[holder:$1]=$holder
}

lab_pid() { echo "${LAB_INIT[$1]}"; }

lab_switch() {
  lab_hold "$1" 'ip link set lo up && ip link add br0 type bridge && ip link set br0 up'
}

lab_machine() {
  local name=$1 address=$2 switch=${3:-}
  mkdir -p "$LAB/$name"/{etc,etc.work,var,var.work}
  lab_hold "$name" "
    mount -t overlay overlay -o lowerdir=/etc,upperdir=$LAB/$name/etc,workdir=$LAB/$name/etc.work /etc &&
    mount -t overlay overlay -o lowerdir=/var,upperdir=$LAB/$name/var,workdir=$LAB/$name/var.work /var &&
    mount -t tmpfs -o mode=755 tmpfs /run && ip link set lo up && echo $name > /proc/sys/kernel/hostname" || return 1
  [ -z "$switch" ] || lab_wire "$name" eth0 "$address" "$switch"
}

# lab_wire MACHINE INTERFACE ADDRESS/LEN SWITCH: a cable from a machine to a switch.
lab_wire() {
  local pid=${LAB_INIT[$1]} hub=${LAB_INIT[$4]} port
  port="p$((LAB_PORTS = ${LAB_PORTS:-0} + 1))"
  ip link add "$port" netns "$hub" type veth peer name "$2" netns "$pid"
  nsenter -t "$hub" -n ip link set "$port" master br0 up
  nsenter -t "$pid" -n ip address add "$3" dev "$2"
  nsenter -t "$pid" -n ip link set "$2" up
}

lab_gateway() { on "$1" ip route replace default via "$2"; }

lab_router() {
  lab_hold "$1" 'ip link set lo up && echo 1 > /proc/sys/net/ipv4/ip_forward'
}

lab_nat() {
  lab_router "$1" || return 1
  lab_wire "$1" outer "$2" "$3"
  lab_wire "$1" inner "$5" "$6"
  lab_gateway "$1" "$4"
  on "$1" nft -f - <<'NFT'
table ip nat {
  chain out { type nat hook postrouting priority srcnat;
    oifname "outer" udp sport 8737 masquerade to :30001
    oifname "outer" masquerade
  }
}
table ip filter {
  chain inside { type filter hook forward priority 0; policy drop;
    ct state established,related accept; iifname "inner" accept; }
  chain self { type filter hook input priority 0; policy drop;
    ct state established,related accept; iifname { "inner", "lo" } accept; ip protocol icmp accept; }
}
NFT
}

lab_rebind() {
  on "$1" nft flush chain ip nat out
  on "$1" nft add rule ip nat out oifname outer udp sport 8737 masquerade to ":$2"
  on "$1" nft add rule ip nat out oifname outer masquerade
  on "$1" conntrack -D -p udp > /dev/null 2>&1 || true
}

on() {
  local name=$1
  shift
  nsenter --target "${LAB_INIT[$name]}" --net --mount --uts --pid --wd=/ -- "$@"
}

lab_close() {
  local status=$? key
  trap - EXIT INT TERM
  for key in "${!LAB_INIT[@]}"; do
    case $key in holder:*) kill -KILL "${LAB_INIT[$key]}" 2>/dev/null || true; wait "${LAB_INIT[$key]}" 2>/dev/null || true ;; esac
  done
  LAB_INIT=()
  if [ -n "$LAB" ]; then
    local tries=0
    until umount "$LAB" 2>/dev/null || [ $((tries += 1)) -gt 50 ]; do sleep 0.1; done
    rmdir "$LAB" 2>/dev/null || true
    LAB=""
  fi
  return $status
}

# wait_for SECONDS COMMAND…: until it succeeds; false when time is up.
wait_for() {
  local deadline=$((${EPOCHREALTIME/./} + $1 * 1000000))
  shift
  until "$@" > /dev/null 2>&1; do
    [ "${EPOCHREALTIME/./}" -lt "$deadline" ] || return 1
    sleep 0.05
  done
}

# The part of a test's verdict: check "what must hold" COMMAND…
LAB_FAILED=0
check() {
  local what=$1
  shift
  if "$@" > "$LAB/check.out" 2>&1; then
    echo "ok      $what"
  else
    echo "FAILED  $what: $*"
    sed 's/^/        | /' "$LAB/check.out" | tail -20
    LAB_FAILED=$((LAB_FAILED + 1))
  fi
}
lab_verdict() { [ "$LAB_FAILED" = 0 ] || { echo "$LAB_FAILED checks failed"; exit 1; }; }

# field FILE KEY: a value out of a machine's member.conf.
member() { on "$1" sed -n "s/^$3 *= *//p" "/etc/wattle/$2/member.conf"; }
