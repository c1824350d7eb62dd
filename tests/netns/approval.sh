#!/usr/bin/env bash
# approval = yes: a join waits, says so, outlives restarts of everything and Ctrl-C, and goes through or is refused.
set -u
here=$(dirname "$0"); . "$here/lab.sh"; . "$here/network.sh"
lab_open "${1:?folder of the programs}"

lab_switch lan
lab_machine registry 192.0.2.1/24 lan
on registry wattle-registry init "$NET" --approval --url https://192.0.2.1:8443 > "$LAB/init.out" 2>&1 || { cat "$LAB/init.out"; exit 1; }
check "the registry's own host need not be approved" on registry wattle status
number=10
for name in alice bob carol; do lab_machine $name "192.0.2.$((++number))/24" lan; done
pending=/var/lib/wattle/$NET/pending

# join_begin MACHINE URL: in the background, as from a terminal that is not watched; ended JOIN: its exit code is there.
join_begin() { on "$1" bash -c "echo \$\$ > $LAB/join.$1.pid; exec wattle join '$2'" > "$LAB/join.$1" 2>&1 & joins[$1]=$!; }
declare -A joins=()
says() { grep -q "$2" "$LAB/join.$1"; }
listed() { on registry wattle-registry node list | grep -q "^$1 .* $2 "; }
killed() { on registry bash -c "for p in /proc/[0-9]*; do case \$(tr '\\0' ' ' < \$p/cmdline 2>/dev/null) in *wattle-$1\ *) kill -KILL \${p#/proc/}; echo \$p;; esac; done" | grep -q proc; }

url=$(on registry wattle-registry invite alice --expires 20s)
join_begin alice "$url"
check "alice's join waits and says how it is approved" wait_for 30 says alice 'node approve alice'
check "in one line" test "$(wc -l < "$LAB/join.alice")" = 1
check "the list of nodes shows her" wait_for 5 listed alice waits
address=$(grep -o 'This host is [a-z2-7]*' "$LAB/join.alice" | cut -d' ' -f4)
check "with the address that she says" sh -c "nsenter -t $(lab_pid registry) -n -m -p -u wattle-registry node list | grep -q '$address'"
check "no users, no settings yet" on alice sh -c "! getent passwd wattle-$NET-meta && [ ! -e /etc/wattle/$NET/member.conf ]"
on alice wattle status "$NET" > "$LAB/status" 2>&1; status=$?
check "wattle status says what it waits for, and exits 4" test "$status" = 4 -a -n "$(grep 'waits for approval' "$LAB/status")"

on alice kill -INT "$(cat "$LAB/join.alice.pid")"; wait "${joins[alice]}"
check "Ctrl-C leaves the pending folder" on alice test -e $pending/identity
on registry wattle down "$NET" > /dev/null 2>&1
join_begin alice "$url"
check "the same command goes on waiting, also while the registry is down" wait_for 30 says alice 'Still waiting'
check "the registry comes back" on registry wattle up "$NET"
check "she is still the one that waits" wait_for 30 says alice "This host is $address"
check "the signer is killed" killed signer
check "the registry is killed" killed registry
sleep 20   # her invite expires meanwhile: she asked in time
check "she waits on" kill -0 "${joins[alice]}"
check "node approve" on registry wattle-registry node approve alice
check "her join ends within 30 s" wait_for 30 says alice '^Joined'
wait "${joins[alice]}"; status=$?
check "and well" test $status = 0
check "she reaches the registry's host" pings alice registry 4 3
check "the pending folder is gone" on alice test ! -e $pending

url=$(on registry wattle-registry invite bob)
on bob wattle join "$url" --no-wait > "$LAB/out.bob" 2>&1; status=$?
check "--no-wait: 4, with the sentence" test "$status" = 4 -a -n "$(grep 'node approve bob' "$LAB/out.bob")"
join_begin bob "$url"
check "bob waits" wait_for 30 says bob 'node approve bob'
lab_machine thief 192.0.2.40/24 lan
on thief wattle join "$url" > "$LAB/out.thief" 2>&1; status=$?
check "whoever copied his invite is refused: 10" test $status = 10
check "node reject" on registry wattle-registry node reject bob
check "his join ends within 30 s, 5, with its sentence" wait_for 30 says bob 'rejected this join'
wait "${joins[bob]}"; status=$?
check "exit code 5" test $status = 5
check "nothing is left of it" on bob test ! -e "/var/lib/wattle"
on bob wattle join "$url" > "$LAB/out.bob" 2>&1; status=$?
check "the invite is dead: 5" test $status = 5

url=$(on registry wattle-registry invite carol --approved)
check "an invite that is approved beforehand does not wait" on carol wattle join "$url"
echo "--- wattle-registry node list"; on registry wattle-registry node list
echo "--- what alice's join said"; cat "$LAB/join.alice"
lab_verdict
