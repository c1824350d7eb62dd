#!/usr/bin/env bash
# A revoked member is cut off at every other one within 10 s: at those that cannot reach the registry, and at one that
# was off and starts later; it stays out over restarts, and no old document brings it back.
#   revoke.sh PROGRAMS [MEMBERS]   members besides the revoked one: 12 unless told, at least 4
set -u
here=$(dirname "$0"); . "$here/lab.sh"; . "$here/network.sh"
lab_open "${1:?folder of the programs}"
members=${2:-12}
blocked=$((members / 4))   # have no way to the registry
quiet=12; [ "$members" -ge 12 ] || quiet=5   # seconds of looking for what must not be

lab_switch lan
lab_machine registry 192.0.2.1/24 lan
on registry wattle-registry init "$NET" --url https://192.0.2.1:8443 > "$LAB/init.out" 2>&1 || { cat "$LAB/init.out"; exit 1; }
NODES=(registry); BLOCKED=(); MEMBERS=(registry)
for ((i = 2; i <= members; ++i)); do NODES+=("n$i"); done
for ((i = 2; i <= blocked + 1; ++i)); do BLOCKED+=("n$i"); done
late=n$members
number=11
for name in "${NODES[@]:1}" mallory; do
  lab_machine "$name" "192.0.2.$number/24" lan
  number=$((number + 1))
done
declare -A joins=()
for name in "${NODES[@]:1}" mallory; do network_join "$name" & joins[$name]=$!; done
for name in "${!joins[@]}"; do wait "${joins[$name]}" || { echo "$name did not join"; exit 1; }; done
declare -A ADDRESS=()
for name in "${NODES[@]}" mallory; do ADDRESS[$name]=$(address4 "$name"); done

ask() { on "$1" ping -n -q -c 1 -W 2 "${ADDRESS[$2]}"; }
meets() { ask "$1" mallory && ask mallory "$1"; }
for name in "${NODES[@]}"; do check "$name and mallory ping each other" wait_for 60 meets "$name"; done
for name in "${BLOCKED[@]}"; do
  on "$name" nft 'table inet away { chain out { type filter hook output priority 0; tcp dport 8443 drop; }; }'
  check "$name cannot reach the registry" bash -c "! nsenter -t $(lab_pid "$name") -n timeout 1 bash -c ': < /dev/tcp/192.0.2.1/8443'"
done
victim=${BLOCKED[0]}   # of the rollback, later
on "$victim" cp -p /var/lib/wattle/$NET/meta/document /var/lib/wattle/$NET/meta/document.before
# A hostile member would keep all that it has, and play it again.
on mallory cp -a /var/lib/wattle/$NET /var/lib/wattle/mallory.before
check "$late goes off" on "$late" wattle down "$NET"

