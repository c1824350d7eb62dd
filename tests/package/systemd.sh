#!/usr/bin/env bash
# systemd.sh BUILD: the units under the real systemd of Debian 12, on two machines that it booted: Type=notify, socket
# units and the generator, the sandbox as the kernel shows it, restart of each daemon, the descriptor store, the watchdog,
# the end.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/root.sh"
. "$here/machine.sh"
build=${1:?build folder}
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
package=$(ls "$build"/package/wattle_*.deb) || { echo "make the package first: deb.sh"; exit 1; }
if [ -z "${MACHINES:-}" ]; then
  root_make "$build/package" "$package" || exit 1
fi
machines_open "$build/package/root" "$@"
machine_boot server 192.0.2.1/24 || exit 1
machine_boot alice 192.0.2.2/24 || exit 1
for name in server alice; do
  cp "$package" "$MACHINES/$name/root/root/wattle.deb"
  on "$name" apt-get install --yes --no-install-recommends /root/wattle.deb > "$MACHINES/install" 2>&1 || {
    cat "$MACHINES/install"; exit 1; }
done
echo "        $(on alice systemctl --version | head -1); kernel $(uname -r)"

member="tapd cryptod keyd metad"
all="$member registry signer"
property() { on "$1" systemctl show --property="$3" --value "wattle-$2@home.service"; }
unit_is() { [ "$(on "$1" systemctl show --property="$3" --value "$2")" = "$4" ]; }
machine_of() { case $1 in registry|signer) echo server ;; *) echo alice ;; esac; }

# Registry on the port of HTTPS, which no daemon may bind: only the socket unit can have made that.
check "init, with a port below 1024" on server wattle-registry init home --listen 192.0.2.1:443 --url https://192.0.2.1:443
check "the generator wrote registry.conf's listener" on server grep -qx 'ListenStream=192.0.2.1:443' \
  /run/systemd/generator/wattle-registry@home.socket.d/listen.conf
url=$(on server wattle-registry invite alice | grep '^https://')
check "join" on alice wattle join "$url"
address=$(on server sed -n 's/^ipv4 *= *\([0-9.]*\).*/\1/p' /etc/wattle/home/member.conf)
ping_server() { on alice ping -q -c "${1:-1}" -i 0.2 -W 1 "$address"; }
check "ping" ping_server 3
check "on a member without a registry its units are skipped, not failed" unit_is alice wattle-registry@home.service ActiveState inactive
check "and nothing has failed" test -z "$(on alice systemctl list-units --failed --plain --no-legend 'wattle*')"

# What the units promise, as the kernel shows it. systemd reports Type=notify daemons as running after READY only.
status_of() { on "$1" sed -n "s/^$3:[[:space:]]*//p" "/proc/$(property "$1" "$2" MainPID)/status"; }
sandboxed() {  # PROGRAM
  local machine pid inside outside
  machine=$(machine_of "$1")
  pid=$(property "$machine" "$1" MainPID)
  inside=$(on "$machine" readlink "/proc/$pid/ns/net")
  outside=$(on "$machine" readlink /proc/1/ns/net)
  property "$machine" "$1" Type | grep -qx notify && property "$machine" "$1" SubState | grep -qx running || return 1
  [ "$(status_of "$machine" "$1" Seccomp)" = 2 ] && [ "$(status_of "$machine" "$1" NoNewPrivs)" = 1 ] || return 1
  [ "$(status_of "$machine" "$1" CapEff)" = 0000000000000000 ] || return 1
  # No group but its own.
  [ "$(status_of "$machine" "$1" Groups)" = "$(status_of "$machine" "$1" Gid | cut -f1) " ] || return 1
  case $1 in tapd|metad) [ "$inside" = "$outside" ] ;; *) [ "$inside" != "$outside" ] ;; esac || return 1
  # Its root holds no more than its unit names.
  on "$machine" ls "/proc/$pid/root/etc" "/proc/$pid/root/var" "/proc/$pid/root/home" | tee "$MACHINES/seen"
  ! grep -Eq '^(shadow|ssl|systemd|log|cache|spool)$' "$MACHINES/seen"
}
for program in $all; do check "wattle-$program runs sealed, in its own root" sandboxed "$program"; done
others_state() { ! on alice test -e "/proc/$(property alice metad MainPID)/root/var/lib/wattle/home/key"; }
check "metad cannot even see keyd's folder" others_state
only_tun() { on alice ls "/proc/$(property alice tapd MainPID)/root/dev" | grep -qx net && ! on alice ls "/proc/$(property alice cryptod MainPID)/root/dev" | grep -qx net; }
check "only tapd sees /dev/net/tun" only_tun

