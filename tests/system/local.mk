# Tests of the whole in network namespaces of their own; each speaks TAP and needs root. Add a
# test to SYSTEM_TESTS, and what the tests source or read to EXTRA_DIST.
SYSTEM_TESTS = tests/system/sys.sh tests/system/control.sh
SYSTEM_TESTS += tests/system/loader.sh
EXTRA_DIST += $(SYSTEM_TESTS)

noinst_PROGRAMS += tests/system/sys_sandbox tests/system/sys_network tests/system/sys_nft
noinst_HEADERS += tests/system/sys_tap.h
tests_system_sys_sandbox_SOURCES = tests/system/sys_sandbox.c
tests_system_sys_sandbox_LDADD = libtund_sys.a libtund_core.a $(SECCOMP_LIBS) $(CAPNG_LIBS)
tests_system_sys_network_SOURCES = tests/system/sys_network.c
tests_system_sys_network_LDADD = libtund_sys.a libtund_core.a $(NL_LIBS)
tests_system_sys_nft_SOURCES = tests/system/sys_nft.c
tests_system_sys_nft_LDADD = libtund_sys.a libtund_core.a $(NL_LIBS)
