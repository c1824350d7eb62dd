#!/usr/bin/env bash
# deb.sh BUILD: the Debian package of a build, in BUILD/package/: made by cpack, judged by lintian, its parts by the
# programs that they are for.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../netns/lab.sh"
build=${1:?build folder}
source=$(cd "$here/../.." && pwd)
LAB=$(mktemp -d)
trap 'rm -rf "$LAB"' EXIT
out=$build/package
mkdir -p "$out"
rm -f "$out"/*.deb

pack() { (cd "$LAB" && cpack --config "$build/CPackConfig.cmake" -B "$LAB/$1" "${@:2}" && mv "$LAB/$1"/*.deb "$out/"); }
check "cpack makes a package" pack one
deb=$(ls "$out"/wattle_*.deb)
check "cpack makes one of another version" pack two -D CPACK_PACKAGE_VERSION=0.0.1~test
check "which says so" dpkg --compare-versions "$(dpkg-deb --field "$out"/wattle_0.0.1~test_*.deb Version)" lt "$(dpkg-deb --field "$deb" Version)"
rm -f "$out"/wattle_0.0.1~test_*.deb
check "lintian finds no error" lintian --allow-root --fail-on error "$deb"
lintian --allow-root --info --display-info "$deb" 2>&1 | grep "^[EWI]:" | sed 's/^/        /'

dpkg-deb --raw-extract "$deb" "$LAB/tree"
listed() { (cd "$LAB/tree" && ls -d "$@"); }
for program in tapd cryptod keyd metad registry signer; do
  check "wattle-$program: program, manual, unit, profile" listed usr/sbin/wattle-$program usr/share/man/man8/wattle-$program.8.gz \
    usr/lib/systemd/system/wattle-$program@.service etc/apparmor.d/wattle-$program
done
check "sysusers, tmpfiles, NetworkManager, completion, examples, papers" listed usr/lib/sysusers.d/wattle.conf \
  usr/lib/tmpfiles.d/wattle.conf usr/lib/NetworkManager/conf.d/wattle.conf usr/share/bash-completion/completions/wattle \
  usr/share/zsh/vendor-completions/_wattle usr/share/doc/wattle/examples/wattle.nft \
  usr/share/doc/wattle/examples/miniupnpd.conf usr/share/doc/wattle/copyright usr/share/doc/wattle/changelog.gz
check "it depends on the libraries it links" grep -Eq '^Depends: .*libc6 .*libssl3' "$LAB/tree/DEBIAN/control"
nothing_local() { ! grep -rIl -e /usr/local -e "$source" "$LAB/tree/usr/lib" "$LAB/tree/etc" "$LAB/tree/DEBIAN"; }
check "no unit names another place" nothing_local
check "nobody but root owns or writes anything" test -z "$(dpkg-deb --contents "$deb" | grep -vE '^.rw.r-.r-. root/root |^l' )"

profile() { apparmor_parser --skip-kernel-load --skip-cache --base "$LAB/tree/etc/apparmor.d" -I /etc/apparmor.d "$1"; }
for file in "$LAB"/tree/etc/apparmor.d/wattle-*; do
  check "AppArmor reads $(basename "$file")" profile "$file"
done
sed 's/network unix seqpacket/network unix sequence/' -i "$LAB/tree/etc/apparmor.d/abstractions/wattle"
check "and would see a fault" bash -c "! apparmor_parser -Q -K --base '$LAB/tree/etc/apparmor.d' -I /etc/apparmor.d '$LAB/tree/etc/apparmor.d/wattle-keyd'"
check "nft reads the example" nft --check --file "$LAB/tree/usr/share/doc/wattle/examples/wattle.nft"

# Completion offers each verb that the programs name, and nothing else.
completes() {  # PROGRAM EXPECTED-WORDS
  local offered wanted
  offered=$(PATH="$build/bin:$PATH" bash -c ". '$LAB/tree/usr/share/bash-completion/completions/wattle'
    COMP_WORDS=($1 '') COMP_CWORD=1; _${1//-/_}; printf '%s\n' \"\${COMPREPLY[@]}\"" | sort -u)
  wanted=$(echo "$2" | tr ' ' '\n' | sort -u)
  diff <(echo "$offered") <(echo "$wanted")
}
check "bash completes every verb of wattle" completes wattle \
  "$("$build/bin/wattle" --help | awk '/^  [a-z]/{print $1}' | sort -u | tr '\n' ' ' | sed 's/ $//')"
check "bash completes every verb of wattle-registry" completes wattle-registry \
  "$("$build/bin/wattle-registry" --help | awk '/^Verbs:/{on=1} on && /^  [a-z]/{print $1}' | sort -u | tr '\n' ' ' | sed 's/ $//')"
lab_verdict