# Each daemon killed: back by itself; device, descriptors and traffic survive.
card=$(on alice cat /sys/class/net/wt-home/ifindex)
check "tapd keeps TAP and sockets in the descriptor store" test "$(property alice tapd NFileDescriptorStore)" -ge 2
again() { local now; now=$(property "$1" "$2" MainPID); [ "$now" != 0 ] && [ "$now" != "$3" ] && property "$1" "$2" SubState | grep -qx running; }
for program in $all; do
  machine=$(machine_of "$program")
  pid=$(property "$machine" "$program" MainPID)
  on "$machine" kill -KILL "$pid"
  check "wattle-$program is killed and comes back" wait_for 10 again "$machine" "$program" "$pid"
  check "  and pings go on" wait_for 10 ping_server
done
check "the network card is the same after all that" test "$(on alice cat /sys/class/net/wt-home/ifindex)" = "$card"
check "the store holds as many descriptors as before, not more" test "$(property alice tapd NFileDescriptorStore)" -le 16
check "the registry still answers" on alice bash -c "exec 3<> /dev/tcp/192.0.2.1/443"

# Watchdog: a daemon that stands still is killed and started again. 30 s in the unit; 3 s here.
on alice mkdir -p /run/systemd/system/wattle-metad@home.service.d
on alice bash -c 'printf "[Service]\nWatchdogSec=3s\n" > /run/systemd/system/wattle-metad@home.service.d/watchdog.conf'
on alice systemctl daemon-reload
pid=$(property alice metad MainPID)
on alice systemctl kill --kill-whom=main --signal=TERM wattle-metad@home.service
check "metad takes the shorter watchdog" wait_for 10 again alice metad "$pid"
pid=$(property alice metad MainPID)
sleep 7
check "it answers its watchdog" test "$(property alice metad MainPID)" = "$pid"
on alice kill -STOP "$pid"
check "it stands still and is started again" wait_for 30 again alice metad "$pid"
check "by the watchdog" on alice bash -c "journalctl -u wattle-metad@home.service | grep -i 'watchdog timeout'"

# A configuration error stops the attempts, and says what to correct.
on alice cp /etc/wattle/home/wattle.conf /root/wattle.conf
on alice bash -c 'echo "port = none" >> /etc/wattle/home/wattle.conf'
on alice systemctl kill --kill-whom=main --signal=TERM wattle-metad@home.service
given_up() { unit_is alice wattle-metad@home.service ActiveState failed && unit_is alice wattle-metad@home.service ExecMainStatus 78; }
check "a configuration error ends with 78 and is not tried again" wait_for 10 given_up
names_it() { on alice wattle up home 2>&1 | grep wattle-metad; }
check "wattle up says which unit" names_it
on alice cp /root/wattle.conf /etc/wattle/home/wattle.conf
check "corrected, it starts" on alice wattle up home

# The end: within 2 s, nothing left; and again.
begin=${EPOCHREALTIME/./}
check "wattle down" on alice wattle down home
took=$(((${EPOCHREALTIME/./} - begin) / 1000))
echo "        after $took ms"
check "within 2 s" test "$took" -le 2000
gone() { ! on alice pgrep -l wattle && ! on alice ip link show wt-home && [ -z "$(on alice find /run/wattle/home -type s)" ]; }
check "no process, no card, no socket is left" gone
check "wattle up" on alice wattle up home
check "and pings go" wait_for 10 ping_server

# The instance after a reboot of the machine: enabled, so it comes by itself.
check "the network is enabled for the next boot" on alice systemctl is-enabled --quiet wattle@home.target
check "leave" on alice wattle leave
disabled() { ! on alice systemctl is-enabled wattle@home.target; }
check "takes that back" disabled
lab_verdict
