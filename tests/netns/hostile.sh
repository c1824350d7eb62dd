#!/usr/bin/env bash
# The middle one of alice - mallory - carol runs a metad that rewrites every line and every message (metad_liar.cpp);
# bob sees alice and mallory. No traffic is read, nobody is admitted, no name and no address gets another key; when the
# liar is gone, all is as before. hostile.sh FOLDER-OF-PROGRAMS LIAR [SECONDS OF LIES]
set -u
here=$(cd "$(dirname "$0")" && pwd); . "$here/lab.sh"; . "$here/network.sh"; . "$here/five.sh"
lab_open "${1:?folder of the programs}"
cp "${2:?the liar}" "$LAB/bin/wattle-metad-liar" && chmod 755 "$LAB/bin/wattle-metad-liar"
lies=${3:-25}
network_open alice mallory carol bob || exit 1
lab_machine stranger 192.0.2.66/24 lan   # where the lies send people
place() { case $1 in alice) echo 11 ;; mallory) echo 12 ;; carol) echo 13 ;; bob) echo 14 ;; esac; }
sees() {
  local name=$1 other list="192.0.2.66"
  shift
  for other in "$@"; do list+=", 192.0.2.$(place "$other")"; done
  on "$name" nft -f - <<NFT
table inet sight { chain in { type filter hook input priority 0; iifname "eth0" ip saddr != { $list } drop; }; }
NFT
}
sees alice mallory bob; sees mallory alice carol bob; sees carol mallory; sees bob alice mallory

# name address ipv4 of everybody, from their own configuration and keys.
mac() { on "$1" ip -o link show dev "wt-$NET" | sed -n 's/.*link\/ether \([^ ]*\).*/\1/p'; }
truth() { on "$1" wattle status --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["node"]["address"])'; }
declare -A TRUE_ADDRESS TRUE_MAC
for name in alice mallory carol bob; do TRUE_ADDRESS[$name]=$(truth $name); TRUE_MAC[$name]=$(mac $name); done

daemons() { on "$1" bash -c 'for p in /proc/[0-9]*; do n=$({ tr "\0" "\n" < $p/cmdline; } 2>/dev/null | head -n 1); n=${n##*/}
  case $n in wattle-cryptod|wattle-keyd|wattle-tapd|wattle-metad) echo "$n ${p#/proc/}" ;; esac; done' | sort; }
resident() { on "$1" bash -c 'for p in /proc/[0-9]*; do n=$({ tr "\0" "\n" < $p/cmdline; } 2>/dev/null | head -n 1); n=${n##*/}
  case $n in wattle-cryptod|wattle-metad|wattle-keyd) echo "$n $(awk "/^VmRSS/{print \$2}" $p/status)" ;; esac; done' | sort; }
counter() { on "$1" wattle status --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["counters"].get(sys.argv[1], 0))' "$2"; }

# Traffic between the ends with a text in it, captured where it ends and in the middle.
capture() {
  nsenter -t "$(lab_pid mallory)" -n -p tcpdump -i any --immediate-mode -U -s 0 -w "$LAB/$1.middle" 2> "$LAB/tcpdump.m" & local middle=$!
  on carol tcpdump -i "wt-$NET" --immediate-mode -U -s 0 -w "$LAB/$1.end" 2> "$LAB/tcpdump.c" & local end=$!
  wait_for 5 grep -q listening "$LAB/tcpdump.m"; wait_for 5 grep -q listening "$LAB/tcpdump.c"
  on alice ping -n -q -c "$2" -i 0.1 -W 1 -s 200 -p "$(printf plainplainplainp | od -An -tx1 | tr -d ' \n')" "$(address4 carol)" > "$LAB/$1.ping"
  sleep 0.5
  kill $middle $end; wait $middle $end 2>/dev/null
  echo "        $1: $(grep -o '[0-9]* packets transmitted.*loss' "$LAB/$1.ping"); $(stat -c %s "$LAB/$1.middle") bytes seen in the middle"
}

ends() { pings alice carol 4 1 && pings carol alice 6 1; }
check "alice reaches carol through mallory" wait_for 40 ends
check "bob reaches alice" wait_for 20 pings bob alice 4 1
capture honest 20
check "carol's device shows the text (positive control)" grep -aq plainplain "$LAB/honest.end"
no_text() { [ "$(stat -c %s "$LAB/$1.middle")" -gt 3000 ] && ! grep -aq plainplain "$LAB/$1.middle"; }
check "the middle one carried it and shows none of it" no_text honest

# The liar.
for name in alice carol bob; do daemons $name > "$LAB/before.$name"; done
resident alice > "$LAB/resident.before"
refused_before=$(counter alice meta.key_refused_cred_signature)
nsenter -t "$(lab_pid stranger)" -n -p tcpdump -i eth0 --immediate-mode -U -s 0 -w "$LAB/stranger.pcap" 'udp or tcp' 2> "$LAB/tcpdump.s" & stranger=$!
wait_for 5 grep -q listening "$LAB/tcpdump.s"
on mallory wattle down $NET
on mallory mount --bind "$LAB/bin/wattle-metad-liar" "$LAB/bin/wattle-metad"
on mallory wattle up $NET
check "everybody has a MAC" test -n "${TRUE_MAC[alice]}" -a -n "${TRUE_MAC[carol]}" -a -n "${TRUE_MAC[bob]}"
check "mallory runs the liar" wait_for 10 on mallory grep -q 'lies told' "/run/wattle/$NET/log"
on bob ping -n -q -i 0.1 -W 1 -c $((10 * lies)) "$(address4 alice)" > "$LAB/bob.ping" & honest=$!

