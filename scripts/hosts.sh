# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154 # what the caller reads, and sets
# The hosts that scripts/demo and the system tests run tund on. Sourced.
#
#      alice (eng)                 bob (no group)
#    192.0.2.10                    192.0.2.138
#    2001:db8:a::10                2001:db8:b::10
#         | wan                        | wan
#         | alice                      | bob
#       +-+----------------------------+-+
#       |            internet            |   forwards; tcpdump, loss and blockades are here
#       +-+----------------------------+-+
#         | edge                       | connector
#         | wan                        | wan
#    203.0.113.10                  198.51.100.10
#    2001:db8:e::10                2001:db8:c::10
#       edge                         connector
#    listens on 51820,             10.77.0.1, fd74:756e:77::1
#    UDP and TCP                       | lan
#                                      | lan
#                                  10.77.0.10, fd74:756e:77::10
#                                    origin: nginx on port 80
#
# Every host has namespaces of its own (network, mounts, processes, host name), and /etc, /run,
# /dev, /sys, /var/lib and /var/log of its own. There is no way out to the machine's network. On
# the outside (wan) all but the edge drop every inbound connection, and the edge all but its port.
#
# The caller sets $root (top of the source tree); hosts_up sets $work, a folder that all hosts see:
# $work/HOST/log has what the host logs.

hosts='internet edge connector origin alice bob'
port=51820

alice4=192.0.2.10 alice6=2001:db8:a::10
bob4=192.0.2.138 bob6=2001:db8:b::10
edge4=203.0.113.10 edge6=2001:db8:e::10
connector4=198.51.100.10 connector6=2001:db8:c::10
origin4=10.77.0.10 origin6=fd74:756e:77::10
alice_inner4=100.80.0.11 alice_inner6=fd74:756e:64::11
bob_inner4=100.80.0.12 bob_inner6=fd74:756e:64::12

# The one word that must never be seen outside the tunnel: the origin's page and file are full of it.
secret=only-inside-the-tunnel

# on HOST COMMAND...: runs it there, without what the machine's service manager says to us.
on()
{
	read -r on_pid <"$work/$1/pid"
	shift
	nsenter -t "$on_pid" -m -n -p -u -i -- env -u NOTIFY_SOCKET -u JOURNAL_STREAM \
		TUND_LIBEXECDIR="${libexec-}" PATH="${tund_path:+$tund_path:}$PATH" "$@"
}

milliseconds()
{
	echo $(($(date +%s%N) / 1000000))
}

# in_network HOST COMMAND...: in its network only, with this machine's files and processes.
in_network()
{
	read -r in_pid <"$work/$1/pid"
	shift
	nsenter -t "$in_pid" -n "$@"
}

# wait_for SECONDS COMMAND...: until it succeeds; false when it has not by then.
wait_for()
{
	wait_until=$(($(milliseconds) + $1 * 1000))
	shift
	until "$@"; do
		[ "$(milliseconds)" -lt "$wait_until" ] || return 1
		sleep 0.05
	done
}

# What process 1 of a host does: its mounts, then nothing but to collect what ends.
hosts_process_1()
{
	cat <<'END'
set -e
work=$1 name=$2 mnt=$1/$2/mnt
read -r pid rest </proc/self/stat
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mkdir "$mnt"
mount -t tmpfs tmpfs "$mnt"
cp -a /etc/. "$mnt"
mount --move "$mnt" /etc
mount -t tmpfs tmpfs "$mnt"
mkdir "$mnt/net" "$mnt/pts" "$mnt/shm"
for device in null zero full random urandom tty net/tun; do
	: >"$mnt/$device"
	mount --bind "/dev/$device" "$mnt/$device"
done
ln -s "$work/$name/syslog" "$mnt/log"
ln -s /proc/self/fd "$mnt/fd"
mount --move "$mnt" /dev
for folder in /run /var/lib /var/log; do
	mount -t tmpfs -o mode=755 tmpfs "$folder"
done
rmdir "$mnt"
rm -rf /etc/tund
mkdir -p /run/lock /run/mount /var/lib/nginx /var/log/nginx /etc/tund
id tund >/dev/null 2>&1 || {
	echo tund:x:749:749::/:/usr/sbin/nologin >>/etc/passwd
	echo tund:x:749: >>/etc/group
}
: >/etc/resolv.conf
hostname "$name"
ip link set lo up
echo "$pid" >"$work/$name/pid.new"
mv "$work/$name/pid.new" "$work/$name/pid"
sleep infinity &
wait
END
}

