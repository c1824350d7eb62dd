#!/usr/bin/env bash
# The checks marked WATTLE_CHECKED in the tree and the rows of table.txt are the same, each name once on either side.
set -eu
cd "$(dirname "$0")/../.."
marked=$(mktemp) rows=$(mktemp)
trap 'rm -f "$marked" "$rows"' EXIT
git ls-files -co --exclude-standard -- common tapd cryptod metad registry | grep -E '\.(h|cpp)$' |
  grep -v '^common/base/mutant\.' | xargs cat |
  perl -0777 -ne 'while (/\bWATTLE_CHECKED\(\s*([^,\s]+)\s*,/g) { print "$1\n" }' | sort > "$marked"
sed -e '/^#/d' -e '/^$/d' -e 's/[[:space:]].*//' tests/mutants/table.txt | sort > "$rows"
faults=0
fault() { [ -z "$2" ] || { echo "mutants: $1: $(echo $2)"; faults=1; }; }
fault "not a name like area_what" "$(grep -vE '^[a-z0-9]+(_[a-z0-9]+)+$' "$marked" || true)"
fault "marked twice in the tree" "$(uniq -d "$marked")"
fault "twice in tests/mutants/table.txt" "$(uniq -d "$rows")"
fault "marked in the tree, no row in tests/mutants/table.txt" "$(comm -23 <(uniq "$marked") <(uniq "$rows"))"
fault "a row in tests/mutants/table.txt, not in the tree" "$(comm -13 <(uniq "$marked") <(uniq "$rows"))"
fault "a row without a test" "$(sed -e '/^#/d' -e '/^$/d' tests/mutants/table.txt | awk 'NF < 2 {print $1}')"
[ $faults = 0 ] || exit 1
echo "mutants: $(wc -l < "$rows") checks, each with its row"
