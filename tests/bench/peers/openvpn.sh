# OpenVPN in user space, server and clients; openvpn-tun.sh changes the device.
# shellcheck shell=bash disable=SC2034
PEER_TITLE="OpenVPN tap"
PEER_PACKAGE=openvpn
PEER_DAEMONS="openvpn"
OPENVPN_DEVICE=tap OPENVPN_MTU=1420
PEER_OPTIONS="$OPENVPN_DEVICE, AES-128-GCM, UDP, no DCO, fast-io, buffers 1 MiB, MTU $OPENVPN_MTU"
peer_prepare() {
  local machine all=$HOME_OF
  openvpn_certificate() {  # NAME ARGUMENTS…
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$all/$1.key" -subj "/CN=$1" "${@:2}" 2>> "$all/log"
  }
  openvpn_certificate ca -x509 -days 30 -out "$all/ca.crt" || return 1
  mkdir -p "$all/clients"
  for machine in "$@"; do
    openvpn_certificate "$machine" -out "$all/$machine.csr" &&
      openssl x509 -req -in "$all/$machine.csr" -CA "$all/ca.crt" -CAkey "$all/ca.key" -CAcreateserial -days 30 \
        -out "$all/$machine.crt" 2>> "$all/log" || return 1
    echo "ifconfig-push $(peer_address "$machine") 255.255.255.0" > "$all/clients/$machine"
    {
      echo "dev vpn"; echo "dev-type $OPENVPN_DEVICE"; echo "topology subnet"; echo "proto udp4"; echo "port 1194"
      echo "disable-dco"; echo "data-ciphers AES-128-GCM"; echo "tun-mtu $OPENVPN_MTU"; echo "mssfix 0"; echo "fast-io"
      echo "sndbuf 1048576"; echo "rcvbuf 1048576"; echo "txqueuelen 1000"; echo "reneg-sec 0"
      echo "ca $all/ca.crt"; echo "cert $all/$machine.crt"; echo "key $all/$machine.key"; echo "verb 1"
      if [ "$machine" = "$1" ]; then
        echo "local $(outer "$1")"; echo "server $INNER.0 255.255.255.0"; echo "dh none"; echo "client-to-client"; echo "client-config-dir $all/clients"
      else
        echo "client"; echo "nobind"; echo "remote $(outer "$1")"; echo "connect-retry 1 2"; echo "server-poll-timeout 2"
      fi
    } > "$all/$machine.conf"
  done
}
peer_start() { local machine; for machine in "$@"; do daemon "$machine" openvpn --config "$HOME_OF/$machine.conf"; done; }
