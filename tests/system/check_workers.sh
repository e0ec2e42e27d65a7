#!/bin/sh
# SPDX-License-Identifier: ISC
# Four data workers on every host: many flows at once, over UDP and TCP, while keys and the policy
# are replaced every second. In a build with ThreadSanitizer a race ends the engine, and with it
# what is downloaded. The hosts are drawn in scripts/hosts.sh.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${TUND_SRCDIR:-$(dirname "$0")/../..}/tests/system/lib.sh"

threads()
{
	n=$(on "$1" sh -c 'ls "/proc/$1/task" | wc -l' threads "$(pid_of "$1" engine)")
	echo "$1: $n threads of the engine"
	[ "$n" -ge 5 ] # a sanitizer has one of its own
}

queues()
{
	n=$(on "$1" sh -c 'ls /sys/class/net/tund0/queues | grep -c ^tx')
	echo "$1: $n queues"
	[ "$n" -eq 4 ]
}

# many: 10 MB twelve times at once, of both families.
many()
{
	jobs=
	for nth in 1 2 3 4 5 6; do
		page alice "http://$origin4/10MB" --max-time 60 -o "$work/many4.$nth" &
		jobs="$jobs $!"
		page alice "http://[$origin6]/10MB" --max-time 60 -o "$work/many6.$nth" &
		jobs="$jobs $!"
	done
	broken=0
	for job in $jobs; do
		wait "$job" || broken=$((broken + 1))
	done
	for file in "$work"/many[46].*; do
		cmp "$file" "$work/origin/www/10MB" || broken=$((broken + 1))
	done
	rm -f "$work"/many[46].*
	echo "$broken of 12 downloads are broken"
	[ $broken -eq 0 ]
}

many_while_all_changes()
{
	(while :; do
		on edge tund reload edge >/dev/null 2>&1
		sleep 0.2
	done) &
	changes=$!
	many
	result=$?
	kill $changes
	wait $changes 2>/dev/null
	return $result
}

one_engine()
{
	now=$(pid_of "$1" engine)
	echo "$1: engine $now, at first $2"
	[ "$now" = "$2" ]
}

no_race()
{
	! grep -h -A 12 'ThreadSanitizer' "$work"/*/log
}

begin
for file in edge:edge connector:dc1 alice:office; do
	on "${file%:*}" sh -c 'echo "workers = 4" >>"/etc/tund/$1.conf"' workers "${file#*:}"
done
export TUND_TEST_REKEY_S=1
for tunnel in edge:edge connector:dc1 alice:office; do
	ok "${tunnel%:*} is up within 10 s" comes_up "${tunnel%:*}" "${tunnel#*:}" 10
done
edge_engine=$(pid_of edge engine) alice_engine=$(pid_of alice engine)
for host in edge connector alice; do
	ok "four workers on $host" threads $host
done
ok 'four TUN queues on alice' queues alice
ok 'twelve downloads at once' many
ok 'the same while keys and policy are replaced' many_while_all_changes
on alice tund down office
on alice sed -i '1i transport = tcp' /etc/tund/office.conf
ok 'alice over TCP' comes_up alice office 10
ok 'twelve downloads at once over TCP' many_while_all_changes
ok 'the same engine all the time' one_engine edge "$edge_engine"
ok 'no race was seen' no_race
