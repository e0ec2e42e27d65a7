#!/bin/sh
# SPDX-License-Identifier: ISC
# kill -9 of each process on each host, in the middle of a download: engine and control come back,
# interface and routes never go, the download goes on, and nothing is seen in the clear. The hosts
# are drawn in scripts/hosts.sh.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${TUND_SRCDIR:-$(dirname "$0")/../..}/tests/system/lib.sh"

is_another()
{
	another=$(pid_of "$1" "$2") && [ "$another" != "$3" ]
}

# Link, address and route changes of a host from now on, until its network ends.
monitor()
{
	on "$1" ip monitor link address route >"$work/$1/monitor" 2>&1 3>&- &
	echo $! >"$work/$1/monitor.pid"
}

unmonitor()
{
	stop "$1" ip
	wait "$(cat "$work/$1/monitor.pid")"
	grep Deleted "$work/$1/monitor"
	! grep -q 'Deleted.*tund0' "$work/$1/monitor"
}

# dies HOST PROGRAM: in the middle of a download.
dies()
{
	pid=$(pid_of "$1" "$2") || return 1
	[ "$1" = edge ] || monitor "$1"
	watch crash internet any
	rm -f "$work/got"
	page alice "http://$origin4/slow" --max-time 40 -o "$work/got" \
		-w 'curl: %{size_download} bytes, %{num_connects} connection, %{time_total} s\n' &
	download=$!
	wait_for 10 has_bytes "$work/got" 2000000 || return 1
	on "$1" kill -9 "$pid"
	wait_for 5 is_another "$1" "$2" "$pid" || return 1
	echo "$2 of $1 is process $another after $pid"
	wait $download || return 1
	unwatch crash
	cmp "$work/got" "$work/origin/www/10MB" || return 1
	echo "plaintext: $(plaintext crash)"
	[ "$(plaintext crash)" -eq 0 ] || return 1
	[ "$1" = edge ] || unmonitor "$1"
}

answers_status()
{
	status_asked=$(on "$1" tund status "$2") && echo "$status_asked"
}

begin_up alice:office
for program in engine control; do
	for tunnel in alice:office edge:edge connector:dc1; do
		host=${tunnel%:*}
		ok "kill -9 of $program on $host: the download goes on" dies "$host" $program
		ok "and status answers" wait_for 5 answers_status "$host" "${tunnel#*:}"
	done
done
ok 'afterwards IPv4 works' works alice $origin4
ok 'afterwards IPv6 works' works alice "[$origin6]"

for tunnel in alice:office connector:dc1 edge:edge; do
	host=${tunnel%:*}
	ok "kill -9 of the parent on $host: a new up and down leave nothing" \
		survives_kill "$host" "${tunnel#*:}" tund
	ok "and $host is up again" on "$host" tund up "${tunnel#*:}"
done
ok 'those whose edge was another meanwhile find it again' wait_for 20 gets_page alice $origin4
ok 'all came back' works alice $origin4

# down alone clears up, too.
gone_after_kill()
{
	on "$1" kill -9 "$(pid_of "$1" tund)" && leaves_nothing "$1" "$2"
}
ok 'kill -9 of the parent on alice and down: nothing is left' gone_after_kill alice office
ok 'kill -9 of the parent on the connector and down: nothing is left' gone_after_kill connector dc1
ok 'kill -9 of the parent on the edge and down: nothing is left' gone_after_kill edge edge
