#!/usr/bin/env bash
# A receiver that stands still costs its neighbours nothing: one process of each kind is stopped (SIGSTOP) under load,
# each on another machine; the others' memory stays flat, nothing blocks, and all goes on after SIGCONT. What stands
# still for more than 25 s is taken for hung and replaced by the supervisor (watchdog, 30 s); nothing else is.
# stopped.sh FOLDER-OF-PROGRAMS [SECONDS]
set -u
here=$(cd "$(dirname "$0")" && pwd); . "$here/lab.sh"; . "$here/network.sh"
lab_open "${1:?folder of the programs}"
still=${2:-10}
network_open alice bob carol dave || exit 1
for name in bob carol dave; do check "alice reaches $name" wait_for 20 pings alice $name 4 1; done

# pid of a daemon of a machine, inside it; the command wattle-registry, which is asked for invites meanwhile, is none.
process() {
  on "$1" bash -c 'for p in /proc/[0-9]*; do
    mapfile -d "" words 2>/dev/null < $p/cmdline
    [ "${words[0]##*/}" = "wattle-$0" ] && [ "${words[1]:-}" != invite ] && echo "${p#/proc/}"
  done' "$2" 2>/dev/null | head -n 1
}
resident() { on "$1" awk '/^VmRSS/ { print $2 }' "/proc/$(process "$1" "$2")/status"; }
names() { on "$1" bash -c 'for p in /proc/[0-9]*; do n=$({ tr "\0" "\n" < $p/cmdline; } 2>/dev/null | head -n 1); n=${n##*/}; case $n in wattle-?*) echo "$n ${p#/proc/}" ;; esac; done' | grep -v 'wattle-fetch\|wattle-check' | sort; }
MACHINES="alice bob carol dave registry"
for name in $MACHINES; do names $name > "$LAB/names.$name"; done

# round MACHINE:PROCESS…: all of them stopped at the same time.
round() {
  local item name kind before after what=$*
  STOPPED+=" $*"
  declare -A memory
  for item in $(for name in alice bob carol dave; do for kind in cryptod metad keyd tapd; do echo $name:$kind; done; done) registry:registry registry:signer; do
    memory[$item]=$(resident "${item%:*}" "${item#*:}")
    [ -n "${memory[$item]}" ] || { echo "FAILED  no process $item"; LAB_FAILED=$((LAB_FAILED + 1)); }
  done
  for item in "$@"; do on "${item%:*}" kill -STOP "$(process "${item%:*}" "${item#*:}")"; done
  # Load: what each of them would have to hear of. alice to dave and bob to carol have sessions.
  local flows=() pair
  for pair in $FLOWS; do
    on "${pair%-*}" ping -n -q -i 0.02 -W 1 -c $((still * 40)) "$(address4 "${pair#*-}")" > "$LAB/flow.$pair" & flows+=($!)
  done
  local end=$((${EPOCHREALTIME/./} + still * 1000000))
  while [ "${EPOCHREALTIME/./}" -lt "$end" ]; do
    for name in alice bob carol dave; do
      for _ in 1 2 3 4 5; do on $name timeout 2 wattle peers > /dev/null 2>&1 & done
      on $name timeout 2 ping -n -q -c 1 -W 1 "10.255.255.$((RANDOM % 250 + 1))" -I "wt-$NET" > /dev/null 2>&1 &
    done
    on registry timeout 2 wattle-registry invite "x$RANDOM" > /dev/null 2>&1 &
    sleep 0.5
  done
  for item in "${!memory[@]}"; do
    before=${memory[$item]} after=$(resident "${item%:*}" "${item#*:}" 2>/dev/null)
    [ "$still" -le 25 ] || after=${after:-0}  # being replaced
    [ "$after" -le $((before + 8000)) ] || { echo "FAILED  $item grew from $before to $after kB while $what stood still"; LAB_FAILED=$((LAB_FAILED + 1)); }
    [ "$after" -le $((before + 1000)) ] || echo "        $item: $before kB before, $after kB after ${still} s"
  done
  for item in "$@"; do on "${item%:*}" kill -CONT "$(process "${item%:*}" "${item#*:}")"; done
  wait "${flows[@]}"
  for pair in $FLOWS; do echo "        $pair: $(grep -o '[0-9]* packets transmitted.*loss' "$LAB/flow.$pair")"; done
  wait_for 20 all_up || { echo "FAILED  not everything is up after $what"; LAB_FAILED=$((LAB_FAILED + 1)); }
}
# A keyd ends with its cryptod.
same_but_hung() {
  local hung="^wattle-\\($(sed -n "s/^$1://p" <<< "${STOPPED// /$'\n'}" | paste -sd '|' | sed 's/|/\\|/g')\\) "
  hung=${hung/cryptod/'cryptod\|keyd'}
  [ "$still" -gt 25 ] || hung='^$'
  names "$1" | grep -v "$hung" | cmp - <(grep -v "$hung" "$LAB/names.$1")
}
status_up() { on "$1" timeout 5 wattle status > "$LAB/status" && ! grep -qw down "$LAB/status"; }
all_up() { local n; for n in alice bob carol dave; do status_up $n || return 1; done; }
undisturbed() { local loss; loss=$(grep -o '[0-9.]*% packet loss' "$LAB/flow.$1" | sed 's/[.%].*//'); [ "$loss" -le 2 ]; }

STOPPED=""
FLOWS="alice-dave alice-carol carol-alice dave-carol"
round alice:metad carol:keyd dave:tapd registry:signer
for flow in $FLOWS; do check "frames flow on while alice:metad, carol:keyd, dave:tapd and the signer stand still: $flow" undisturbed $flow; done
FLOWS="alice-dave dave-alice"
round bob:cryptod registry:registry
for flow in $FLOWS; do check "and while bob:cryptod and the registry do: $flow" undisturbed $flow; done

for name in bob carol dave; do
  check "alice reaches $name" wait_for 20 pings alice $name 4 1
  check "$name reaches alice" wait_for 20 pings $name alice 6 1
done
url=$(on registry wattle-registry invite erin)
check "registry and signer make an invite" test -n "$url"
for name in $MACHINES; do
  check "$name: the same processes as before, but for hung ones" same_but_hung $name
done
lab_verdict
