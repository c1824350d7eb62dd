#!/bin/sh
# man_table.sh SOURCE-FOLDER PROGRAM: the request table of man/wattle-meta.7 is the one that the program prints.
set -eu
page=$1/man/wattle-meta.7
want=$("$2" --requests | awk -f "$1/tests/proc/metad/man_table.awk")
have=$(awk '/^\.\\" end of the table/{on = 0} on; /^\.\\" table of requests/{on = 1}' "$page")
[ -n "$want" ] || { echo "the program prints no table"; exit 1; }
[ "$want" = "$have" ] && exit 0
echo "$page differs from $2 --requests; the lines between its two comments should be:"
echo "$want"
exit 1
