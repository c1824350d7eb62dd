#!/usr/bin/env bash
# Six members, two behind NATs, pings both ways between all 15 pairs: SIGKILL of a random daemon of a random member, round
# after round. It is always back, nothing stays stuck, no counter is used twice with one key (all wires are captured), no
# process takes more descriptors or memory over time, no file is left behind.
# kill500.sh PROGRAMS [ROUNDS [SEED]]; with ROUNDS=pairs: all pairs of two daemons of each machine at once.
set -u
here=$(cd "$(dirname "$0")" && pwd); . "$here/lab.sh"; . "$here/network.sh"; . "$here/five.sh"
support=$here/../support
lab_open "${1:?folder of the programs}"
rounds=${2:-20}
how=(--rounds "$rounds")
if [ "$rounds" = pairs ]; then how=(--pairs); elif [ "$rounds" -ge 200 ]; then how+=(--growth); fi
[ -z "${3:-}" ] || how+=(--seed "$3")
five_cables || exit 1
wires=(net left right home1 home2)
for wire in "${wires[@]}"; do
  nsenter -t "$(lab_pid "$wire")" -n tcpdump -i br0 -Z root -n -s 0 -B 16384 -w "$LAB/$wire.pcap" udp 2> "$LAB/tcpdump.$wire" &
  sniffers="${sniffers:-} $!"
done
for wire in "${wires[@]}"; do wait_for 10 grep -q listening "$LAB/tcpdump.$wire" || exit 1; done
lab_machine erin 192.0.2.13/24 net
lab_gateway erin 192.0.2.254
# Each datagram is to be seen by itself: none goes out in a batch that the other end of the cable takes apart.
for name in "${FIVE[@]}" erin; do on "$name" ip link set eth0 gso_max_segs 1; done
five_members || exit 1
five_join erin || exit 1
check "all 30 ordered pairs ping" wait_for 60 all_pairs 4 6

# Names of the files that an instance keeps, and how many daemons each machine has.
things() {
  local name
  for name in "${MEMBERS[@]}"; do
    on "$name" find "/var/lib/wattle/$NET" "/run/wattle/$NET" "/etc/wattle/$NET" -printf "$name %p %U\n" | grep -v '/log\(\.1\)\? '
    echo "$name $(on "$name" ip -o link | grep -c "wt-")"
  done | sort
}
things > "$LAB/things.before"

machines=()
for name in "${MEMBERS[@]}"; do machines+=("$NET/$name=$(lab_pid "$name")=$(address4 "$name")"); done
if python3 "$support/killing.py" "${how[@]}" "${machines[@]}" > "$LAB/killing" 2>&1; then
  sed 's/^/        /' "$LAB/killing"
  check "every round ended within its limit, and nothing grows" true
else
  check "every round ended within its limit, and nothing grows" bash -c "cat $LAB/killing; false"
  cat "$LAB/killing"
  for name in "${MEMBERS[@]}"; do echo "-- $name"; on "$name" wattle peers; tail -n 15 <(on "$name" cat "/run/wattle/$NET/log"); done
fi

check "all 30 pairs ping once more, by IPv4, IPv6 and fe80" wait_for 20 all_pairs 4 6 fe80
up() { on "$1" wattle status > "$LAB/status" 2>&1 && ! grep -qw down "$LAB/status"; }
for name in "${MEMBERS[@]}"; do check "wattle status of $name: everything is up" wait_for 20 up "$name"; done
same_things() { things > "$LAB/things.after"; diff "$LAB/things.before" "$LAB/things.after"; }
check "the same files, owners and devices as before" wait_for 5 same_things
sane() {
  local name
  for name in "${MEMBERS[@]}"; do
    on "$name" grep -E 'did not stop|did not get ready|has not answered for|SIGSYS|SIGSEGV|SIGABRT|Assertion|not started again' "/run/wattle/$NET/log" && return 1
  done
  return 0
}
check "no log tells of a crash, a forbidden call or a daemon that hung" sane

# shellcheck disable=SC2086
kill $sniffers; wait $sniffers 2> /dev/null
lossless() { [ "$(cat "$LAB"/tcpdump.* | grep -c '^0 packets dropped by kernel')" = ${#wires[@]} ] || { cat "$LAB"/tcpdump.*; false; }; }
check "the capture of all wires is whole" lossless
captures=(); for wire in "${wires[@]}"; do captures+=("$LAB/$wire.pcap"); done
check "no (key, counter) pair was used twice" python3 "$support/counters.py" "${captures[@]}"
sed 's/^/        /' "$LAB/check.out"
least=$((${#MEMBERS[@]} * (${#MEMBERS[@]} - 1)))
check "and the oracle saw all members: at least $least keys" \
  test "$(sed -n 's/.* pairs of \([0-9]*\) keys/\1/p' "$LAB/check.out")" -ge $least
for what in repeat middle ephemeral; do
  python3 "$support/counters.py" --plant $what "$LAB/net.pcap" "$LAB/planted.pcap"
  found() { ! python3 "$support/counters.py" "$LAB/planted.pcap" && python3 "$support/counters.py" "$LAB/planted.pcap" | grep -q '^1 repetitions'; }
  check "the oracle finds a planted repetition in this capture ($what)" found
done
python3 "$support/counters.py" --plant relay "$LAB/net.pcap" "$LAB/planted.pcap"
check "and takes a relayed copy for none" python3 "$support/counters.py" "$LAB/planted.pcap"
lab_verdict
