# shellcheck shell=bash disable=SC2034
PEER_TITLE="yggdrasil"
PEER_PACKAGE=yggdrasil
PEER_DAEMONS="yggdrasil"
PEER_OPTIONS="tun (IPv6), over TCP, inner MTU 65535"
peer_prepare() {
  local machine peers listen
  for machine in "$@"; do
    peers="[]" listen="[\"tcp://0.0.0.0:9001\"]"
    [ "$machine" = "$1" ] || { peers="[\"tcp://$(outer "$1"):9001\"]" listen="[]"; }
    yggdrasil -genconf -json | python3 -c '
import json, sys
settings = json.load(sys.stdin)
settings.update(Peers=json.loads(sys.argv[1]), Listen=json.loads(sys.argv[2]), MulticastInterfaces=[], IfName="vpn",
                IfMTU=65535, AdminListen="none")
print(json.dumps(settings))' "$peers" "$listen" > "$HOME_OF/$machine.conf" || return 1
    yggdrasil -useconffile "$HOME_OF/$machine.conf" -address > "$HOME_OF/$machine.address" || return 1
  done
}
peer_start() {
  local machine
  for machine in "$@"; do
    daemon "$machine" yggdrasil -useconffile "$HOME_OF/$machine.conf"
    # A dial that is refused is not tried again for a minute.
    [ "$machine" != "$1" ] || wait_for 10 on "$1" bash -c 'ss -Hltn | grep -q ":9001 "' || return 1
  done
}
peer_address() { cat "$HOME_OF/$1.address"; }
