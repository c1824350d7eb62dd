# shellcheck shell=bash disable=SC2034
PEER_TITLE="n2n"
PEER_PACKAGE=n2n
PEER_DAEMONS="edge supernode"
PEER_OPTIONS="tap, Twofish (its only cipher), supernode on a, UDP, MTU 1400"
peer_start() {
  local machine
  daemon "$1" supernode -l 7654
  for machine in "$@"; do
    daemon "$machine" edge -d vpn -a "$(peer_address "$machine")" -c bench -k benchmark -l "$(outer "$1"):7654" -M 1400 \
      -m "02:00:5e:00:53:0${NUMBER[$machine]}" -u 0 -g 0
  done
}
