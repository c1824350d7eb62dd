#!/usr/bin/env bash
# install.sh BUILD: the first five minutes from the package on two fresh Debian machines, with the seconds that each
# of the five commands took; an upgrade under a running ping; removal and purge leave nothing.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/root.sh"
. "$here/machine.sh"
build=${1:?build folder}
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
new=$(ls "$build"/package/wattle_*.deb) || { echo "make the package first: deb.sh"; exit 1; }
if [ -z "${MACHINES:-}" ]; then
  root_make "$build/package" "$new" || exit 1
  "$here/previous.sh" "$build" > "$build/package/previous.log" 2>&1 || { tail -20 "$build/package/previous.log"; exit 1; }
fi
machines_open "$build/package/root" "$@"
old=$(ls "$build"/package/previous/wattle_*.deb)
machine_boot server 192.0.2.1/24 || exit 1
machine_boot alice 192.0.2.2/24 || exit 1
for name in server alice; do
  cp "$new" "$MACHINES/$name/root/root/wattle.deb"
  cp "$old" "$MACHINES/$name/root/root/previous.deb"
  cp "$here/snapshot.sh" "$MACHINES/$name/root/root/"
  on "$name" /root/snapshot.sh > "$MACHINES/before.$name"
done

# The five commands. Everything that they print is kept, too: it is what a user sees.
table=""
timed() {  # MACHINE COMMAND…: the output in $MACHINES/out
  local name=$1 begin=${EPOCHREALTIME/./} status
  shift
  on "$name" "$@" > "$MACHINES/out" 2>&1
  status=$?
  table+=$(printf '%8s  %s# %s' "$(awk "BEGIN{printf \"%.2f s\", (${EPOCHREALTIME/./} - $begin) / 1e6}")" "$name" "${*%%#*}")$'\n'
  [ $status = 0 ] || cat "$MACHINES/out"
  return $status
}
check "1. the server installs the package" timed server apt-get install --yes --no-install-recommends /root/wattle.deb
no_process() { ! on "$1" pgrep -l wattle; }
check "   which starts nothing" no_process server
check "2. it makes a network" timed server wattle-registry init home
check "3. it invites alice" timed server wattle-registry invite alice
url=$(grep '^https://' "$MACHINES/out")
check "4. alice installs the package" timed alice apt-get install --yes --no-install-recommends /root/wattle.deb
check "5. alice joins" timed alice wattle join "$url"
echo "$table"
address=$(on server sed -n 's/^ipv4 *= *\([0-9.]*\).*/\1/p' /etc/wattle/home/member.conf)
check "alice pings the server over the network" on alice ping -q -c 3 -i 0.2 -W 2 "$address"
check "all units are up on the server" on server systemctl is-active --quiet wattle-{tapd,cryptod,keyd,metad,registry,signer}@home.service
check "the manual is there" on alice test -e /usr/share/man/man8/wattle.8.gz

# An upgrade from the previous commit: first down to it, then up again under a ping of 20 a second.
for name in server alice; do
  check "$name goes back to the previous version" on "$name" dpkg --install /root/previous.deb
done
settled() { on alice ping -q -c 5 -i 0.2 -W 1 "$address"; }
check "the network runs with it" wait_for 20 settled
upgrade_under_ping() {  # MACHINE
  on alice ping -D -n -i 0.05 -W 1 "$address" > "$MACHINES/ping.$1" 2>&1 &
  local ping=$! status
  sleep 1
  on "$1" apt-get install --yes /root/wattle.deb > "$MACHINES/upgrade.$1" 2>&1
  status=$?
  sleep 2
  on alice pkill -INT -x ping
  wait $ping
  cat "$MACHINES/upgrade.$1"
  return $status
}
gap() {  # MACHINE: the longest time without an answer, in ms
  sed -n 's/^\[\([0-9.]*\)\].* bytes from .*/\1/p' "$MACHINES/ping.$1" |
    awk 'NR > 1 && $1 - last > most {most = $1 - last} {last = $1} END {printf "%d", most * 1000}'
}
pids() { on "$1" systemctl show --property=MainPID --value wattle-{tapd,cryptod,keyd,metad}@home.service | tr '\n' ' '; }
all_new() {  # MACHINE OLD-PIDS: no daemon is the one it was
  local pid
  for pid in $(pids "$1"); do case " $2 " in *" $pid "*) echo "process $pid stayed"; return 1 ;; esac; done
}
for name in server alice; do
  before=$(pids "$name")
  card=$(on "$name" cat /sys/class/net/wt-home/ifindex)
  check "$name upgrades under a ping" upgrade_under_ping "$name"
  echo "        longest time without an answer: $(gap "$name") ms; answers: $(grep -c 'bytes from' "$MACHINES/ping.$name")"
  check "no gap is over 1 s" test "$(gap "$name")" -le 1000
  check "every daemon runs the new program" all_new "$name" "$before"
  check "on the same network card" test "$(on "$name" cat /sys/class/net/wt-home/ifindex)" = "$card"
done

# Removal keeps the state, purge takes it.
check "alice removes the package" on alice apt-get remove --yes wattle
check "nothing runs any more" no_process alice
no_card() { ! on alice ip link show wt-home; }
check "and the card is gone" no_card
check "her keys are still there" on alice test -e /var/lib/wattle/home/key/identity
for name in server alice; do
  check "$name purges it" on "$name" apt-get purge --yes wattle
  # What another package merely suggests (systemd: libqrencode4) would stay.
  on "$name" apt-get -o APT::AutoRemove::SuggestsImportant=false autoremove --purge --yes > /dev/null 2>&1
  on "$name" /root/snapshot.sh > "$MACHINES/after.$name"
  check "and nothing is left of it on $name" diff "$MACHINES/before.$name" "$MACHINES/after.$name"
done
lab_verdict
