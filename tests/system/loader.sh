#!/bin/sh
# SPDX-License-Identifier: ISC
# The loader as the parent starts it: inside its sandbox, as the user tund of a private /etc, on
# the files of doc/examples and on wrong ones. TAP.
set -u
if [ "${1-}" != inside ]; then
	if ! unshare -mn true 2>/dev/null; then
		if [ "${TUND_TEST_STRICT-}" = 1 ]; then
			echo 'Bail out! not root'
			exit 1
		fi
		echo '1..0 # SKIP not root'
		exit
	fi
	exec unshare -mn --propagation private sh "$0" inside
fi

examples=${TUND_SRCDIR:-.}/doc/examples
loader=$(realpath "${TUND_BUILDDIR:-.}/src/loader/loader")
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
count=0

grep -v '^tund:' /etc/passwd >"$dir/passwd"
echo 'tund:x:978:978::/nonexistent:/usr/sbin/nologin' >>"$dir/passwd"
grep -v '^tund:' /etc/group >"$dir/group"
echo 'tund:x:978:' >>"$dir/group"
mount --bind "$dir/passwd" /etc/passwd
mount --bind "$dir/group" /etc/group
cp "$examples"/* "$dir"
cd "$dir" || exit 1
chmod 600 ./*.conf ./*.policy

# is NAME EXIT WORDS ARGUMENTS...: the loader's exit code, and a part of what it says.
is()
{
	count=$((count + 1))
	name=$1 code=$2 words=$3
	shift 3
	if [ -e "$3" ]; then
		said=$("$loader" "$@" 3<"$2" 4<"$3" 5>full 6>public 7>host 2>&1)
	else
		said=$("$loader" "$@" 3<"$2" 4<&- 5>full 6>public 7>host 2>&1)
	fi
	got=$?
	case $said in
	*"$words"*) [ "$got" = "$code" ] && echo "ok $count - $name" && return ;;
	esac
	echo "# exit $got: $said" | head -n 5
	echo "not ok $count - $name"
}

is 'an edge' 0 'edge on port 51820: 3 principals, 3 devices, 2 routes, 3 rules' \
	check edge.conf edge.policy
is 'a connector' 0 'connector tund0 to edge.example.com:51820: 1 prefix' check connector.conf none
is 'a connector with a policy' 0 'connector tund0' check connector.conf connector.policy
is 'a client' 0 'client tund0 to edge.example.com:51820' check client.conf none
is 'a client with a policy' 78 'edge.policy: a client has no policy' check client.conf edge.policy
is 'an edge without one' 78 'none: there is no such file' check edge.conf none
is 'a role that is none' 78 'edge.policy:' check edge.policy none
is 'an accepted question' 0 'rule:   "web", edge.policy:' \
	explain edge.conf edge.policy alice@example.com - 10.77.0.10 tcp 80
is 'a refused one, as JSON' 1 '"accepted":false,"action":"reject","reason":"no_rule"' \
	explain edge.conf edge.policy bob@example.com - 10.77.0.10 tcp 80 json
is 'somebody unknown' 64 'explain: principal "eve"' \
	explain edge.conf edge.policy eve - 10.77.0.10 tcp 80
is 'the views' 0 '' load edge.conf edge.policy

count=$((count + 1))
key=$(printf '\001\001\001\001\001\001\001\001\001\001\001\001\001\001\001\001')
if [ -s full ] && [ -s public ] && [ -s host ] && grep -aq "$key" full &&
	! grep -aq "$key" public && ! grep -aq "$key" host && ! grep -aq example.com/ host; then
	echo "ok $count - only the full view has the private key"
else
	echo "not ok $count - only the full view has the private key"
fi

# 20,000 principals: whatever the C library needs for them is allowed, too.
awk 'BEGIN { for (i = 0; i < 20000; i++) printf "principal \"u%d\" { groups = {\"g%d\"} }\n", i, i }' \
	>large.policy
is 'a large policy' 0 '20000 principals' check edge.conf large.policy

chmod 644 client.conf
is 'a key that others may read' 78 'chmod 600 client.conf' check client.conf none
sed 's|public_key = "[^"]*"|public_key = "zo060cy2M+x7cMF4FKXHbs0CloUFDTRHRboFhw5YfVk="|' client.conf >own.conf
chmod 600 own.conf
is "its own key as the edge's" 78 "is this host's own" check own.conf none
is 'no such verb' 64 'usage' nonsense edge.conf edge.policy
is 'a directory' 78 'not a regular file' check . none
grep -v '^tund:' passwd >none.passwd
cat none.passwd >/etc/passwd
is 'no user tund' 78 'systemd-sysusers' check edge.conf edge.policy
echo "1..$count"
