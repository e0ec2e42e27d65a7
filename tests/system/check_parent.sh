#!/bin/sh
# SPDX-License-Identifier: ISC
# The command line and the parent where something is wrong: usage, configurations, a system that
# refuses; each with one message, its remedy, its exit code, and nothing left behind. The hosts are
# drawn in scripts/hosts.sh.
# shellcheck disable=SC2016 # scripts for a shell on a host
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${TUND_SRCDIR:-$(dirname "$0")/../..}/tests/system/lib.sh"

# ends CODE HOST COMMAND...: exits with CODE; what it printed is in $work/said.
ends()
{
	ends_wanted=$1
	shift
	on "$@" >"$work/said" 2>&1 </dev/null
	ends_code=$?
	cat "$work/said"
	echo "exit code $ends_code of: $*"
	[ $ends_code -eq "$ends_wanted" ]
}

# says PATTERN CODE HOST COMMAND...: the same, and the output has a line like that.
says()
{
	says_pattern=$1
	shift
	ends "$@" || return 1
	grep -Eq -- "$says_pattern" "$work/said" && return
	echo "wanted: $says_pattern"
	return 1
}

# Of faults that are too many for an answer, reload says whole lines of what check says.
says_whole_lines()
{
	on alice tund check office >"$work/all" 2>&1 </dev/null
	ends 78 alice tund reload office && [ -s "$work/said" ] &&
		[ "$(wc -c <"$work/said")" -lt "$(wc -c <"$work/all")" ] &&
		! grep -vxFf "$work/all" "$work/said"
}

unchanged()
{
	footprint "$1" >"$work/$1/after"
	diff "$work/$1/before" "$work/$1/after"
}

# shell HOST SCRIPT [ARGUMENT...]
shell()
{
	shell_host=$1
	shift
	on "$shell_host" sh -c "$@"
}

begin

# --- usage

ok 'no command' says '^usage: tund' 64 edge tund
ok 'an unknown command, with a hint' says 'tund status' 64 edge tund stat
ok 'an unknown option' says '--fast' 64 edge tund up --fast edge
ok 'an option without its value' says 'timeout needs a value' 64 edge tund up --timeout
ok 'a time-out that is none' says 'not "soon"' 64 edge tund up --timeout soon edge
ok 'too many names' says 'too much' 64 edge tund down edge other
ok 'a name that is no name' says 'no tunnel.s name' 64 edge tund up ..
ok 'a path that is no configuration' says 'ends in .conf' 64 edge tund up /etc/passwd
ok 'no name where there are several' says 'several:.* office office6' 64 alice tund up
ok 'no name where there is one' says '^edge: down' 1 edge tund status
ok 'help' says '^  up  ' 0 edge tund help
for command in up down status log run reload check 'policy explain' genkey pubkey genpsk; do
	# shellcheck disable=SC2086
	ok "tund $command --help" says "^usage: tund $command" 0 edge tund $command --help
	# shellcheck disable=SC2086
	ok "tund help $command" says "^usage: tund $command" 0 edge tund help $command
done
ok '--version' says '^tund [0-9]' 0 edge tund --version
ok 'a key in argv' says 'argv' 64 edge tund pubkey "$(key edge)"
ok 'a key that is none' says '44 characters' 64 edge tund pubkey
ok 'explain without a destination' says 'usage:' 64 edge tund policy explain bob@example.com
ok 'output to a full disk' ends 71 edge sh -c 'tund help >/dev/full'

# --- what is not up

ok 'status of what is not up' says '^edge: down$' 1 edge tund status edge
ok 'the same in JSON' says '^\{"schema":1,"tunnel":"edge","up":false\}$' 1 edge tund status --json
ok 'reload of what is not up' says 'tund up edge' 69 edge tund reload edge
ok 'explain of what is not up' says 'tund up edge' 69 edge \
	tund policy explain bob@example.com tcp 10.77.0.10 80
ok 'explain by the files: refused' says 'edge.policy:[0-9]' 1 edge \
	tund policy explain --file /etc/tund/edge.conf bob@example.com tcp 10.77.0.10:80
ok 'explain by the files: accepted' says 'edge.policy:[0-9]' 0 edge \
	tund policy explain --file /etc/tund/edge.conf alice@example.com 10.77.0.10:80
ok 'down of what is not up' says 'not up' 0 edge tund down edge

# --- configurations

ok 'check' ends 0 edge tund check edge
ok 'check by somebody who may not read it' says 'as root' 71 edge \
	setpriv --reuid tund --regid tund --clear-groups tund check edge
shell edge 'cp -a /etc/tund/edge.conf /etc/tund/edge.good && echo "prot = 1" >>/etc/tund/edge.conf'
for command in check up run; do
	ok "$command with a wrong option" says '^/etc/tund/edge.conf:4: .*prot' 78 edge \
		tund $command edge
