# The measurements: sourced after peer.sh, run in the subshell of a peer that is up. Each appends lines
# "scenario peer round figure value" to $BENCH_SAMPLES. $SHORT is yes for --quick.
# shellcheck shell=bash

seconds() { if [ "$SHORT" = yes ]; then echo "$1"; else echo "$2"; fi; }
sample() { printf '%s\t%s\t%s\t%s\t%s\n' "$SCENARIO" "$PEER" "$ROUND" "$1" "$2" >> "$BENCH_SAMPLES"; }
missing() { echo "bench: $SCENARIO, $PEER, round $ROUND: no $1${2:+ ($2)}" >&2; }

# stream FROM TO SECONDS OPTIONS…: prints "Gbit/s GiB" of what arrived; iperf3 in both.
stream() {
  local from=$1 to=$2 time=$3 address answer
  shift 3
  address=$(peer_address "$to")
  on "$to" iperf3 -s -1 -D --forceflush --idle-timeout 30 > /dev/null 2>&1
  wait_for 5 on "$to" bash -c 'ss -Hltn | grep -q ":5201 "'
  answer=$(on "$from" timeout $((time + 20)) iperf3 -c "$address" -t "$time" -C cubic -J "$@")
  python3 -c '
import json, sys
end = json.loads(sys.argv[1])["end"]["sum_received"]
end["bytes"] > 0 and print(end["bits_per_second"] / 1e9, end["bytes"] / 2**30)' "$answer" 2> /dev/null
}

# test_stream FROM TO: one TCP stream, and what the daemons of both took for it.
test_stream() {
  local before after rate amount
  before=$(peer_cpu "$@")
  read -r rate amount < <(stream "$1" "$2" "$(seconds 2 4)") || { missing stream; return; }
  after=$(peer_cpu "$@")
  sample stream_gbit "$rate"
  [ -z "$PEER_DAEMONS" ] || sample cpu_s_per_gib "$(awk -v a="$after" -v b="$before" -v n="$amount" 'BEGIN { print (a - b) / n }')"
}

test_streams() {
  local rate rest
  read -r rate rest < <(stream "$1" "$2" "$(seconds 2 4)" -P 4) || { missing streams "$rest"; return; }
  sample streams4_gbit "$rate"
}

# of JSON KEY: one number out of a flat object.
of() { sed -n "s/.*\"$2\": \([0-9.]*\).*/\1/p" <<< "$1"; }

test_udp() {
  local answer
  answer=$(on "$1" timeout 120 bench-udp search "$(peer_address "$2")" 5301 64 "$(seconds 0.3 0.5)") || { missing udp; return; }
  sample udp_pps "$(of "$answer" pps)"
}

test_ask() {
  local answer
  answer=$(on "$1" timeout 60 bench-ask ask "$(peer_address "$2")" 5302 "$(seconds 1 2)") || { missing ask; return; }
  sample ask_per_s "$(of "$answer" per_second)"
  sample ask_p99_us "$(of "$answer" p99_us)"
}

# pings FILE FIGURE SHARE: the given share (0.5, 0.99) of the times in ping's words, in µs.
ping_share() {
  sed -n 's/.*time=\([0-9.]*\) ms/\1/p' "$1" | sort -n |
    awk -v share="$2" '{ t[NR] = $1 } END { if (NR) printf "%.0f\n", 1000 * t[int(1 + share * (NR - 1) + 0.5)] }'
}

test_ping() {
  local value
  on "$1" ping -n -c 200 -i 0.005 -W 1 "$(peer_address "$2")" > "$HOME_OF/ping"
  value=$(ping_share "$HOME_OF/ping" 0.5)
  if [ -n "$value" ]; then sample ping_us "$value"; else missing ping; fi
}

# test_load FROM TO OTHER: ping to OTHER while one stream runs at full rate from FROM to TO.
test_load() {
  local time value pinger
  time=$(seconds 4 6)
  { sleep 1; on "$1" ping -n -c $(((time - 2) * 100)) -i 0.01 -W 1 "$(peer_address "$3")" > "$HOME_OF/ping"; } & pinger=$!
  stream "$1" "$2" "$time" > "$HOME_OF/stream"
  wait $pinger
  value=$(ping_share "$HOME_OF/ping" 0.99)
  if [ -n "$value" ]; then sample load_ping_p99_us "$value"; else missing "ping under load"; fi
  sample load_ping_median_us "$(ping_share "$HOME_OF/ping" 0.5)"
  sample load_ping_lost "$(sed -n 's/^\([0-9]*\) packets transmitted, \([0-9]*\) received.*/\1 \2/p' "$HOME_OF/ping" | awk '{ print $1 - $2 }')"
}

test_rss() { [ -z "$PEER_DAEMONS" ] || sample rss_mib "$(peer_rss "$1")"; }

# measure_services MACHINE…: the answering ends; they stay for the whole lab.
measure_services() {
  local machine
  for machine in "$@"; do
    on "$machine" bench-udp count 5301 < /dev/null > /dev/null 2>&1 & disown
    on "$machine" bench-ask serve 5302 < /dev/null > /dev/null 2>&1 & disown
  done
}
