#!/usr/bin/env bash
# bench-middle does what it says it did: numbered datagrams through it, what came against what it counted.
# middle.sh PROGRAMS
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../netns/lab.sh"
. "$here/link.sh"
BENCH_PROGRAMS=${1:?folder of the programs}
link_open "$BENCH_PROGRAMS/../tests" a b m || exit 1
link_middle

# pass NAME OPTIONS…: the middle with these, 20,000 datagrams from a to b; what it says and what came, into $LAB/NAME.*
pass() {
  local name=$1 listener middle
  shift
  on m bench-middle left right "$@" < /dev/null > "$LAB/$name.did" & middle=$!
  on b "$here/middle_check.py" listen 9000 > "$LAB/$name.came" & listener=$!
  wait_for 5 on m pidof bench-middle && wait_for 5 on b bash -c 'ss -Hlun | grep -q ":9000 "' &&
    wait_for 5 on a ping -n -q -c 1 -W 1 "$(outer b)" && on a "$here/middle_check.py" send "$(outer b)" 9000 20000
  wait $listener
  on m kill "$(on m pidof bench-middle)"
  wait $middle
}
judge() { "$here/middle_check.py" judge "$@"; }

pass delay --delay 5
check "5 ms and nothing else" judge "$LAB/delay" 20000 --delay 5 --lost 0 --late 0 --twice 0 --flipped 0
all=(--delay 5 --loss 3 --late 5 --late-by 2 --twice 4 --flip 2 --udp 9000)
pass all "${all[@]}" --seed 7
check "all at once, in the shares asked for" judge "$LAB/all" 20000 --delay 5 --lost 3 --late 5 --twice 4 --flipped 2
pass again "${all[@]}" --seed 7
check "the same seed again" judge "$LAB/again" 20000 --delay 5 --lost 3 --late 5 --twice 4 --flipped 2
check "the same datagrams are gone, and the same are twice" cmp <(sort -n "$LAB/all.came" | cut -d' ' -f1,2) <(sort -n "$LAB/again.came" | cut -d' ' -f1,2)
pass other "${all[@]}" --seed 8
check "another seed: others are gone" eval '! cmp -s <(sort -n "$LAB/all.came" | cut -d" " -f1,2) <(sort -n "$LAB/other.came" | cut -d" " -f1,2)'
pass port --loss 50 --flip 50 --udp 9999
check "nothing happens to another port" judge "$LAB/port" 20000 --delay 0 --lost 0 --late 0 --twice 0 --flipped 0 --subject 0
lab_verdict
