#!/usr/bin/env bash
# The clock of one node jumps a year ahead, back, a year back, and is set right again: the daemons live, sessions that
# are up carry on or say why not, and two minutes after the clock is right everything works; nobody is locked out.
# clock.sh PROGRAMS LIBRARY: the second is tests/support/shift_clock.c as a shared library.
set -u
here=$(cd "$(dirname "$0")" && pwd); . "$here/lab.sh"; . "$here/network.sh"
lab_open "${1:?folder of the programs}"
library=${2:?the library that shifts clocks}
network_open alice bob carol || exit 1
cp "$library" "$LAB/shift_clock.so"; chmod 755 "$LAB/shift_clock.so"

set_clock() {  # machine, seconds from the true time
  on "$1" python3 -c "import struct; f = open('/run/shift_clock', 'r+b'); f.write(struct.pack('<q', $2))"
}
carries() { pings alice bob 4 1 && pings bob alice 4 1 && pings carol alice 4 1; }
logged() { on alice grep -q -- "$1" "/run/wattle/$NET/log"; }
same_daemons() { [ "$(on alice grep -c 'started wattle-' "/run/wattle/$NET/log")" = "$started" ]; }
restart() { on "$1" wattle down $NET > /dev/null 2>&1; on "$1" wattle up $NET > "$LAB/up.out" 2>&1; }
year=31536000

on alice wattle down $NET > /dev/null 2>&1
on alice bash -c "truncate -s 4096 /run/shift_clock && chmod 644 /run/shift_clock && echo $LAB/shift_clock.so > /etc/ld.so.preload"
on alice wattle up $NET > "$LAB/up.out" 2>&1 || cat "$LAB/up.out"
check "alice, bob and carol reach each other" wait_for 20 carries
set_clock alice 86400; shifted=$(on alice date +%s); true_time=$(date +%s)
check "the library shifts the clock (positive control)" test $((shifted - true_time)) -gt 86000
set_clock alice 0
started=$(on alice grep -c 'started wattle-' "/run/wattle/$NET/log")

for jump in $year -$year; do
  set_clock alice $jump
  sleep 20
  check "clock off by $jump s: the same daemons run" same_daemons
  printf '        alice to bob meanwhile: %s\n' "$(on alice ping -n -q -c 5 -i 0.2 -W 1 "$(address4 bob)" | sed -n 's/.*received, //p')"
  on alice wattle status $NET 2>&1 | tail -n 3 | sed 's/^/        /'
  set_clock alice 0
  begun=${EPOCHREALTIME/./}
  check "clock right again after $jump s: all reach alice within 2 minutes" wait_for 120 carries
  echo "        after $(((${EPOCHREALTIME/./} - begun) / 1000)) ms"
  check "clock right again: still the same daemons" same_daemons
done

# Started while the clock is wrong: one clear sentence, and no lasting harm.
for jump in $year -$year; do
  set_clock alice $jump
  restart alice || true
  sleep 5
  on alice tail -n 40 "/run/wattle/$NET/log" | grep -E '^(error|warning)' | tail -n 2 | sed 's/^/        /'
  check "started with the clock off by $jump s: it names the clock" logged 'clock'
  set_clock alice 0
  restart alice
  begun=${EPOCHREALTIME/./}
  check "right clock and a start: all reach alice within 2 minutes" wait_for 120 carries
  echo "        after $(((${EPOCHREALTIME/./} - begun) / 1000)) ms"
done
lab_verdict
