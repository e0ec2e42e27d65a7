#!/bin/sh
# SPDX-License-Identifier: ISC
# What engine and control may do, and what an idle client costs, as the kernel tells it in /proc.
# The hosts are drawn in scripts/hosts.sh.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${TUND_SRCDIR:-$(dirname "$0")/../..}/tests/system/lib.sh"

# confined HOST PROGRAM
confined()
{
	pid=$(pid_of "$1" "$2") || return 1
	on "$1" sh -c '
		uid=$(id -u tund) gid=$(id -g tund)
		cat "/proc/$1/status"
		grep -E "core file" "/proc/$1/limits"
		echo "owner of /proc/$1/fd: $(stat -c %u "/proc/$1/fd")"
		echo "ids wanted: $uid $gid"' confined "$pid" >"$work/status"
	cat "$work/status"
	awk '
	/^ids wanted:/ { uid = $3; gid = $4 }
	/^Uid:/ { u = $2 == $3 && $3 == $4 && $4 == $5; had_uid = $2 }
	/^Gid:/ { g = $2 == $3 && $3 == $4 && $4 == $5; had_gid = $2 }
	/^Groups:/ { groups = NF - 1; if (groups == 1) only = $2 }
	/^Cap(Inh|Prm|Eff|Amb):/ { if ($2 !~ /^0+$/) caps = 1 }
	/^NoNewPrivs:/ { nnp = $2 == 1 }
	/^Seccomp:/ { seccomp = $2 == 2 }
	/^Max core file size/ { core = $5 == 0 && $6 == 0 }
	/^owner of/ { hidden = $NF == 0 }
	function need(what, held) { if (!held) { print "NOT: " what; bad = 1 } }
	END {
		need("uid is that of tund", u && had_uid == uid && uid != 0)
		need("gid is that of tund", g && had_gid == gid && gid != 0)
		need("no other groups", groups == 0 || (groups == 1 && only == gid))
		need("no capability", !caps)
		need("no new privileges", nnp)
		need("a seccomp filter", seccomp)
		need("core limit 0", core)
		need("not dumpable", hidden)
		exit bad
	}' "$work/status"
}

# Files and sockets apart, a child sees nothing of what root had in its environment.
no_environment()
{
	pid=$(pid_of "$1" "$2") || return 1
	on "$1" sh -c 'tr "\0" "\n" <"/proc/$1/environ"' env "$pid" >"$work/environ"
	cat "$work/environ"
	! grep -q '^PATH=\|^HOME=' "$work/environ"
}

tund_pids()
{
	on "$1" pgrep -x 'tund|engine|control|loader'
}

private_dirty()
{
	for pid in $(tund_pids alice); do
		on alice sh -c 'echo "$(cat "/proc/$1/comm") $(grep ^Private_Dirty "/proc/$1/smaps_rollup")"' dirty "$pid"
	done | tee "$work/dirty"
	awk '{ sum += $3; n++ } END { print "sum: " sum " kB"; exit !(n == 3 && sum <= 8192) }' "$work/dirty"
}

# wakes HOST: process and voluntary context switches of all its threads, a line each.
wakes()
{
	for pid in $(tund_pids "$1"); do
		on "$1" sh -c '
			cat /proc/$1/task/*/status | awk -v who="$(cat "/proc/$1/comm") $1" "
				/^voluntary/ { n += \$2 } END { print who, n }"' wakes "$pid"
	done
}

# The measurement takes 10 s: nothing is sent meanwhile.
idle()
{
	for host in alice edge connector; do
		wakes $host | sed "s/^/$host /" >"$work/$host/wakes"
	done
	sleep 10
	for host in alice edge connector; do
		wakes $host | sed "s/^/$host /" | paste -d ' ' "$work/$host/wakes" -
	done | awk '{ n = $8 - $4; print $1, $2, n " wake-ups in 10 s"; if (n > 10 || $3 != $7) bad = 1 }
		END { exit bad || NR != 9 }'
}

begin_up alice:office
ok 'it works' works alice $origin4
for host in alice edge connector; do
	for program in engine control; do
		ok "$program on $host is confined" confined $host $program
		ok "$program on $host has no environment of root's" no_environment $host $program
	done
done
if grep -q '^#define TUND_SANITIZE' "$build/config.h"; then
	skip 'an idle client has at most 8 MB of private memory' 'a sanitizer needs more'
else
	ok 'an idle client has at most 8 MB of private memory' private_dirty
fi
ok 'idle, no process wakes up more than once a second' idle
