#!/usr/bin/env bash
# previous.sh BUILD: the package of the commit before this one, with a lower version, in BUILD/package/previous/; of this
# source where there is no such commit, or where it makes no package.
set -eu
build=${1:?build folder}
source=$(cd "$(dirname "$0")/../.." && pwd)
out=$build/package/previous
version=$(sed -n 's/^set(CPACK_PACKAGE_VERSION "\(.*\)")/\1/p' "$build/CPackConfig.cmake")~previous
commit=$(git -C "$source" rev-parse --verify --quiet 'HEAD^' || true)
if [ -z "$commit" ] || ! git -C "$source" cat-file -e "$commit:systemd/package.cmake" 2> /dev/null; then
  echo "no commit before this one makes a package: this source again, as $version"
  mkdir -p "$out"
  rm -f "$out"/*.deb
  work=$(mktemp -d)
  (cd "$work" && cpack --config "$build/CPackConfig.cmake" -B "$work" -D CPACK_PACKAGE_VERSION="$version")
  mv "$work"/*.deb "$out/"
  rm -rf "$work"
  exit 0
fi
[ "$(cat "$out/commit" 2> /dev/null)" != "$commit" ] || exit 0
rm -rf "$out"
mkdir -p "$out/source"
git -C "$source" archive "$commit" | tar -x -C "$out/source"
cd "$out/source"
export CCACHE_BASEDIR=$out/source CCACHE_NOHASHDIR=1
launcher=()
command -v ccache > /dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
cmake --preset release "${launcher[@]}"
programs=$(cd "$build/bin" && ls)
# shellcheck disable=SC2086
nice cmake --build --preset release --target $programs
cpack --config build/release/CPackConfig.cmake -B "$out/work" -D CPACK_PACKAGE_VERSION="$version"
mv "$out"/work/*.deb "$out/"
rm -rf "$out/source" "$out/work"
echo "$commit" > "$out/commit"