# While it lies: who answers for carol is carol or nobody; each name is of its key or of none; nobody else is met.
judge() {
  on "$1" wattle peers --json > "$LAB/peers.$1" 2> /dev/null || return 1
  python3 - "$LAB/peers.$1" "${TRUE_ADDRESS[alice]}" "${TRUE_ADDRESS[mallory]}" "${TRUE_ADDRESS[carol]}" "${TRUE_ADDRESS[bob]}" <<'PY'
import json, sys
known = dict(zip(("alice", "mallory", "carol", "bob"), sys.argv[2:]))
bad = []
for peer in json.load(open(sys.argv[1]))["peers"]:
    met = peer["state"] not in ("known", "unreachable")
    if peer["address"] not in known.values() and (met or peer.get("rx_bytes", 0)):
        bad.append("a stranger was met: %s" % peer)
    if peer["address"] in known.values() and met and known.get(peer["name"]) != peer["address"]:
        bad.append("met under a wrong name: %s" % peer)
sys.exit("\n".join(bad) if bad else 0)
PY
}
who_answers() { on alice ip neighbour show "$(address4 "$1")" dev "wt-$NET" | sed -n 's/.*lladdr \([^ ]*\).*/\1/p'; }
wrong=0 rounds=0
deadline=$((${EPOCHREALTIME/./} + lies * 1000000))
while [ "${EPOCHREALTIME/./}" -lt $deadline ]; do
  rounds=$((rounds + 1))
  pings alice carol 4 1 > /dev/null 2>&1
  on alice ip neighbour flush dev "wt-$NET" 2> /dev/null
  pings alice carol 4 1 > /dev/null 2>&1
  for name in carol bob mallory; do
    answer=$(who_answers $name)
    [ -z "$answer" ] || [ "$answer" = "${TRUE_MAC[$name]}" ] || { wrong=$((wrong + 1)); echo "        $answer answers for $name"; }
  done
  for name in alice carol bob; do judge $name > "$LAB/judged" 2>&1 || { wrong=$((wrong + 1)); sed 's/^/        /' "$LAB/judged"; }; done
done
capture lying 20
wait $honest
kill $stranger; wait $stranger 2>/dev/null
on mallory grep 'lies told' "/run/wattle/$NET/log" | tail -n 1 | sed 's/^/        /'
echo "        $rounds rounds of looking; bob to alice: $(grep -o '[0-9]* packets transmitted.*loss' "$LAB/bob.ping")"
check "it told a thousand lies, of every kind (positive control)" eval 'on mallory grep "lies told" /run/wattle/$NET/log | tail -n 1 | python3 -c "
import re, sys
told = {k.strip(): int(v) for k, v in re.findall(r\"([A-Z_a-z ]+):(\d+)\", sys.stdin.read().split(\"told:\")[1])}
need = [\"ADD_HOST\", \"KEY_CHANGED\", \"lane to cryptod\", \"lane to keyd\"]
sys.exit(0 if sum(told.values()) >= 1000 and all(k in told for k in need) and \"ANS_KEY\" in told else str(told))"'
echo "        alice's metad refused: $(on alice wattle status --json | python3 -c 'import json,sys; c=json.load(sys.stdin)["counters"]; print({k[5:]: v for k, v in c.items() if k.startswith("meta.") and any(w in k for w in ("refused","false","forged","bad","signature","unasked","malformed","over_budget"))})')"
check "keyd signed for the liar that it is somebody else (positive control)" on mallory grep -q 'keyd has signed that this node is' "/run/wattle/$NET/log"
check "nobody wrong ever answered, was met or had another's name ($rounds rounds)" test "$wrong" = 0
check "the middle shows no text, lying or not" eval '! grep -aq plainplain "$LAB/lying.middle"'
datagrams=$(tcpdump -nr "$LAB/stranger.pcap" 'udp and dst host 192.0.2.66' 2> /dev/null | wc -l)
check "the place that the lies name got no datagram ($datagrams)" test "$datagrams" = 0
check "bob and alice went on undisturbed" eval 'loss=$(grep -o "[0-9.]*% packet loss" "$LAB/bob.ping" | cut -d. -f1 | tr -d "% packetlos"); [ "$loss" -le 2 ]'
for name in alice carol bob; do
  check "$name's daemons are the same processes" eval "daemons $name | cmp - $LAB/before.$name"
done
resident alice > "$LAB/resident.after"
paste "$LAB/resident.before" "$LAB/resident.after" | sed 's/^/        alice: /'
check "alice's daemons have not grown by 8 MB" eval 'paste "$LAB/resident.before" "$LAB/resident.after" | awk "\$4 > \$2 + 8000 { bad = 1 } END { exit bad }"'

# Honest again.
on mallory wattle down $NET
told=$(on mallory grep -c 'lies told' "/run/wattle/$NET/log")
on mallory umount "$LAB/bin/wattle-metad"
on mallory wattle up $NET
check "with an honest metad alice reaches carol again" wait_for 60 ends
check "and it is honest" test "$(on mallory grep -c 'lies told' "/run/wattle/$NET/log")" -le "$told"
lab_verdict
