# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2016,SC2034,SC2046,SC2086,SC2154
# The hosts that scripts/bench measures on. Sourced after hosts.sh, which see for what a host is.
#
# A scene is a way from a client to a server, on hosts of its own: the bare link, or a tunnel over
# it. All have the same links, veth with an MTU of 1500, and the same MTU of 1420 inside.
#
#     two hosts      client 192.0.2.10 ---- 192.0.2.1 server
#     three hosts    client 192.0.2.10 ---- 192.0.2.1 hub 198.51.100.1 ---- 198.51.100.10 server
#
# The address of the server inside is 10.77.0.1 with tund, which has it announced by a connector on
# the server, and 10.66.0.1 with WireGuard. With tund the hub is the edge; where there are two hosts
# only, the server is edge and connector, for there is no tunnel of tund without an edge; therefore
# two hosts are also a pair, each the other's peer in suite 1, as only test hooks make them. With
# WireGuard the hub forwards in the kernel.
#
# What there is to measure is one line for each scene in $work/scenes:
#
#     SCENE CLIENT SERVER ADDRESS HOST...      where HOSTs are those on which daemons run
#
# or $work/missing/SCENE, which says why there is none. "old-SCENE" is the same by another build's
# programs, those in $old_programs and $old_libexec; all others of tund's are this tree's.

scene_client4=100.80.0.11
scene_names='veth go2 go3 wg2 pair2 tund2 tund3 null2 tcp3 many3 flows3'

# scene_hosts SCENE: their names, the client first, the server last.
scene_hosts()
{
	case $1 in
	*3) echo "$1-client $1-hub $1-server" ;;
	*) echo "$1-client $1-server" ;;
	esac
}

scene_missing()
{
	echo "$2" >"$work/missing/$1"
}

# scenes_up SCENE...: hosts and tunnels. False when not even the hosts can be made.
scenes_up()
{
	hosts_jobs='' hosts=''
	work=$(mktemp -d "${TMPDIR:-/tmp}/tund-hosts.XXXXXX") || return 1
	chmod 755 "$work"
	mkdir "$work/missing"
	: >"$work/scenes"
	hosts_process_1 >"$work/process-1"
	for scene in "$@"; do
		hosts="$hosts $(scene_hosts $scene)"
	done
	for host in $hosts; do
		host_up $host
	done
	for host in $hosts; do
		wait_for 10 host_exists $host ||
			hosts_fail "no namespaces for $host: $(cat "$work/$host/start")" || return 1
	done
	hosts_syslog
	for scene in "$@"; do
		scene_link $scene || return 1
	done
	wait_for 10 links_are_up || hosts_fail 'the links do not come up' || return 1
	for scene in "$@"; do
		say "scene $scene"
		scene_up $scene >"$work/$scene.log" 2>&1 ||
			scene_missing $scene "it does not come up: $(tail -n 1 "$work/$scene.log")"
	done
}

# scene_link SCENE: unlike the links of the tests, these carry whole trains of packets, as a bare
# link and UDP_SEGMENT need it.
scene_link()
{
	case $1 in
	*3)
		link $1-hub client 192.0.2.1/24 2001:db8:a::1/64 \
			$1-client wan 192.0.2.10/24 2001:db8:a::10/64
		link $1-hub server 198.51.100.1/24 2001:db8:c::1/64 \
			$1-server wan 198.51.100.10/24 2001:db8:c::10/64
		;;
	*)
		link $1-server wan 192.0.2.1/24 2001:db8:a::1/64 \
			$1-client wan 192.0.2.10/24 2001:db8:a::10/64
		;;
	esac
	for host in $(scene_hosts $1); do
		on $host sh -c '
			for link in wan client server; do
				[ ! -e /sys/class/net/$link ] ||
					ip link set $link gso_max_segs 65535 || exit
			done' && scene_congestion $host || return
	done
}

# scene_congestion HOST: every TCP that begins from now on, the programs' and the daemons', is
# $congestion, whatever the machine has. Of those that it allows none but its own administrator a
# namespace cannot make one the default; a route can.
scene_congestion()
{
	on $1 ip -4 route show table all type unicast | while read -r route; do
		on $1 ip route change $route congctl $congestion || return
	done
}

