# A wattle network in the lab: a registry machine and members. Sourced after lab.sh.
# shellcheck shell=bash

NET=home
MEMBERS=()

# network_open MEMBER…: a switch, a registry at 192.0.2.1, members at 192.0.2.11 and so on, all joined.
network_open() {
  lab_switch lan
  lab_machine registry 192.0.2.1/24 lan
  on registry wattle-registry init "$NET" --no-member --url https://192.0.2.1:8443 > "$LAB/init.out" 2>&1 || {
    cat "$LAB/init.out"; return 1; }
  local name number=11
  for name in "$@"; do
    lab_machine "$name" "192.0.2.$number/24" lan
    number=$((number + 1))
    network_join "$name" || return 1
  done
}

# network_join NAME: an invite from the registry, used by the machine of that name.
network_join() {
  local url
  url=$(on registry wattle-registry invite "$1") || return 1
  on "$1" wattle join "$url" > "$LAB/join.$1" 2>&1 || { cat "$LAB/join.$1"; return 1; }
  MEMBERS+=("$1")
}

address4() { local a; a=$(member "$1" "$NET" ipv4); echo "${a%/*}"; }
address6() { local a; a=$(member "$1" "$NET" ipv6); echo "${a%/*}"; }
link_local() { on "$1" ip -6 -o address show dev "wt-$NET" scope link | sed -n 's/.*inet6 \(fe80[^/]*\).*/\1/p'; }

# pings FROM TO FAMILY [COUNT]: exit status of ping; FAMILY is 4, 6 or fe80.
pings() {
  local count=${4:-1} target
  case $3 in
    4) target=$(address4 "$2") ;;
    6) target=$(address6 "$2") ;;
    fe80) target=$(link_local "$2")%wt-$NET ;;
  esac
  on "$1" ping -n -q -c "$count" -i 0.2 -W 2 "$target"
}

# The processes of a machine, one line each: program uid capabilities NoNewPrivs Seccomp own-network descriptors.
network_processes() {
  local name=$1 init pid
  init=$(lab_pid "$name")
  on "$name" bash -c '
    own=$(readlink /proc/1/ns/net)
    for status in /proc/[0-9]*/status; do
      pid=${status#/proc/}; pid=${pid%/status}
      program=$(tr "\0" "\n" < /proc/$pid/cmdline 2>/dev/null | head -n 1); program=${program##*/}
      case $program in wattle*) ;; *) continue ;; esac
      uid=$(awk "/^Uid:/{print \$3}" $status); user=$(getent passwd "$uid" | cut -d: -f1)
      net=host; [ "$(readlink /proc/$pid/ns/net)" = "$own" ] || net=private
      kinds=$(for fd in /proc/$pid/fd/*; do t=$(readlink "$fd"); case $t in
        socket:*) n=${t#socket:[}; n=${n%]}
          # of whichever network namespace: an accepted one belongs to that of the connector
          if cat /proc/[0-9]*/net/unix 2>/dev/null | grep -q " $n\$\| $n "; then echo unix; else echo socket; fi ;;
        anon_inode:*) t=${t#anon_inode:}; t=${t#[}; echo "${t%]}" ;;
        pipe:*) echo pipe ;; /dev/net/tun) echo tun ;; /dev/null) echo null ;; *) echo file ;; esac; done |
        sort | uniq -c | awk "{printf \"%s%s:%s\", (NR>1?\",\":\"\"), \$2, \$1}")
      printf "%-16s %-20s %s %s %s %-8s %s\n" "$program" "${user:-$uid}" \
        "$(awk "/^CapEff:/{print \$2}" $status)" "$(awk "/^NoNewPrivs:/{print \$2}" $status)" \
        "$(awk "/^Seccomp:/{print \$2}" $status)" "$net" "$kinds"
    done'
}
