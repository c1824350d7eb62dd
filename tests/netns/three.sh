#!/usr/bin/env bash
# Three networks on one host: three devices, MACs, ports and sets of users; no frame, socket or file of one is seen by
# another, while daemons of all three are killed at random and all three ping.
# three.sh PROGRAMS [ROUNDS]
set -u
here=$(cd "$(dirname "$0")" && pwd); . "$here/lab.sh"; . "$here/network.sh"
support=$here/../support
lab_open "${1:?folder of the programs}"
rounds=${2:-15}
nets=(red green blue)
machines=(hub host)
lab_switch lan
lab_machine hub 192.0.2.1/24 lan
lab_machine host 192.0.2.11/24 lan
port=8443
for net in "${nets[@]}"; do
  on hub wattle-registry init $net --url https://192.0.2.1:$port --listen 0.0.0.0:$port > "$LAB/init.$net" 2>&1 || {
    cat "$LAB/init.$net"; exit 1; }
  port=$((port + 1))
  url=$(on hub wattle-registry invite --net $net host) || exit 1
  on host wattle join "$url" > "$LAB/join.$net" 2>&1 || { cat "$LAB/join.$net"; exit 1; }
done
address() { local a; a=$(member "$1" "$2" ipv4); echo "${a%/*}"; }
ping_in() { on "$2" ping -n -q -c "${4:-1}" -i 0.2 -W 2 "$(address "$3" "$1")"; }
for net in "${nets[@]}"; do
  check "host and hub ping in $net" wait_for 20 ping_in $net host hub
  check "and back" wait_for 20 ping_in $net hub host
done

# ---- everything is there three times
three() { [ "$(sort -u | wc -l)" = 3 ]; }
devices() { on host ip -br link | grep -o '^wt-[a-z]*'; }
macs() { on host ip -br link | awk '/^wt-/ { print $3 }'; }
ports() { on host ss -Hlnu | sed -n 's/.*0\.0\.0\.0:\([0-9]*\) .*/\1/p'; }
prefixes() { local net; for net in "${nets[@]}"; do member host $net ipv6; member host $net ipv4; done; }
check "three devices" three < <(devices)
check "three MACs" three < <(macs)
check "three UDP ports" three < <(ports)
check "six addresses" test "$(prefixes | sort -u | wc -l)" = 6
users() { on host bash -c 'for p in /proc/[0-9]*; do case $(cat $p/comm 2>/dev/null) in wattle-*) awk "/^Uid:/{print \$2}" $p/status ;; esac; done'; }
check "twelve daemons" test "$(users | wc -l)" = 12
check "of twelve users" test "$(users | sort -u | wc -l)" = 12

# ---- sockets, files and processes: what each daemon's user of one network can do to another one
on host tee "$LAB/foreign.py" > /dev/null <<'PYTHON'
import os, socket, sys
net, other = sys.argv[1:]
reached = []
for folder in (f"/run/wattle/{other}", f"/var/lib/wattle/{other}", f"/etc/wattle/{other}"):
    for path, names, files in os.walk(folder):
        for name in names + files:
            full = os.path.join(path, name)
            if os.access(full, os.W_OK):
                reached.append(f"may write {full}")
            if folder.startswith("/var") and name in files and os.access(full, os.R_OK):
                reached.append(f"may read {full}")
        if os.access(path, os.W_OK):
            reached.append(f"may make files in {path}")
    if folder.startswith("/run"):
        for name in os.listdir(folder):
            for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM):
                try:
                    socket.socket(socket.AF_UNIX, kind).connect(f"{folder}/{name}")
                    reached.append(f"may connect to {folder}/{name}")
                except OSError:
                    pass
for entry in filter(str.isdigit, os.listdir("/proc")):
    if int(entry) == os.getpid():
        continue
    try:
        words = open(f"/proc/{entry}/cmdline").read().split("\0")
        if other not in words:
            continue
        for name in ("mem", "environ", "fd", "root"):
            if os.access(f"/proc/{entry}/{name}", os.R_OK):
                reached.append(f"may read /proc/{entry}/{name} of {words[0]}")
        os.kill(int(entry), 0)
        reached.append(f"may signal {words[0]}")
    except OSError:
        pass
