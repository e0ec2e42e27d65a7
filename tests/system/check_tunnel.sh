#!/bin/sh
# SPDX-License-Identifier: ISC
# The main job: who may gets through, over both families inside and outside; who may not does not,
# and nobody in between sees anything. The hosts are drawn in scripts/hosts.sh.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${TUND_SRCDIR:-$(dirname "$0")/../..}/tests/system/lib.sh"

begin
ok 'without tund there is no way in' unreachable alice $origin4
ok 'nor over IPv6' unreachable alice "[$origin6]"

ok 'the edge is up within 2 s' comes_up edge edge
ok 'the connector is up within 2 s' comes_up connector dc1
ok 'alice is up within 2 s' comes_up alice office
ok 'IPv4 inside, IPv4 outside' works alice $origin4
ok 'IPv6 inside, IPv4 outside' works alice "[$origin6]"
ok 'alice leaves nothing' leaves_nothing alice office
ok 'alice is up over IPv6' comes_up alice office6
ok 'IPv4 inside, IPv6 outside' works alice $origin4
ok 'IPv6 inside, IPv6 outside' works alice "[$origin6]"

office_file connector dc1 "[$edge6]:$port" 'announce = {"10.77.0.0/24", "fd74:756e:77::/64"}' \
	'source = preserve'
on origin ip route add 100.80.0.0/16 via 10.77.0.1
on origin ip -6 route add fd74:756e:64::/48 via fd74:756e:77::1
ok 'the connector leaves nothing' leaves_nothing connector dc1
ok 'the connector is up over IPv6' comes_up connector dc1
ok 'IPv4 inside, all IPv6 outside, source = preserve' works alice $origin4
ok 'IPv6 inside, all IPv6 outside, source = preserve' works alice "[$origin6]"
ok "the origin has seen alice's tunnel addresses" \
	grep -q "^$alice_inner4 " "$work/origin/access"
ok 'of both families' grep -q "^$alice_inner6 " "$work/origin/access"

ok 'bob is up' comes_up bob office
watch bob origin lan
ok 'bob is refused at once' refused_at_once bob $origin4
ok 'bob is refused at once over IPv6' refused_at_once bob "[$origin6]"
ok 'bob is refused the same way where no route is' refused_at_once bob 10.77.0.200
ok 'explain names the route that refuses bob' explained 1 bob@example.com tcp $origin4 80
ok 'explain names the rule that accepts alice' explained 0 alice@example.com tcp $origin4 80
ok 'explain refuses alice another port' explained 1 alice@example.com tcp $origin4 22
ok "alice's inner source from bob's session arrives nowhere" spoofs
ok "the origin's network saw nothing of bob" nothing_of_bob
ok 'no plaintext on the public leg' no_plaintext
ok 'status on the edge' shows_status edge edge
ok 'status on the connector' shows_status connector dc1
ok 'status on alice' shows_status alice office6
ok 'of the edge only its port answers' only_the_port_answers
ok 'of alice nothing answers' nothing_answers 192.0.2.1 $alice4 2001:db8:a::1 $alice6
ok 'the edge listens on its port only' listens_only_on_port
ok "alice's outer sockets are connected" only_connected alice
ok "the connector's outer sockets are connected" only_connected connector

ok 'alice leaves nothing' leaves_nothing alice office6
ok 'bob leaves nothing' leaves_nothing bob office
ok 'the connector leaves nothing' leaves_nothing connector dc1
ok 'the edge leaves nothing' leaves_nothing edge edge
