# wattle with a device MTU of 1500: TCP's segments are longer than one datagram holds and are cut on the way.
# shellcheck shell=bash disable=SC2034
WATTLE_MTU=1500
. "$BENCH/peers/wattle.sh"
