#!/bin/sh
# SPDX-License-Identifier: ISC
# What an older kernel or another processor lacks, taken away one by one and all at once: it only
# gets slower. The hosts are drawn in scripts/hosts.sh.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${TUND_SRCDIR:-$(dirname "$0")/../..}/tests/system/lib.sh"

# both_ways: 10 MB to alice and 3 MB from her, and a datagram that is more than one packet.
both_ways()
{
	page alice "http://$origin4/10MB" --max-time 60 -o "$work/got" && cmp "$work/got" "$work/origin/www/10MB" &&
		page alice "http://[$origin6]/10MB" --max-time 60 -o "$work/got" && cmp "$work/got" "$work/origin/www/10MB" &&
		on alice ping -q -c 3 -i 0.2 -s 3000 "$origin4"
}

restart()
{
	for tunnel in alice:office connector:dc1 edge:edge; do
		on "${tunnel%:*}" tund down "${tunnel#*:}"
	done
	for tunnel in edge:edge connector:dc1 alice:office; do
		comes_up "${tunnel%:*}" "${tunnel#*:}" 10 || return 1
	done
}

# set_option LINE: into every configuration, in the place of the one before.
set_option()
{
	for file in edge:edge connector:dc1 alice:office; do
		on "${file%:*}" sh -c '
			sed -i "/# option\$/d" "/etc/tund/$1.conf" && echo "$2 # option" >>"/etc/tund/$1.conf"' \
			option "${file#*:}" "$1"
	done
}

# sent FILE: the UDP datagrams, or trains of them that count as one, that the edge sends while alice
# downloads 10 MB, some 7300 of them.
sent()
{
	before=$(on edge awk '/^Udp: [0-9]/ { print $5 }' /proc/net/snmp)
	page alice "http://$origin4/10MB" --max-time 60 -o "$work/got" || return 1
	cmp "$work/got" "$work/origin/www/10MB" || return 1
	sent=$(($(on edge awk '/^Udp: [0-9]/ { print $5 }' /proc/net/snmp) - before))
	echo "sent for 10 MB: $sent"
}

# reload_with LINE: the option, and no restart.
reload_with()
{
	set_option "$1"
	on edge tund reload edge && on connector tund reload dc1 && on alice tund reload office
}

one_by_one()
{
	sent && [ "$sent" -ge 7000 ]
}

in_trains()
{
	sent && [ "$sent" -lt 6000 ]
}

begin_up alice:office
ok 'with all that there is' both_ways
for without in vnet_hdr uso gso gro vnet_hdr,gso,gro; do
	export TUND_TEST_WITHOUT=$without
	ok "restarted without $without" restart
	ok "without $without" both_ways
done
unset TUND_TEST_WITHOUT
set_option 'workers = 1'
ok 'restarted with one worker' restart
ok 'with one queue' both_ways
for library in libsodium libcrypto; do
	set_option "aead = $library"
	ok "restarted with $library" restart
	ok "with $library" both_ways
done
set_option 'outer_gso = off'
ok 'restarted with outer_gso = off' restart
ok 'datagrams go one by one' one_by_one
ok 'with outer_gso = off' both_ways
ok 'a reload with outer_gso = auto' reload_with 'outer_gso = auto'
ok 'they go in trains at once' in_trains
ok 'a reload with outer_gso = off' reload_with 'outer_gso = off'
ok 'one by one again' one_by_one
