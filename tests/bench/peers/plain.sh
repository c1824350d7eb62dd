# The link itself, nothing on it.
# shellcheck shell=bash disable=SC2034
PEER_TITLE="plain link"
PEER_OPTIONS="veth, MTU 1500, offloads on (off where the scenario says so)"
PEER_SCENARIOS="direct three loss"
peer_address() { outer "$1"; }
