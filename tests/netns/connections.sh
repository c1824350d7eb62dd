#!/usr/bin/env bash
# Ten thousand connections on each port, half-open ones, and clients that send one byte a second: whoever is quick is
# served all the time, descriptors and memory are bounded, and nothing is left of it.
# connections.sh PROGRAMS [CONNECTIONS [SECONDS]]
set -u
here=$(cd "$(dirname "$0")" && pwd); . "$here/lab.sh"; . "$here/network.sh"
lab_open "${1:?folder of the programs}"
count=${2:-2000} seconds=${3:-4}
network_open alice bob || exit 1
# A crowd behind one wire: 100 addresses.
lab_machine crowd 192.0.2.200/24 lan
for i in $(seq 100 199); do on crowd ip address add "192.0.2.$i/24" dev eth0; done
on crowd bash -c 'echo 16384 65000 > /proc/sys/net/ipv4/ip_local_port_range'

daemon_pid() { on "$1" bash -c "for p in /proc/[0-9]*; do [ \"\$(tr '\\0' '\\n' < \$p/cmdline 2>/dev/null | head -n1 | sed 's|.*/||')\" = $2 ] && echo \${p#/proc/}; done" | head -n1; }
rss() { on "$1" sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$(daemon_pid "$1" "$2")/status"; }
fds() { on "$1" bash -c "ls /proc/$(daemon_pid "$1" "$2")/fd | wc -l"; }

# name machine program address port kind
storm() {
  local machine=$1 program=$2 port=$3 kind=$4 address=$5
  local pid before_rss
  pid=$(daemon_pid "$machine" "$program"); before_rss=$(rss "$machine" "$program")
  on crowd bash -c "ulimit -n \$(ulimit -Hn); exec python3 $here/../support/crowd.py $address $port $count $kind $seconds" > "$LAB/crowd.out" 2>&1 &
  local crowd=$! slowest=0 asked=0 failed=0 most_fds=0 took
  sleep 1
  while kill -0 $crowd 2>/dev/null; do
    took=$(on alice python3 "$here/../support/quick.py" "$address" "$port" "$NET" 2>/dev/null) || { failed=$((failed + 1)); took=0; }
    asked=$((asked + 1))
    [ "$took" -le "$slowest" ] || slowest=$took
    took=$(fds "$machine" "$program"); [ "$took" -le "$most_fds" ] || most_fds=$took
    sleep 0.2
  done
  wait $crowd
  local after_rss; after_rss=$(rss "$machine" "$program")
  printf '        %-16s port %s, %s: %s; %d questions meanwhile, %d failed, slowest %d ms; most descriptors %d; memory %d -> %d KiB\n' \
    "$program" "$port" "$kind" "$(tail -1 "$LAB/crowd.out")" "$asked" "$failed" "$slowest" "$most_fds" "$before_rss" "$after_rss"
  # In a crowd that dials thousands of times a second a question may get lost; the next one is served.
  check "$program answers honest clients under $kind" test "$asked" -ge 2 -a $((failed * 2)) -le "$asked"
  check "$program: bounded descriptors under $kind" test "$most_fds" -le 2048
  check "$program: memory stays below 128 MiB under $kind" test "$after_rss" -lt 131072
  check "$program is the same process after $kind" test "$(daemon_pid "$machine" "$program")" = "$pid"
}

for kind in silent slow hello half; do
  # Half-open: the crowd never acknowledges the answer to its SYN.
  [ $kind != half ] || on crowd nft -f - <<'NFT'
table ip half {
  chain out {
    type filter hook output priority 0
    tcp dport { 8443, 8737 } tcp flags & (syn | ack) == ack drop
  }
}
NFT
  storm registry wattle-registry 8443 $kind 192.0.2.1
  storm alice wattle-metad 8737 $kind 192.0.2.11
done
check "alice still reaches bob" pings alice bob 4 2
settled() { [ "$(fds "$1" "$2")" -le 64 ]; }
check "descriptors of the registry are back" wait_for 45 settled registry wattle-registry
check "descriptors of metad are back" wait_for 75 settled alice wattle-metad
lab_verdict