host_up()
{
	mkdir "$work/$1"
	# shellcheck disable=SC2086
	${hosts_until_death-setpriv --pdeathsig KILL} unshare --mount --net --pid --uts --ipc \
		--fork --kill-child sh "$work/process-1" "$work" "$1" </dev/null \
		>"$work/$1/start" 2>&1 3>&- &
	hosts_jobs="$hosts_jobs $!"
}

# link HOST INTERFACE ADDRESS4 ADDRESS6 HOST INTERFACE ADDRESS4 ADDRESS6
link()
{
	in_network "$1" ip link add "$2" type veth peer name "$6" netns "$(cat "$work/$5/pid")"
	link_end "$1" "$2" "$3" "$4"
	link_end "$5" "$6" "$7" "$8"
}

# A wire carries packets, not trains of them: each is lost, seen and counted by itself.
link_end()
{
	on "$1" sh -c '
		echo 0 >"/proc/sys/net/ipv6/conf/$1/accept_dad"
		ip address add "$2" dev "$1"
		ip address add "$3" dev "$1" nodad
		ip link set "$1" gso_max_segs 1 up' link "$2" "$3" "$4"
}

default_routes()
{
	on "$1" ip route add default via "$2"
	on "$1" ip -6 route add default via "$3"
}

# What a careful administrator has on every host with a public side: nobody gets in.
firewall()
{
	in_network "$1" nft -f - <<END
table inet firewall {
	chain input {
		type filter hook input priority filter
		iifname != "wan" accept
		ct state established,related accept
		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
		${2-}
		counter drop
	}
	chain forward {
		type filter hook forward priority filter
		iifname "wan" ct state new counter drop
	}
}
END
}

# Until both ends of a link say "up" its IPv6 is not to be relied on.
links_are_up()
{
	for host in $hosts; do
		on "$host" sh -c '! grep -vx up /sys/class/net/*/operstate | grep -qv /lo/' || return 1
	done
}

hosts_reachable()
{
	links_are_up &&
		on alice ping -6 -n -q -c 1 -W 1 $edge6 && on bob ping -6 -n -q -c 1 -W 1 $edge6 &&
		on connector ping -6 -n -q -c 1 -W 1 $edge6 &&
		on connector ping -6 -n -q -c 1 -W 1 $origin6
} >/dev/null 2>&1

# Links them, and waits until packets pass. The edge answers ping until the firewall is there.
hosts_link()
{
	link internet alice 192.0.2.1/25 2001:db8:a::1/64 alice wan $alice4/25 $alice6/64
	link internet bob 192.0.2.129/25 2001:db8:b::1/64 bob wan $bob4/25 $bob6/64
	link internet edge 203.0.113.1/24 2001:db8:e::1/64 edge wan $edge4/24 $edge6/64
	link internet connector 198.51.100.1/24 2001:db8:c::1/64 \
		connector wan $connector4/24 $connector6/64
	link connector lan 10.77.0.1/24 fd74:756e:77::1/64 origin lan $origin4/24 $origin6/64
	default_routes alice 192.0.2.1 2001:db8:a::1
	default_routes bob 192.0.2.129 2001:db8:b::1
	default_routes edge 203.0.113.1 2001:db8:e::1
	default_routes connector 198.51.100.1 2001:db8:c::1
	on internet sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	wait_for 10 hosts_reachable || hosts_fail 'the links do not come up'
	firewall alice
	firewall bob
	firewall connector
	firewall edge "udp dport $port accept
		tcp dport $port accept"
}

hosts_fail()
{
	echo "hosts: $*" >&2
	return 1
}

# Writes what the hosts log to $work/HOST/log: a syslog daemon for all of them.
hosts_syslog()
{
	# shellcheck disable=SC2086
	${hosts_until_death-setpriv --pdeathsig KILL} /usr/bin/python3 -c '
import os, re, select, socket, sys, time
logs = {}
for name in sys.argv[2:]:
    folder = os.path.join(sys.argv[1], name)
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(folder + "/syslog")
    os.chmod(folder + "/syslog", 0o666)
    logs[s] = open(folder + "/log", "a", buffering=1)
while True:
    for s in select.select(list(logs), [], [])[0]:
        line = re.sub(r"^<\d+>(\w{3} .\d \S+ )?", "", s.recv(65536).decode(errors="replace"))
        now = time.time()
        logs[s].write("%s.%03d %s\n" % (time.strftime("%T", time.gmtime(now)), now % 1 * 1000,
                                        line.rstrip("\n\0")))
' "$work" $hosts </dev/null >"$work/syslog.err" 2>&1 3>&- &
	hosts_jobs="$hosts_jobs $!"
}

