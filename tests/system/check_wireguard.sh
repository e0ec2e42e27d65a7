#!/bin/sh
# SPDX-License-Identifier: ISC
# Stock WireGuard peers at both ends of tund: Debian's wireguard-go, of the release and of its
# backports, as alice's client of an edge, and as the server of a client of ours. The hosts are
# drawn in scripts/hosts.sh; "peer" is the wireguard-go that stands in the place of alice's tund, or
# of the edge's.
# shellcheck source-path=SCRIPTDIR source=lib.sh
build=${TUND_BUILDDIR:-$PWD}
# shellcheck source-path=SCRIPTDIR source=../../scripts/wireguard-go.sh
. "${TUND_SRCDIR:-$(dirname "$0")/../..}/scripts/wireguard-go.sh"
if [ -z "${TUND_TEST_INSIDE-}" ] && [ "$(id -u)" -eq 0 ]; then
	for suite in bookworm bookworm-backports; do
		wireguard_go $suite >/dev/null && continue
		echo "1..0 # SKIP cannot fetch wireguard-go of $suite"
		exit 0
	done
fi
. "${TUND_SRCDIR:-$(dirname "$0")/../..}/tests/system/lib.sh"

# shellcheck source-path=SCRIPTDIR source=../../scripts/stock.sh
. "$root/scripts/stock.sh"

stock_client_works()
{
	wait_for 6 gets_page alice $origin4 && works alice $origin4 && works alice "[$origin6]"
}

suite_is()
{
	[ "$(status "$1" "$2" "peers[name=$3].suite")" = 0 ]
}

# A port that no rule accepts.
port_refused()
{
	! page "$1" "http://$origin4:81/" -w '%{errormsg} (%{time_total} s)\n' >"$work/refusal" 2>&1 &&
		cat "$work/refusal" && grep -q 'refused\|Could.*t connect' "$work/refusal" &&
		grep -q '(0[.]' "$work/refusal"
}

# WireGuard has no control frames: none is sent, and the edge knows it.
nothing_pushed()
{
	! grep -i 'control message' "$work/edge/log"
}

### A stock client of our edge

begin
stock_begin alice edge
for host in alice edge; do
	footprint $host >"$work/$host/before"
done
stock_policy
ok 'the edge is up' comes_up edge edge
ok 'the connector is up' comes_up connector dc1
for suite in bookworm bookworm-backports; do
	for endpoint in "$edge4:$port" "[$edge6]:$port"; do
		name="$suite, $endpoint"
		ok "$name: the edge prints alice's file" stock_file "$endpoint"
		ok "$name: wireguard-go takes it" stock_up alice $suite "$work/alice.wg"
		ok "$name: the page, 10 MB and ping over IPv4 and IPv6" stock_client_works
		ok "$name: another port is refused at once" port_refused alice
		ok "$name: in suite 0" suite_is edge edge alice
		ok "$name: nothing is pushed" nothing_pushed
		ok "$name: alice leaves" stock_down alice
	done
done

ok 'wireguard-go again' stock_up alice $suite "$work/alice.wg"
ok 'the page is reached' wait_for 6 gets_page alice $origin4
stock_policy 'rule "others" { from = {"any"} action = reject }'
ok 'a policy without alice' on edge tund reload edge
ok 'refuses the stock client at once' refused_at_once alice $origin4
policy_file
ok 'a policy in which alice is a tund' on edge tund reload edge
ok 'has no session with the stock client' unreachable alice $origin4
ok 'alice leaves' stock_down alice
ok 'the connector leaves nothing' leaves_nothing connector dc1
ok 'the edge leaves nothing' leaves_nothing edge edge

### A client of ours of a stock server: wireguard-go and the web server on the edge's host

server4=10.66.0.1 server6=fd66::1

