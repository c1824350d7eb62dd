# No encryption and no authentication at all: what the peer's shape costs without them.
# shellcheck shell=bash disable=SC2034,SC1091
. "$BENCH/peers/fastd.sh"
PEER_TITLE="fastd null"
FASTD_METHOD=null
PEER_OPTIONS="tap, method $FASTD_METHOD (no cryptography), UDP, MTU 1420"