# The web server of the private network: a page and 10 MB, its log with a number per connection.
origin_up()
{
	www=$work/origin/www
	mkdir "$www"
	echo "<p>The private page: $secret</p>" >"$www/index.html"
	/usr/bin/python3 -c '
import random, sys
random.seed(7)
word = sys.argv[1].encode()
piece = lambda: word + b" " + bytes(random.randrange(256) for _ in range(63 - len(word)))
block = b"".join(piece() for _ in range(2048))
sys.stdout.buffer.write(b"".join(block[i:] + block[:i] for i in range(80)))' $secret >"$www/10MB"
	cat >"$work/origin/nginx.conf" <<END
user root;
worker_processes 1;
pid /run/nginx.pid;
error_log $work/origin/nginx.err;
events { }
http {
	log_format short '\$remote_addr \$connection \$request_uri \$status \$body_bytes_sent';
	access_log $work/origin/access short;
	server {
		listen 80;
		listen [::]:80;
		root $www;
		location = /slow {
			alias $www/10MB;
			limit_rate 2m;
		}
	}
}
END
	on origin /usr/sbin/nginx -c "$work/origin/nginx.conf" 2>"$work/origin/nginx.start" ||
		hosts_fail "nginx does not start: $(cat "$work/origin/nginx.start")"
}

host_exists()
{
	[ -s "$work/$1/pid" ]
}

# Makes all hosts, linked, with the origin's web server; no tund yet. Undone by hosts_down.
hosts_up()
{
	hosts_jobs=
	work=$(mktemp -d "${TMPDIR:-/tmp}/tund-hosts.XXXXXX") || return 1
	chmod 755 "$work"
	hosts_process_1 >"$work/process-1"
	for host in $hosts; do
		host_up "$host"
	done
	for host in $hosts; do
		wait_for 10 host_exists "$host" ||
			hosts_fail "no namespaces for $host: $(cat "$work/$host/start")" || return 1
	done
	hosts_syslog
	hosts_link && origin_up
}

# Ends every host with all that runs there; the folder with the logs goes unless $1 is "keep-logs".
hosts_down()
{
	[ -n "${work-}" ] || return 0
	for job in $hosts_jobs; do
		kill -KILL "$job"
	done 2>/dev/null
	wait 2>/dev/null
	[ "${1-}" = keep-logs ] || rm -rf "$work"
}

### What runs tund

# key HOST: a key pair in $work/HOST/key and $work/HOST/public; prints the public key.
key()
{
	[ -s "$work/$1/public" ] || {
		(umask 077 && on "$1" tund genkey >"$work/$1/key")
		on "$1" tund pubkey <"$work/$1/key" >"$work/$1/public"
	}
	cat "$work/$1/public"
}

# put HOST FILE: standard input into a file that only root reads.
put()
{
	on "$1" sh -c 'umask 077 && cat >"$1"' put "$2"
}

edge_files()
{
	put edge /etc/tund/edge.conf <<END
role = edge
private_key = "$(cat "$work/edge/key")"
listen = $port
END
	policy_file
}

