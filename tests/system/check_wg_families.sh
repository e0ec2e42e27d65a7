#!/bin/sh
# SPDX-License-Identifier: ISC
# tund-wg on hosts that have but one family of addresses. Two of the hosts of scripts/hosts.sh:
#
#     alice 192.0.2.10 or 2001:db8:a::10 --- internet --- edge 203.0.113.10 or 2001:db8:e::10
#     wg0 10.99.0.2, fd99::2                              wg0 10.99.0.1, fd99::1
#
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${TUND_SRCDIR:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source-path=SCRIPTDIR source=wg.sh
. "$root/tests/system/wg.sh"

inner_of()
{
	case $1 in
	alice) echo 10.99.0.2/24 ;;
	edge) echo 10.99.0.1/24 ;;
	esac
}

# Both with IPv6 switched off.
ipv6_disabled()
{
	for host in alice edge; do
		on $host sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
		on $host sh -c 'tund-wg wg0 && wg setconf wg0 /etc/wireguard/test.conf &&
			ip address add "$1" dev wg0 && ip link set wg0 up' wg "$(inner_of $host)" || return 1
	done
	pings alice 10.99.0.1 && pings edge 10.99.0.2
}

# A kernel without IPv6: whatever makes a socket of it is refused.
without_ipv6()
{
	on alice ip link delete wg0 &&
		on alice /usr/bin/python3 "$root/tests/system/without_ipv6.py" tund-wg wg0 &&
		on alice sh -c 'wg setconf wg0 /etc/wireguard/test.conf &&
			ip address add 10.99.0.2/24 dev wg0 && ip link set wg0 up' &&
		pings alice 10.99.0.1 && pings edge 10.99.0.2 || return 1
	on alice ss -Huln4 | grep . && ! on alice ss -Huln6 | grep . || return 1
	# An endpoint that cannot be reached from here harms nothing.
	on alice wg set wg0 peer "$edge_pub" endpoint "[$edge6]:$port"
	! on alice ping -n -q -c 1 -W 0.3 10.99.0.1 || return 1
	on alice wg set wg0 peer "$edge_pub" endpoint "$edge4:$port" && pings alice 10.99.0.1
}

# Both without an IPv4 address outside; inside there are both families.
ipv4_gone()
{
	for host in alice edge; do
		on $host ip -4 address flush dev wan
		on $host ip -4 address flush dev lo
	done
	edge_up && alice_up || return 1
	on alice wg set wg0 peer "$edge_pub" endpoint "[$edge6]:$port" && both_ways &&
		shows edge endpoints "$alice_pub\t[$alice6]:$(on alice wg show wg0 listen-port)"
}

wg_gone()
{
	for host in alice edge; do
		on $host ip link delete wg0 || return 1
		wait_for 2 on $host sh -c "[ ! -e $socket ]" || return 1
	done
}

wg_hosts
alice_conf "$edge4:$port"
edge_conf
ok 'IPv6 disabled: traffic both ways' ipv6_disabled
ok 'a kernel without IPv6' without_ipv6
ok 'they go' wg_gone
for host in alice edge; do
	on $host sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0
done
on alice sh -c "ip address add $alice6/64 dev wan nodad && ip -6 route add default via 2001:db8:a::1"
on edge sh -c "ip address add $edge6/64 dev wan nodad && ip -6 route add default via 2001:db8:e::1"
ok 'no IPv4 address: traffic both ways' ipv4_gone
ok 'they go' wg_gone
