# Tests of the whole in network namespaces of their own; each speaks TAP and needs root. Add a
# test to SYSTEM_TESTS, and what the tests source or read to EXTRA_DIST.
SYSTEM_TESTS = tests/system/sys.sh tests/system/control.sh
SYSTEM_TESTS += tests/system/loader.sh
SYSTEM_TESTS += tests/system/import.sh
SYSTEM_TESTS += tests/system/check_tunnel.sh tests/system/check_transport.sh
SYSTEM_TESTS += tests/system/check_full_tunnel.sh
SYSTEM_TESTS += tests/system/check_crash.sh tests/system/check_process.sh
SYSTEM_TESTS += tests/system/check_parent.sh
SYSTEM_TESTS += tests/system/check_wireguard.sh tests/system/check_interop.sh
SYSTEM_TESTS += tests/system/check_wg.sh tests/system/check_wg_families.sh
SYSTEM_TESTS += tests/system/check_flood.sh tests/system/check_reload.sh
SYSTEM_TESTS += tests/system/check_workers.sh tests/system/check_fallbacks.sh tests/system/check_bench.sh
EXTRA_DIST += $(SYSTEM_TESTS) tests/system/lib.sh tests/system/flood.py tests/system/interop.py \
	tests/system/uapi.py tests/system/wg.sh tests/system/without_ipv6.py

noinst_PROGRAMS += tests/system/sys_sandbox tests/system/sys_network tests/system/sys_nft \
	tests/system/sys_tun tests/system/sys_udp tests/system/sys_workers tests/system/sys_joined
noinst_HEADERS += tests/system/sys_tap.h
tests_system_sys_joined_SOURCES = tests/system/sys_joined.c $(ORDER_SOURCES)
tests_system_sys_joined_LDADD = libtund_sys.a libtund_core.a $(NL_LIBS)
tests_system_sys_sandbox_SOURCES = tests/system/sys_sandbox.c
tests_system_sys_sandbox_LDADD = libtund_sys.a libtund_core.a $(SECCOMP_LIBS) $(CAPNG_LIBS)
tests_system_sys_network_SOURCES = tests/system/sys_network.c
tests_system_sys_network_LDADD = libtund_sys.a libtund_core.a $(NL_LIBS)
tests_system_sys_nft_SOURCES = tests/system/sys_nft.c
tests_system_sys_nft_LDADD = libtund_sys.a libtund_core.a $(NL_LIBS)
tests_system_sys_tun_SOURCES = tests/system/sys_tun.c
tests_system_sys_tun_LDADD = libtund_sys.a libtund_core.a $(NL_LIBS)
tests_system_sys_udp_SOURCES = tests/system/sys_udp.c
tests_system_sys_udp_LDADD = libtund_sys.a libtund_core.a $(NL_LIBS)
tests_system_sys_workers_SOURCES = tests/system/sys_workers.c
tests_system_sys_workers_LDADD = libtund_sys.a libtund_core.a $(SECCOMP_LIBS) $(CAPNG_LIBS)
