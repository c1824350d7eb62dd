#!/bin/sh
# policies.sh SOURCE-FOLDER: every system call that a daemon keeps after its seal stands in wattle-privsep(7)
# under its name, and no other does; so does what Landlock leaves it and whether its memory is locked, and the units
# let it do so.
set -eu
cd "$1"
page=man/wattle-privsep.7
fault=0


compare() {
  program=$1
  policy=$2
  kept=$(grep -oE 'SCMP_SYS\([a-z0-9_]+\)' "$policy" | sed -E 's/SCMP_SYS\((.*)\)/\1/' | sort -u)
  [ -n "$kept" ] || { echo "$policy keeps nothing?"; fault=1; }
  text=$(awk -v item="$program" '/^\.It /{on = ($2 == item); next} /^\.El/{on = 0} on && !/^\./' "$page" | tr '\n' ' ')
  # Before a colon stand the calls, after it what they are for.
  told=$(echo "$text" | tr ';' '\n' | sed -E 's/:.*//; s/\([^)]*\)//g' | tr -cs 'a-z0-9_' '\n' | grep . | sort -u)
  [ "$kept" = "$told" ] || {
    echo "$policy and $page differ for $program:"
    echo "$kept" > /tmp/kept.$$
    echo "$told" | diff /tmp/kept.$$ - || true
    rm -f /tmp/kept.$$
    fault=1
  }
}

compare wattle-tapd tapd/policy.cpp
compare wattle-cryptod cryptod/policy.cpp
compare wattle-keyd cryptod/keys/io/policy.cpp
compare wattle-metad metad/policy.cpp
compare wattle-registry registry/io/policy.cpp
compare wattle-signer registry/signer/policy.cpp
compare wattle-fetch metad/ctl/fetch_policy.cpp

# What Landlock leaves, as the policy has it and as the page tells it: read, write, tcp, in this order.
landlock() {
  program=$1
  policy=$2
  kept=$(sed -n 's/.*\.read = true.*/read/p' "$policy" | head -n 1
    sed -n 's/.*\.write = true.*/write/p' "$policy" | head -n 1
    sed -n 's/.*tcp_connect = true.*/tcp/p' "$policy")
  text=$(awk -v item="$program" '/^\.Ss/{on = 0} /^\.Ss Landlock/{part = 1} /^\.Ss Secrets/{part = 0}
    /^\.(It|El)/{on = 0} part && /^\.It/ && $3 == item {on = 1; next} on' "$page")
  told=$(echo "$text" | grep -q 'reads' && echo read
    echo "$text" | grep -q 'writes' && echo write
    echo "$text" | grep -q 'connects by TCP' && echo tcp) || true
  [ "$(echo $kept)" = "$(echo $told)" ] || {
    echo "Landlock leaves $program \"$(echo $kept)\" by $policy, \"$(echo $told)\" by $page"
    fault=1
  }
}
# The units say that it may lock memory and enter Landlock.
locks() {
  program=$1
  policy=$2
  unit=systemd/$program@.service
  told=no
  awk '/^All the memory of/{on = 1} /^is locked/{on = 0} on' "$page" | grep -q "^.Xr $program 8" && told=yes
  kept=no
  grep -q 'lock_memory = true' "$policy" && kept=yes
  [ $kept = $told ] || { echo "$program locks its memory: $kept by $policy, $told by $page"; fault=1; }
  [ $kept = no ] || grep -q '^LimitMEMLOCK=infinity' "$unit" || { echo "$unit: no LimitMEMLOCK=infinity"; fault=1; }
  for call in create_ruleset add_rule restrict_self; do
    grep -q "^SystemCallFilter=.*\<landlock_$call\>" "$unit" || { echo "$unit does not allow landlock_$call"; fault=1; }
  done
}
while read -r program policy; do
  landlock "$program" "$policy"
  [ "$program" = wattle-fetch ] || locks "$program" "$policy"
done <<LIST
wattle-tapd tapd/policy.cpp
wattle-cryptod cryptod/policy.cpp
wattle-keyd cryptod/keys/io/policy.cpp
wattle-metad metad/policy.cpp
wattle-registry registry/io/policy.cpp
wattle-signer registry/signer/policy.cpp
wattle-fetch metad/ctl/fetch_policy.cpp
LIST
exit $fault
