#!/usr/bin/env bash
# The bench itself works: one round of the plain link and wattle, seconds long, gives every figure, a table and a picture,
# and leaves nothing behind. What the figures are is not looked at: the machine may be busy.
# smoke.sh PROGRAMS
set -u
here=$(cd "$(dirname "$0")" && pwd)
programs=${1:?folder of the programs}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$here/run" --quick --rounds 1 --only plain,wattle --scenarios direct --tests ping,ask,stream,rss --programs "$programs" \
  --out "$out" > "$out/said" 2>&1 || { cat "$out/said"; echo "FAILED: tests/bench/run"; exit 1; }
cat "$out/said"
python3 - "$out" <<'PY' || exit 1
import json, sys, xml.etree.ElementTree as tree
result = json.load(open(sys.argv[1] + "/RESULT.json"))
tree.parse(sys.argv[1] + "/result.svg")
direct = result["scenarios"]["direct"]
wanted = {"plain": {"stream_gbit", "ask_per_s", "ping_us"},
          "wattle": {"stream_gbit", "cpu_s_per_gib", "ask_per_s", "ping_us", "rss_mib"}}
for peer, figures in wanted.items():
    for figure in figures:
        value = direct.get(peer, {}).get(figure)
        if not value or not value["median"] > 0:
            sys.exit(f"FAILED: {peer} has no {figure}")
assert result["host"]["kernel"] and result["commit"]
PY
while read -r lab; do
  [ ! -e "$lab" ] || { echo "FAILED: $lab is left"; exit 1; }
done < "$out/labs"
