#!/usr/bin/env bash
# flood.sh BIN [SECONDS]: floods of first messages from sources that their sender only claims to be at, as fast as this
# host can send them, while bob gets a paced flow from alice over an established session: 100 Mbit/s and 1,000 pings (or
# as many as fit into SECONDS, 22). At most 1 % is lost, cryptod spends at most a quarter of a core on handshakes (more
# than at rest, without what the kernel takes to receive so many datagrams, which the flood of junk shows), its memory stays, and
# a cryptod that has just been started gets its session within 3 s. Prints the figures.
set -u
here=$(dirname "$0"); . "$here/lab.sh"; . "$here/network.sh"
bin=${1:?folder of the programs}; seconds=${2:-22}
lab_open "$bin"
cp "$bin/../tests/flood" "$LAB/bin/flood"
network_open alice bob carol || exit 1
lab_machine mallory 192.0.2.66/24 lan
on mallory ip route add local 198.18.0.0/15 dev lo
on bob ip route add 198.18.0.0/15 via 192.0.2.66   # so that answers find her
check "alice pings bob" wait_for 10 pings alice bob 4 2
check "carol pings bob" wait_for 10 pings carol bob 4 2

daemon() { on "$1" bash -c "for p in /proc/[0-9]*; do [ \"\$(tr '\\0' '\\n' < \$p/cmdline 2>/dev/null | head -n 1 | sed 's|.*/||')\" = wattle-$2 ] && echo \${p#/proc/}; done"; }
victim=$(daemon bob cryptod)
# Milliseconds of its own code and of the kernel for it.
cpu_ms() { on bob awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print $12 * 1000 / hz, $13 * 1000 / hz }' "/proc/$victim/stat"; }
memory_kb() { on bob awk '/^VmRSS/ { print $2 }' "/proc/$victim/status"; }
typed() { printf '%s\n' "$2" | on "$1" nc -q 2 -w 5 -U /run/wattle/$NET/meta; }
counters() { typed bob 'DUMP PEERS' > /dev/null; typed bob 'DUMP STATUS' | sed -n 's/^INFO counter name=crypto[.]\(.*\) value=/\1 /p'; }
key=$(typed alice 'REQ_KEY alice bob' | sed -n 's/^.*ANS_KEY [^ ]* [^ ]* \([^ ]*\).*/\1/p' | head -n 1)
check "alice knows bob's packet key" test ${#key} -ge 555
port=8737

# One run: $1 is the kind of flood or "none". Leaves: lost_udp lost_pings own and kernel (ms a second), fresh (ms).
flow() {
  local pings=$((seconds * 50)) flood="" begun
  [ $pings -le 1000 ] || pings=1000
  on bob iperf3 -s -1 -B "$(address4 bob)" > "$LAB/server" 2>&1 & local server=$!
  wait_for 5 on bob bash -c "ss -Hltn sport = :5201 | grep -q ."
  sent=0
  if [ "$1" != none ]; then
    on mallory flood "$1" 192.0.2.12 $port $((seconds + 3)) "$key" > "$LAB/flood.out" 2>&1 & flood=$!
    sleep 1
  fi
  local before; before=$(cpu_ms); begun=${EPOCHREALTIME/./}
  on alice ping -n -q -i 0.02 -c $pings -W 1 "$(address4 bob)" > "$LAB/pings" 2>&1 & local ping=$!
  on alice iperf3 -u -b 100M -l 1300 -t "$seconds" -c "$(address4 bob)" --json > "$LAB/iperf" 2>&1 & local iperf=$!
  sleep 2
  # A fresh cryptod at carol's: from its death to the first answer.
  local carols now; carols=$(daemon carol cryptod); now=${EPOCHREALTIME/./}
  on carol kill -KILL "$carols"
  fresh=99999
  wait_for 10 on carol ping -n -q -c 1 -W 0.1 "$(address4 bob)" && fresh=$(((${EPOCHREALTIME/./} - now) / 1000))
  wait $iperf $ping
  local after; after=$(cpu_ms)
  read -r own kernel < <(awk -v us=$((${EPOCHREALTIME/./} - begun)) '{ printf "%d %d\n", ($3 - $1) * 1e6 / us, ($4 - $2) * 1e6 / us }' <<< "$before $after")
  wait $server
  [ -z "$flood" ] || { wait "$flood"; sent=$(sed -n 's/.* s, \([0-9]*\) a second.*/\1/p' "$LAB/flood.out"); }
  lost_udp=$(python3 -c 'import json, sys; print("%.2f" % json.load(open(sys.argv[1]))["end"]["sum"]["lost_percent"])' "$LAB/iperf" 2>/dev/null || echo 100)
  lost_pings=$(sed -n 's/.* \([0-9.]*\)% packet loss.*/\1/p' "$LAB/pings")
  printf '        %-7s %8s first messages a second; lost: %s %% of 100 Mbit/s, %s %% of %s pings; cryptod %s ms a second and the kernel for it %s, %s kB; fresh session after %s ms\n' \
    "$1" "${sent:-?}" "$lost_udp" "${lost_pings:-100}" $pings "$own" "$kernel" "$(memory_kb)" "$fresh"
  [ "$1" = none ] || sed 's/^/                /' "$LAB/flood.out"
}
at_most() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a != "" && a + 0 <= b) }'; }

flow none
quiet=$((own + kernel)) receiving=$kernel each=0 memory=$(memory_kb)
for kind in junk epoch mac1 cookie; do
  flow $kind
  check "$kind: at most 1 % of the 100 Mbit/s is lost" at_most "$lost_udp" 1
  check "$kind: at most 1 % of the pings is lost" at_most "${lost_pings:-100}" 1
  [ $kind != junk ] || each=$(awk -v k=$((kernel - receiving)) -v n="$sent" 'BEGIN { print k * 1000 / n }')
  spent=$(awk -v c=$((own + kernel - quiet)) -v e="$each" -v n="$sent" 'BEGIN { printf "%d", c - e * n / 1000 }')
  echo "                $spent ms a second for handshakes; received by the kernel in $each us each"
  check "$kind: at most a quarter of a core goes to handshakes" at_most "$spent" 250
  check "$kind: a fresh cryptod has its session within 3 s" at_most "$fresh" 3000
  check "$kind: the same cryptod runs" test "$(daemon bob cryptod)" = "$victim"
done
check "its memory has not grown by more than 2 MB" at_most $(($(memory_kb) - memory)) 2048
counters | grep -E '^(drop_(epoch|mac1|mac2|handshake_budget|source_budget)|cookies_told|handshakes_(answered|done)|io_.*) ' | sed 's/^/        /'
lab_verdict
