# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2154,SC2086 # variables of scripts/hosts.sh, single words
# A stock WireGuard peer, Debian's wireguard-go, on the hosts of scripts/hosts.sh, set up as wg-quick
# would. Needs hosts.sh, proofs.sh and wireguard-go.sh. Sourced.

# stock_begin HOST...: the folders that wireguard-go and wg-quick leave behind, so that they are not
# taken for tund's traces.
stock_begin()
{
	for stock_host in "$@"; do
		on $stock_host mkdir -p /run/wireguard /etc/wireguard
		: | put $stock_host /etc/wireguard/wg0.conf
	done
}

# stock_policy [RULE...]: the edge's policy with alice's laptop as a stock peer.
stock_policy()
{
	policy_file "$@"
	on edge sed -i 's/address = {"'$alice_inner4'"/suite = wireguard\n\t\t&/' /etc/tund/edge.policy
}

# stock_file ENDPOINT: $work/alice.wg is what the edge prints for alice, with her key in it.
stock_file()
{
	echo "edge# tund export --wg alice@example.com --endpoint $1 edge"
	(
		umask 077
		on edge tund export --wg alice@example.com --endpoint "$1" edge >"$work/exported" &&
			sed "s|^# PrivateKey = .*|PrivateKey = $(cat "$work/alice/key")|" "$work/exported" \
				>"$work/alice.wg"
	) || return
	grep -v '^#' "$work/exported" && grep -q '^AllowedIPs' "$work/alice.wg"
}

# stock_up HOST SUITE FILE: wireguard-go of that Debian suite as wg0, with all that FILE says.
stock_up()
{
	put "$1" /etc/wireguard/wg0.conf <"$3" || return
	stock_program=$(wireguard_go "$2") || return
	echo "$1# wireguard-go wg0   # of Debian's $2"
	on "$1" sh -c '"$@" >"$0/wireguard-go" 2>&1' "$work/$1" "$stock_program" wg0 || return
	on "$1" sh -c '
		conf=/etc/wireguard/wg0.conf
		grep -Ev "^(Address|MTU|# )" $conf | wg setconf wg0 /dev/fd/0 || exit
		for a in $(sed -n "s/^Address = //p" $conf | tr "," " "); do
			ip address add "$a" dev wg0 || exit
		done
		mtu=$(sed -n "s/^MTU = //p" $conf)
		ip link set wg0 mtu "${mtu:-1420}" up
		for p in $(sed -n "s/^AllowedIPs = //p" $conf | tr "," " "); do
			ip route replace "$p" dev wg0 || exit
		done'
}

no_stock()
{
	on "$1" sh -c '[ ! -e /run/wireguard/wg0.sock ] && ! pgrep -x wireguard-go' >/dev/null
}

stock_down()
{
	echo "$1# ip link del wg0"
	on "$1" ip link del wg0
	wait_for 5 no_stock "$1"
}

# stock_comes_up ENDPOINT SUITE: alice's session with the edge, used, within 2 s.
stock_comes_up()
{
	stock_file "$1" || return
	stock_from=$(milliseconds)
	stock_up alice "$2" "$work/alice.wg" && page alice "http://$origin4/" >/dev/null || return
	stock_ms=$(($(milliseconds) - stock_from))
	echo "alice\$ curl http://$origin4/   # first page after $stock_ms ms"
	[ $stock_ms -le 2000 ]
}

stock_leaves_nothing()
{
	stock_down "$1" || return
	: | put "$1" /etc/wireguard/wg0.conf
	footprint "$1" >"$work/$1/after"
	diff "$work/$1/before" "$work/$1/after"
}

stock_shows_status()
{
	echo 'alice# wg show'
	on alice wg show | tee "$work/status"
	for word in 'peer: ' 'endpoint: ' 'latest handshake: ' 'transfer: ' 'allowed ips: '; do
		grep -q "$word" "$work/status" || return
	done
}

# stock_json_parses: what the edge and the connector know; alice is in suite 0.
stock_json_parses()
{
	for host in edge:edge connector:dc1; do
		[ "$(status "${host%:*}" "${host#*:}" up)" = true ] || return
	done
	echo "edge# tund status --json edge   # suite of alice: $(status edge edge 'peers[name=alice].suite')"
	[ "$(status edge edge 'peers[name=alice].suite')" = 0 ]
}

stock_survives_loss()
{
	block 'meta l4proto udp numgen random mod 100 < 5 counter drop'
	gets_page alice $origin4 && gets_10mb alice $origin4
	stock_status=$?
	in_network internet nft list table inet block | grep -o 'counter packets [0-9]*' |
		sed 's/counter packets/internet: packets dropped:/'
	unblock
	return $stock_status
}
