# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154
# What every system test begins with: TAP, namespaces of its own, and tund from the build folder
# for the hosts of scripts/hosts.sh. Sourced.

root=${TUND_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${TUND_BUILDDIR:-$PWD}

skip_all()
{
	echo "1..0 # SKIP $*"
	exit 0
}

if [ "$(id -u)" -ne 0 ]; then
	skip_all 'needs root, to make network namespaces'
fi
for tool in unshare nsenter setpriv ip nft nginx tcpdump curl ping /usr/bin/python3; do
	command -v $tool >/dev/null || skip_all "needs $tool: see scripts/packages"
done
grep -q '^#define TUND_TEST_HOOKS' "$build/config.h" 2>/dev/null ||
	skip_all "needs a build with --enable-test-hooks in $build"
if [ -z "${TUND_TEST_INSIDE-}" ]; then
	unshare --net --mount true 2>/dev/null || skip_all 'may not make namespaces'
	[ -c /dev/net/tun ] || skip_all 'needs /dev/net/tun'
	exec env TUND_TEST_INSIDE=1 unshare --net --mount --pid --fork --kill-child --mount-proc \
		sh "$0" "$@"
fi

# shellcheck source-path=SCRIPTDIR source=../../scripts/hosts.sh
. "$root/scripts/hosts.sh"
# shellcheck source-path=SCRIPTDIR source=../../scripts/proofs.sh
. "$root/scripts/proofs.sh"

count=0 failures=0

# ok NAME COMMAND...: one result; what COMMAND prints explains it when it fails.
ok()
{
	ok_name=$1
	shift
	count=$((count + 1))
	if "$@" >"$work/evidence" 2>&1; then
		echo "ok $count - $ok_name"
	else
		failures=$((failures + 1))
		echo "not ok $count - $ok_name"
		tail -n 30 "$work/evidence" | sed 's/^/# /'
	fi
}

# skip NAME WHY
skip()
{
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

finish()
{
	trap '' INT TERM HUP
	if [ $failures -gt 0 ]; then
		for host in $hosts; do
			[ ! -s "$work/$host/log" ] || tail -n 40 "$work/$host/log" | sed "s/^/# $host: /"
		done
	fi
	hosts_down ''
	echo "1..$count"
	[ $failures -eq 0 ]
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

# Hosts with all files of tund, and what they looked like before it.
begin()
{
	if ! hosts_up; then
		echo "not ok 1 - the hosts can be made"
		count=1 failures=1
		exit 1
	fi
	mkdir "$work/bin" "$work/libexec"
	ln -s "$build/src/cmd/tund" "$work/bin/tund"
	for program in engine control loader; do
		ln -s "$build/src/$program/$program" "$work/libexec/$program"
	done
	tund_path=$work/bin libexec=$work/libexec
	tund_files
	for host in edge connector alice bob; do
		footprint $host >"$work/$host/before"
	done
}

# Edge and connector, and what is named of alice and bob, up.
begin_up()
{
	begin
	for tunnel in edge:edge connector:dc1 "$@"; do
		ok "${tunnel%:*} is up within 2 s" comes_up "${tunnel%:*}" "${tunnel#*:}"
	done
}
