# Debian machines on one host, each booted with its own systemd in systemd-nspawn: sourced, not run; needs root.sh's
# root. All is in namespaces of the test (network, mounts, processes), on a switch of its own, and is gone at the end.
#
#   machines_open ROOT "$@"        runs the test again inside the namespaces; what follows is inside
#   machine_boot NAME ADDRESS/LEN  a machine from ROOT (an overlay: ROOT stays as it is), with the interface host0
#   on NAME COMMAND…               runs a command there
#   machine_pid NAME               its systemd, as seen from the test
# shellcheck shell=bash

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../netns/lab.sh"
declare -A MACHINE=()

machines_open() {
  local status group
  ROOT=$1
  shift
  if [ -z "${MACHINES:-}" ]; then
    MACHINES=$(mktemp -d /tmp/wattle-machines.XXXXXX)
    export MACHINES
    unshare --net --mount --pid --fork --kill-child --mount-proc --propagation private "$0" "$@"
    status=$?
    # The kernel needs a moment to bury the last processes of a group.
    for group in 1 2 3 4 5 6 7 8 9 10; do
      machines_ungroup && break
      sleep 0.2
    done
    rmdir "$MACHINES"
    exit $status
  fi
  LAB=$MACHINES
  mount -t tmpfs -o mode=755 tmpfs "$MACHINES"
  mount -t tmpfs -o mode=755 tmpfs /run
  mount -t sysfs sysfs /sys  # of this network namespace
  mount -t cgroup2 cgroup2 /sys/fs/cgroup || { echo "this host has no cgroup2"; exit 77; }
  mkdir -p /run/systemd "/sys/fs/cgroup/$(basename "$MACHINES")"
  ip link set lo up
  ip link add br0 type bridge
  ip link set br0 up
}

# Outside: the groups that the machines left behind.
machines_ungroup() {
  local mount group
  mount=$(findmnt -n -o TARGET -t cgroup2 | head -1)
  [ -n "$mount" ] || return 0
  group=$mount/$(basename "$MACHINES")
  [ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} + 2> /dev/null
}

machine_boot() {
  local name=$1 folder=$MACHINES/$1 group nspawn leader
  group=/sys/fs/cgroup/$(basename "$MACHINES")/$name
  mkdir -p "$folder"/{upper,work,root} "$group"
  mount -t overlay overlay -o "lowerdir=$ROOT,upperdir=$folder/upper,workdir=$folder/work" "$folder/root"
  echo "$name" > "$folder/root/etc/hostname"
  (
    echo "$BASHPID" > "$group/cgroup.procs"
    exec env SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 SYSTEMD_NSPAWN_LOCK=0 systemd-nspawn --quiet --keep-unit --register=no \
      --boot --directory="$folder/root" --machine="$name" --private-network --resolv-conf=off --timezone=off \
      --link-journal=no --system-call-filter="bpf @keyring landlock_create_ruleset landlock_add_rule landlock_restrict_self" --console=pipe systemd.firstboot=off
  ) < /dev/null > "$folder/console" 2>&1 &
  nspawn=$!
  booted() {
    leader=$(tr -d ' ' < "/proc/$nspawn/task/$nspawn/children") && [ "$(cat "/proc/$leader/comm")" = systemd ] &&
      [ -e "/proc/$leader/root/run/systemd/private" ]
  }
  wait_for 60 booted || { echo "$name does not boot:"; cat "$folder/console"; return 1; }
  MACHINE[$name]=$leader
  ip link add "to-$name" type veth peer name host0 netns "$leader"
  ip link set "to-$name" master br0 up
  nsenter -t "$leader" -n ip address add "$2" dev host0
  nsenter -t "$leader" -n ip link set host0 up
  # What udev does elsewhere: anybody may open it, only CAP_NET_ADMIN may use it.
  on "$name" chmod 0666 /dev/net/tun
  wait_for 60 on "$name" systemctl is-active --quiet multi-user.target || { echo "$name does not come up"; return 1; }
}

machine_pid() { echo "${MACHINE[$1]}"; }

on() {
  local name=$1
  shift
  nsenter -t "${MACHINE[$name]}" --mount --uts --ipc --net --pid --cgroup -- \
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 TERM=dumb DEBIAN_FRONTEND=noninteractive "$@"
}
