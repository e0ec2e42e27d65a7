#!/bin/sh
# SPDX-License-Identifier: ISC
# tund-wg as what it stands for: a WireGuard interface, for unmodified wg(8) and wg-quick(8). Two of
# the hosts of scripts/hosts.sh, without their firewalls; "inside" is a network namespace of alice's:
#
#     inside:wg0 <-moved- alice 192.0.2.10 --- internet --- edge 203.0.113.10, 203.0.113.11
#                    2001:db8:a::10                              2001:db8:e::10, 2001:db8:e::11
#          alice:wg0                                          edge:wg0
#     10.99.0.2, fd99::2                                 10.99.0.1, fd99::1; 10.98.0.1, fd98::1
#
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${TUND_SRCDIR:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source-path=SCRIPTDIR source=wg.sh
. "$root/tests/system/wg.sh"

# What is there the moment that the command is back.
created_without_race()
{
	for try in 1 2 3 4 5 6 7 8; do
		on "$1" sh -c '
			tund-wg wg0 && [ -S '$socket' ] && [ "$(stat -c %a '$socket')" = 600 ] &&
			wg show wg0 && ip link show wg0 && ip link delete wg0' || return 1
	done
}

same_configuration()
{
	on edge wg showconf wg0 >"$work/showconf"
	cat "$work/showconf"
	for line in "PrivateKey = $edge_key" "ListenPort = $port" "PublicKey = $alice_pub" \
		"PresharedKey = $psk" 'AllowedIPs = 10.99.0.2/32, fd99::2/128'; do
		grep -qxF "$line" "$work/showconf" || return 1
	done
}

# setconf, addconf and syncconf, each with its own meaning.
configured_by_every_command()
{
	other=$(wg genkey | wg pubkey)
	printf '[Peer]\nPublicKey = %s\nAllowedIPs = 10.97.0.0/16\n' "$other" |
		put edge /etc/wireguard/add.conf
	on edge wg addconf wg0 /etc/wireguard/add.conf || return 1
	[ "$(on edge wg show wg0 peers | wc -l)" = 2 ] || return 1
	handshake=$(on edge wg show wg0 latest-handshakes | grep -F "$alice_pub")
	on edge wg syncconf wg0 /etc/wireguard/test.conf || return 1
	shows edge peers "$alice_pub" || return 1
	[ "$(on edge wg show wg0 latest-handshakes)" = "$handshake" ]
}

allowed_ips_move()
{
	other=$(wg genkey | wg pubkey)
	on edge wg set wg0 peer "$other" allowed-ips 10.99.0.2/32 || return 1
	! on alice ping -n -q -c 2 -i 0.2 -W 1 10.99.0.1 || return 1
	on edge wg set wg0 peer "$alice_pub" allowed-ips 10.99.0.2/32,fd99::2/128 &&
		on edge wg set wg0 peer "$other" remove && pings alice 10.99.0.1
}

port_changes()
{
	on alice wg set wg0 listen-port 51999 && pings alice 10.99.0.1 &&
		shows edge endpoints "$alice_pub\t$alice4:51999" &&
		on alice wg set wg0 listen-port 0 && pings alice 10.99.0.1 &&
		! shows alice listen-port 51999
}

# A port that is taken: an errno for wg(8), and all goes on as before.
port_taken()
{
	before=$(on edge wg show wg0 listen-port)
	on edge sh -c '
		/usr/bin/python3 -c "
import socket, time
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.bind((\"::\", 51998)); time.sleep(20)" &
		until ss -Huln sport = :51998 | grep -q .; do sleep 0.05; done
		wg set wg0 listen-port 51998; status=$?
		kill $!
		exit $status' >"$work/taken" 2>&1 && return 1
	cat "$work/taken"
	grep -q 'Address already in use' "$work/taken" && shows edge listen-port "$before" &&
		pings alice 10.99.0.1
}

endpoint_moves()
{
	on alice wg set wg0 peer "$edge_pub" endpoint "[$edge6]:$port" && both_ways &&
		shows edge endpoints "$alice_pub\t[$alice6]:$(on alice wg show wg0 listen-port)" &&
		on alice wg set wg0 peer "$edge_pub" endpoint "$edge4:$port" && both_ways
}

# sticky ENDPOINT ADDRESS OTHER: the edge's answer comes from the address that was asked; once that
# is gone, its very next packet comes from the other.
sticky()
{
	on alice wg set wg0 peer "$edge_pub" endpoint "$1:$port" &&
		pings alice 10.99.0.1 && pings edge 10.99.0.2 &&
		shows alice endpoints "$edge_pub\t$1:$port" || return 1
	on edge ip address delete "$2" dev wan
	on edge ping -n -q -c 1 -W 1 10.99.0.2 && shows alice endpoints "$edge_pub\t$3:$port"
}

# The address is still there, but another route, with another source, is now the one to take.
rerouted()
{
	on alice ip address add 192.0.2.11/32 dev wan && pings alice 10.99.0.1 &&
		shows edge endpoints "$alice_pub\t$alice4:$(on alice wg show wg0 listen-port)" || return 1
	on alice ip route add "$edge4/32" via 192.0.2.1 dev wan src 192.0.2.11
	on alice ping -n -q -c 1 -W 1 10.99.0.1 &&
		shows edge endpoints "$alice_pub\t192.0.2.11:$(on alice wg show wg0 listen-port)"
	rerouted_status=$?
	on alice ip route delete "$edge4/32"
	on alice ip address delete 192.0.2.11/32 dev wan
	[ $rerouted_status = 0 ] && pings alice 10.99.0.1
}

# More paths than the edge remembers of a peer.
roams()
{
	for roams_port in 52001 52002 52003 52004 52005 52006; do
		on alice wg set wg0 listen-port $roams_port && pings alice 10.99.0.1 || return 1
	done
	shows edge endpoints "$alice_pub\t$alice4:52006" && both_ways
}

# meet_anew ENDPOINT: nothing of the session before is left.
meet_anew()
{
	on alice wg set wg0 peer "$edge_pub" remove &&
		on alice wg addconf wg0 /etc/wireguard/peer.conf &&
		on alice wg set wg0 peer "$edge_pub" endpoint "$1"
}

# Where the other is on the same link; the interface by its name, which is what wg(8) shows.
link_local()
{
	on edge sh -c 'tund-wg wg1 && sed "/^ListenPort/s/[0-9]*$/51821/" /etc/wireguard/test.conf \
			>/etc/wireguard/near.conf && wg setconf wg1 /etc/wireguard/near.conf &&
		ip link set wg1 up' &&
		in_network edge ip link add near type veth peer name near-alice \
			netns "$(cat "$work/alice/pid")" || return 1
	on edge sh -c 'ip address add fe80::1:1/64 dev near nodad; ip link set near up'
	on alice sh -c 'ip address add fe80::1:2/64 dev near-alice nodad; ip link set near-alice up'
	meet_anew '[fe80::1:1%near-alice]:51821' &&
		shows alice endpoints "$edge_pub\t[fe80::1:1%near-alice]:51821" &&
		wait_for 5 heard_near || return 1
	! on alice wg set wg0 peer "$edge_pub" endpoint '[fe80::1:1%wg9]:51821' 2>&1 || return 1
	on edge sh -c 'ip link delete wg1 && ip link delete near' &&
		meet_anew "$edge4:$port" && pings alice 10.99.0.1
}

heard_near()
{
	on alice ping -n -q -c 1 -W 0.2 10.99.0.1
	[ "$(on edge wg show wg1 endpoints)" = \
		"$(printf '%s\t[fe80::1:2%%near]:%s' "$alice_pub" "$(on alice wg show wg0 listen-port)")" ]
}

marked()
{
	in_network alice nft -f - <<END
table inet test {
	chain output {
		type filter hook output priority filter
		udp dport $port meta mark 0x123 counter name marked
	}
	counter marked { }
}
END
	on alice wg set wg0 fwmark 0x123 && pings alice 10.99.0.1 && shows alice fwmark 0x123 || return 1
	in_network alice nft list counter inet test marked | tee "$work/marked"
	in_network alice nft delete table inet test
	! grep -q 'packets 0 ' "$work/marked" && on alice wg set wg0 fwmark 0
}

# dscp_and_ecn FAMILY ENDPOINT: what the outer headers carry: AF41 in handshakes, ECN of the packet inside in data (CE as ECT(0)),
# and congestion that was met outside is marked inside.
dscp_and_ecn()
{
	in_network edge nft -f - <<END
table $1 test {
	counter handshake { }
	counter data { }
	chain prerouting {
		type filter hook prerouting priority raw
		udp dport $port @th,64,8 1 $1 dscp af41 counter name handshake
		udp dport $port @th,64,8 4 $1 dscp cs0 $1 ecn ect0 counter name data $1 ecn set ce
	}
}
table inet inside {
	counter inside4 { }
	counter inside6 { }
	chain prerouting {
		type filter hook prerouting priority raw
		iifname wg0 icmp type echo-request ip ecn ce counter name inside4
		iifname wg0 icmpv6 type echo-request ip6 ecn ce counter name inside6
	}
}
END
	meet_anew "$2:$port" &&
		wait_for 5 on alice ping -n -q -c 1 -W 1 -Q 2 10.99.0.1 &&
		on alice ping -n -q -c 3 -i 0.1 -W 1 -Q 2 10.99.0.1 &&
		on alice ping -n -q -c 3 -i 0.1 -W 1 -Q 2 fd99::1
	dscp_status=$?
	for table in "$1 test" 'inet inside'; do
		# shellcheck disable=SC2086
		in_network edge nft list counters table $table
		# shellcheck disable=SC2086
		in_network edge nft delete table $table
	done | tee "$work/ecn"
	[ $dscp_status = 0 ] && [ "$(grep -c 'packets [1-9]' "$work/ecn")" = 4 ]
}

down_and_up()
{
	on alice ip link set wg0 down
	wait_for 2 no_udp_socket alice || return 1
	! on alice ping -n -q -c 1 -W 1 10.99.0.1 || return 1
	# Who has lost its keys loses no packet: the very first is answered under the new ones.
	on alice ip link set wg0 up && on alice ping -n -q -c 1 -W 4 10.99.0.1
}

no_udp_socket()
{
	[ -z "$(on "$1" ss -Huln)" ]
}

mtu_changes()
{
	on alice ip link set wg0 mtu 9000 && on edge ip link set wg0 mtu 9000 || return 1
	on alice ip link set wg0 mtu 1420 && on edge ip link set wg0 mtu 1420 &&
		on alice ping -n -q -c 1 -W 2 -M do -s 1392 10.99.0.1
}

moved()
{
	on alice ip netns add inside || return 1
	on alice ip link set wg0 netns inside || return 1
	on alice ip netns exec inside sh -c '
		ip address add 10.99.0.2/24 dev wg0 && ip address add fd99::2/64 dev wg0 nodad &&
		ip link set wg0 up' || return 1
	wait_for 5 on alice ip netns exec inside ping -n -q -c 1 -W 1 10.99.0.1 &&
		on alice ip netns exec inside ping -n -q -c 2 -i 0.1 -W 1 fd99::1 &&
		on alice wg show wg0 && on alice ip netns exec inside ip link set wg0 down &&
		wait_for 2 no_udp_socket alice && on alice ip netns exec inside ip link set wg0 up &&
		wait_for 5 on alice ip netns exec inside ping -n -q -c 1 -W 1 10.99.0.1
}

# A full packet is not padded beyond the MTU: of 1411 bytes, which 16 does not divide, it is 1471
# outside.
mtu_changes_there()
{
	in_network edge nft -f - <<END
table ip test {
	counter full { }
	chain prerouting {
		type filter hook prerouting priority raw
		udp dport $port ip length 1471 counter name full
	}
}
END
	on alice ip netns exec inside sh -c '
		ip link set wg0 mtu 1411 && ping -n -q -c 3 -i 0.2 -W 2 -M do -s 1383 10.99.0.1'
	mtu_status=$?
	in_network edge nft list counters table ip test | tee "$work/full"
	in_network edge nft delete table ip test
	[ $mtu_status = 0 ] && grep -q 'packets [1-9]' "$work/full"
}

deleted_there()
{
	on alice ip netns exec inside ip link delete wg0 &&
		wait_for 2 clean alice && on alice ip netns delete inside
}

# No process of any of these tests was killed: it would have said so.
ended_in_order()
{
	! grep 'killed by signal [^9]' "$work"/*/log
}

socket_removed()
{
	on alice sh -c "tund-wg wg0 && rm $socket" && wait_for 2 clean alice
}

ended_by_signal()
{
	on alice tund-wg wg0 && on alice sh -c 'kill $(pgrep -x tund-wg)' && wait_for 2 clean alice
}

# The engine's end is the interface's: nothing that was configured is pretended to be there.
engine_killed()
{
	on alice tund-wg wg0 && on alice sh -c 'kill -9 $(pgrep -x engine)' && wait_for 2 clean alice
}

# Nothing can be tidied up, but the next one of this name is not in its way.
parent_killed()
{
	on alice tund-wg wg0 && on alice sh -c 'kill -9 $(pgrep -x tund-wg)' &&
		wait_for 2 on alice sh -c '! ip link show wg0 && ! pgrep -x engine' &&
		on alice tund-wg wg0 && on alice wg show wg0 && on alice ip link delete wg0 &&
		wait_for 2 clean alice
}

# stays_in_foreground VARIABLE=VALUE
stays_in_foreground()
{
	: >"$work/foreground"
	on alice env "$@" sh -c '
		LOG_LEVEL=info tund-wg $foreground wg0 2>"$1" &
		until grep -q ready "$1"; do sleep 0.05; done
		wg show wg0 && kill $! && wait $!' foreground "$work/foreground"
	foreground_status=$?
	cat "$work/foreground"
	[ $foreground_status = 0 ] && clean alice
}

refused_with_a_reason()
{
	on alice sh -c '
		tund-wg; [ $? = 64 ] || exit 1
		tund-wg wg/0; [ $? = 71 ] || exit 1
		tund-wg name-of-more-than-15; [ $? = 71 ] || exit 1
		tund-wg wg0 && { tund-wg wg0; [ $? = 71 ]; } && wg show wg0 && ip link delete wg0' &&
		wait_for 2 clean alice
}

threads()
{
	on alice sh -c '
		for number in 0 65 two 2x; do
			WG_THREADS=$number tund-wg wg0; [ $? = 64 ] || exit 1
		done
		WG_THREADS=3 tund-wg wg0 && ip -d link show wg0 | grep "numqueues 3 " &&
		wg set wg0 listen-port 51998 fwmark 7 && ip link set wg0 up || exit
		for wait in 1 2 3 4 5 6 7 8 9 10; do
			sockets=$(ss -Hluen sport = :51998 | grep -c fwmark:0x7)
			[ "$sockets" -eq 3 ] && break
			sleep 0.05
		done
		ss -Hluen sport = :51998
		ip link delete wg0 && [ "$sockets" -eq 3 ]' && wait_for 2 clean alice
}

no_user_no_interface()
{
	on alice sh -c '
		cp /etc/passwd /etc/passwd.kept && sed -i /^tund:/d /etc/passwd
		tund-wg wg0; status=$?
		mv /etc/passwd.kept /etc/passwd
		[ $status = 78 ]' && clean alice
}

# uapi CASES: a client of the socket that speaks for itself.
uapi()
{
	on alice /usr/bin/python3 "$root/tests/system/uapi.py" $socket "$@"
}

with_interface()
{
	on alice tund-wg wg0 || return 1
	"$@"
	with_status=$?
	on alice ip link delete wg0
	return $with_status
}

### The interface

wg_hosts
ok 'device and socket are there when the command is back, eight times in a row' \
	created_without_race alice
ok 'it ends when its socket is removed' socket_removed
ok 'it ends by SIGTERM' ended_by_signal
ok 'it ends when its engine is killed' engine_killed
ok 'its parent killed it ends, and can be made again' parent_killed
ok 'in the foreground' stays_in_foreground foreground=-f
ok 'in the foreground by the environment' stays_in_foreground WG_PROCESS_FOREGROUND=1
ok 'bad arguments, a second one of the name: a reason and an exit code' refused_with_a_reason
ok 'WG_THREADS: a queue and a socket for each' threads
ok 'without the user tund: exit code 78' no_user_no_interface
ok 'every key and every mistake through the socket' with_interface uapi mistakes
ok 'silent and slow clients' with_interface uapi clients
ok '10,000 peers with 3 allowed IPs each in under 2 s, read back identical' with_interface uapi many

# The next one of this name, with the same port, may come at once.
made_again()
{
	for try in 1 2 3 4 5; do
		on alice sh -c '
			tund-wg wg0 && wg set wg0 listen-port 51997 && ip link set wg0 up || exit
			for wait in 1 2 3 4 5 6 7 8 9 10; do
				ss -Huln sport = :51997 | grep -q . && break
				sleep 0.02
			done
			ss -Huln sport = :51997 | grep . && ip link delete wg0' || return 1
	done
	wait_for 2 clean alice
}

ok 'deleted and made again at once, five times in a row' made_again

# With a peer to keep up, up, and only then with a key.
keyless()
{
	on alice sh -c 'tund-wg wg0 && ip link set wg0 up && wg set wg0 peer "$1" preshared-key "$2" \
		persistent-keepalive 20 endpoint "$3" allowed-ips 10.99.0.1/32' wg \
		"$edge_pub" "$work/psk" "$edge4:$port" &&
		wait_for 2 on alice sh -c 'ss -Huln | grep .' || return 1
	[ "$(on alice wg show wg0 transfer)" = "$(printf '%s\t0\t0' "$edge_pub")" ] || return 1
	on alice wg set wg0 private-key "$work/alice/wgkey" && wait_for 2 shaken || return 1
	on alice ip link delete wg0 && wait_for 2 clean alice
}

shaken()
{
	on alice wg show wg0 latest-handshakes
	! on alice wg show wg0 latest-handshakes | grep -q "	0$"
}

### Two of them

ok 'the server' edge_up
ok 'a peer to keep up waits for a private key' keyless
ok 'the client' alice_up
ok 'traffic both ways, IPv4 and IPv6 inside' both_ways
ok 'showconf says what setconf said' same_configuration
ok 'addconf adds, syncconf removes and leaves sessions alone' configured_by_every_command
ok 'an allowed IP moves to another peer and back' allowed_ips_move
ok 'the port changes, and changes to any' port_changes
ok 'a port that is taken' port_taken
ok 'the endpoint moves to IPv6 and back' endpoint_moves
ok 'answers leave from the address that was asked, while there is one' \
	sticky 203.0.113.11 203.0.113.11/24 "$edge4"
ok 'with IPv6, too' sticky '[2001:db8:e::11]' 2001:db8:e::11/64 "[$edge6]"
ok 'back to IPv4' on alice wg set wg0 peer "$edge_pub" endpoint "$edge4:$port"
ok 'a route that another takes over is forgotten at once' rerouted
ok 'more paths than are remembered' roams
on alice sed -n '/Peer/,$p' /etc/wireguard/test.conf | put alice /etc/wireguard/peer.conf
ok 'a link-local endpoint' link_local
ok 'fwmark' marked
ok 'DSCP of handshakes, ECN out and in, over IPv6' dscp_and_ecn ip6 "[$edge6]"
ok 'and over IPv4' dscp_and_ecn ip "$edge4"
ok 'down closes the socket, up opens it' down_and_up
ok 'the MTU changes' mtu_changes
ok 'moved to another network namespace it goes on' moved
ok 'a change of the MTU is noticed there' mtu_changes_there
ok 'deleted there it ends' deleted_there

### wg-quick

# quick NAME LINES...: alice's interface by wg-quick, with these lines in [Interface].
quick_file()
{
	allowed=$1
	shift
	put alice /etc/wireguard/wg0.conf <<END
[Interface]
PrivateKey = $alice_key
Address = 10.99.0.2/24, fd99::2/64
$(printf '%s\n' "$@")
[Peer]
PublicKey = $edge_pub
PresharedKey = $psk
AllowedIPs = $allowed
Endpoint = $edge4:$port
PersistentKeepalive = 25
END
}

quick_up()
{
	on alice wg-quick up wg0
}

quick_down()
{
	on alice wg-quick down wg0 && wait_for 2 clean alice
}

ran_hooks()
{
	[ "$(on alice cat /run/hooks | tr '\n' ' ')" = 'pre-wg0 post-wg0 ' ] && on alice rm /run/hooks
}

# The way out is the tunnel's, in both families, and nothing says so outside.
everything_inside()
{
	pings alice 10.98.0.1 fd98::1 &&
		on alice ip route get 10.98.0.1 | grep -q 'dev wg0' &&
		on alice ip -6 route get fd98::1 | grep -q 'dev wg0'
}

resolves_inside()
{
	on alice cat /etc/resolv.conf
	[ "$(on alice grep -c '^nameserver 10.98.0.1' /etc/resolv.conf)" = 1 ] &&
		on alice grep -q '^search corp.example' /etc/resolv.conf
}

quick_moved()
{
	on alice ip netns exec inside sh -c '
		ip address add 10.99.0.2/24 dev wg0 && ip link set wg0 up && ip route add default dev wg0' &&
		wait_for 5 on alice ip netns exec inside ping -n -q -c 1 -W 1 10.98.0.1
}

quick_moved_down()
{
	on alice ip netns exec inside ip link delete wg0 && on alice ip netns delete inside &&
		wait_for 2 clean alice
}

quick_file '10.98.0.0/16, fd98::/64, 10.99.0.1/32' \
	'PreUp = echo pre-%i >>/run/hooks' 'PostUp = echo post-%i >>/run/hooks' 'Table = 1234' \
	'PostUp = ip rule add to 10.98.0.0/16 lookup 1234; ip -6 rule add to fd98::/64 lookup 1234' \
	'PostDown = ip rule del to 10.98.0.0/16; ip -6 rule del to fd98::/64'
ok 'wg-quick: split, with a table and hooks' quick_up
ok 'both families pass' pings alice 10.98.0.1 fd98::1
ok 'the hooks ran' ran_hooks
ok 'down, nothing left behind' quick_down

quick_file '0.0.0.0/0, ::/0' 'FwMark = 0xca6c' 'MTU = 1400'
ok 'wg-quick: full tunnel' quick_up
ok 'everything goes inside' everything_inside
ok 'the MTU is what the file says' on alice sh -c 'ip link show wg0 | grep "mtu 1400"'
ok 'down, nothing left behind' quick_down

if on alice sh -c 'command -v resolvconf' >/dev/null; then
	quick_file '0.0.0.0/0, ::/0' 'DNS = 10.98.0.1, corp.example'
	ok 'wg-quick: full tunnel with DNS' quick_up
	ok 'names are asked for inside' resolves_inside
	ok 'everything goes inside' everything_inside
	ok 'down, nothing left behind' quick_down
else
	skip 'wg-quick: full tunnel with DNS' 'needs openresolv: see scripts/packages'
fi

on alice ip netns add inside
quick_file '0.0.0.0/0, ::/0' 'Table = off' 'PostUp = ip link set %i netns inside'
ok 'wg-quick: moved to a namespace' quick_up
ok 'the namespace has no other way out' quick_moved
ok 'deleted there, nothing left behind' quick_moved_down

### wg show of a tund

# wg_sees HOST INTERFACE REGEX...: `wg show INTERFACE` has a line for each, and no secret.
wg_sees()
{
	on "$1" wg show "$2" >"$work/wg-show" || return 1
	cat "$work/wg-show"
	on "$1" wg show "$2" dump >"$work/wg-dump" || return 1
	! grep -qF "$(cat "$work/$1/key")" "$work/wg-dump" || return 1
	shift 2
	for regex; do
		grep -Eq "$regex" "$work/wg-show" || { echo "no line $regex"; return 1; }
	done
}

read_only()
{
	! on "$1" wg set "$2" fwmark 5 2>"$work/denied" && cat "$work/denied" &&
		grep -q 'Operation not permitted' "$work/denied"
}

gone()
{
	on "$1" sh -c 'ls /var/run/wireguard'
	! on "$1" test -e "/var/run/wireguard/$2.sock"
}

ok 'the server goes' on edge ip link delete wg0
ok 'nothing left behind there' wait_for 2 clean edge
ok 'no engine has crashed, not even at its end' ended_in_order

# A key as a regular expression.
public()
{
	sed 's/[+]/[+]/g' "$work/$1/public"
}

ok 'edge, connector and client of tund' comes_up edge edge
ok 'the connector' comes_up connector dc1
ok 'the client' comes_up alice office
ok 'a page' wait_for 3 page alice "http://$origin4/"
ok 'wg show on the client' wg_sees alice tund0 "^peer: $(public edge)" \
	"endpoint: $edge4:$port" 'allowed ips: .*10[.]77[.]0[.]0/24' 'latest handshake: ' 'transfer: '
ok 'on the connector' wg_sees connector tund0 "^peer: $(public edge)" \
	"allowed ips: .*$alice_inner4/32" 'latest handshake: '
ok 'on the edge, by the name of the tunnel' wg_sees edge edge "listening port: $port" \
	"^peer: $(public alice)" "allowed ips: .*$alice_inner4/32"
ok 'nothing can be set' read_only alice tund0
ok 'an engine that is started again serves it, too' on alice sh -c '
	kill -9 $(pgrep -x engine) && until wg show tund0 peers | grep -q .; do sleep 0.1; done'
for pair in alice:office connector:dc1 edge:edge; do
	ok "${pair%:*} down" on "${pair%:*}" tund down "${pair#*:}"
done
ok 'the sockets are gone' gone alice tund0
ok "the edge's, too" gone edge edge
