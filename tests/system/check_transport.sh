#!/bin/sh
# SPDX-License-Identifier: ISC
# UDP and TCP outside: when one does not pass, when it loses, and when strangers sit on it. The
# blockades are in the middle of the hosts that scripts/hosts.sh draws.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${TUND_SRCDIR:-$(dirname "$0")/../..}/tests/system/lib.sh"

# with_transport WHAT: alice is up again with that setting.
with_transport()
{
	on alice tund down office
	office_file alice office "$edge4:$port" "transport = $1"
	comes_up alice office
}

# reloads WHAT: that setting takes effect in a tunnel that stays up.
reloads()
{
	office_file alice office "$edge4:$port" "transport = $1"
	on alice tund reload office && wait_for 5 works_over "$2"
}

# A second private key: nothing changes, and the answer says why.
keeps_key()
{
	cp "$work/alice/key" "$work/key.before"
	on alice tund genkey >"$work/alice/key"
	office_file alice office "$edge4:$port" 'transport = tcp'
	cp "$work/key.before" "$work/alice/key"
	on alice tund reload office >"$work/said" 2>&1
	reload_code=$?
	cat "$work/said"
	[ $reload_code -eq 78 ] && grep -q '`private_key` cannot change while' "$work/said" &&
		works_over tcp
}

works_over()
{
	works alice $origin4 && transport_is alice office "$1"
}

# transport = udp, and UDP does not pass.
gives_up()
{
	on alice tund down office
	on alice tund up --timeout 2 office
	[ $? -eq 75 ] && on alice tund down office
}

# Half of them say nothing, half a byte a second. Prints what happened once all are closed.
strangers()
{
	on internet /usr/bin/python3 -c '
import select, socket, sys, time
host, port, n = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
conns = []
for i in range(n):
    s = socket.create_connection((host, port), 5)
    s.setblocking(False)
    conns.append(s)
print("connected", flush=True)
start = time.monotonic()
poll = select.poll()
live = {s.fileno(): (s, i) for i, s in enumerate(conns)}
for fd in live:
    poll.register(fd, select.POLLIN)
tick = start
while live and time.monotonic() - start < 30:
    for fd, _ in poll.poll(100):
        try:
            data = live[fd][0].recv(100)
        except OSError:
            data = b""
        if not data:
            poll.unregister(fd)
            live.pop(fd)[0].close()
    if time.monotonic() - tick >= 1:
        tick = time.monotonic()
        for s, i in live.values():
            if i % 2:
                try:
                    s.send(b"\0")
                except OSError:
                    pass
print("%d open after %.1f s" % (len(live), time.monotonic() - start))
' $edge4 $port 1000 >"$work/strangers" 2>&1
}

engine_kb()
{
	on edge sh -c 'cat "/proc/$(pgrep -o -x engine)/smaps_rollup"' | awk '/^Private_Dirty/ { print $2 }'
}

strangers_are_closed()
{
	wait $strangers
	cat "$work/strangers"
	awk '/open after/ { closed = $1 == 0 && $4 <= 11.5 } END { exit !closed }' "$work/strangers"
}

memory_stays()
{
	echo "engine: $kb_before kB before, $kb_during kB with 1000 strangers"
	[ $((kb_during - kb_before)) -le 65536 ]
}

begin_up alice:office
ok 'auto begins with UDP' transport_is alice office udp
ok 'UDP dropped: a new "up" is over TCP within 6 s, page and 10 MB' up_over_tcp
ok 'UDP dropped in the middle of a download: it goes on over TCP' download_moves_to_tcp
unblock
ok '5 % loss: stays on UDP' stays_on_udp

block 'meta l4proto tcp counter drop'
ok 'TCP dropped: the connector, which had moved to TCP, moves back' \
	wait_for 15 transport_is connector dc1 udp
ok 'TCP dropped: auto is up' with_transport auto
ok 'and works over UDP' works_over udp
ok 'TCP dropped: transport = udp is up' with_transport udp
ok 'and works' works_over udp
unblock
ok 'transport = tcp is up' with_transport tcp
ok 'and works over TCP' works_over tcp
ok 'IPv6 inside TCP' works alice "[$origin6]"
ok 'reloaded with transport = udp: over UDP at once' reloads udp udp
ok 'with tcp: over TCP' reloads tcp tcp
ok 'with auto: over UDP' reloads auto udp
ok 'with tcp again' reloads tcp tcp
ok 'a reload with another private_key is refused, and says why' keeps_key
block 'meta l4proto udp counter drop'
office_file alice office "$edge4:$port" 'transport = udp'
ok 'UDP dropped: transport = udp gives up with 75' gives_up
unblock

kb_before=$(engine_kb)
strangers &
strangers=$!
ok '1000 strangers connect' wait_for 10 grep -q connected "$work/strangers"
kb_during=$(engine_kb)
ok 'meanwhile alice is up over TCP within 2 s' with_transport tcp
ok 'and works' works_over tcp
ok '1000 strangers cost at most 64 KiB each' memory_stays
ok '1000 silent or slow strangers are closed in 10 s' strangers_are_closed
ok 'alice still works' works_over tcp
