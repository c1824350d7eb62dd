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

# Exposure times ten (wattle-privsep(7)).
while read -r program limit; do
  systemd-analyze security --no-pager --offline=true --threshold="$limit" \
    "$units/wattle-$program@.service" > "$work/report" 2>&1 || fault=1
  tail -1 "$work/report"
done << 'LIMITS'
cryptod 3
keyd 3
signer 3
tapd 17
metad 13
registry 9
LIMITS

# The generator says where a registry listens only where that is not the unit's own default.
mkdir -p "$work/etc/one" "$work/etc/two" "$work/etc/three" "$work/etc/Bad-Name" "$work/made"
printf '#listen = 1.2.3.4:1\n' > "$work/etc/one/registry.conf"
printf '  listen=198.51.100.7:443 # here\nurl = https://x\n listen = [2001:db8::1]:443\n' > "$work/etc/two/registry.conf"
printf 'port = 8737\n' > "$work/etc/three/wattle.conf"
printf 'listen = 1.2.3.4:1\n' > "$work/etc/Bad-Name/registry.conf"
WATTLE_ETC=$work/etc sh "$source/systemd/wattle-generator" "$work/made" || fault=1
wanted="[Socket]
ListenStream=
ListenStream=198.51.100.7:443"
[ ! -e /proc/net/if_inet6 ] || wanted="$wanted
ListenStream=[2001:db8::1]:443"
made=$(grep -v '^#' "$work/made/wattle-registry@two.socket.d/listen.conf")
[ "$made" = "$wanted" ] || { echo "the generator wrote: $made"; fault=1; }
if [ -e /proc/net/if_inet6 ] && [ "$(ls "$work/made")" != wattle-registry@two.socket.d ]; then
  echo "the generator wrote for others, too: $(ls "$work/made")"
  fault=1
fi
exit $fault
