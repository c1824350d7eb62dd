# What the files in peers/ are made of; sourced before one of them, in a subshell for each. A peer's file sets
#
#   PEER_TITLE     a name for table and picture         PEER_PACKAGE   the Debian package, for its version
#   PEER_DAEMONS   its daemons as ps -o comm says       PEER_OPTIONS   one line: mode, cipher, MTU
#   PEER_SCENARIOS those it can take part in ("direct three relay loss")
#
# and the functions
#
#   peer_prepare MACHINE…   once per lab: keys and settings, into $HOME_OF/MACHINE; no daemon stays
#   peer_start MACHINE…     daemons on each; the first machine is the server, if there must be one
#   peer_address MACHINE    its address inside, IPv4 or IPv6
#   peer_words MACHINE      what it says of itself, kept in the folder "trouble" when two machines do not find each other
#   peer_stop MACHINE…      if ending PEER_DAEMONS by SIGTERM is not enough
# shellcheck shell=bash disable=SC2034,SC2016

PEER_TITLE="" PEER_PACKAGE="" PEER_DAEMONS="" PEER_OPTIONS="" PEER_SCENARIOS="direct three relay loss"
INNER=10.77.0
declare -A NUMBER=([a]=1 [b]=2 [c]=3)

peer_load() {  # NAME
  # shellcheck source=/dev/null
  . "$BENCH/peers/$1.sh"
  HOME_OF=$LAB/peer.$1
  mkdir -p "$HOME_OF"
}

peer_prepare() { :; }
peer_start() { :; }
peer_words() { tail -n 100 "$HOME_OF/$1.log"; }
peer_address() { echo "$INNER.${NUMBER[$1]}"; }
peer_stop() {
  local machine
  for machine in "$@"; do peer_signal "$machine" TERM; done
  for machine in "$@"; do
    wait_for 5 peer_gone "$machine" || { peer_signal "$machine" KILL; wait_for 5 peer_gone "$machine"; }
  done
}

# daemon MACHINE COMMAND…: in the background; what it says is kept in $HOME_OF/MACHINE.log.
daemon() {
  local machine=$1
  shift
  on "$machine" "$@" < /dev/null >> "$HOME_OF/$machine.log" 2>&1 &
  disown
}

peer_pids() {  # MACHINE: of the daemons, in the machine's own numbers
  on "$1" bash -c 'for p in /proc/[0-9]*; do
    read -r name 2> /dev/null < "$p/comm" || continue
    case " $1 " in *" $name "*) echo "${p#/proc/}" ;; esac; done' - "$PEER_DAEMONS"
}
peer_gone() { [ -z "$(peer_pids "$1")" ]; }
peer_signal() {
  local pid
  for pid in $(peer_pids "$1"); do on "$1" kill "-$2" "$pid" 2> /dev/null || true; done
}

# peer_cpu MACHINE…: seconds of all daemons on them, threads included.
peer_cpu() {
  local machine ticks=0
  for machine in "$@"; do
    ticks=$((ticks + $(peer_stat "$machine" 'stat' '{ n += $14 + $15 } END { print n + 0 }')))
  done
  awk -v n="$ticks" -v hz="$(getconf CLK_TCK)" 'BEGIN { print n / hz }'
}
# peer_rss MACHINE: MiB of all its daemons there.
peer_rss() { peer_stat "$1" status '/^VmRSS/ { n += $2 } END { printf "%.1f\n", n / 1024 }'; }
peer_stat() {
  local files=() pid
  for pid in $(peer_pids "$1"); do files+=("/proc/$pid/$2"); done
  if [ ${#files[@]} = 0 ]; then echo 0; else on "$1" awk "$3" "${files[@]}"; fi
}

# peer_ready FROM TO…: they answer.
peer_ready() {
  local from=$1 to one
  shift
  for to in "$@"; do
    wait_for 30 on "$from" ping -n -q -c 1 -W 1 "$(peer_address "$to")" || {
      echo "bench: $PEER_TITLE: $to does not answer $from within 30 s; see $BENCH_OUT/trouble" >&2
      mkdir -p "$BENCH_OUT/trouble"
      for one in "$from" "$@"; do peer_words "$one" > "$BENCH_OUT/trouble/$SCENARIO.$PEER.$ROUND.$one" 2>&1; done
      return 1
    }
  done
}
