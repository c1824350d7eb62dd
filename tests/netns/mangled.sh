#!/usr/bin/env bash
# Between two machines a program that loses, delays, doubles and damages datagrams, all at once: every byte of TCP and
# every datagram of UDP that arrives is right, and both ends' counters are what that program says it did.
# mangled.sh PROGRAMS [MB]: so much by TCP, an eighth in each of eight streams; UDP beside it.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"; . "$here/network.sh"; . "$here/../bench/link.sh"
BENCH_PROGRAMS=${1:?folder of the programs}
size=${2:-200}
link_open "$BENCH_PROGRAMS/../tests" a b m || exit 1
for name in a b; do on $name bash -c 'echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6'; done
link_middle
for name in a b; do on $name bash -c 'echo 0 > /proc/sys/net/ipv6/conf/default/disable_ipv6'; done

middle() { on m bench-middle left right "$@" < /dev/null > "$LAB/did" & middle=$!; wait_for 5 on m pidof bench-middle; }
middle_end() { on m kill "$(on m pidof bench-middle)"; wait $middle; }
middle
on a wattle-registry init "$NET" --url https://192.0.2.1:8443 > "$LAB/init" 2>&1 || { cat "$LAB/init"; exit 1; }
url=$(on a wattle-registry invite b) && on b wattle join "$url" > "$LAB/join" 2>&1 || { cat "$LAB/join"; exit 1; }
both() { pings a b 4 && pings b a 4; }
check "a and b ping each other" wait_for 10 both
for name in a b; do on $name "$here/../support/transfer.py" serve > "$LAB/serve.$name" 2>&1 & disown; done
for name in a b; do check "$name serves" wait_for 20 on $name bash -c 'ss -Hltn | grep -q ":9000 "'; done

port=$(on a sed -n 's/^port *= *//p' /etc/wattle/$NET/wattle.conf); port=${port:-8737}
cryptod() { on "$1" pgrep -f "wattle-cryptod --net $NET"; }
# KiB, without the buffers for frames that wait, of which only what has been in use at the same time is there.
resident() { on "$1" awk '/^Size:/ { size = $2 } /^Rss:/ && size < 32768 { n += $2 } END { print n }' "/proc/$(cryptod "$1")/smaps"; }
# Counters, and what the kernel dropped at the socket and at the card, as JSON.
look() {
  for name in a b; do
    on $name wattle status --json > "$LAB/$1.$name"
    on $name awk -v port=":$(printf %04X "$port")" '$2 ~ port "$" { n += $NF } END { print n + 0 }' /proc/net/udp > "$LAB/$1.$name.socket"
    on $name ip -j -s link show eth0 > "$LAB/$1.$name.card"
  done
}
# transfer MB: eight streams of an eighth each, four each way, half by IPv6; UDP likewise, a two-hundredth in each flow.
transfer() {
  local each udp one other status=0 pids=()
  each=$(awk "BEGIN { print $1 / 8 }") udp=$(awk "BEGIN { print $1 / 200 }")
  for one in a b; do
    other=b; [ $one = a ] || other=a
    on $one "$here/../support/transfer.py" tcp "$each" "$(address4 $other)" "$(address4 $other)" "$(address6 $other)" "$(address6 $other)" & pids+=($!)
    on $one "$here/../support/transfer.py" some "$udp" "$(address4 $other)" "$(address6 $other)" & pids+=($!)
  done
  for one in "${pids[@]}"; do wait "$one" || status=1; done
  return $status
}
# The last that is under way has arrived, and the counters stand still.
quiet() {
  look one; sleep 0.3; look two
  "$here/mangled.py" quiet "$LAB/one" "$LAB/two"
}

check "all is quiet" wait_for 20 quiet
middle_end
look before
middle --udp "$port" --loss 0.5 --late 2 --late-by 1 --twice 1 --flip 0.5 --seed "${SEED:-1}"
look begun
began=${EPOCHREALTIME/./}
check "a fifth of it: all right" transfer $((size / 5))
first=("$(resident a)" "$(resident b)")
check "the rest: all right" transfer $((size - size / 5))
last=("$(resident a)" "$(resident b)")
echo "        $size MB in $(((${EPOCHREALTIME/./} - began) / 1000)) ms; memory of a ${first[0]} and ${last[0]} KiB, of b ${first[1]} and ${last[1]} KiB"
check "cryptod of a has not grown" test "${last[0]}" -le $((first[0] + 1024))
check "cryptod of b has not grown" test "${last[1]}" -le $((first[1] + 1024))
check "all is quiet again" wait_for 20 quiet
middle_end
sleep 0.2
look after
check "the counters are what was done" "$here/mangled.py" judge "$LAB/did" "$LAB/before" "$LAB/begun" "$LAB/two" "$LAB/after"
sed 's/^/        /' "$LAB/check.out"
middle
check "both ping at once" both
check "and no daemon was started again" eval '! on a grep -q "was killed\|ended with" /run/wattle/$NET/log && ! on b grep -q "was killed\|ended with" /run/wattle/$NET/log'
middle_end
lab_verdict
