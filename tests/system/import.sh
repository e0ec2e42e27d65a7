#!/bin/sh
# SPDX-License-Identifier: ISC
# "tund import" of wg-quick files, good and bad, and "tund export": what is printed, what is not,
# who may read it. In the loader's sandbox, as the user tund of a private /etc. TAP.
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

build=$(realpath "${TUND_BUILDDIR:-.}")
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
count=0

# An /etc of our own: a file mounted over another goes when somebody outside replaces that one.
mkdir "$dir/etc"
mount -t tmpfs -o mode=755 tmpfs "$dir/etc"
cp -a /etc/. "$dir/etc"
mount --move "$dir/etc" /etc
sed -i '/^tund:/d' /etc/passwd /etc/group
echo 'tund:x:978:978::/nonexistent:/usr/sbin/nologin' >>/etc/passwd
echo 'tund:x:978:' >>/etc/group
mkdir "$dir/libexec" "$dir/work"
chmod 755 "$dir"
ln -s "$build/src/loader/loader" "$dir/libexec/loader"
export TUND_LIBEXECDIR="$dir/libexec"
cd "$dir/work" || exit 1
umask 077

tund()
{
	"$build/src/cmd/tund" "$@"
}

A=AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=
B=AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=
C=AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=
rest="[Peer]
PublicKey = $B
AllowedIPs = 10.0.0.0/24
Endpoint = vpn.example.com:51820"

ok()
{
	name=$1
	shift
	count=$((count + 1))
	if "$@" >evidence 2>&1; then
		echo "ok $count - $name"
	else
		echo "not ok $count - $name"
		head -n 20 evidence out err 2>/dev/null | sed 's/^/# /'
	fi
}

# imports EXIT WORDS: standard input is the file; both words must be said.
imports()
{
	cat >wg7.conf
	rm -f out
	tund import -o out wg7.conf 2>err
	code=$?
	[ $code = "$1" ] && { [ -z "$2" ] || grep -qF -- "$2" err; }
}

has()
{
	for line in "$@"; do
		grep -qxF -- "$line" out || { echo "no line: $line"; return 1; }
	done
}

bad()
{
	expected=$1
	ok "refused: $expected" imports 78 "$expected"
	ok 'and nothing written' [ ! -e out ]
}

everything()
{
	imports 0 '' <<END || return
# a comment
[interface]
privatekey=$A   # its key
Address = 10.0.0.2/24, fd00::2/64
Address=10.0.1.2
ListenPort = 0
FwMark = 0xca6c
MTU = 1380
Table = auto
SaveConfig = false

[PEER]
PublicKey = $B
PresharedKey = $C
AllowedIPs = 10.0.0.0/24, 192.168.1.77/24
AllowedIPs = fd00::/64
Endpoint = [2001:db8::1]:4500
PersistentKeepalive = 25
END
	[ ! -s err ] &&
		has 'role = client' "private_key = \"$A\"" 'interface = "wg7"' \
			'address = {"10.0.0.2", "fd00::2", "10.0.1.2"}' \
			'routes = {"10.0.0.0/24", "192.168.1.0/24", "fd00::/64"}' \
			'mtu = 1380' 'keepalive = 25' 'fwmark = 0xca6c' "	public_key = \"$B\"" \
			"	preshared_key = \"$C\"" '	endpoint = "[2001:db8::1]:4500"' \
			'	suite = wireguard' &&
		! grep -q 'accept_routes\|full_tunnel' out
}

checks()
{
	mv out new.conf && tund check ./new.conf && mv new.conf out
}

full_tunnel()
{
	imports 0 'both halves' <<END || return
[Interface]
PrivateKey = $A
Address = 10.0.0.2/32
[Peer]
PublicKey = $B
AllowedIPs = 0.0.0.0/1, ::/0, 128.0.0.0/1
Endpoint = 192.0.2.1:51820
END
	has 'routes = {"0.0.0.0/0", "::/0"}' 'full_tunnel = yes' 'keepalive = 0'
}

other_networks()
{
	imports 0 '' <<END || return
[Interface]
PrivateKey = $A
Address = 198.51.100.7/32
[Peer]
PublicKey = $B
AllowedIPs = 203.0.113.0/24
Endpoint = vpn.example.com:51820
END
	has 'accept_routes = {"203.0.113.0/24", "198.51.100.7/32"}'
}

warned()
{
	imports 0 "wg7.conf:4: warning: $1 " <<END
[Interface]
PrivateKey = $A
Address = 10.0.0.2/32
$1 = $2
$rest
END
}

