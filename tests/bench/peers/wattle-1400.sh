# wattle with a device MTU of 1400, with which a full TCP segment just fits a datagram of 1500 bytes over IPv6.
# shellcheck shell=bash disable=SC2034
WATTLE_MTU=1400
. "$BENCH/peers/wattle.sh"
