#!/usr/bin/env bash
# Each running process has exactly the powers DESIGN 1 allows it: user, capabilities, NoNewPrivs, Seccomp, network
# namespace and kinds of open descriptors; and a node at rest needs little memory and no processor.
set -u
here=$(dirname "$0"); . "$here/lab.sh"; . "$here/network.sh"
lab_open "${1:?folder of the programs}"
network_open alice bob || exit 1
check "alice pings bob" pings alice bob 4 2

network_processes alice > "$LAB/table.alice"
network_processes registry > "$LAB/table.registry"
cat "$LAB/table.alice" "$LAB/table.registry"

# tapd has set everything up before its seal and keeps nothing of CAP_NET_ADMIN: less than DESIGN 1 allows.
# program user CapEff NoNewPrivs Seccomp network, and the kinds of descriptors it may hold (DESIGN 1).
none=0000000000000000
allowed() {
  cat <<TABLE
alice wattle-tapd wattle-$NET-tap $none 1 2 host null,file,pipe,unix,socket,tun,signalfd
alice wattle-cryptod wattle-$NET-crypto $none 1 2 private null,file,pipe,unix,socket,tun,eventpoll,eventfd,timerfd,signalfd
alice wattle-keyd wattle-$NET-key $none 1 2 private null,file,pipe,unix,eventpoll,eventfd,timerfd,signalfd
alice wattle-metad wattle-$NET-meta $none 1 2 host null,file,pipe,unix,socket,eventpoll,eventfd,timerfd,signalfd
registry wattle-registry wattle-$NET-registry $none 1 2 private null,file,pipe,unix,socket,eventpoll,eventfd,timerfd,signalfd
registry wattle-signer wattle-$NET-signer $none 1 2 private null,file,pipe,unix,eventpoll,eventfd,timerfd,signalfd
TABLE
}
row() {  # machine program user caps nnp seccomp net kinds
  local line kinds kind
  [ "$(grep -c "^$2 " "$LAB/table.$1")" = 1 ] || { echo "not exactly one $2 on $1"; return 1; }
  line=$(grep "^$2 " "$LAB/table.$1")
  set -- "$@" $line
  local machine=$1 program=$2 allowed_kinds=$8
  shift 8
  [ "$2" = "wattle-$NET-${USERS[$program]}" ] || { echo "user is $2"; return 1; }
  [ "$3" = "${CAPS[$program]}" ] || { echo "CapEff is $3"; return 1; }
  [ "$4" = 1 ] || { echo "NoNewPrivs is $4"; return 1; }
  [ "$5" = 2 ] || { echo "Seccomp is $5"; return 1; }
  [ "$6" = "${NETS[$program]}" ] || { echo "network is $6"; return 1; }
  for kind in ${7//,/ }; do
    case ",$allowed_kinds," in *",${kind%%:*},"*) ;; *) echo "descriptor of kind $kind"; return 1 ;; esac
  done
}
declare -A USERS CAPS NETS
while read -r machine program user caps nnp seccomp net kinds; do
  USERS[$program]=${user##*-} CAPS[$program]=$caps NETS[$program]=$net
  check "$program on $machine has its powers and no more" row "$machine" "$program" "$user" "$caps" "$nnp" "$seccomp" "$net" "$kinds"
done < <(allowed)
no_others() { ! grep -Ev '^wattle(-tapd|-cryptod|-keyd|-metad|-registry|-signer)? ' "$LAB/table.$1"; }
check "no further process on alice" no_others alice
check "no further process on the registry" no_others registry
no_token() { ! on alice bash -c 'for p in /proc/[0-9]*/cmdline; do [ "$p" = /proc/$$/cmdline ] || tr "\0" " " < $p; echo; done' | grep 'https://'; }
check "no running process shows the invite in its command line" no_token
no_groups() { on alice bash -c 'for p in /proc/[0-9]*; do c=$(tr "\0" "\n" < $p/cmdline 2>/dev/null | head -n1); case ${c##*/} in wattle-?*) echo "$c: $(sed -n "s/^Groups:[[:space:]]*//p" $p/status)" ;; esac; done' | tee "$LAB/groups"; ! grep -q ': .*[0-9]' "$LAB/groups"; }
check "no daemon has supplementary groups" no_groups

# At rest: memory and processor of alice's processes, over 10 s.
usage() {
  on alice bash -c 'total=0; for p in /proc/[0-9]*; do c=$(tr "\0" "\n" < $p/cmdline 2>/dev/null | head -n1); case ${c##*/} in wattle*)
    pss=$(awk "/^Pss:/{print \$2}" $p/smaps_rollup); ticks=$(awk "{print \$14+\$15}" $p/stat); echo "${c##*/} $pss $ticks" ;; esac; done'
}
sleep 3
usage > "$LAB/use.1"; sleep 10; usage > "$LAB/use.2"
paste -d' ' "$LAB/use.1" "$LAB/use.2" | awk '{printf "        %-16s %6d KiB PSS, %.2f %% of a core\n", $1, $5, ($6-$3)/10}'
pss=$(awk '{s+=$2} END{print s}' "$LAB/use.2")
ticks=$(( $(awk '{s+=$3} END{print s}' "$LAB/use.2") - $(awk '{s+=$3} END{print s}' "$LAB/use.1") ))
echo "        together $pss KiB PSS, $ticks ticks of 10 ms in 10 s"
if [ "${WATTLE_SANITIZED:-}" = "" ]; then
  check "a node's idle processes take at most 24 MiB PSS" test "$pss" -le 24576
  check "and under 0.5 % of a core" test "$ticks" -le 5
fi
lab_verdict