done
shell edge 'cp -a /etc/tund/edge.good /etc/tund/edge.conf && chmod 644 /etc/tund/edge.conf'
ok 'a private key that others may read' says 'edge.conf' 78 edge tund up edge
shell edge 'chmod 600 /etc/tund/edge.conf && mkdir /etc/tund/folder.conf'
ok 'a configuration that is not there' says 'tund.conf\(5\)' 78 edge tund up other
ok 'one that is a folder' says 'not a regular file' 78 edge tund up folder
shell edge 'rmdir /etc/tund/folder.conf && rm /etc/tund/edge.good'
ok 'by a path' says '^edge: down' 1 edge sh -c 'cd /etc/tund && tund status ./edge.conf'

# --- a system that refuses

ok 'without the user tund' says 'tund' 78 edge sh -c 'grep -v ^tund: /etc/passwd >/run/passwd &&
	mount --bind /run/passwd /etc/passwd && tund up edge; code=$?
	umount /etc/passwd && rm /run/passwd; exit $code'
ok 'without privileges' says 'root' 71 edge \
	setpriv --reuid tund --regid tund --clear-groups tund up edge
ok 'root without CAP_NET_ADMIN' says 'CAP_NET_ADMIN' 71 edge \
	setpriv --bounding-set -net_admin tund up edge
ok 'down without privileges' says 'root' 71 edge \
	setpriv --reuid tund --regid tund --clear-groups tund down edge
ok 'without /dev/net/tun' says '/dev/net/tun' 71 alice sh -c 'mkdir /run/no &&
	unshare --mount sh -c "mount --bind /run/no /dev/net && tund up office"; code=$?
	rmdir /run/no; exit $code'
on alice ip tuntap add tund0 mode tun
ok 'an interface of that name' says 'tund0 exists already.*interface = ' 71 alice tund up office
on alice ip link del tund0
for protocol in UDP TCP; do
	on edge /usr/bin/python3 -c '
import socket, sys, time
tcp = sys.argv[1] == "TCP"
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM)
s.bind(("0.0.0.0", int(sys.argv[2])))
if tcp:
    s.listen()
time.sleep(60)' $protocol "$port" 3>&- &
	holder=$!
	wait_for 5 shell edge "ss -Hlnut 'sport = :$port' | grep -q ."
	ok "$protocol port in use" says "^error: $protocol port $port .*ss -" 75 edge tund up edge
	stop edge python3
	wait $holder 2>/dev/null
done
ok 'no room for the journal' says 'cannot (take|write) /run/tund/.*No space' 71 edge sh -c '
	mkdir -p /run/tund && mount -t tmpfs -o nr_inodes=2,size=4k tmpfs /run/tund && tund up edge
	code=$?; umount /run/tund; rmdir /run/tund; exit $code'
ok 'nothing of all that is left on the edge' unchanged edge
ok 'nor on the client' unchanged alice

# --- in the background and in the foreground

ok 'a client whose edge is silent goes on trying' says 'goes on trying.*tund down office' 75 alice \
	tund up --timeout 1 office
ok 'and can be waited for again' says 'goes on trying' 75 alice tund up --timeout 1 office
ok 'run beside it' says 'runs already' 75 alice tund run office
ok 'down' ends 0 alice tund down office
ok 'leaves nothing' unchanged alice
ok 'up holds no pipe of its caller' says '^held by nobody$' 0 edge sh -c '
	{ tund up edge >&2; } 3>&1 4>&1 | cat; echo "held by nobody"; tund down edge'

comes_up edge edge >"$work/said" 2>&1
comes_up connector dc1 >"$work/said" 2>&1
ok 'forwarding is on where the announced network is' \
	shell connector '[ "$(cat /proc/sys/net/ipv4/conf/lan/forwarding)" -eq 1 ]'
ok 'and nowhere else' shell connector '[ "$(cat /proc/sys/net/ipv4/conf/wan/forwarding)" -eq 0 ]'
on connector sysctl -qw net.ipv4.conf.lan.rp_filter=2
on connector tund down dc1 2>"$work/said"
ok 'it is off again' shell connector '[ "$(cat /proc/sys/net/ipv4/conf/lan/forwarding)" -eq 0 ]'
on connector sysctl -qw net.ipv4.conf.lan.forwarding=1
on connector tund up dc1
on connector tund down dc1
ok 'where it was on before it stays on' \
	shell connector '[ "$(cat /proc/sys/net/ipv4/conf/lan/forwarding)" -eq 1 ]'
on connector sysctl -qw net.ipv4.conf.lan.forwarding=0

# running HOST NAME: in the foreground, its messages in $work/HOST/run.
running()
{
	on "$1" tund run "$2" >"$work/$1/run" 2>&1 3>&- &
	run=$!
	# "status" starts nothing, whichever of the two is first.
	wait_for 10 ends 0 "$1" tund status "$2"
}

