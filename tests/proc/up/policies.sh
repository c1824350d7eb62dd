#!/bin/sh
# policies.sh SOURCE-FOLDER: every system call that a daemon keeps after its seal stands in wattle-privsep(7)
# under its name, and no other does.
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
exit $fault
