# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2154,SC2086 # variables of scripts/hosts.sh, single words
# What scripts/demo and the system tests prove about tund, on the hosts of scripts/hosts.sh. Each
# function prints its evidence, and its status is the verdict. Sourced.

# page HOST URL OPTION...
page()
{
	page_host=$1 page_url=$2
	shift 2
	on "$page_host" curl -sS --max-time 10 "$@" "$page_url"
}

# unreachable HOST ADDRESS: neither page nor ping.
unreachable()
{
	if page "$1" "http://$2/" --max-time 3 ||
		on "$1" ping -n -q -c 1 -W 1 "$(echo "$2" | tr -d '[]')"; then
		return 1
	fi
}

# comes_up HOST NAME: within 2 s.
comes_up()
{
	comes_from=$(milliseconds)
	on "$1" tund up "$2" || return 1
	comes_ms=$(($(milliseconds) - comes_from))
	echo "$1# tund up $2   # took $comes_ms ms"
	[ $comes_ms -le 2000 ]
}

gets_page()
{
	echo "$1\$ curl http://$2/"
	page "$1" "http://$2/" >"$work/page" || return 1
	cat "$work/page"
	cmp "$work/page" "$work/origin/www/index.html"
}

gets_10mb()
{
	page "$1" "http://$2/10MB" --max-time 30 -o "$work/10MB" \
		-w "$1\$ curl http://$2/10MB   # %{size_download} bytes in %{time_total} s" || return 1
	cmp "$work/10MB" "$work/origin/www/10MB" && echo ', byte for byte the same'
}

pings()
{
	echo "$1\$ ping $2"
	on "$1" ping -n -c 3 -i 0.2 -W 2 "$(echo "$2" | tr -d '[]')" | tail -n 2
	on "$1" ping -n -q -c 1 -W 2 "$(echo "$2" | tr -d '[]')" >/dev/null
}

works()
{
	gets_page "$1" "$2" && gets_10mb "$1" "$2" && pings "$1" "$2"
}

refused_at_once()
{
	if page "$1" "http://$2/" -w '%{errormsg} (%{time_total} s)\n' >"$work/refusal" 2>/dev/null; then
		cat "$work/refusal"
		return 1
	fi
	echo "$1\$ curl http://$2/"
	cat "$work/refusal"
	grep -q 'refused\|Could.*t connect' "$work/refusal" && grep -q '(0[.]' "$work/refusal"
}

explained()
{
	explained_by=$1
	shift
	echo "edge# tund policy explain $*"
	on edge tund policy explain "$@"
	[ $? -eq "$explained_by" ] && on edge tund policy explain "$@" | grep -q 'edge[.]policy:[0-9]'
}

spoof()
{
	echo "bob\$ curl --interface $1 http://$2/"
	if page bob "http://$2/" --interface "$1" --max-time 2; then
		return 1
	fi
	on bob ping -n -q -c 2 -i 0.2 -W 1 -I "$1" "$(echo "$2" | tr -d '[]')" | grep received
}

# Bob's host says it is alice: its own interface has her address, and every packet carries it.
spoofs()
{
	on bob ip address add $alice_inner4/32 dev tund0
	on bob ip -6 address add $alice_inner6/128 dev tund0 nodad
	watch spoofed origin any
	sent=$(interface_sent bob tund0)
	spoof $alice_inner4 $origin4 && spoof $alice_inner6 "[$origin6]" || return 1
	gone=$(($(interface_sent bob tund0) - sent))
	unwatch spoofed
	seen=$(packets spoofed ip or ip6 and not icmp6)
	on bob ip address del $alice_inner4/32 dev tund0
	on bob ip -6 address del $alice_inner6/128 dev tund0
	echo "bob sent $gone packets into his tunnel; tcpdump in the origin's network saw $seen"
	[ "$gone" -gt 0 ] && [ "$seen" -eq 0 ]
}

interface_sent()
{
	on "$1" cat "/sys/class/net/$2/statistics/tx_packets"
}

nothing_of_bob()
{
	unwatch bob
	seen=$(packets bob "(host $bob_inner4 or host $bob_inner6 or host 10.77.0.1 or host fd74:756e:77::1) and not icmp6")
	echo "origin# tcpdump   # $seen packets while bob tried"
	[ "$seen" -eq 0 ]
}

no_plaintext()
{
	watch public internet any
	watch private origin lan
	page alice "http://$origin4/10MB" -o /dev/null && page alice "http://[$origin6]/" -o /dev/null
	fetched=$?
	unwatch public
	unwatch private
	outside=$(plaintext public)
	echo "internet# tcpdump   # $(packets public) packets, secret word or inner address: $outside times"
	echo "origin# tcpdump     # $(packets private) packets, secret word or inner address: $(plaintext private) times"
	[ $fetched -eq 0 ] && [ "$(packets public)" -gt 100 ] && [ "$outside" -eq 0 ] &&
		[ "$(plaintext private)" -gt 100 ]
}

# answers FROM ADDRESS...: what answers to a knock at each of its 65535 ports, TCP and UDP.
answers()
{
	echo "internet# probe.py $*" >&2
	on internet /usr/bin/python3 "$root/scripts/probe.py" "$@"
}