print("\n".join(reached))
sys.exit(1 if reached else 0)
PYTHON
foreign() { on host setpriv --reuid "$1" --regid "$1" --clear-groups /usr/bin/python3 "$LAB/foreign.py" "$2" "$3"; }
for net in "${nets[@]}"; do
  for other in "${nets[@]}"; do
    [ $net != $other ] || continue
    for part in tap crypto key meta; do
      check "wattle-$net-$part reaches no socket, file or process of $other" foreign wattle-$net-$part $net $other
    done
  done
done
own() { ! foreign wattle-red-meta red red > "$LAB/own" && grep -q 'may connect to /run/wattle/red/key' "$LAB/own" && grep -q 'may signal wattle-metad' "$LAB/own"; }
check "while wattle-red-meta reaches what is its own (positive control)" own

# ---- frames: each network's device sees its own pings only, the wire none
for card in wt-red wt-green wt-blue eth0; do
  for name in "${machines[@]}"; do
    nsenter -t "$(lab_pid $name)" -n tcpdump -i $card -Z root -n -U -s 0 -w "$LAB/$name.$card.pcap" 2> "$LAB/tcpdump.$name.$card" &
    sniffers="${sniffers:-} $!"
    wait_for 10 grep -q listening "$LAB/tcpdump.$name.$card" || { cat "$LAB/tcpdump.$name.$card"; exit 1; }
  done
done
for net in "${nets[@]}"; do
  pattern=$(printf '%-5.5s%-5.5s%-5.5s' $net $net $net | tr ' ' _ | od -An -tx1 | tr -d ' \n')
  on host ping -n -q -i 0.2 -p "$pattern" -s 200 "$(address hub $net)" > "$LAB/flow.$net" 2>&1 & flows="${flows:-} $!"
done
crossed() {  # an address of another network, asked for through this one's device
  local net other
  for net in "${nets[@]}"; do
    for other in "${nets[@]}"; do
      [ $net = $other ] || ! on host ping -n -q -c 1 -W 1 -I wt-$net "$(address hub $other)" || return 1
    done
  done
}
check "no device answers for an address of another network" crossed

members=()
for net in "${nets[@]}"; do
  for name in "${machines[@]}"; do members+=("$net/$name=$(lab_pid $name)=$(address $name $net)"); done
done
check "$rounds daemons killed at random: always back" python3 "$support/killing.py" --rounds "$rounds" "${members[@]}"
cp "$LAB/check.out" "$LAB/killing"
sed 's/^/        /' "$LAB/killing"
check "and no other network lost an answer" grep -q '^0 answers missed by flows of other networks' "$LAB/killing"
on host bash -c "pgrep ping | xargs -r kill -INT"
on hub bash -c "pgrep ping | xargs -r kill -INT"
# shellcheck disable=SC2086
wait $flows
# shellcheck disable=SC2086
kill $sniffers; wait $sniffers 2> /dev/null
text() { printf '%-5.5s%-5.5s' "$1" "$1" | tr ' ' _; }
for net in "${nets[@]}"; do
  check "wt-$net has seen $net's pings (positive control)" grep -aqF "$(text $net)" "$LAB/host.wt-$net.pcap" "$LAB/hub.wt-$net.pcap"
  for other in "${nets[@]}"; do
    [ $net != $other ] || continue
    check "and none of $other" bash -c "! grep -aqF $(text $other) $LAB/host.wt-$net.pcap $LAB/hub.wt-$net.pcap"
  done
  check "the wire shows none of them" bash -c "! grep -aqF $(text $net) $LAB/host.eth0.pcap $LAB/hub.eth0.pcap"
  # Nor does a network carry another one's datagrams.
  check "and $net carries no datagram of another network" bash -c "! tcpdump -n -r $LAB/host.wt-$net.pcap 'udp portrange 8737-8739 or tcp portrange 8737-8739' 2> /dev/null | grep ."
done
lab_verdict
