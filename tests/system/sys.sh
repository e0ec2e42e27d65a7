#!/bin/sh
# SPDX-License-Identifier: ISC
# The adapters of src/sys against the real kernel. Topology: one network namespace of its
# own (sys_network enters it itself), with nothing in it but lo and the TUN that the test makes:
#
#     [ lo 127.0.0.0/8, 2001:db8::1 ]  [ tund0 100.80.0.11, fd74:756e:64::11 -> 10.77.0.0/24 ]
#
# /proc/sys/net follows the namespace. sys_nft.c, sys_tun.c, sys_udp.c, sys_workers.c and
# sys_joined.c have topologies of their own. TAP: that of seven programs, one after the other.
set -u
build=${TUND_BUILDDIR:-.}/tests/system

if [ "$(id -u)" -ne 0 ]; then
	echo "1..0 # SKIP needs root"
	exit 0
fi
if [ ! -c /dev/net/tun ]; then
	echo "1..0 # SKIP no /dev/net/tun"
	exit 0
fi

# Seven plans in one stream would be an error: count anew, plan once.
{
	"$build/sys_sandbox" || true
	"$build/sys_network" || true
	"$build/sys_nft" || true
	"$build/sys_tun" || true
	"$build/sys_udp" || true
	"$build/sys_workers" || true
	"$build/sys_joined" || true
} | awk '
	/^1\.\.[0-9]+$/ { ended++; next }
	/^(not )?ok [0-9]+/ { sub(/ok [0-9]+/, "ok " ++count) }
	{ print; fflush() }
	END {
		print (ended == 7 ? "ok " : "not ok ") ++count " - all programs came to their end"
		print "1.." count
	}'