# ---- the revocation ------------------------------------------------------------------------------
version() { on "$1" wattle status --json 2>/dev/null | python3 -c 'import json,sys; print(json.load(sys.stdin)["network"].get("document",0))' 2>/dev/null || echo 0; }
# True while NODE has a session or a link with mallory.
tied() { on "$1" wattle peers --json 2>/dev/null | python3 -c '
import json,sys
for p in json.load(sys.stdin)["peers"]:
    if p["name"] == "mallory" and (p["link"] or p["state"] in ("direct", "relayed", "carried", "handshake")): sys.exit(0)
sys.exit(1)'; }
seconds_since() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }'; }
# watch NODE SINCE: writes when it holds the document and when session and link are gone (after SINCE), for 30 s.
watch() {
  local held="" cut=""
  while [ -z "$held" ] || [ -z "$cut" ]; do
    [ -n "$held" ] || { [ "$(version "$1")" -ge "$wanted" ] && { held=$(seconds_since "$2"); echo "$held" > "$LAB/held.$1"; }; }
    [ -n "$cut" ] || { [ -n "$held" ] && ! tied "$1" && { cut=$(seconds_since "$2"); echo "$cut" > "$LAB/cut.$1"; }; }
    awk -v a="$2" -v b="$EPOCHREALTIME" 'BEGIN { exit b - a > 30 }' || return
    sleep 0.1
  done
}
# pings_begin FROM TO: five a second, with the times of the answers.
pings_begin() { on "$1" bash -c "echo \$\$ > $LAB/ping.$1.$2.pid; exec ping -n -D -i 0.2 -W 1 ${ADDRESS[$2]}" > "$LAB/ping.$1.$2" 2>&1 & }
pings_stop() { on "$1" kill -INT "$(cat "$LAB/ping.$1.$2.pid")" 2>/dev/null; }
# last_answer FROM TO SINCE: seconds from SINCE to the last answer; - if none came after it.
last_answer() {
  awk -v since="$3" '/bytes from/ { t = substr($1, 2) + 0; if (t > since) last = t - since } END { if (last == "") print "-"; else printf "%.1f\n", last }' "$LAB/ping.$1.$2"
}
up_ones=(); for name in "${NODES[@]}"; do [ "$name" = "$late" ] || up_ones+=("$name"); done
for name in "${up_ones[@]}"; do pings_begin "$name" mallory; pings_begin mallory "$name"; done
sleep 2
wanted=$(($(version registry) + 1))
on registry wattle-registry node revoke mallory > "$LAB/revoke.out" 2>&1; status=$?
began=$EPOCHREALTIME
check "node revoke mallory" test $status = 0
watchers=()
for name in "${up_ones[@]}"; do watch "$name" "$began" & watchers+=($!); done
wait "${watchers[@]}"
sleep $quiet   # a ping that still went through would be seen
for name in "${up_ones[@]}"; do pings_stop "$name" mallory; pings_stop mallory "$name"; done

# The late one: from its start on.
pings_begin "$late" mallory; pings_begin mallory "$late"
check "$late starts" on "$late" wattle up "$NET"
late_began=$EPOCHREALTIME
watch "$late" "$late_began"
sleep $quiet
pings_stop "$late" mallory; pings_stop mallory "$late"

soon() { [ "$1" = - ] || awk -v t="${1:-99}" 'BEGIN { exit !(t <= 10) }'; }
printf '%-10s %-14s %9s %12s %10s %10s\n' MEMBER "" DOCUMENT "SESSION+LINK" "PING TO" "PING FROM" > "$LAB/table"
for name in "${NODES[@]}"; do
  since=$began note=""
  [ "$name" != "$late" ] || { since=$late_began; note="starts later"; }
  case " ${BLOCKED[*]} " in *" $name "*) note="no registry" ;; esac
  held=$(cat "$LAB/held.$name" 2>/dev/null || echo 99) cut=$(cat "$LAB/cut.$name" 2>/dev/null || echo 99)
  to=$(last_answer "$name" mallory "$since") from=$(last_answer mallory "$name" "$since")
  printf '%-10s %-14s %9s %12s %10s %10s\n' "$name" "$note" "$held" "$cut" "$to" "$from" >> "$LAB/table"
  in_time() { soon "$held" && soon "$cut" && soon "$to" && soon "$from"; }
  check "$name has cut mallory off within 10 s" in_time
done
echo "--- seconds after the revocation (after its start: $late): document held, session and link gone, last ping answered"
cat "$LAB/table"

# ---- its own view --------------------------------------------------------------------------------
knows() { on mallory wattle status 2>&1 | grep -qi 'this member was revoked'; }
check "mallory's own status says it" wait_for 60 knows
echo "--- wattle status at mallory"; on mallory wattle status
check "and its log" on mallory grep -q 'this member was revoked' "/run/wattle/$NET/log"
gone() { on registry wattle-registry node show mallory | grep -q '^state *revoked'; }
check "the registry's list calls it revoked" gone

