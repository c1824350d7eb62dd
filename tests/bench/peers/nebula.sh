# shellcheck shell=bash disable=SC2034
PEER_TITLE="Nebula"
PEER_PACKAGE=nebula
PEER_DAEMONS="nebula"
PEER_OPTIONS="tun (IP), cipher aes (AES-256-GCM), UDP, buffers 10 MiB, MTU 1440"
peer_prepare() {
  local machine hub=$1 lighthouse hosts relays
  (cd "$HOME_OF" && nebula-cert ca -name bench -duration 720h) || return 1
  for machine in "$@"; do
    (cd "$HOME_OF" && nebula-cert sign -name "$machine" -ip "$(peer_address "$machine")/24") || return 1
    lighthouse=false hosts="[\"$(peer_address "$hub")\"]" relays="relays: [\"$(peer_address "$hub")\"]"
    [ "$machine" != "$hub" ] || { lighthouse=true; hosts="[]"; relays="am_relay: true"; }
    cat > "$HOME_OF/$machine.yml" <<YML
pki: { ca: $HOME_OF/ca.crt, cert: $HOME_OF/$machine.crt, key: $HOME_OF/$machine.key }
static_host_map: { "$(peer_address "$hub")": ["$(outer "$hub"):4242"] }
lighthouse: { am_lighthouse: $lighthouse, interval: 2, hosts: $hosts }
listen: { host: 0.0.0.0, port: 4242, batch: 64, read_buffer: 10485760, write_buffer: 10485760 }
relay: { use_relays: true, $relays }
punchy: { punch: true }
cipher: aes
tun: { disabled: false, dev: vpn, mtu: 1440, tx_queue: 1000 }
logging: { level: warning, format: text }
firewall:
  conntrack: { tcp_timeout: 12m, udp_timeout: 3m, default_timeout: 10m }
  outbound: [ { port: any, proto: any, host: any } ]
  inbound: [ { port: any, proto: any, host: any } ]
YML
  done
}
peer_start() { local machine; for machine in "$@"; do daemon "$machine" nebula -config "$HOME_OF/$machine.yml"; done; }