# scene_is SCENE ADDRESS HOST...: it is up; so much of its line.
scene_is()
{
	scene=$1 address=$2
	shift 2
	wait_for 10 on $scene-client ping -n -q -c 1 -W 1 $address >/dev/null ||
		hosts_fail "no ping to $address" || return 1
	for host in $(scene_hosts $scene); do
		scene_congestion $host || return
	done
	echo "$scene $scene-client $scene-server $address $*" >>"$work/scenes"
}

scene_up()
{
	tund_path=$programs libexec=$programs_libexec
	case $1 in
	old-*) tund_path=$old_programs libexec=$old_libexec ;;
	pair2) tund_path=$hooks_programs libexec=$hooks_libexec ;;
	null2) tund_path=$null_programs libexec=$null_libexec ;;
	esac
	case ${1#old-} in
	veth) scene_is veth 192.0.2.1 ;;
	go2 | go3)
		[ -n "$go_program" ] || {
			scene_missing $1 "wireguard-go cannot be fetched from Debian's $go_suite"
			return 0
		}
		wg_$1
		;;
	wg2) wg_two $1 tund-wg ;;
	tund2) tund_two $1 ;;
	tund3 | many3) tund_three $1 ;;
	flows3)
		tund_three $1 && nobody_answers $1-server
		;;
	tcp3) tund_three $1 'transport = tcp' ;;
	pair2) wg_pair $1 ;;
	null2)
		[ -n "$null_programs" ] || {
			scene_missing null2 'there is no build with the null AEAD'
			return 0
		}
		wg_pair null2
		;;
	esac
}

### WireGuard, by wireguard-go and by tund-wg

wg_key()
{
	(umask 077 && on $1 wg genkey >"$work/$1/key")
	on $1 wg pubkey <"$work/$1/key" >"$work/$1/public"
}

# wg_up HOST PROGRAM ADDRESS: wg0, with what standard input says of peers.
wg_up()
{
	{
		echo "[Interface]"
		echo "PrivateKey = $(cat "$work/$1/key")"
		echo "ListenPort = $port"
		cat
	} | put $1 /run/wg0.conf
	on $1 sh -c '"$@" >"$0" 2>&1' "$work/$1/program" "$2" wg0 || hosts_fail "$2 does not start" ||
		return
	on $1 wg setconf wg0 /run/wg0.conf && on $1 ip address add "$3" dev wg0 &&
		on $1 ip link set wg0 mtu 1420 up
}

# wg_peer HOST ALLOWED [ENDPOINT]
wg_peer()
{
	echo "[Peer]"
	echo "PublicKey = $(cat "$work/$1/public")"
	echo "AllowedIPs = $2"
	[ -z "${3-}" ] || echo "Endpoint = $3:$port"
}

# wg_two SCENE PROGRAM
wg_two()
{
	wg_key $1-client
	wg_key $1-server
	wg_peer $1-client 10.66.0.2/32 | wg_up $1-server "$2" 10.66.0.1/24 || return
	wg_peer $1-server 10.66.0.0/24 192.0.2.1 | wg_up $1-client "$2" 10.66.0.2/24 || return
	scene_is $1 10.66.0.1 $1-client $1-server
}

# wg_pair SCENE: tund-wg that speaks suite 1, which only a build with test hooks does.
wg_pair()
{
	printf '#!/bin/sh\nexec env TUND_TEST_SUITE=1 tund-wg "$@"\n' >"$work/suite1"
	chmod 755 "$work/suite1"
	wg_two $1 "$work/suite1"
}

wg_go2()
{
	wg_two go2 "$go_program"
}

wg_go3()
{
	for host in $(scene_hosts go3); do
		wg_key $host
	done
	on go3-hub sysctl -qw net.ipv4.ip_forward=1
	{
		wg_peer go3-client 10.66.0.2/32
		wg_peer go3-server 10.66.0.1/32 198.51.100.10
	} | wg_up go3-hub "$go_program" 10.66.0.3/24 || return
	wg_peer go3-hub 10.66.0.0/24 192.0.2.1 | wg_up go3-client "$go_program" 10.66.0.2/24 || return
	wg_peer go3-hub 10.66.0.0/24 | wg_up go3-server "$go_program" 10.66.0.1/24 || return
	scene_is go3 10.66.0.1 go3-client go3-hub go3-server
}

