# libtund_sys.a: thin adapters to the kernel. A program that uses none of netlink.c links no libnl,
# and so on: the archive gives it only what it calls.
noinst_LIBRARIES += libtund_sys.a
libtund_sys_a_CFLAGS = $(AM_CFLAGS) $(NL_CFLAGS) $(SECCOMP_CFLAGS) $(CAPNG_CFLAGS)

libtund_sys_a_SOURCES =
