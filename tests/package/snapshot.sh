#!/bin/sh
# snapshot.sh: what a package could leave behind on this machine, one thing a line: files (but logs, caches and the books of
# dpkg, apt and systemd), users, groups, network devices, units, programs that run.
find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /var/tmp -o -path /run/systemd -o -path /run/log \
  -o -path /run/udev -o -path /var/log -o -path /var/cache -o -path /var/lib/dpkg -o -path /var/lib/apt -o -path /var/lib/systemd \
  -o -path /run/lock -o -path /run/dbus -o -path /run/user -o -path /root \) -prune -o -print |
  grep -vE '^/etc/(passwd|group|shadow|gshadow|subuid|subgid)-$|^/etc/ld.so.cache$|^/etc/machine-id$' | sed 's/^/file /' | sort
find /run/wattle /var/cache/apparmor 2> /dev/null | sed 's/^/file /'
getent passwd | sed 's/^/user /' | sort
getent group | sed 's/^/group /' | sort
ip -o link | sed 's/^[0-9]*: \([^:@]*\).*/device \1/' | sort
systemctl list-units --all --plain --no-legend 'wattle*' | sed 's/^/unit /'
ps -eo comm= | grep wattle | sed 's/^/process /'
true