only_the_port_answers()
{
	{ answers 203.0.113.1 $edge4 && answers 2001:db8:e::1 $edge6; } >"$work/answers" || return 1
	cat "$work/answers"
	[ "$(cat "$work/answers")" = "$edge4 tcp $port SYN+ACK
$edge6 tcp $port SYN+ACK" ]
}

nothing_answers()
{
	answers "$1" "$2" >"$work/answers" && answers "$3" "$4" >>"$work/answers" || return 1
	cat "$work/answers"
	[ ! -s "$work/answers" ] && echo "no answer"
}

# On the edge both sockets, and no other; elsewhere nothing that listens, all connected.
listens_only_on_port()
{
	on edge ss -H -n -l -t -u | tee "$work/ss"
	[ "$(awk '{ print $1, $5 }' "$work/ss" | sort | tr -s '\n*[]' ' ')" = "tcp :$port udp :$port " ] ||
		[ "$(awk '{ sub(/.*:/, "", $5); print $1, $5 }' "$work/ss" | sort -u | tr '\n' ' ')" = "tcp $port udp $port " ]
}

only_connected()
{
	echo "$1# ss -n -p -t -u state connected; ss -n -p -t -u -l"
	on "$1" ss -H -n -p -t -u state connected | grep -v TIME-WAIT | tee "$work/ss"
	[ -s "$work/ss" ] && ! on "$1" ss -H -n -p -t -u -l | grep .
}

shows_status()
{
	echo "$1# tund status $2"
	on "$1" tund status "$2" | tee "$work/status"
	for word in 'peer: ' 'endpoint: ' 'latest handshake: ' 'transfer: ' 'routes: '; do
		grep -q "$word" "$work/status" || {
			echo "lacks \"$word\""
			return 1
		}
	done
}

json_parses()
{
	for host in edge:edge connector:dc1 alice:office; do
		echo "${host%:*}# tund status --json ${host#*:} | python3   # $(
			status "${host%:*}" "${host#*:}" schema role up peers.0.name peers.0.transport | tr '\n' ' ')"
		[ "$(status "${host%:*}" "${host#*:}" up)" = true ] || return 1
	done
}

up_over_tcp()
{
	on alice tund down office
	block "meta l4proto udp counter drop"
	tcp_from=$(milliseconds)
	on alice tund up office || return 1
	tcp_ms=$(($(milliseconds) - tcp_from))
	echo "alice# tund up office   # took $tcp_ms ms"
	echo "alice# tund status --json office   # transport $(status alice office peers.0.transport)"
	gets_page alice $origin4 && gets_10mb alice $origin4 && [ $tcp_ms -le 6000 ] &&
		transport_is alice office tcp
}

has_bytes()
{
	[ "$(stat -c %s "$1" 2>/dev/null || echo 0)" -ge "$2" ]
}

# Dropped when 2 MB of 10 have come; the server sends 2 MB/s, so the rest is not on its way yet.
download_moves_to_tcp()
{
	unblock
	on alice tund down office
	on alice tund up office || return 1
	rm -f "$work/moved"
	before=$(wc -l <"$work/origin/access")
	echo "before: transport $(status alice office peers.0.transport)"
	transport_is alice office udp || return 1
	page alice "http://$origin4/slow" --max-time 60 -o "$work/moved" \
		-w 'curl: %{size_download} bytes, %{num_connects} connection, %{time_total} s\n' &
	download=$!
	wait_for 10 has_bytes "$work/moved" 2000000 || return 1
	block "meta l4proto udp counter drop"
	echo "UDP dropped after $(stat -c %s "$work/moved") bytes"
	wait $download || return 1
	echo "after: transport $(status alice office peers.0.transport)"
	echo "nginx: $(tail -n +$((before + 1)) "$work/origin/access")"
	transport_is alice office tcp && cmp "$work/moved" "$work/origin/www/10MB" &&
		[ "$(wc -l <"$work/origin/access")" -eq $((before + 1)) ]
}

stays_on_udp()
{
	unblock
	on alice tund down office
	on alice tund up office || return 1
	block "meta l4proto udp numgen random mod 100 < 5 counter drop"
	gets_page alice $origin4 && gets_10mb alice $origin4 || return 1
	in_network internet nft list table inet block | grep -o 'counter packets [0-9]*' |
		sed 's/counter packets/internet: packets dropped:/'
	echo "alice# tund status --json office   # transport $(status alice office peers.0.transport)"
	transport_is alice office udp
	stays=$?
	unblock
	return $stays
}

# leaves_nothing HOST NAME: the host is as it was before its first "tund up".
leaves_nothing()
{
	on "$1" tund down "$2" || return 1
	footprint "$1" >"$work/$1/after"
	echo "$1# tund down $2   # interfaces, routes, rules, nft, files, sysctls, processes: $(
		wc -l <"$work/$1/after") lines compared"
	diff "$work/$1/before" "$work/$1/after"
}

# survives_kill HOST NAME PROGRAM: kill -9, then up and down as if nothing had been.
survives_kill()
{
	on "$1" tund up "$2" || return 1
	pid=$(pid_of "$1" "$3") || return 1
	echo "$1# kill -9 $pid   # $3"
	on "$1" kill -9 "$pid"
	comes_up "$1" "$2" && leaves_nothing "$1" "$2"
}

killed_and_gone()
{
	for program in tund engine control; do
		survives_kill "$1" "$2" $program || return 1
	done
}
