# shellcheck shell=bash disable=SC2034
PEER_TITLE="tinc switch"
PEER_PACKAGE=tinc
PEER_DAEMONS="tincd"
PEER_OPTIONS="tap, Mode = switch, aes-128-cbc, sha1, MACLength 4, UDP, MTU 1420"
peer_prepare() {
  local machine other folder
  for machine in "$@"; do
    folder=$HOME_OF/$machine
    mkdir -p "$folder/hosts"
    {
      echo "Name = $machine"; echo "Mode = switch"; echo "DeviceType = tap"; echo "Interface = vpn"
      echo "AddressFamily = ipv4"; echo "ProcessPriority = normal"
      [ "$machine" = "$1" ] || echo "ConnectTo = $1"
    } > "$folder/tinc.conf"
    {
      [ "$machine" != "$1" ] || echo "Address = $(outer "$1")"
      echo "Cipher = aes-128-cbc"; echo "Digest = sha1"; echo "MACLength = 4"; echo "Compression = 0"
    } > "$folder/hosts/$machine"
    printf '#!/bin/sh\nip link set vpn mtu 1420 up\nip address add %s/24 dev vpn\n' "$(peer_address "$machine")" > "$folder/tinc-up"
    chmod 755 "$folder/tinc-up"
    on "$machine" tincd -c "$folder" -K 2048 < /dev/null >> "$HOME_OF/log" 2>&1 || return 1
  done
  for machine in "$@"; do for other in "$@"; do
    [ "$machine" = "$other" ] || cp "$HOME_OF/$machine/hosts/$machine" "$HOME_OF/$other/hosts/"
  done; done
}
peer_start() {
  local machine
  for machine in "$@"; do daemon "$machine" tincd -c "$HOME_OF/$machine" -D --pidfile="$HOME_OF/$machine.pid"; done
}