server_files()
{
	key alice >/dev/null
	on edge wg genpsk >"$work/psk"
	cat >"$work/server.wg" <<END
[Interface]
PrivateKey = $(cat "$work/edge/key")
ListenPort = $port
Address = $server4/24, $server6/64

[Peer]
PublicKey = $(key alice)
PresharedKey = $(cat "$work/psk")
AllowedIPs = 10.66.0.2/32, fd66::2/128
END
	for family in 4 6; do
		endpoint=$edge4:$port
		[ $family = 4 ] || endpoint=[$edge6]:$port
		put alice /root/home$family.conf <<END
[Interface]
PrivateKey = $(cat "$work/alice/key")
Address = 10.66.0.2/24, fd66::2/64
MTU = 1400

[Peer]
PublicKey = $(key edge)
PresharedKey = $(cat "$work/psk")
AllowedIPs = 10.66.0.0/24, fd66::/64
Endpoint = $endpoint
PersistentKeepalive = 5
END
		on alice rm -f /etc/tund/home$family.conf
		on alice tund import -o /etc/tund/home$family.conf /root/home$family.conf || return
	done
	on alice sh -c 'sed "s/^AllowedIPs.*/AllowedIPs = 0.0.0.0\/0, ::\/0/" /root/home4.conf >/root/whole.conf
		rm -f /etc/tund/whole.conf; tund import -o /etc/tund/whole.conf /root/whole.conf'
}

server_up()
{
	stock_up edge "$1" "$work/server.wg" && on edge sh -c \
		'[ -e /run/nginx.pid ] || /usr/sbin/nginx -c "$0"' "$work/origin/nginx.conf"
}

server_again()
{
	stock_down edge && server_up bookworm-backports && wait_for 25 gets_page alice $server4
}

# Everything but the tunnel's own packets goes through it.
only_tunnel()
{
	on alice ip route get 203.0.113.99 | grep -q 'dev whole' &&
		on alice ip -6 route get 2001:db8:e::99 | grep -q 'dev whole'
}

# A server for each family: wireguard-go's first answer after a change of families goes to the first
# four bytes of the address.
for suite in bookworm bookworm-backports; do
	ok "$suite: files" server_files
	footprint alice >"$work/alice/before"
	for family in 4 6; do
		name="$suite, IPv$family outside"
		ok "$name: a wireguard-go server" server_up $suite
		ok "$name: alice's tund is up within 2 s" comes_up alice home$family
		ok "$name: all over IPv4 inside" works alice $server4
		ok "$name: all over IPv6 inside" works alice "[$server6]"
		ok "$name: in suite 0" suite_is alice home$family ''
		ok "$name: alice leaves nothing" leaves_nothing alice home$family
		ok "$name: the server ends" stock_down edge
	done
	ok "$suite: a wireguard-go server" server_up $suite
	ok "$suite: everything through the tunnel" comes_up alice whole
	ok "$suite: the page" works alice $server4
	ok "$suite: the kernel's routes say so" only_tunnel
	ok "$suite: alice leaves nothing" leaves_nothing alice whole
	ok "$suite: the server ends" stock_down edge
done
ok 'a server' server_up bookworm-backports
ok 'a client' comes_up alice home4
ok 'that finds the server after it was started anew' server_again
ok 'a client leaves nothing' leaves_nothing alice home4

### A server that is not where its name says, until it is

is_up()
{
	[ "$(status "$1" "$2" up)" = true ]
}

asks_there()
{
	status alice home4 peers.0.endpoint | grep -qF 203.0.113.99
}

moves()
{
	on alice sh -c 'sed -i "s/endpoint = .*/endpoint = \"home.example.com:51820\"/" /etc/tund/home4.conf
		echo 203.0.113.99 home.example.com >>/etc/hosts'
	on alice tund up --timeout 0 home4 || return
	wait_for 3 asks_there || return
	on alice sed -i "s/^203.0.113.99/$edge4/" /etc/hosts
	wait_for 25 is_up alice home4 && gets_page alice $server4
}

ok 'a name that leads to the server later' moves
on alice tund down home4