ended()
{
	wait "$run"
	ended_code=$?
	cat "$work/alice/run"
	[ $ended_code -eq "$1" ]
}

ok 'run' running alice office
on alice ip link del tund0
ok 'a deleted interface ends it' ended 71
ok 'with cause and remedy' grep -q '^error: .*tund0 was deleted.*tund up office' "$work/alice/run"

# The route comes back, though the kernel dropped it.
ok 'run again' running alice office
on alice ip link set tund0 down
on alice ip link set tund0 up
ok 'an interface that was down gets its routes again' \
	wait_for 5 shell alice 'ip route show proto 116 | grep -q 10.77.0.0/24'
ok 'the log level at the start' says '^info$' 0 alice tund log office
ok 'a log level that is none' says 'is not error, warning' 64 alice tund log --level loud office
ok 'log --level' ends 0 alice tund log --level debug office
ok 'it is the level from then on' says '^debug$' 0 alice tund log office
on alice kill -9 "$(pid_of alice engine)"
ok 'also of an engine that starts again' \
	wait_for 10 grep -q '^debug: engine: trying ' "$work/alice/run"
stop alice tund
ok 'SIGTERM ends it in order' ended 0

shell alice 'mkdir -p /var/lib/tund && mount -t tmpfs -o size=4k tmpfs /var/lib/tund
	head -c 4096 /dev/zero >/var/lib/tund/filler'
ok 'run without room for the state' running alice office
stop alice tund
ok 'ends in order, too' ended 0
ok 'and had said so once' shell alice '[ "$(grep -c "cannot write /var/lib/tund/.*No space.*going on" "$1")" -eq 1 ]' \
	count "$work/alice/run"
on alice umount /var/lib/tund

# --- reload

ok 'up' ends 0 alice tund up office
ok 'reload' ends 0 alice tund reload office
shell alice 'cp -a /etc/tund/office.conf /etc/tund/good; echo "mtu = 99" >>/etc/tund/office.conf'
ok 'reload of a wrong file' says '^/etc/tund/office.conf:[0-9]+: ' 78 alice tund reload office
shell alice 'echo "accept_routes = {a, b, c, d, e, f, g, h, i}" >>/etc/tund/office.conf'
ok 'or of a file with many faults' says_whole_lines
ok 'changes nothing' ends 0 alice tund up --timeout 2 office
shell alice 'cp -a /etc/tund/good /etc/tund/office.conf; echo "interface = tund7" >>/etc/tund/office.conf'
ok 'reload of what cannot change' says 'interface.*cannot change.*tund down office' 78 alice \
	tund reload office
shell alice 'mv /etc/tund/good /etc/tund/office.conf'
# shellcheck disable=SC2016
ok 'a daemon whose children hang can be stopped' ends 0 alice sh -c '
	kill -STOP $(pgrep -x "engine|control") && tund down office'
on edge tund down edge

# --- workers

# has_workers HOST NAME COUNT: its engine was started for so many.
has_workers()
{
	on "$1" ps -eo args= | grep -q "^engine $2 $3\$"
}

# sockets COUNT: so many share the edge's port, whoever holds them.
sockets()
{
	[ "$(on edge ss -Hlnu "sport = :$port" | wc -l)" -eq "$1" ]
}

queues()
{
	on alice ip -d link show tund0 | grep -q "multi_queue numqueues $1 "
}

for file in edge:edge alice:office; do
	shell ${file%:*} 'echo "workers = 3" >>"$1"' add "/etc/tund/${file#*:}.conf"
done
ok 'up with 3 workers' ends 0 edge tund up edge
ok 'the engine is told' has_workers edge edge 3
ok 'the port has 3 sockets' sockets 3
on alice tund up --timeout 1 office >"$work/said" 2>&1
ok 'a client has 3 queues' queues 3
ok 'and its engine is told' has_workers alice office 3
shell alice 'kill -KILL $(pgrep -x engine)'
ok 'so is the next one' wait_for 5 has_workers alice office 3
ok 'the device is as it was' queues 3
shell alice 'sed -i "s/^workers = 3/workers = 2/" /etc/tund/office.conf'
ok 'that cannot change' says 'workers.*cannot change' 78 alice tund reload office
on alice tund down office
shell alice 'sed -i "s/^workers = 2/workers = 1/" /etc/tund/office.conf'
on alice tund up --timeout 1 office >"$work/said" 2>&1
ok 'a single worker has a plain device' \
	shell alice '! ip -d link show tund0 | grep -q multi_queue && ip link show tund0'
on alice tund down office
on edge tund down edge
for host in alice edge; do
	ok "nothing is left on $host" unchanged $host
done
