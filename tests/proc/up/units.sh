#!/bin/sh
# units.sh SOURCE-FOLDER BIN-FOLDER: systemd accepts every unit under systemd/ without a word, with the
# programs of this build, and finds none of them more exposed than wattle-privsep(7) promises.
set -eu
source=$1
bin=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
units=$work/units
mkdir "$units"
fault=0

cp "$source"/systemd/*.service "$source"/systemd/*.socket "$source"/systemd/*.target "$units"
sed -i "s|^ExecStart=/usr/sbin/|ExecStart=$bin/|" "$units"/*.service
export SYSTEMD_UNIT_PATH="$units:"

# What systemd says of our files; of the host's own units it may say what it likes.
verify() {
  systemd-analyze verify --man=no "$1" 2>&1 | grep -E "/units/|wattle" || true
}

for unit in "$units"/*; do
  words=$(verify "$unit")
  [ -z "$words" ] || { echo "$(basename "$unit"): $words"; fault=1; }
done

# The check itself sees a fault.
sed 's/^UMask=/UMaske=/' "$units/wattle-keyd@.service" > "$units/wattle-odd@.service"
[ -n "$(verify "$units/wattle-odd@.service")" ] || { echo "verify finds no fault"; fault=1; }

# Exposure times ten (security.md 4.3; wattle-privsep(7) says why some are above its target).
while read -r program limit; do
  systemd-analyze security --no-pager --offline=true --threshold="$limit" \
    "$units/wattle-$program@.service" > "$work/report" 2>&1 || fault=1
  tail -1 "$work/report"
done << 'LIMITS'
cryptod 5
keyd 5
signer 5
tapd 18
metad 14
registry 12
LIMITS
exit $fault
