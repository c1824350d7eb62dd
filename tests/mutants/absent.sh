#!/usr/bin/env bash
# absent.sh FOLDER: no program there knows the variable of mutants, the function behind it or the name of a check.
set -eu
bin=${1:?folder of the programs}
table=$(dirname "$0")/table.txt
names=$(mktemp)
trap 'rm -f "$names"' EXIT
sed -e '/^#/d' -e '/^$/d' -e 's/[[:space:]].*//' "$table" > "$names"
[ -s "$names" ] || { echo "absent: table.txt is empty"; exit 1; }
faults=0 programs=0
for program in "$bin"/wattle*; do
  programs=$((programs + 1))
  found=$(strings -a "$program" | grep -E 'WATTLE_MUTANT|wattle6mutate' || true)
  found+=$(strings -d "$program" | grep -Fx -f "$names" || true)
  [ -z "$found" ] || { echo "absent: ${program##*/} has:" $found; faults=1; }
done
[ $programs -ge 8 ] || { echo "absent: only $programs programs in $bin"; exit 1; }
[ $faults = 0 ] || exit 1
echo "absent: no trace of mutants in $programs programs"
