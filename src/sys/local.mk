# libtund_sys.a: thin adapters to the kernel. A program that uses none of netlink.c links no libnl,
# and so on: the archive gives it only what it calls.
noinst_LIBRARIES += libtund_sys.a
libtund_sys_a_CFLAGS = $(AM_CFLAGS) $(NL_CFLAGS) $(SECCOMP_CFLAGS) $(CAPNG_CFLAGS)

libtund_sys_a_SOURCES = \
	include/tund/sys/channel.h src/sys/channel.c \
	include/tund/sys/clock.h src/sys/clock.c \
	include/tund/sys/file.h src/sys/file.c \
	include/tund/sys/hook.h include/tund/sys/ifname.h src/sys/ifname.c \
	include/tund/sys/log.h src/sys/log.c \
	include/tund/sys/memfd.h src/sys/memfd.c \
	include/tund/sys/netlink.h src/sys/netlink.c \
	src/sys/netlink_request.h src/sys/netlink_request.c \
	src/sys/netlink_link.c src/sys/netlink_route.c \
	include/tund/sys/netns.h src/sys/netns.c \
	include/tund/sys/nft.h src/sys/nft.c src/sys/nft_run.c \
	include/tund/sys/notify.h src/sys/notify.c \
	include/tund/sys/privilege.h src/sys/privilege.c \
	include/tund/sys/process.h src/sys/process.c \
	include/tund/sys/sandbox.h src/sys/sandbox.c src/sys/sandbox_filter.c \
	src/sys/sandbox_landlock.h src/sys/sandbox_landlock.c \
	include/tund/sys/socket.h src/sys/socket.c \
	include/tund/sys/sysctl.h src/sys/sysctl.c \
	include/tund/sys/tcp.h src/sys/tcp.c \
	include/tund/sys/tun.h src/sys/tun.c \
	include/tund/sys/udp.h src/sys/udp.c src/sys/udp_send.c \
	include/tund/sys/unixsock.h src/sys/unixsock.c \
	include/tund/sys/why.h src/sys/why.c