# ---- restarts, with mallory knocking ------------------------------------------------------------
out_of_reach() {  # nobody in NODES has to do with mallory, for so many seconds
  local end=$((SECONDS + $1)) name
  while [ $SECONDS -lt $end ]; do
    for name in "${NODES[@]}"; do
      if tied "$name"; then echo "$name is tied to mallory again"; return 1; fi
    done
    if ask mallory "${NODES[$((SECONDS % ${#NODES[@]}))]}" > /dev/null; then echo "mallory is answered"; return 1; fi
    sleep 0.2
  done
}
restarts=()
for name in "${NODES[@]}"; do on "$name" bash -c "wattle down $NET && wattle up $NET" > "$LAB/restart.$name" 2>&1 & restarts+=($!); done
for job in "${restarts[@]}"; do wait "$job" || { echo "FAILED  a restart"; LAB_FAILED=$((LAB_FAILED + 1)); }; done
for name in "${NODES[@]:1}"; do check "after its restart $name reaches the registry's member" wait_for 60 ask "$name" registry; done
check "mallory stays out" out_of_reach $quiet
check "mallory restarts" on mallory bash -c "wattle down $NET && wattle up $NET"
check "and stays out" out_of_reach $quiet

# ---- no way back in time ------------------------------------------------------------------------
now=$(version "$victim")
on mallory wattle down "$NET" > /dev/null
on mallory bash -c "rm -rf /var/lib/wattle/$NET && cp -a /var/lib/wattle/mallory.before /var/lib/wattle/$NET"
on mallory nft 'table inet away { chain out { type filter hook output priority 0; tcp dport 8443 drop; }; }'
alone() { on "$victim" nft "table inet alone { chain in { type filter hook input priority 0; iifname eth0 ip saddr != $1 drop; }; chain out { type filter hook output priority 0; oifname eth0 ip daddr != $1 drop; }; }"; }
mallory_at=$(on mallory ip -4 -o address show dev eth0 | sed 's/.*inet \([0-9.]*\).*/\1/')
on "$victim" wattle down "$NET" > /dev/null
on "$victim" cp -p /var/lib/wattle/$NET/meta/document.before /var/lib/wattle/$NET/meta/document
alone "$mallory_at"
on "$victim" bash -c "echo connect = $mallory_at:8737 >> /etc/wattle/$NET/wattle.conf"
check "mallory starts with all that it had before" on mallory wattle up "$NET"
check "$victim starts with the document of before, and only mallory to talk to" on "$victim" wattle up "$NET"
linked() { on "$victim" wattle peers | grep -q "^mallory .*"; }
check "their metads may link, until a newer one comes" wait_for 60 linked
cut_off() {
  local i
  for ((i = 0; i < 12; ++i)); do
    if ask "$victim" mallory > /dev/null || ask mallory "$victim" > /dev/null; then echo "they talk"; return 1; fi
    sleep 0.3
  done
}
check "no packet travels between them" cut_off
old_again() { [ "$(version "$victim")" -lt "$now" ]; }
check "$victim has the document of before" old_again
rolled() { on "$victim" wattle status | grep -q 'older than one'; }
check "$victim's status says why" wait_for 10 rolled
echo "--- wattle status at $victim"; on "$victim" wattle status
on "$victim" nft delete table inet alone
forward() { [ "$(version "$victim")" -ge "$now" ]; }
check "its neighbours bring the newest again" wait_for 60 forward
check "and it talks to the registry's member" wait_for 60 ask "$victim" registry
check "not to mallory" bash -c "! nsenter -t $(lab_pid "$victim") -n ping -q -c 2 -W 1 ${ADDRESS[mallory]}"

# By gossip: a neighbour that claims a newer version and brings an old one.
neighbour=$(on "$victim" wattle peers --json | python3 -c 'import json,sys; print([p["name"] for p in json.load(sys.stdin)["peers"] if p["link"]][0])')
counter() { on "$1" wattle status --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["counters"].get(sys.argv[1],0))' "$2"; }
before=$(counter "$victim" meta.document_old)
old=$(on "$victim" base64 -w0 /var/lib/wattle/$NET/meta/document.before | tr -d =)
size=$(on "$victim" stat -c %s /var/lib/wattle/$NET/meta/document.before)
printf '%s\n' "ACT $neighbour DOCUMENT 999999" "ACT $neighbour DOCUMENT_PART 999999 0 $size $old" "TERMREQ" |
  on "$victim" timeout 5 nc -NU "/run/wattle/$NET/meta" > "$LAB/act" 2>&1
refused() { [ "$(counter "$victim" meta.document_old)" -gt "$before" ]; }
check "an old document by gossip is refused and counted" wait_for 10 refused
check "$victim holds the newest" forward
lab_verdict
