# wattle as its README says: init on the first machine, an invite for each other one; nothing is set. With WATTLE_MTU, of
# the files beside, that is the device's; they share one network.
# shellcheck shell=bash disable=SC2034,SC2016
PEER_TITLE="wattle${WATTLE_MTU:+, MTU $WATTLE_MTU}"
PEER_DAEMONS="wattle-cryptod wattle-tapd wattle-metad wattle-keyd"
PEER_OPTIONS="tap, ${WATTLE_MTU:+mtu = $WATTLE_MTU, else }as installed"
[ -z "${WATTLE_MTU:-}" ] || PEER_SCENARIOS="loss"
peer_prepare() {
  local hub=$1 machine url
  ! on "$hub" test -e /etc/wattle/home || return 0
  on "$hub" wattle-registry init home --url "https://$(outer "$hub"):8443" >> "$HOME_OF/log" 2>&1 || return 1
  for machine in "${@:2}"; do
    url=$(on "$hub" wattle-registry invite "$machine") || return 1
    on "$machine" wattle join "$url" >> "$HOME_OF/log" 2>&1 || { cat "$HOME_OF/log"; return 1; }
  done
  peer_stop "$@"
}
peer_start() {
  local machine
  for machine in "$@"; do
    on "$machine" sed -i "/^mtu/d${WATTLE_MTU:+;\$ a mtu = $WATTLE_MTU}" /etc/wattle/home/wattle.conf
    on "$machine" wattle up >> "$HOME_OF/log" 2>&1 || return 1
  done
}
peer_stop() { local machine; for machine in "$@"; do on "$machine" wattle down >> "$HOME_OF/log" 2>&1; done; }
peer_address() { local all; all=$(on "$1" sed -n 's/^ipv4 *= *//p' /etc/wattle/home/member.conf); echo "${all%/*}"; }
peer_words() { on "$1" bash -c 'for verb in status peers routes; do wattle $verb; done; tail -n 300 /run/wattle/home/log'; }
