#!/bin/bash
# wattle-registry init on a host of its own: mount and network namespace, an overlay over /etc, fresh
# /var/lib/wattle and /run. Argument: the folder of the programs. Exit 77: not root.
set -u
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
if [ -z "${WORK:-}" ]; then
  WORK=$(mktemp -d /tmp/wattle-init-XXXXXX)
  export WORK
  unshare --mount --net --pid --fork --kill-child --mount-proc --propagation private "$0" "$1"
  code=$?
  rmdir "$WORK"
  exit $code
fi

bin=$1
work=$WORK
mount -t tmpfs tmpfs "$work"
mkdir "$work/upper" "$work/work"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$work/upper,workdir=$work/work" /etc || exit 1
mkdir -p /var/lib/wattle
mount -t tmpfs tmpfs /var/lib/wattle
mount -t tmpfs tmpfs /run
ip link set lo up
ip link add under type veth peer name far
ip address add 192.0.2.1/24 dev under
ip address add 10.96.0.1/11 dev under
ip link set under up
ip link set far up
export PATH="$bin:$PATH"

failed=0
check() {
  local what=$1
  shift
  if "$@"; then echo "ok    $what"; else echo "FAIL  $what"; failed=1; fi
}
refused() {  # CODE PART COMMAND…: that exit code, one line on stderr with PART in it
  local code=$1 part=$2
  shift 2
  "$@" > "$work/out" 2> "$work/err"
  local got=$?
  [ "$got" = "$code" ] && [ "$(wc -l < "$work/err")" = 1 ] && grep -q -- "$part" "$work/err" || {
    echo "exit $got, wanted $code: $(cat "$work/err")"
    return 1
  }
}
nothing_made() {
  [ ! -e /etc/wattle/home ] && [ ! -e /var/lib/wattle/home ] && ! getent passwd wattle-home-signer > /dev/null
}

check "a wrong name" refused 2 "network name" wattle-registry init Home
check "a wrong prefix" refused 2 "prefix" wattle-registry init home --prefix 10.0.0.0/8
check "a wrong block" refused 2 "ipv4" wattle-registry init home --ipv4 10.1.0.1/22
check "a block that clashes" refused 1 "clashes" wattle-registry init home --ipv4 10.97.0.0/22
check "a wrong URL" refused 2 "url" wattle-registry init home --url http://192.0.2.1:8443
check "a wrong lifetime" refused 2 "lifetime" wattle-registry init home --lifetime 59s
check "not root" refused 77 "root" setpriv --reuid 65534 --regid 65534 --clear-groups "$bin/wattle-registry" init home
mkdir -p /etc/wattle && : > /etc/wattle/home
check "something in the way" refused 1 "/etc/wattle/home" wattle-registry init home
rm /etc/wattle/home
check "and nothing is left of it" nothing_made

wattle-registry init home --no-member --lifetime 12h > "$work/init" 2>&1
check "init" test $? = 0
cat "$work/init"
check "it chose its own address" grep -qx 'url = https://192.0.2.1:8443' /etc/wattle/home/registry.conf
owner() { [ "$(stat -c '%U %a' "$1")" = "$2" ] || { stat -c '%n %U %a' "$1"; return 1; }; }
check "folder of the signer" owner /var/lib/wattle/home/signer "wattle-home-signer 700"
for key in ca.key credential.key document.key; do
  check "$key" owner "/var/lib/wattle/home/signer/$key" "wattle-home-signer 400"
done
check "journal" owner /var/lib/wattle/home/signer/journal "wattle-home-signer 600"
check "https.key" owner /var/lib/wattle/home/registry/https.key "wattle-home-registry 400"
check "genesis" owner /etc/wattle/home/genesis "root 644"
check "the group that may look" getent group wattle
no_clash() {
  wattle-registry network show > "$work/show" && grep -Eq '^ipv4 +10\.' "$work/show" &&
    ! grep -Eq '^ipv4 +10\.(9[6-9]|1[01][0-9]|12[0-7])\.' "$work/show"
}
check "its block clashes with no route" no_clash
check "the network shows" wattle-registry network show
check "certificates last as long as it was told" sh -c 'wattle-registry network show | grep -q "^lifetime *43200 s"'
check "a parameter is set" wattle-registry network home set mtu 1300
check "and shows" sh -c 'wattle-registry network home show | grep -q "^mtu *1300$"'
check "an invite" sh -c 'wattle-registry invite alice | grep -Eq "^https://192.0.2.1:8443/home#[a-z2-7]{52}\.[a-z2-7]{26}$"'
before=$(sha256sum /etc/wattle/home/genesis /var/lib/wattle/home/signer/*.key)
check "a second init" refused 1 "exists" wattle-registry init home
check "changes nothing" test "$before" = "$(sha256sum /etc/wattle/home/genesis /var/lib/wattle/home/signer/*.key)"
wattle down home
exit $failed
