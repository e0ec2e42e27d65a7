#!/bin/sh
# SPDX-License-Identifier: ISC
# The control program in its sandbox: the cases of tests/unit/check_control once more, with the
# program itself, the user tund (in a private /etc) and a system call filter that kills. TAP.
#
#     check_control ==channel== libexec/tund/control ==channel== check_control
#
set -u
build=${TUND_BUILDDIR:-.}

if [ "$(id -u)" != 0 ]; then
	echo '1..0 # SKIP needs root'
	exit 0
fi
if [ "${1-}" != inside ]; then
	exec unshare --mount --net -- "$0" inside
fi

ip link set lo up
etc=$(mktemp -d)
trap 'umount /etc/passwd /etc/group 2>/dev/null; rm -rf "$etc"' EXIT
for file in passwd group; do
	cp "/etc/$file" "$etc/$file"
done
getent passwd tund >/dev/null || echo 'tund:x:64999:64999::/nonexistent:/usr/sbin/nologin' >>"$etc/passwd"
getent group tund >/dev/null || echo 'tund:x:64999:' >>"$etc/group"
mount --bind "$etc/passwd" /etc/passwd && mount --bind "$etc/group" /etc/group || exit 1

TUND_TEST_CONTROL=$build/src/control/control "$build/tests/unit/check_control"
