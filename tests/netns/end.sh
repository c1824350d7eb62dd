#!/usr/bin/env bash
# How an instance ends, under load, and that there is one only: SIGTERM ends it within 2 s with the device gone and exit
# code 0, again and again; a second start exits 75 and names the holder; without its supervisor it ends by itself, and the
# next start is clean.
# end.sh PROGRAMS [ROUNDS]
set -u
here=$(cd "$(dirname "$0")" && pwd); . "$here/lab.sh"; . "$here/network.sh"; . "$here/five.sh"
lab_open "${1:?folder of the programs}"
rounds=${2:-3}
network_open alice bob || exit 1
check "alice pings bob" pings alice bob 4 2
run=/run/wattle/$NET
ours() { on "$1" pgrep -f "^wattle-(tapd|cryptod|keyd|metad|signer|registry)( serve)? --net $NET\$"; }
holder() { on "$1" head -n 1 "$run/lock"; }
device() { on "$1" ip link show "wt-$NET" 2> /dev/null; }
gone() { ! ours "$1" && ! device "$1"; }

# ---- one instance only
second() {  # COMMAND…: exits 75 and says by whom the network is held
  local code=0
  on alice "$@" > "$LAB/second" 2>&1 || code=$?
  cat "$LAB/second"
  [ $code = 75 ] && grep -q "process $(holder alice) " "$LAB/second"
}
for line in "wattle up $NET" "wattle up $NET --foreground" "wattle-tapd --net $NET" "wattle-cryptod --net $NET" \
  "wattle-keyd --net $NET" "wattle-metad --net $NET"; do
  # shellcheck disable=SC2086
  check "a second '$line' exits 75 and names the holder" second $line
done
sed 's/^/        /' "$LAB/second"
second_of_registry() {
  local code=0
  on registry "$@" > "$LAB/second" 2>&1 || code=$?
  cat "$LAB/second"
  [ $code = 75 ] && grep -q "process $(holder registry) " "$LAB/second"
}
check "a second wattle-signer, too" second_of_registry wattle-signer --net $NET
check "and a second wattle-registry serve" second_of_registry wattle-registry serve --net $NET
check "the network did not notice" pings alice bob 4 3

# ---- SIGTERM under load
on bob iperf3 -s -D > /dev/null
on bob ping -n -f -q "$(address4 alice)" > "$LAB/flood" 2>&1 & flood=$!
on alice wattle down $NET
check "alice is down" gone alice
start() {  # an instance whose exit code ends in $LAB/code
  rm -f "$LAB/code"
  on alice bash -c "wattle up $NET --foreground >> $LAB/up.log 2>&1; echo \$? > $LAB/code" &
  wait_for 30 pings alice bob 4 1
}
: > "$LAB/ends"
for ((i = 1; i <= rounds; i++)); do
  start || { echo "round $i: no answer after the start"; break; }
  on alice iperf3 -c "$(address4 bob)" -t 60 > /dev/null 2>&1 & load=$!
  on alice ping -n -f -q "$(address4 bob)" > /dev/null 2>&1 & load="$load $!"
  sleep "0.$((RANDOM % 9 + 1))"
  up=$(holder alice)
  sent=${EPOCHREALTIME/./}
  if [ $((i % 3)) = 0 ]; then on alice wattle down $NET || echo "round $i: wattle down failed"; else on alice kill -TERM "$up"; fi
  while ! gone alice > /dev/null || [ ! -s "$LAB/code" ]; do
    [ $((${EPOCHREALTIME/./} - sent)) -lt 15000000 ] || break
  done
  echo "$i $(( (${EPOCHREALTIME/./} - sent) / 1000 )) $(cat "$LAB/code")" >> "$LAB/ends"
  # shellcheck disable=SC2086
  kill $load; wait $load 2> /dev/null
  on alice bash -c "pgrep 'iperf3|ping' | xargs -r kill -KILL" 2> /dev/null
done
awk '{ all[NR] = $2; sum += $2; codes[$3]++ } END { asort_n = NR; for (i = 1; i <= NR; i++) if (all[i] > most) most = all[i];
  printf "        %d ends: %d ms on average, %d ms at most; exit codes:", NR, sum / NR, most; for (c in codes) printf " %s (%d times)", c, codes[c]; print "" }' "$LAB/ends"
check "$rounds ends under load" test "$(wc -l < "$LAB/ends")" = "$rounds"
check "each within 2 s, processes and device gone, exit code 0" awk '$2 > 2000 || $3 != 0 { print; bad = 1 } END { exit bad }' "$LAB/ends"
unclean() { grep -E 'did not stop in time|was killed by signal|ended with exit code [1-9]' "$LAB/up.log"; }
check "every daemon ended by itself, with exit code 0" bash -c "! grep -E 'did not stop in time|was killed by signal|ended with exit code [1-9]' $LAB/up.log"
ended=$(grep -c 'ended with exit code 0' "$LAB/up.log")
echo "        $ended daemons ended with exit code 0"
check "four daemons each time" test "$ended" = $((4 * rounds))
left() { on alice find "$run" -type s | grep . && return 1; on alice ss -Hlntu | grep -E ':8737\b' && return 1; return 0; }
check "no socket stays" left

# ---- the supervisor killed
for ((i = 1; i <= (rounds + 2) / 3; i++)); do
  start || { echo "no answer after the start"; break; }
  sent=${EPOCHREALTIME/./}
  on alice kill -KILL "$(holder alice)"
  # The next start at once, whatever is left of the last one.
  if [ $((i % 2)) = 0 ]; then
    check "wattle up right behind the end of its supervisor ($i)" on alice wattle up $NET
  else
    check "without its supervisor all of it ends ($i)" wait_for 10 gone alice
    echo "        gone $(( (${EPOCHREALTIME/./} - sent) / 1000 )) ms after the kill"
    check "wattle up is clean" on alice wattle up $NET
  fi
  check "alice answers again" wait_for 20 pings bob alice 4 1
  check "four daemons and no more" test "$(ours alice | wc -l)" = 4
  on alice wattle down $NET
done
# A daemon that stands still when its supervisor dies.
start
keyd=$(daemon alice cryptod)
on alice kill -STOP "$keyd"
on alice kill -KILL "$(holder alice)"
sleep 0.5
check "a daemon of a dead instance that hangs is no obstacle" on alice wattle up $NET
check "alice answers again" wait_for 20 pings bob alice 4 1
check "it is gone" bash -c "! nsenter -t $(lab_pid alice) -p -m test -e /proc/$keyd"
on alice wattle down $NET
check "and nothing is left at the end" gone alice
kill $flood; wait $flood 2> /dev/null
lab_verdict
