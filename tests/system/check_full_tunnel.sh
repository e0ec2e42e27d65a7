#!/bin/sh
# SPDX-License-Identifier: ISC
# A full tunnel: everything that alice sends goes through the connector, but for the tunnel's own
# datagrams; and only because she wants it. The hosts are drawn in scripts/hosts.sh.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${TUND_SRCDIR:-$(dirname "$0")/../..}/tests/system/lib.sh"

# The internet's own address on the connector's side, which alice reaches directly as well.
exit4=198.51.100.1 exit6=2001:db8:c::1

# pings_by WATCHED HOST: alice pings, and the echo requests are seen there or are not.
pings_by()
{
	watch "$1" "$2" wan
	on alice ping -n -c 3 -i 0.2 -W 2 $exit4
	on alice ping -n -c 3 -i 0.2 -W 2 $exit6
	unwatch "$1"
	requests=$(packets "$1" "(icmp[icmptype] == icmp-echo and host $exit4) or
		(icmp6 and ip6[40] == 128 and host $exit6)")
	echo "echo requests on $2's wan: $requests"
}

by_alice()
{
	pings_by direct alice && [ "$requests" -ge 6 ]
}

by_connector()
{
	pings_by around connector && [ "$requests" -ge 6 ]
}

nothing_but_the_tunnel()
{
	watch leak alice wan
	on alice ping -n -c 2 -i 0.2 -W 2 $exit4
	on alice ping -n -c 2 -i 0.2 -W 2 $exit6
	unwatch leak
	other=$(packets leak "not (host $edge4 and port $port) and not arp and
		not (icmp6 and (ip6[40] >= 133 and ip6[40] <= 136))")
	echo "other packets on alice's wan: $other"
	[ "$other" -eq 0 ]
}

begin
cat >"$work/exit.policy" <<END
route "0.0.0.0/0" {
	via = {"dc1"}
	rule "exit" { from = {"group:eng"} }
}
route "::/0" {
	via = {"dc1"}
	rule "exit" { from = {"group:eng"} }
}
END
on edge sh -c 'cat >>/etc/tund/edge.policy' <"$work/exit.policy"
office_file connector dc1 "$edge4:$port" \
	'announce = {"10.77.0.0/24", "fd74:756e:77::/64", "0.0.0.0/0", "::/0"}'
office_file alice full "$edge4:$port" 'full_tunnel = true'
footprint alice >"$work/alice/before"

ok 'the edge is up' comes_up edge edge
ok 'the connector is up' comes_up connector dc1
ok 'alice is up without a full tunnel' comes_up alice office
ok 'her other packets go their own way' by_alice
ok 'the private network is reached' page alice $origin4
ok 'alice leaves nothing' leaves_nothing alice office
ok 'alice is up with a full tunnel' comes_up alice full
ok 'her other packets leave at the connector' by_connector
ok 'the private network is reached, too' page alice $origin4
ok 'nothing but the tunnel leaves alice' nothing_but_the_tunnel
ok 'alice leaves nothing' leaves_nothing alice full
ok 'her packets go their own way again' by_alice
