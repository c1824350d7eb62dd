#!/usr/bin/env bash
# What a node does when its disk is full or read-only, when files of its state are damaged, and without /dev/urandom:
# it says which file and what to do, carries its traffic on, and loses nothing.
set -u
here=$(cd "$(dirname "$0")" && pwd); . "$here/lab.sh"; . "$here/network.sh"
lab_open "${1:?folder of the programs}"
network_open alice bob || exit 1
state=/var/lib/wattle/$NET
log=/run/wattle/$NET/log

logged() { on alice grep -q -- "$1" $log; }
version() { on "$1" bash -c "printf 'DUMP STATUS\n' | nc -U -N -w 2 /run/wattle/$NET/meta" | sed -n 's/.* document=\([0-9]*\).*/\1/p' | head -n1; }
stored() { on alice sed -n 's/^version //p' $state/meta/document; }
newest() { on registry wattle-registry network show | sed -n 's/^document version *//p'; }
carries() { pings alice bob 4 1 && pings bob alice 6 1; }
down() { on alice wattle down $NET > /dev/null 2>&1; }
up() { on alice wattle up $NET > "$LAB/up.out" 2>&1; }
has_version() { [ "$(version alice)" = "$1" ]; }
has_stored() { [ "$(stored)" = "$1" ]; }

check "alice and bob reach each other" wait_for 10 carries
# State on a small disk of its own.
down
on alice bash -c "cp -a $state /run/state && mount -t tmpfs -o size=768k,mode=755 tmpfs $state && cp -a /run/state/. $state/"
up
check "the same with the state on a small disk" wait_for 15 carries

# A full disk.
on alice bash -c "cat /dev/zero > $state/fill" 2> /dev/null
now=$(stored)
on registry wattle-registry network set mtu 1380 > /dev/null
new=$((now + 1))
check "full disk: alice holds the new document" wait_for 20 has_version $new
check "full disk: the file is the old one, whole" has_stored "$now"
check "full disk: the log names file and reason" logged "document.*No space left on device"
check "full disk: traffic goes on" carries
on alice rm $state/fill
check "room again: it is written without a restart" wait_for 30 has_stored $new
check "and said" logged "written at last"

# A read-only disk: keyd may not sign without its counters, and says so; it comes when it can.
down
on alice bash -c ": > $log"
on alice mount -o remount,ro $state
on registry wattle-registry network set mtu 1390 > /dev/null
up || true
check "read-only: keyd says why it does not start" wait_for 10 logged "keyd.*counter.*Read-only file system"
on alice mount -o remount,rw $state
check "writable again: alice is back by herself" wait_for 30 carries
check "writable again: the newer document is written" wait_for 30 has_stored $((new + 1))

# Damaged caches: named or passed over, made anew.
down
for file in document peers origin renewed; do
  on alice bash -c "printf 'garbage \\0\\377\\n' > $state/meta/$file; chown wattle-$NET-meta $state/meta/$file"
done
up
check "damaged caches: alice is back" wait_for 15 carries
# It names the registry, too: bob has both, the newest that alice told him.
check "damaged document: fetched anew" wait_for 30 has_stored $((new + 1))
down
on alice bash -c "for f in document peers origin; do : > $state/meta/\$f; done; rm -f $state/meta/renewed"
up
check "empty caches: alice is back" wait_for 15 carries

# A file without which there is no member: named, with what to do; nothing is restarted in vain; put back, it works.
for file in meta/certificate meta/credential meta/tls.key key/identity; do
  down
  on alice bash -c "cp -a $state/$file /run/kept; printf x > $state/$file"
  on alice bash -c ": > $log"
  up || true
  check "damaged $file: its daemon says which file and what to do" wait_for 10 logged "${file#*/}"
  on alice grep -- "${file#*/}" $log | head -n 1 | sed 's/^/        /'
  down
  on alice bash -c "cp -a /run/kept $state/$file"
done
# The counter file has two slots: one may be damaged, both together are told to the administrator.
on alice bash -c "printf garbage | dd of=$state/key/counter bs=1 conv=notrunc status=none"
on alice bash -c ": > $log"
up
check "one damaged slot of the counter file: alice is back" wait_for 15 carries

# Without the devices of randomness: getrandom(2) is enough.
down
on alice bash -c 'mount -t tmpfs -o mode=755 tmpfs /dev && mkdir /dev/net && mknod -m 666 /dev/null c 1 3 && mknod -m 666 /dev/net/tun c 10 200'
up
check "no /dev/urandom: alice is back" wait_for 15 carries
lab_verdict
