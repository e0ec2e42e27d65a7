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

# A build with itself: how they compare is a matter of what else runs, so the exit status is not.
compares_json()
{
	bench --quick --build "$build" --against "$build" --rows wg1-up,cpu2,policy-known --json \
		>"$scratch/compared"
	[ $? -le 1 ] && /usr/bin/python3 -c '
import json, sys
report = json.load(open(sys.argv[1]))
assert report["versions"]["against"] == report["versions"]["tund"]
assert report["settings"] == {"repeat": 2, "seconds": 1, "mtu": 1420}
assert [(row["row"], row["limit"]) for row in report["rows"]] == [
    ("wg1-up", 0.97), ("cpu2", 1.03), ("policy-known", 1.03), ("policy-known", 1.03)]
for row in report["rows"]:
    print(row)
    assert len(row["ratios"]) == 2 and row["confidence"] == 0.5
    assert 0 < row["low"] <= row["median"] <= row["high"]
    assert row["passed"] == (row["median_met"] or row["interval_met"])
' "$scratch/compared"
}

# Twelve pairs made up, each build's figures as they are given: who is slower than allowed.
judges_pairs()
{
	PYTHONPATH=$root/scripts /usr/bin/python3 -B -c '
from types import SimpleNamespace
import compare

task = ("tcp", "pair2", 1, "up")

def judge(unit, ratios):
    values = {task: [({"f": 2.0}, {"f": 2.0 * r}) for r in ratios]}
    pairs = SimpleNamespace(values=values, failed={})
    return compare.report_of(SimpleNamespace(name="r", what="w", unit=unit),
                             SimpleNamespace(name="s", task=task, field="f"), pairs)

interval = compare.median_interval([7, 1, 12, 3, 10, 5, 8, 2, 9, 4, 11, 6])
assert interval[:2] == (3, 10) and abs(interval[2] - 0.9614) < 0.0001, interval
for unit, ratios, words in (
        ("Gb/s", [1] * 12, "PASS"), ("Gb/s", [0.9] * 12, "MISSED"),
        ("Gb/s", [0.9] * 9 + [1] * 3, "PASS, by its interval only"),
        ("Gb/s", [0.9] * 10 + [1] * 2, "MISSED"), ("Gb/s", [1.2] * 12, "PASS"),
        ("s/GB", [1.2] * 12, "MISSED"), ("s/GB", [0.9] * 12, "PASS"),
        ("s/GB", [1] * 3 + [1.1] * 9, "PASS, by its interval only")):
    report = judge(unit, ratios)
    print(unit, ratios, report)
    assert compare.verdict(report) == words, words
'
}

compares_table()
{
	bench --quick --build "$build" --against "$build" --repeat 1 --rows ping >"$scratch/table"
	[ $? -le 1 ] || return
	cat "$scratch/table"
	grep -Eq '^ +tund( +[0-9.]+){4} - [0-9.]+ +0.0 % +<= 1.03  (PASS|MISSED)$' "$scratch/table"
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
ok 'a build is compared with itself' compares_json
ok 'pairs are judged by their median and its interval' judges_pairs
ok 'a table of ratios is printed' compares_table
ok 'nothing is left behind' nothing_left
echo "1..$count"
