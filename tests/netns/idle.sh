#!/usr/bin/env bash
# A node at rest hardly wakes: at most 2 times a second with one peer, over all its processes; 1 more for each link.
# idle.sh PROGRAMS [PEERS]: with so many peers, all linked with each other.
set -u
here=$(dirname "$0"); . "$here/lab.sh"; . "$here/network.sh"
lab_open "${1:?folder of the programs}"
peers=${2:-1}
names=(bob)
for ((i = 2; i <= peers; i++)); do names+=("peer$i"); done
limit=2; [ "$peers" = 1 ] || limit=$((2 + peers))
network_open alice "${names[@]}" || exit 1
check "alice pings bob" pings alice bob 4 2
linked() { [ "$(talk_links)" = "$peers" ]; }
talk_links() { printf 'DUMP LINKS\n' | on alice timeout 5 nc -NU "/run/wattle/$NET/meta" | grep -c 'state=active'; }
check "alice has $peers links" wait_for 60 linked
sleep 20
wakes() { on alice bash -c 'for s in /proc/[0-9]*/task/[0-9]*/status; do
  p=${s#/proc/}; c=$(tr "\0" "\n" < /proc/${p%%/*}/cmdline 2>/dev/null | head -n 1)
  case ${c##*/} in wattle*) awk -v n="${c##*/}" "/^voluntary_ctxt/{print n, \$2}" $s ;; esac; done' | sort; }
# Half a minute of rest, up to three times: what other programs of a busy machine do to it only adds.
calm() {
  local per
  for _ in 1 2 3; do
    wakes > "$LAB/one"; sleep 30; wakes > "$LAB/two"
    per=$(paste -d' ' "$LAB/one" "$LAB/two" | awk '{d = $4 - $2; all += d; printf "%s %.2f/s, ", $1, d / 30} END {printf "together %.2f/s\n", all / 30}')
    echo "        $per" >&3
    [ "$(echo "$per" | sed 's/.*together \([0-9]*\)\.\([0-9]*\).*/\1\2/')" -gt $((limit * 100)) ] || return 0
  done
  return 1
}
exec 3>&1
check "at most $limit wake-ups a second over all processes of alice" calm
lab_verdict
