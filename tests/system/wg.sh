# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154
# Two hosts with a WireGuard interface each, for the tests of tund-wg: alice and edge of
# scripts/hosts.sh without their firewalls, edge with a second address of each family outside.
# Sourced, after lib.sh.
command -v wg-quick >/dev/null || skip_all 'needs wg-quick: see scripts/packages'

export WG_QUICK_USERSPACE_IMPLEMENTATION=tund-wg WG_HIDE_KEYS=never
socket=/var/run/wireguard/wg0.sock

wg_hosts()
{
	begin
	ln -s "$build/src/cmd/tund-wg" "$work/bin/tund-wg"
	for host in alice edge; do
		in_network $host nft delete table inet firewall
		# What wg-quick leaves behind by itself.
		on $host sysctl -qw net.ipv4.conf.all.src_valid_mark=1
		on $host mkdir -p -m 700 /var/run/wireguard /etc/wireguard
		(umask 077 && wg genkey >"$work/$host/wgkey")
		wg pubkey <"$work/$host/wgkey" >"$work/$host/wgpub"
	done
	(umask 077 && wg genpsk >"$work/psk")
	on edge ip address add 203.0.113.11/24 dev wan
	on edge ip address add 2001:db8:e::11/64 dev wan nodad
	on edge ip address add 10.98.0.1/32 dev lo
	on edge ip address add fd98::1/128 dev lo
	alice_key=$(cat "$work/alice/wgkey") alice_pub=$(cat "$work/alice/wgpub")
	edge_key=$(cat "$work/edge/wgkey") edge_pub=$(cat "$work/edge/wgpub")
	psk=$(cat "$work/psk")
	for host in alice edge; do
		wg_footprint $host >"$work/$host/wg-before"
	done
}

# Everything that a WireGuard interface might leave: links, routes, rules, nft, sockets, processes.
wg_footprint()
{
	on "$1" sh -c '
		ip -o link | sed "s/^[0-9]*: //; s/ qdisc.*//"
		for family in -4 -6; do
			ip $family rule
			ip $family route show table all | grep -v "proto kernel" | sort
		done
		nft list tables
		grep . /etc/resolv.conf
		ls /var/run/wireguard
		ps -eo comm= | grep -E "^(tund-wg|engine)$"'
}

clean()
{
	for host in "$@"; do
		wg_footprint "$host" >"$work/$host/wg-after"
		diff "$work/$host/wg-before" "$work/$host/wg-after" || return 1
	done
}

edge_conf()
{
	put edge /etc/wireguard/test.conf <<END
[Interface]
PrivateKey = $edge_key
ListenPort = $port
[Peer]
PublicKey = $alice_pub
PresharedKey = $psk
AllowedIPs = 10.99.0.2/32, fd99::2/128
END
}

# The server's side of every test.
edge_up()
{
	edge_conf
	on edge sh -c '
		tund-wg wg0 && wg setconf wg0 /etc/wireguard/test.conf &&
		ip address add 10.99.0.1/24 dev wg0 && ip address add fd99::1/64 dev wg0 &&
		ip link set wg0 up'
}

alice_conf()
{
	put alice /etc/wireguard/test.conf <<END
[Interface]
PrivateKey = $alice_key
[Peer]
PublicKey = $edge_pub
PresharedKey = $psk
AllowedIPs = 10.99.0.1/32, fd99::1/128
Endpoint = $1
END
}

alice_up()
{
	alice_conf "$edge4:$port"
	on alice sh -c '
		tund-wg wg0 && wg setconf wg0 /etc/wireguard/test.conf &&
		ip address add 10.99.0.2/24 dev wg0 && ip address add fd99::2/64 dev wg0 &&
		ip link set wg0 up'
}

# pings HOST ADDRESS...: the first answer within 5 s, then two more.
pings()
{
	host=$1
	shift
	for address in "$@"; do
		wait_for 5 on "$host" ping -n -q -c 1 -W 1 "$address" >/dev/null &&
			on "$host" ping -n -q -c 2 -i 0.1 -W 2 "$address" || return 1
	done
}

both_ways()
{
	pings alice 10.99.0.1 fd99::1 && pings edge 10.99.0.2 fd99::2
}

# shows HOST WHAT EXPECTED: one line of `wg show wg0 WHAT`.
shows()
{
	on "$1" wg show wg0 "$2" >"$work/shown"
	cat "$work/shown"
	[ "$(cat "$work/shown")" = "$(printf '%b' "$3")" ]
}
