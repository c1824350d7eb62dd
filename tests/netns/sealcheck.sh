#!/usr/bin/env bash
# sealcheck.sh FOLDER [WORDS…]: the seal of every real daemon, tried from inside (tests/proc/sealcheck). One machine has
# two networks with registry and member; another one is a member of the first. With WORDS: only those daemons.
set -u
here=$(dirname "$0"); . "$here/lab.sh"; . "$here/network.sh"
bin=${1:?folder of the programs}
shift
lab_open "$bin"
cp "$bin/../tests/sealcheck" "$LAB/sealcheck"
expected=$(realpath "$here/../proc/sealcheck/expected.txt")
lab_switch lan
lab_machine registry 192.0.2.1/24 lan
lab_machine bob 192.0.2.11/24 lan
on registry wattle-registry init "$NET" --url https://192.0.2.1:8443 > "$LAB/init.out" 2>&1 || { cat "$LAB/init.out"; exit 1; }
on registry wattle-registry init work --url https://192.0.2.1:8444 --listen 0.0.0.0:8444 > "$LAB/init.out" 2>&1 || { cat "$LAB/init.out"; exit 1; }
url=$(on registry wattle-registry invite bob --net "$NET") && on bob wattle join "$url" > "$LAB/join.bob" 2>&1 || { cat "$LAB/join.bob"; exit 1; }

if [ $# = 0 ]; then
  # The keys of a session stand in one guarded region while it lives, and nowhere when it has ended.
  check "bob pings the registry's host" pings bob registry 4 2
  cryptod=$(on registry pgrep -f "wattle-cryptod --net $NET")
  check "the keys of the session are guarded" on registry "$LAB/sealcheck" keys "$cryptod" "$LAB/keys"
  sed 's/^/        /' "$LAB/check.out"
  check "bob is revoked" on registry wattle-registry node "$NET" revoke bob
  check "and its session's keys are gone from all memory" wait_for 15 on registry "$LAB/sealcheck" erased "$cryptod" "$LAB/keys"
  on registry "$LAB/sealcheck" erased "$cryptod" "$LAB/keys" | sed 's/^/        /'

  # Who may connect: by the mode of the socket, and where that is opened by hand, by its uid.
  stranger() { on registry "$LAB/sealcheck" stranger "/run/wattle/$NET/$1" | tee "$LAB/stranger"; grep -q "$2" "$LAB/stranger"; }
  for socket in crypto.tap crypto.meta crypto.key key sign sign.admin; do
    mode=$(on registry stat -c %a "/run/wattle/$NET/$socket")
    check "$socket has mode 0660, or 0600 for root" test "$mode" = "$([ $socket = sign.admin ] && echo 600 || echo 660)"
    check "$socket refuses a stranger by its mode" stranger $socket "Permission denied"
    on registry chmod 0666 "/run/wattle/$NET/$socket"
    check "$socket refuses a stranger by its uid" stranger $socket "then closed"
    on registry chmod "$mode" "/run/wattle/$NET/$socket"
  done
  mode() { test "$(on registry stat -c '%a %U' "$2")" = "$1"; }
  check "the run folder is root's alone to write" mode "755 root" "/run/wattle/$NET"
  check "the database is its daemon's alone" mode "600 wattle-$NET-registry" "/var/lib/wattle/$NET/registry/registry.db"
fi

on registry wattle down "$NET" > /dev/null || exit 1
on registry env ${WATTLE_MUTANT:+WATTLE_MUTANT=$WATTLE_MUTANT} "$LAB/sealcheck" table "$NET" work "$LAB/bin" "$expected" "$@" > "$LAB/table" 2>&1
status=$?
cat "$LAB/table"
check "every attempt fails as the table says, and nothing else does" test $status = 0
lab_verdict
