# Sourced by tests/run and tests/demo: installs the missing packages and builds a preset.
# shellcheck shell=bash

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

need_root() {
  [ "$(id -u)" = 0 ] || { echo "$0: needs root (namespaces, TAP devices, packages): sudo $0" >&2; exit 77; }
}

# install_packages [LIST]: those that are missing.
install_packages() {
  local missing=() name
  while read -r name; do
    case "$name" in ''|'#'*) continue ;; esac
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
  done < "${1:-$top/tests/support/packages}"
  [ ${#missing[@]} -gt 0 ] || return 0
  echo "installing: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q >/dev/null &&
    apt-get install -q -y --no-install-recommends "${missing[@]}" >/dev/null || {
      echo "$0: could not install the packages above; see apt-get's words" >&2; exit 1; }
}

# build PRESET: configures and builds into build/PRESET.
build() {
  local launcher=()
  command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  (cd "$top" && cmake --preset "$1" "${launcher[@]}" >/dev/null && cmake --build --preset "$1" -- "${@:2}")
}
