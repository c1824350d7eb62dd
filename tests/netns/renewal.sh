#!/usr/bin/env bash
# Certificates of a minute: three members renew by themselves, three times, while pings run: none is lost; the
# files of the last renewal are good for a start; a rename is seen by everybody.
#   renewal.sh PROGRAMS [SECONDS]   SECONDS of pings: 130 (three renewals) unless told
set -u
here=$(dirname "$0"); . "$here/lab.sh"; . "$here/network.sh"
lab_open "${1:?folder of the programs}"
seconds=${2:-130}
least=$((seconds / 43))  # renewals in that time: due after 40 s and up to 3 s more

lab_switch lan
lab_machine registry 192.0.2.1/24 lan
on registry wattle-registry init "$NET" --no-member --lifetime 60s --url https://192.0.2.1:8443 > "$LAB/init.out" 2>&1 || {
  cat "$LAB/init.out"; exit 1; }
number=11
for name in alice bob carol; do
  lab_machine $name "192.0.2.$number/24" lan
  number=$((number + 1))
  network_join $name || exit 1
done
for to in bob carol; do check "alice pings $to" wait_for 10 pings alice $to 4 1; done

declare -A PINGS=()
for pair in alice:bob bob:carol carol:alice; do
  from=${pair%:*}; to=${pair#*:}
  on $from ping -n -i 0.1 -W 5 -c $((seconds * 10)) "$(address4 $to)" > "$LAB/ping.$from.$to" 2>&1 &
  PINGS[$pair]=$!
done
for pair in "${!PINGS[@]}"; do wait "${PINGS[$pair]}"; done
for pair in "${!PINGS[@]}"; do
  file=$LAB/ping.${pair%:*}.${pair#*:}
  echo "        $pair: $(grep 'packets transmitted' "$file")"
  check "$pair: no ping is lost" grep -q ' 0% packet loss' "$file"
done
renewals() { on "$1" wattle status --json | python3 -c 'import json,sys
d=json.load(sys.stdin)
print(d["counters"].get("meta.renewed", 0))'; }
for name in alice bob carol; do
  count=$(renewals $name)
  echo "        $name renewed $count times"
  check "$name renewed at least $least times" test "${count:-0}" -ge "$least"
done

# A restart takes the newest pair: the one of join has ended long ago.
check "alice stops" on alice wattle down "$NET"
check "alice starts with the renewed membership" on alice wattle up "$NET"
check "and pings bob" wait_for 10 pings alice bob 4 1

check "bob is renamed" on registry wattle-registry node rename bob robert
named() { on "$1" wattle peers --json | python3 -c 'import json,sys; assert "robert" in [p["name"] for p in json.load(sys.stdin)["peers"]]'; }
for name in alice carol; do check "$name knows robert" wait_for 30 named $name; done
itself() { on bob wattle status --json | grep -q '"robert"'; }
check "bob goes by the name of robert" wait_for 30 itself
check "and is pinged" pings alice bob 4 3
lab_verdict
