#!/usr/bin/env bash
# A join that cannot go through, or is broken off: own exit code, nothing half-written, and the same command
# resumes with the same key.
set -u
here=$(dirname "$0"); . "$here/lab.sh"; . "$here/network.sh"
lab_open "${1:?folder of the programs}"

network_open || exit 1
lab_machine alice 192.0.2.11/24 lan
url=$(on registry wattle-registry invite alice)
away=${url/192.0.2.1:/192.0.2.99:}   # nobody has that address
pending=/var/lib/wattle/$NET/pending

# What a join leaves but its pending folder: must be nothing until it goes through.
traces() {
  on alice bash -c "find /etc/wattle /run/wattle /var/lib/wattle -mindepth 1 -not -path /var/lib/wattle/$NET \
    -not -path '$pending' -not -path '$pending/*' 2>/dev/null; getent passwd | grep ^wattle-; getent group | grep ^wattle"
}
join_exits() {  # expected exit code, script that joins
  local out status
  out=$(on alice bash -c "$2" 2>&1); status=$?
  echo "exit $status: $out"
  [ $status = "$1" ] && [ -z "$(traces)" ]
}

check "not root: 77" join_exits 77 "setpriv --reuid 65534 --clear-groups wattle join '$url'"
check "no /dev/net/tun: 15" join_exits 15 "mount -t tmpfs none /dev/net; wattle join '$url'; s=\$?; umount /dev/net; exit \$s"
check "a /dev/net/tun that is none: 15" \
  join_exits 15 "mount --bind /dev/null /dev/net/tun; wattle join '$url'; s=\$?; umount /dev/net/tun; exit \$s"
check "a port in use: 1" join_exits 1 "timeout 20 nc -l -p 9100 & sleep 0.5; wattle join '$url' --port 9100; s=\$?; kill %1; exit \$s"
check "settings that cannot be written: 1, all taken back" join_exits 1 "mkdir /etc/wattle; mount -t tmpfs -o ro none /etc/wattle
  wattle join '$url'; s=\$?; umount /etc/wattle; rmdir /etc/wattle; exit \$s"
key=$(on alice sha256sum $pending/identity)
check "a user that cannot be made: 1, all taken back" join_exits 1 "printf '#!/bin/sh\nexit 3\n' > /run/no; chmod +x /run/no
  mount --bind /run/no /usr/sbin/useradd; wattle join '$url'; s=\$?; umount /usr/sbin/useradd; rm /run/no; exit \$s"
check "two at once: the second says who and exits 75" \
  join_exits 75 "wattle join '$away' & sleep 0.5; wattle join '$url'; s=\$?; wait; exit \$s"
check "killed in the middle, its fetcher ends, too" \
  join_exits 0 "wattle join '$away' & sleep 0.5; kill -9 \$!; wait; sleep 0.5; ! pgrep wattle-fetch"
check "status says that a join was begun: 4" join_exits 4 "wattle status $NET"
same_key() { [ "$(on alice sha256sum $pending/identity)" = "$key" ]; }
check "all these tries kept the one key" same_key
on alice cp -a $pending /var/tmp/kept
check "the same command goes through in the end" on alice wattle join "$url" --port 9000 --device vpn0
check "with the port that was asked for" on alice grep -q '^port = 9000$' /etc/wattle/$NET/wattle.conf
check "and the device" on alice ip link show vpn0
check "and the first key" on alice bash -c "echo '${key%% *}  /var/lib/wattle/$NET/key/identity' | sha256sum -c --status"
check "the pending folder is gone" on alice test ! -e $pending
check "leave" on alice wattle leave
check "nothing is left" test -z "$(traces)"

# A key, short id or MAC that another member has: told so, and the next try makes a new key. Played with the key of
# alice's membership, which the registry still lists.
other=$(on registry wattle-registry invite alice2)
on alice bash -c "mkdir -p -m 700 $pending && cp -a /var/tmp/kept/. $pending/ && printf %s '$other' > $pending/invite"
check "a key that is another member's: 18" join_exits 18 "wattle join '$other'"
check "it is dropped" on alice test ! -e $pending
check "the same command makes a new one and goes through" on alice wattle join "$other"
differs() { ! on alice bash -c "echo '${key%% *}  /var/lib/wattle/$NET/key/identity' | sha256sum -c --status"; }
check "a new one" differs
check "leave" on alice wattle leave

# A registry's host joins its own network and leaves it again: the registry goes on.
own=$(on registry wattle-registry invite server)
check "the registry's host joins" on registry wattle join "$own"
check "its member is up" on registry wattle status
check "the registry's host leaves" on registry wattle leave
check "the registry goes on" on registry wattle-registry invite another
gone() { ! on registry getent passwd wattle-$NET-meta && on registry getent passwd wattle-$NET-signer; }
check "only the member's users are gone" gone
lab_verdict
