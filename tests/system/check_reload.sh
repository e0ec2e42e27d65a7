#!/bin/sh
# SPDX-License-Identifier: ISC
# A new policy while packets flow: who stays allowed notices nothing, who no longer is is out at
# once, and a wrong one changes nothing. The hosts are drawn in scripts/hosts.sh.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${TUND_SRCDIR:-$(dirname "$0")/../..}/tests/system/lib.sh"

reload()
{
	on edge tund reload edge
}

# slowly HOST: a download of 2 MB/s into $work/slow in the background, when its first MB is there.
slowly()
{
	rm -f "$work/slow"
	page "$1" "http://$origin4/slow" --max-time 40 -o "$work/slow" \
		-w 'curl: %{size_download} bytes, %{num_connects} connection, %{time_total} s\n' &
	download=$!
	wait_for 10 has_bytes "$work/slow" 1000000
}

reloads_unnoticed()
{
	slowly alice || return 1
	for nth in 1 2 3 4 5 6 7 8 9 10; do
		reload || {
			echo "reload $nth failed"
			return 1
		}
	done
	kill -0 $download || echo 'the download was over too soon'
	wait $download && cmp "$work/slow" "$work/origin/www/10MB"
}

by_signal()
{
	policy_file 'rule "not-alice" { from = {"user:bob@example.com"} proto = tcp }'
	on edge kill -HUP "$(pid_of edge tund)"
	wait_for 5 explained 1 alice@example.com tcp $origin4 80 &&
		refused_at_once alice $origin4
}

edge_knows_mtu()
{
	on edge sh -c 'tund status --json edge | grep -q "\"mtu\": $1"' knows "$1"
}

# A smaller MTU of a client's own: the edge is told, and packets to it keep to it.
smaller_mtu()
{
	on alice sh -c 'echo "mtu = 1300" >>/etc/tund/office.conf && tund reload office' &&
		wait_for 5 edge_knows_mtu 1300 && works alice $origin4
}

# failed_reload LINE TEXT: a policy with a mistake there.
failed_reload()
{
	on edge sh -c 'sed -i "$1s/.*/$2/" /etc/tund/edge.policy' mistake "$1" "$2"
	on edge tund reload edge >"$work/said" 2>&1
	reload_code=$?
	cat "$work/said"
	policy_file
	[ $reload_code -eq 78 ] && grep -q "edge[.]policy:$1: " "$work/said" &&
		explained 0 alice@example.com tcp $origin4 80 && works alice $origin4
}

tunnel_bytes()
{
	on alice cat /sys/class/net/tund0/statistics/rx_bytes
}

# alice's rule is gone: 100 ms after the reload nothing of her download comes any more, and curl,
# which only receives, knows that its connection has ended (56).
revoked()
{
	slowly alice || return 1
	policy_file 'rule "web" { from = {"user:bob@example.com"} proto = tcp ports = {"80"} }'
	flowed=$(tunnel_bytes)
	reload || return 1
	sleep 0.1
	revoked_at=$(tunnel_bytes)
	sleep 1
	later=$(tunnel_bytes)
	echo "bytes out of the tunnel: $flowed before, $revoked_at at 100 ms after the reload, $later a second later"
	kill -0 $download 2>/dev/null && stop alice curl
	wait $download
	[ $? -eq 56 ] && [ $((later - revoked_at)) -le 1000 ]
}

removed()
{
	slowly bob || return 1
	on edge sed -i '/^principal "bob/,/^}/d; s/user:bob@example.com/group:eng/' /etc/tund/edge.policy
	reload || return 1
	had=$(stat -c %s "$work/slow")
	wait_for 5 bob_is_down
	removed_down=$?
	stop bob curl
	wait $download
	echo "bytes at the reload: $had, at the end: $(stat -c %s "$work/slow")"
	[ $removed_down -eq 0 ]
}

# announces PREFIX...: the connector, from now on.
announces()
{
	office_file connector dc1 "$edge4:$port" "announce = {$*}"
	on connector tund reload dc1
}

# What the edge says where no connector is; one that does not announce it would reset.
is_out_of_reach()
{
	page alice "http://$origin4/" -v --max-time 1 >"$work/said" 2>&1
	grep 'No route to host' "$work/said"
}

withdrawn()
{
	announces '"fd74:756e:77::/64"' && wait_for 5 is_out_of_reach &&
		gets_page alice "[$origin6]" || return 1
	announces '"10.77.0.0/24", "fd74:756e:77::/64"' && wait_for 5 gets_page alice $origin4
}

bob_is_down()
{
	! page bob "http://$origin4/" --max-time 1 &&
		[ "$(status edge edge 'peers[principal=bob@example.com].up')" != true ]
}

# His session seems to live, but a new handshake gets no answer.
not_up_any_more()
{
	on bob tund up --timeout 2 office
	[ $? -eq 75 ]
}

