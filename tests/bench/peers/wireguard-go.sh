# shellcheck shell=bash disable=SC2034
PEER_TITLE="wireguard-go"
PEER_PACKAGE=wireguard-go
PEER_DAEMONS="wireguard-go"
PEER_OPTIONS="tun (IP), ChaCha20-Poly1305, UDP, MTU 1420; relay: IP forwarding on a"
peer_prepare() {
  local machine
  for machine in "$@"; do
    (umask 077; wg genkey > "$HOME_OF/$machine.key")
    wg pubkey < "$HOME_OF/$machine.key" > "$HOME_OF/$machine.pub"
  done
}
peer_start() {
  local machine other hub=$1
  for machine in "$@"; do
    daemon "$machine" wireguard-go -f vpn
    wait_for 5 on "$machine" test -S /var/run/wireguard/vpn.sock || return 1
    on "$machine" wg set vpn listen-port 51820 private-key "$HOME_OF/$machine.key" || return 1
    for other in "$@"; do
      [ "$machine" != "$other" ] || continue
      if [ "$machine" = "$hub" ]; then
        on "$machine" wg set vpn peer "$(cat "$HOME_OF/$other.pub")" allowed-ips "$(peer_address "$other")/32" || return 1
      elif [ "$other" = "$hub" ]; then
        on "$machine" wg set vpn peer "$(cat "$HOME_OF/$other.pub")" allowed-ips "$INNER.0/24" \
          endpoint "$(outer "$hub"):51820" persistent-keepalive 25 || return 1
      fi
    done
    on "$machine" ip address add "$(peer_address "$machine")/24" dev vpn
    on "$machine" ip link set vpn mtu 1420 up
  done
  [ $# -lt 3 ] || on "$hub" bash -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
}
