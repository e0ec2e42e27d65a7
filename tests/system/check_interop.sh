#!/bin/sh
# SPDX-License-Identifier: ISC
# tund-wg and Debian's wireguard-go, of the release and of its backports, with each other: each as
# initiator and as responder, with a preshared key and without, over IPv4 and IPv6, through rekeys,
# and all of it again with 5 % of the outer packets lost; and 10,000 peers in one transaction. The
# cells, drawn in interop.py, run side by side.
set -u
root=${TUND_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${TUND_BUILDDIR:-$PWD}
# shellcheck source-path=SCRIPTDIR source=../../scripts/wireguard-go.sh
. "$root/scripts/wireguard-go.sh"

skip_all()
{
	echo "1..0 # SKIP $*"
	exit 0
}

if [ -z "${TUND_TEST_INSIDE-}" ]; then
	[ "$(id -u)" -eq 0 ] || skip_all 'needs root, to make network namespaces'
	for tool in unshare ip nft wg /usr/bin/python3; do
		command -v $tool >/dev/null || skip_all "needs $tool: see scripts/packages"
	done
	grep -q '^#define TUND_TEST_HOOKS' "$build/config.h" 2>/dev/null ||
		skip_all "needs a build with --enable-test-hooks in $build"
	unshare --net --mount true 2>/dev/null || skip_all 'may not make namespaces'
	[ -c /dev/net/tun ] || skip_all 'needs /dev/net/tun'
	for suite in bookworm bookworm-backports; do
		wireguard_go $suite >/dev/null || skip_all "cannot fetch wireguard-go of $suite"
	done
	exec env TUND_TEST_INSIDE=1 unshare --net --mount --pid --fork --kill-child --mount-proc sh "$0"
fi

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
mount -t tmpfs -o mode=755 tmpfs /run
# An /etc of our own: a file mounted over another goes when somebody outside replaces that one.
mkdir "$work/etc"
mount -t tmpfs -o mode=755 tmpfs "$work/etc"
cp -a /etc/. "$work/etc"
mount --move "$work/etc" /etc
sed -i '/^tund:/d' /etc/passwd /etc/group
echo 'tund:x:978:978::/nonexistent:/usr/sbin/nologin' >>/etc/passwd
echo 'tund:x:978:' >>/etc/group
mkdir "$work/libexec"
ln -s "$build/src/engine/engine" "$work/libexec/engine"
TUND_LIBEXECDIR=$work/libexec TUND_TEST_REKEY_S=6 /usr/bin/python3 "$root/tests/system/interop.py" \
	"$work" "$build/src/cmd/tund-wg" "$(wireguard_go bookworm)" "$(wireguard_go bookworm-backports)"