# connector_refuses CODE TEXT: what a reload says there, after which all is as before.
connector_refuses()
{
	on connector tund reload dc1 >"$work/said" 2>&1
	refused_code=$?
	cat "$work/said"
	[ $refused_code -eq "$1" ] && grep -q "$2" "$work/said" && works alice $origin4
}

# The parent says no if nft would not take its table; the announced networks stay as well.
refuses_table()
{
	office_file connector dc1 "$edge4:$port" 'announce = {"fd74:756e:77::/64"}'
	printf '#!/bin/sh\necho no room\nexit 1\n' >"$work/no-nft"
	chmod +x "$work/no-nft"
	on connector mount --bind "$work/no-nft" "$(command -v nft)" || return 1
	connector_refuses 71 'nft refused our table: no room'
	table_refused=$?
	on connector umount "$(command -v nft)"
	return $table_refused
}

# Another keepalive is another peer, on the same way.
another_peer()
{
	office_file connector dc1 "$edge4:$port" 'announce = {"10.77.0.0/24", "fd74:756e:77::/64"}' \
		'keepalive = 7'
	on connector tund reload dc1 && wait_for 10 gets_page alice $origin4
}

# The edge with an engine that does this with a new configuration.
edge_whose_engine()
{
	policy_file
	on edge tund down edge
	export TUND_TEST_PREPARE="$1"
	on edge tund up edge
	unset TUND_TEST_PREPARE
	wait_for 20 gets_page alice $origin4
}

# without_alice CODE TEXT: what a reload says that takes her rule away.
without_alice()
{
	policy_file 'rule "web" { from = {"user:bob@example.com"} proto = tcp ports = {"80"} }'
	reload >"$work/said" 2>&1
	reload_code=$?
	cat "$work/said"
	[ $reload_code -eq "$1" ] && grep -q "$2" "$work/said"
}

# An edge goes on as before.
refused_by_engine()
{
	without_alice 71 'engine cannot take the new configuration: Cannot allocate memory' &&
		works alice $origin4 && explained 0 alice@example.com tcp $origin4 80
}

# Its engine starts again, as it was before.
dies_in_prepare()
{
	without_alice 71 'engine ended while it looked at the new configuration' &&
		wait_for 20 gets_page alice $origin4
}

is_silent()
{
	silent_since=$(milliseconds)
	without_alice 0 'reloaded; the engine did not answer' || return 1
	silent_ms=$(($(milliseconds) - silent_since))
	echo "$silent_ms ms"
	[ $silent_ms -ge 5000 ] && [ $silent_ms -lt 7000 ] &&
		wait_for 20 gets_page bob $origin4 && wait_for 5 refused_at_once alice $origin4
}

# Who asks while another reload waits for the engine gets what the file says by then.
one_behind_another()
{
	on edge tund reload edge >"$work/first" 2>&1 &
	first=$!
	sleep 1
	policy_file
	reload || return 1
	wait $first || return 1
	cat "$work/first"
	wait_for 20 gets_page alice $origin4
}

begin_up alice:office bob:office
ok 'it works' works alice $origin4
ok 'ten reloads during a download: the download does not notice' reloads_unnoticed
ok 'a failed reload says file:line and changes nothing' failed_reload 2 '	grups = {"eng"}'
ok 'a reload with a bad address says file:line and changes nothing' \
	failed_reload 5 '		address = {"100.80.0.300"}'
ok 'a reload with a key of low order says file:line and changes nothing' \
	failed_reload 4 '		public_key = "4Ot6fDtBuK4WVuP68Z\/EatoJjeucMrH9hmIFFl9JuAA="'
ok 'reload after a failed one' reload
ok 'a reload by SIGHUP' by_signal
policy_file
ok 'and back' reload
ok 'alice works again' works alice $origin4
ok 'the edge knows the smaller MTU of a client' smaller_mtu
ok "alice's rule is removed: her live flow ends within 100 ms" revoked
ok 'she is refused at once' refused_at_once alice $origin4
ok 'and bob is let in' gets_page bob $origin4
ok 'bob is removed: he is out' removed
ok '"tund up" there, again, does not call his old session a working tunnel' not_up_any_more
ok 'and on alice, who is not, it does' on alice tund up --timeout 2 office
ok 'alice, who may again, works' gets_page alice $origin4
ok 'what the connector announces no longer is out of reach, and back when it does again' withdrawn
policy_file
ok 'all are let in again' reload
ok 'a reload of the connector with a table that nft refuses changes nothing' refuses_table
ok 'with a peer changed, it works' another_peer
ok 'alice works with an edge whose engine refuses' edge_whose_engine refuse
ok 'a reload that it refuses says why and changes nothing' refused_by_engine
ok 'alice works with an edge whose engine dies of a new configuration' edge_whose_engine die
ok 'a reload that it dies of says so and changes nothing' dies_in_prepare
ok 'alice works with an edge whose engine ignores a new configuration' edge_whose_engine ignore
ok 'it is killed after 5 s, and starts again with the new configuration' is_silent
ok 'a reload while another waits for the engine is done behind it' one_behind_another
