#!/bin/sh
# SPDX-License-Identifier: ISC
# scripts/bench measures, and prints what it says it prints. How fast anything is says nothing here:
# two repetitions of one second on a machine that does other things.
root=${TUND_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${TUND_BUILDDIR:-$PWD}
# shellcheck source-path=SCRIPTDIR source=../../scripts/wireguard-go.sh
. "$root/scripts/wireguard-go.sh"

skip_all()
{
	echo "1..0 # SKIP $*"
	exit 0
}

[ "$(id -u)" -eq 0 ] || skip_all 'needs root, to make network namespaces'
for tool in unshare nsenter setpriv ip nft ping iperf3 wg /usr/bin/python3; do
	command -v $tool >/dev/null || skip_all "needs $tool: see scripts/packages"
done
unshare --net --mount true 2>/dev/null || skip_all 'may not make namespaces'
[ -c /dev/net/tun ] || skip_all 'needs /dev/net/tun'
wireguard_go bookworm-backports >/dev/null || skip_all 'cannot fetch wireguard-go'

scratch=$(mktemp -d "${TMPDIR:-/tmp}/tund-bench.XXXXXX") || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM HUP
count=0

# ok NAME COMMAND...: one result; what COMMAND prints explains it when it fails.
ok()
{
	ok_name=$1
	shift
	count=$((count + 1))
	if "$@" >"$scratch/evidence" 2>&1; then
		echo "ok $count - $ok_name"
	else
		echo "not ok $count - $ok_name"
		tail -n 30 "$scratch/evidence" | sed 's/^/# /'
	fi
}

bench()
{
	"$root/scripts/bench" "$@"
}

refuses()
{
	bench "$@"
	[ $? -eq 64 ]
}

measures_json()
{
	bench --quick --build "$build" --rows tcp1-up,wg1-up,hub1-up,cpu3,memory --json \
		>"$scratch/json"
}

# What a program that reads the JSON may rely on.
json_is_whole()
{
	/usr/bin/python3 -c '
import json, sys
report = json.load(open(sys.argv[1]))
assert report["schema"] == 1
assert report["machine"]["kernel"] and report["versions"]["wireguard-go"]
assert report["settings"] == {"repeat": 2, "seconds": 1, "mtu": 1420}
assert [row["row"] for row in report["rows"]] == ["tcp1-up", "wg1-up", "hub1-up", "cpu3", "memory"]
for row in report["rows"]:
    for side in row["sides"]:
        print(row["row"], side)
        if side["name"] == "tund, null AEAD":
            assert "null" in side["missing"]
            continue
        assert 0 < side["min"] <= side["median"] <= side["max"]
        assert len(side["values"]) == (1 if row["row"] == "memory" else 2)
    for target in row["targets"]:
        print(row["row"], target)
        assert (target["value"] is None) == (target["to"] == "tund, null AEAD")
        assert target["met"] in ((None,) if target["value"] is None else (True, False))
' "$scratch/json"
}

prints_table()
{
	bench --quick --build "$build" --repeat 1 --rows ping >"$scratch/table" || return
	cat "$scratch/table"
	grep -q '^1 repetitions, 1 s each, MTU 1420' "$scratch/table" &&
		grep -q '^ *wireguard-go *[0-9.]* *[0-9.]* *[0-9.]*$' "$scratch/table" &&
		grep -Eq '^ += tund / wireguard-go +[0-9.]+ +<= 0.5 x +(met|MISSED)$' "$scratch/table"
}

nothing_left()
{
	! ls -d "${TMPDIR:-/tmp}"/tund-hosts.*
}

TMPDIR=$scratch
export TMPDIR
ok '--help says how' bench --help
ok 'an unknown option is refused' refuses --fast
ok 'an unknown row is refused' refuses --rows tcp1000
ok 'a number that is none is refused' refuses --repeat some
ok 'two and three hosts are measured' measures_json
ok 'the JSON has rows, sides and targets' json_is_whole
ok 'a table is printed' prints_table
ok 'nothing is left behind' nothing_left
echo "1..$count"