### tund

# nobody_answers HOST: it takes no notice of the datagrams with which flows are opened.
nobody_answers()
{
	in_network $1 nft -f - <<END
table inet quiet {
	chain prerouting {
		type filter hook prerouting priority raw
		udp dport 10000-20000 counter drop
	}
}
END
}

# tund_two SCENE: edge and connector on one host.
tund_two()
{
	tund_files_of $1 $1-server '' && on $1-server tund up edge && on $1-server tund up dc1 &&
		on $1-client tund up office && scene_is $1 10.77.0.1 $1-client $1-server
}

# tund_three SCENE [LINE]: a client, an edge, a connector; LINE stands in the files of both ends.
tund_three()
{
	tund_files_of $1 $1-hub "${2-}" && on $1-hub tund up edge && on $1-server tund up dc1 &&
		on $1-client tund up office && scene_is $1 10.77.0.1 $(scene_hosts $1)
}

# tund_files_of SCENE EDGE LINE: their keys and files, of which LINE is in those of both ends.
tund_files_of()
{
	scene=$1 edge=$2 line=$3
	on $scene-server ip address add 10.77.0.1/24 dev lo
	edge_inside=198.51.100.1
	[ $edge = $scene-hub ] || edge_inside=192.0.2.1
	for role in edge dc1 office; do
		mkdir "$work/$scene-$role"
		(umask 077 && on $edge tund genkey >"$work/$scene-$role/key")
		on $edge tund pubkey <"$work/$scene-$role/key" >"$work/$scene-$role/public"
	done
	put $edge /etc/tund/edge.conf <<END
role = edge
private_key = "$(cat "$work/$scene-edge/key")"
listen = $port
END
	scene_policy | put $edge /etc/tund/edge.policy
	end_file dc1 connector $edge_inside 'announce = {"10.77.0.0/24"}' |
		put $scene-server /etc/tund/dc1.conf
	end_file office client 192.0.2.1 '' | put $scene-client /etc/tund/office.conf
}

# end_file NAME ROLE ENDPOINT LINE
end_file()
{
	cat <<END
role = $2
private_key = "$(cat "$work/$scene-$1/key")"
interface = $1
$line
$4
edge {
	public_key = "$(cat "$work/$scene-edge/public")"
	endpoint = "$3:$port"
}
END
}

scene_policy()
{
	cat <<END
principal "alice@example.com" {
	groups = {"eng"}
	device "laptop" {
		public_key = "$(cat "$work/$scene-office/public")"
		address = {"$scene_client4"}
	}
}
principal "dc1" {
	kind = connector
	device "a" { public_key = "$(cat "$work/$scene-dc1/public")" }
}
route "10.77.0.0/24" {
	via = {"dc1"}
$([ ${scene#old-} != many3 ] || nine_rules)
	rule "all" { from = {"group:eng"} }
}
END
	[ ${scene#old-} != many3 ] || many_more
}

# Rules that match nothing that is measured.
nine_rules()
{
	for rule in 1 2 3 4 5 6 7 8 9; do
		echo "rule \"r$rule\" { from = {\"group:eng\"} proto = tcp ports = {\"${rule}000\"} }"
	done
}

# 10,000 devices, and as many routes with ten rules each, beside those that are measured.
many_more()
{
	nine_rules >"$work/nine-rules"
	/usr/bin/python3 -c '
import base64, os, sys
nine = open(sys.argv[1]).read()
for i in range(10000):
    print("""principal "user%d@example.com" { groups = {"g%d"} device "laptop" {
    public_key = "%s" address = {"100.80.%d.%d"} } }
route "10.%d.%d.0/24" { via = {"dc1"}
%s rule "r10" { from = {"group:g%d"} proto = tcp ports = {"443"} } }""" % (
        i, i % 100, base64.b64encode(os.urandom(32)).decode(), 1 + i // 250, 1 + i % 250,
        128 + i // 256, i % 256, nine, i % 100))' "$work/nine-rules"
}
