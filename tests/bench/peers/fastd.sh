# fastd; fastd-null.sh changes the method.
# shellcheck shell=bash disable=SC2034
PEER_TITLE="fastd AES-128-GCM"
PEER_PACKAGE=fastd
PEER_DAEMONS="fastd"
FASTD_METHOD=aes128-gcm
PEER_OPTIONS="tap, method $FASTD_METHOD, UDP, MTU 1420"
peer_prepare() {
  local machine other keys
  for machine in "$@"; do
    keys=$(fastd --generate-key 2>> "$HOME_OF/log") || return 1
    sed -n 's/^Secret: //p' <<< "$keys" > "$HOME_OF/$machine.secret"
    sed -n 's/^Public: //p' <<< "$keys" > "$HOME_OF/$machine.public"
  done
  for machine in "$@"; do
    {
      echo "log level warn;"; echo 'interface "vpn";'; echo "mode tap;"; echo "method \"$FASTD_METHOD\";"; echo "mtu 1420;"
      echo "bind $(outer "$machine"):10000;"; echo "secret \"$(cat "$HOME_OF/$machine.secret")\";"
      [ "$machine" != "$1" ] || echo "forward yes;"
      echo "on up \"ip link set vpn up; ip address add $(peer_address "$machine")/24 dev vpn\";"
      for other in "$@"; do
        [ "$machine" != "$other" ] || continue
        [ "$machine" = "$1" ] || [ "$other" = "$1" ] || continue
        echo "peer \"$other\" { key \"$(cat "$HOME_OF/$other.public")\";"
        [ "$other" != "$1" ] || echo "  remote $(outer "$1") port 10000;"
        echo "}"
      done
    } > "$HOME_OF/$machine.conf"
  done
}
peer_start() { local machine; for machine in "$@"; do daemon "$machine" fastd --config "$HOME_OF/$machine.conf"; done; }