# policy_file [RULE...]: the edge's policy; without arguments the one that lets the group eng in.
policy_file()
{
	[ $# -gt 0 ] || set -- \
		'rule "web" { from = {"group:eng"} proto = tcp ports = {"80"} }' \
		'rule "ping" { from = {"group:eng"} proto = icmp }' \
		'rule "others" { from = {"any"} action = reject }'
	put edge /etc/tund/edge.policy <<END
principal "alice@example.com" {
	groups = {"eng"}
	device "laptop" {
		public_key = "$(key alice)"
		address = {"$alice_inner4", "$alice_inner6"}
	}
}
principal "bob@example.com" {
	device "laptop" {
		public_key = "$(key bob)"
		address = {"$bob_inner4", "$bob_inner6"}
	}
}
principal "dc1" {
	kind = connector
	device "a" { public_key = "$(key connector)" }
}
route "10.77.0.0/24" {
	via = {"dc1"}
$(printf '\t%s\n' "$@")
}
route "fd74:756e:77::/64" {
	via = {"dc1"}
$(printf '\t%s\n' "$@")
}
END
}

# office_file HOST NAME ENDPOINT [LINE...]: a client's or the connector's configuration.
office_file()
{
	office_host=$1 office_name=$2 office_endpoint=$3
	shift 3
	office_role=client
	[ "$office_host" != connector ] || office_role=connector
	put "$office_host" "/etc/tund/$office_name.conf" <<END
role = $office_role
private_key = "$(cat "$work/$office_host/key")"
edge {
	public_key = "$(key edge)"
	endpoint = "$office_endpoint"
}
$(printf '%s\n' "$@")
END
}

# The files of all: NAME is "edge", "dc1" and "office"; "office6" is the same over IPv6 outside.
tund_files()
{
	for host in edge connector alice bob; do
		key "$host" >/dev/null
	done
	edge_files
	office_file connector dc1 "$edge4:$port" 'announce = {"10.77.0.0/24", "fd74:756e:77::/64"}'
	for host in alice bob; do
		office_file "$host" office "$edge4:$port"
		office_file "$host" office6 "[$edge6]:$port"
	done
}

# Everything of a host that a tunnel may change, as text to compare.
footprint()
{
	on "$1" sh -c '
		ip -o link | sed "s/^[0-9]*: //"
		ip -4 -o address; ip -6 -o address
		ip -4 rule; ip -6 rule
		ip -4 route show table all; ip -6 route show table all
		nft list ruleset | sed "s/counter packets [0-9]* bytes [0-9]*/counter/"
		find /run /etc /var/lib /dev/shm -path /var/lib/tund -prune -o -print | LC_ALL=C sort
		cat /etc/resolv.conf
		sysctl -a 2>/dev/null | grep -E "^net[.](ipv4[.]ip_forward|ipv[46][.]conf[.].*(forwarding|rp_filter|accept_ra|src_valid_mark))" |
			grep -v "[.]tund"
		ps -e -o comm= | grep -E "^(tund|engine|control|loader|tcpdump)"' footprint |
		sed -E 's/ (expires|age|valid_lft|preferred_lft) [^ ]+//g'
}

### Watching

# watch NAME HOST INTERFACE [FILTER...]: captures into $work/NAME.pcap until unwatch NAME.
watch()
{
	watch_name=$1 watch_host=$2 watch_interface=$3
	shift 3
	on "$watch_host" tcpdump -n -U -Z root --immediate-mode -B 16384 -s 400 -i "$watch_interface" \
		-w "$work/$watch_name.pcap" "$@" >/dev/null 2>"$work/$watch_name.tcpdump" 3>&- &
	echo "$! $watch_host" >"$work/$watch_name.watch"
	wait_for 5 grep -q 'listening on' "$work/$watch_name.tcpdump"
}

unwatch()
{
	read -r unwatch_pid unwatch_host <"$work/$1.watch"
	on "$unwatch_host" sh -c '
		for p in $(pgrep -x tcpdump); do
			grep -qF "$1" "/proc/$p/cmdline" && kill -INT "$p"
		done' unwatch "/$1.pcap"
	wait "$unwatch_pid"
}

# packets NAME [FILTER...]: how many of the capture match.
packets()
{
	packets_file=$work/$1.pcap
	shift
	tcpdump -n -r "$packets_file" "$@" 2>/dev/null | wc -l
}

# plaintext NAME: how often the secret or an inner address stands in the capture.
plaintext()
{
	/usr/bin/python3 -c '
import ipaddress, sys
data = open(sys.argv[1], "rb").read()
words = [sys.argv[2].encode()] + [ipaddress.ip_address(a).packed for a in sys.argv[3:]]
print(sum(data.count(w) for w in words))' "$work/$1.pcap" $secret \
		$origin6 $alice_inner6 $bob_inner6
}

# block FAMILY-PROTOCOL-RULE...: an nft statement for each, on all that the internet forwards.
block()
{
	block_rules=$(printf '\t\t%s\n' "$@")
	in_network internet nft -f - <<END
table inet block
delete table inet block
table inet block {
	chain forward {
		type filter hook forward priority filter
$block_rules
	}
}
END
}

unblock()
{
	in_network internet nft -f - <<END
table inet block
delete table inet block
END
}

# status HOST NAME PATH...: values of "tund status --json", see status.py.
status()
{
	status_host=$1 status_name=$2
	shift 2
	on "$status_host" tund status --json "$status_name" |
		/usr/bin/python3 "$root/scripts/status.py" "$@"
}

# transport_is HOST NAME udp|tcp
transport_is()
{
	[ "$(status "$1" "$2" peers.0.transport)" = "$3" ]
}

# pid_of HOST PROGRAM: as that host numbers it; the oldest, where there are more.
pid_of()
{
	on "$1" pgrep -o -x "$2"
}

# stop HOST PROGRAM: every process of that name there; a host sees its own processes only.
stop()
{
	on "$1" pkill -x "$2"
}