ok 'every key' everything
ok 'the result is good' checks
ok 'only its owner may read it' [ "$(stat -c %a out)" = 600 ]
ok 'it is not overwritten' sh -c '"$@" 2>&1 | grep -q "File exists; remove it"' sh \
	"$build/src/cmd/tund" import -o out wg7.conf
ok 'everything through the tunnel' full_tunnel
ok 'the result is good' checks
ok 'networks that are not private' other_networks
ok 'the result is good' checks
ok 'PreUp is told' warned PreUp 'echo %i'
ok 'PostUp is told' warned PostUp 'iptables -A FORWARD -i %i -j ACCEPT'
ok 'PreDown is told' warned PreDown true
ok 'PostDown is told' warned PostDown true
ok 'SaveConfig is told' warned SaveConfig true
ok 'DNS is told' warned DNS '9.9.9.9, corp.example.com'
ok 'ListenPort is told' warned ListenPort 51820
bad 'wg7.conf:7: a second peer: a client has one edge' <<END
[Interface]
PrivateKey = $A
Address = 10.0.0.2
[Peer]
PublicKey = $B

[Peer]
PublicKey = $C
END
bad 'wg7.conf:2: PrivateKey is no key' <<END
[Interface]
PrivateKey = ${A#A}
END
ok 'which is not shown' sh -c '! grep -q QEBAQEB err'
bad 'wg7.conf: [Interface] has no PrivateKey' <<END
[Interface]
Address = 10.0.0.2
$rest
END
bad 'wg7.conf: [Interface] has no Address' <<END
[Interface]
PrivateKey = $A
$rest
END
bad 'wg7.conf: [Peer] has no Endpoint' <<END
[Interface]
PrivateKey = $A
Address = 10.0.0.2
[Peer]
PublicKey = $B
AllowedIPs = 10.0.0.0/24
END
bad 'wg7.conf:3: Jx is no key of [Interface]' <<END
[Interface]
PrivateKey = $A
Jx = 4
$rest
END
bad 'wg7.conf:1: PrivateKey is no key of a file before' <<END
PrivateKey = $A
END
bad 'wg7.conf:2: MTU = 576 is less than tund takes' <<END
[Interface]
MTU = 576
END
bad 'wg7.conf:1: [Interfaces] is no section' <<END
[Interfaces]
END
bad 'wg7.conf:2: Address = 10.0.0.2/33' <<END
[Interface]
Address = 10.0.0.2/33
END
bad 'wg7.conf:2: Endpoint = vpn.example.com is no endpoint' <<END
[Peer]
Endpoint = vpn.example.com
END
bad 'wg7.conf:2: PersistentKeepalive = 65536' <<END
[Peer]
PersistentKeepalive = 65536
END
bad 'wg7.conf:1: expected Key = value' <<END
what
END
bad 'wg7.conf: there is no [Interface]' </dev/null
printf 'a\000b' >wg7.conf
ok 'a file that is no text' sh -c '"$@" 2>&1 | grep -q "this is no text"' sh \
	"$build/src/cmd/tund" import wg7.conf
head -c 1100000 /dev/zero | tr '\0' '#' >wg7.conf
ok 'a file that is too long' sh -c '"$@" 2>&1 | grep -q "too large"' sh \
	"$build/src/cmd/tund" import wg7.conf
ok 'no such file' sh -c '"$@" 2>&1 | grep -q "No such file"' sh "$build/src/cmd/tund" import none

# Files that people have, with what is wrong in those that cannot become a client. The others are
# imported, and what is written is good.
reasons='
addr9 one address too many
amnezia a key of AmneziaWG
emptyips has no AllowedIPs
idn begins with "xn--"
linklocaladdr has no Address
mtu1200 is less than tund takes
mtu576 is less than tund takes
noaddr has no Address
noendpoint has no Endpoint
plusminus is no prefix
semicolon expected Key = value
table123 not to be set as usual
tableoff not to be set as usual
twopeers a second peer
v4short is no prefix
zeroip is no prefix
zone names an interface of this host'

a_case()
{
	reason=$(echo "$reasons" | sed -n "s/^$1 //p")
	imports "$([ -z "$reason" ] && echo 0 || echo 78)" "$reason" <"$cases/$1.conf" || return
	[ -n "$reason" ] || checks
}

cases=${TUND_CASES:-$TUND_SRCDIR/../shared/cases}/import
ok 'there are files that people have' [ -f "$cases/plain.conf" ]
for file in "$cases"/*.conf; do
	case_name=$(basename "$file" .conf)
	ok "the file $case_name" a_case "$case_name"
done
imports 0 '' <"$cases/n300.conf"
ok '300 prefixes hold the same as four' has \
	'routes = {"10.0.0.0/16", "10.1.0.0/19", "10.1.32.0/21", "10.1.40.0/22"}'
imports 0 '' <"$cases/pskzero.conf"
ok 'a preshared key of zeros is none' sh -c '! grep -q preshared_key out'

cat >edge.conf <<END
role = edge
private_key = "$A"
mtu = 1400
END
cat >edge.policy <<END
principal "alice@example.com" {
	device "laptop" { public_key = "$B" address = {"100.80.0.11"} }
	device "phone" {
		public_key = "$C"
		suite = wireguard
		preshared_key = "$B"
		address = {"100.80.0.12", "fd74:756e:64::12"}
	}
}
principal "dc1" { kind = connector device "a" { public_key = "BAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ=" } }
route "10.77.0.0/24" { via = {"dc1"} }
route "fd74:756e:77::/64" { via = {"dc1"} }
END

exports()
{
	expected=$1
	shift
	tund export "$@" ./edge.conf >out 2>err
	[ $? = "$expected" ]
}

plain_export()
{
	exports 0 --wg alice@example.com --endpoint edge.example.com &&
		has '# PrivateKey = the private key of this device, which only it has' \
			'Address = 100.80.0.12/32, fd74:756e:64::12/128' 'MTU = 1400' \
			"PublicKey = $(echo $A | tund pubkey)" "PresharedKey = $B" \
			'AllowedIPs = 10.77.0.0/24, fd74:756e:77::/64' \
			'Endpoint = edge.example.com:51820' 'PersistentKeepalive = 25' &&
		! grep -q "$A" out && ! grep -q '^DNS' out && [ ! -s err ]
}

generated()
{
	exports 0 --wg alice@example.com/phone --endpoint '[2001:db8::1]:443' --generate-key &&
		has 'Endpoint = [2001:db8::1]:443' &&
		private=$(sed -n 's/^PrivateKey = //p' out) && public=$(echo "$private" | tund pubkey) &&
		grep -qF "public_key = \"$public\"" err && ! grep -qF "$private" err &&
		! grep -rqF "$private" edge.conf edge.policy
}

# What a phone's camera would see, decoded by hand: half blocks to modules, and their number.
is_qr()
{
	exports 0 --wg alice@example.com --endpoint edge.example.com --generate-key --qr &&
		/usr/bin/python3 -c '
rows = open("out", encoding="utf-8").read().splitlines()
light = {" ": (0, 0), "\u2580": (1, 0), "\u2584": (0, 1), "\u2588": (1, 1)}
grid = []
for row in rows:
    grid += [[light[c][half] for c in row] for half in (0, 1)]
size = len(grid[0]) - 8
assert (size - 17) % 4 == 0, size
dark = [[1 - grid[y + 4][x + 4] for x in range(size)] for y in range(size)]
finder = [[max(abs(x - 3), abs(y - 3)) != 2 for x in range(7)] for y in range(7)]
for oy, ox in ((0, 0), (0, size - 7), (size - 7, 0)):
    for y in range(7):
        for x in range(7):
            assert dark[oy + y][ox + x] == finder[y][x], (oy, ox, y, x)
assert all(dark[6][x] == (x + 1) % 2 for x in range(8, size - 8))
assert all(all(grid[y][x] for x in range(4)) for y in range(size + 8))'
}

as_client()
{
	exports 0 --wg alice@example.com --endpoint edge.example.com --generate-key && cp out back.conf &&
		rm out && tund import -o out back.conf && has 'mtu = 1400' && checks
}

ok 'export without a private key' plain_export
ok 'a generated key is told in the output only' generated
ok 'what is exported can be imported' as_client
ok 'a QR code' is_qr
ok 'a device that is no stock peer' exports 1 --wg alice@example.com/laptop
ok 'says the remedy' grep -q 'expected suite = wireguard' err
ok 'no such principal' exports 1 --wg bob@example.com
ok 'no such device' exports 1 --wg alice@example.com/desk
ok 'a principal without a stock peer' exports 1 --wg dc1
ok 'no endpoint' exports 64 --wg alice@example.com --endpoint 'a b'
ok 'QR without a key' exports 64 --wg alice@example.com --endpoint a --qr
ok 'whose' exports 64
umask 022
rm -f out
ok 'no keys into a file that others may read' exports 64 --wg alice@example.com --generate-key
ok 'not even by import' sh -c '! "$@" >out2 2>err && [ ! -s out2 ]' sh "$build/src/cmd/tund" \
	import back.conf
echo "1..$count"
