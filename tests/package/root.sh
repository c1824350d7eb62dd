# A fresh Debian root, made once of the host's own package sources and kept in the build folder: sourced, not run.
#
#   root_make FOLDER PACKAGE.deb   FOLDER/root is a Debian 12 with systemd and few tools; wattle is not in it, but the
#                                  archives of all that it depends on lie in apt's cache, so that machines without a way
#                                  to the outside can install it. Made anew when the sources or the dependencies change.
# shellcheck shell=bash

ROOT_SUITE=bookworm
ROOT_TOOLS=systemd,systemd-sysv,dbus,iproute2,iputils-ping,procps,netcat-openbsd

# The entries of the host's sources that are for this suite, as files for mmdebstrap; others (a vendor's own) are not
# taken over, nor their keys.
root_sources() {
  local file out=$1
  mkdir -p "$out"
  rm -f "$out"/*
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -f "$file" ] || continue
    grep -E "^deb .* $ROOT_SUITE(-updates|-security)? " "$file" >> "$out/sources.list" || true
  done
  for file in /etc/apt/sources.list.d/*.sources; do
    [ -f "$file" ] || continue
    awk -v RS= -v ORS='\n\n' -v suite="$ROOT_SUITE" '$0 ~ ("(^|\n)Suites:[^\n]* " suite "(-updates|-security)?( |\n|$)")' \
      "$file" >> "$out/$(basename "$file")"
  done
  find "$out" -type f -empty -delete
  [ -n "$(ls "$out")" ] || { echo "this host's /etc/apt names no source for $ROOT_SUITE" >&2; return 1; }
}

root_make() {
  local folder=$1 package=$2 key options=() line
  mkdir -p "$folder"
  root_sources "$folder/sources" || return 1
  # How the host reaches its sources (proxies, and dates of a mirror that stands still) holds for the root, too.
  while read -r line; do options+=("--aptopt=$line"); done < <(
    apt-config dump | grep -E '^Acquire::(http|https|Check-Valid-Until|Check-Date|Retries)[: ]' | grep -v ' ""')
  key=$( (cat "$folder"/sources/*; echo "$ROOT_TOOLS"; dpkg-deb --field "$package" Depends) | sha256sum | cut -c1-16)
  if [ "$(cat "$folder/root.key" 2> /dev/null)" = "$key" ]; then return 0; fi
  rm -rf "$folder/root" "$folder/root.key"
  echo "making a Debian root in $folder/root; kept for the next time"
  mmdebstrap --mode=root --variant=apt --include="$ROOT_TOOLS" --skip=cleanup/apt,cleanup/reproducible "${options[@]}" \
    --customize-hook="copy-in $package /var/tmp" \
    --customize-hook="chroot \"\$1\" apt-get install --yes --no-install-recommends --download-only /var/tmp/$(basename "$package")" \
    --customize-hook="rm \"\$1/var/tmp/$(basename "$package")\"; rm -f \"\$1/etc/machine-id\" \"\$1/etc/hostname\" \"\$1/etc/resolv.conf\"" \
    "$ROOT_SUITE" "$folder/root" "$folder"/sources/* > "$folder/root.log" 2>&1 || {
    tail -20 "$folder/root.log" >&2
    return 1
  }
  echo "$key" > "$folder/root.key"
}
