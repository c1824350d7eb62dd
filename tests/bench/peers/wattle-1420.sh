# wattle with a device MTU of 1420, with which a full TCP segment just fits a datagram of 1500 bytes over IPv4.
# shellcheck shell=bash disable=SC2034
WATTLE_MTU=1420
. "$BENCH/peers/wattle.sh"
