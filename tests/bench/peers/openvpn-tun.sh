# shellcheck shell=bash disable=SC2034,SC1091
. "$BENCH/peers/openvpn.sh"
PEER_TITLE="OpenVPN tun"
OPENVPN_DEVICE=tun OPENVPN_MTU=1440
PEER_OPTIONS="$OPENVPN_DEVICE (IP), AES-128-GCM, UDP, no DCO, fast-io, buffers 1 MiB, MTU $OPENVPN_MTU"
