/* SPDX-License-Identifier: ISC */
/*
 * Trains of datagrams, and several sockets on one port, on the loopback of a network namespace of
 * its own:
 *
 *     [ lo 127.0.0.0/8, ::1; MTU 1500 ]
 *
 * TAP; root; run by sys.sh.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tund/sys/netlink.h>
#include <tund/sys/udp.h>

#include "sys_tap.h"

#define PORT 51820
#define SHARED 4
#define FLOWS 64
#define SEGMENT 1000
#define LEN 10500 /* 10 of them and a half */
#define TOS 0xba

static const struct socket_options options = {.buffer_bytes = 7 << 20};
static uint8_t data[LEN], in[UDP_BATCH_MAX * UDP_GRO_ROOM];

static struct endpoint endpoint(const char *text)
{
	struct endpoint e = {0};

	if (endpoint_parse(text, &e) < 0)
		abort();
	return e;
}

static struct udp_socket bound(struct tap *t)
{
	struct udp_socket s = {.fd = -1};
	char why[WHY_MAX] = "";
	int fd = -1;

	tap_ok(t, udp_open_bound(PORT, 1, &options, &fd, why) == 0 &&
	       udp_socket_init(&s, fd, &udp_kernel) == 0 && s.gso, "bound, knows trains %s", why);
	return s;
}

static struct udp_socket connected(const struct endpoint *remote)
{
	struct udp_socket s = {.fd = -1};
	char why[WHY_MAX];
	int fd = -1;

	if (udp_open_connected(remote, &options, &fd, why) < 0 ||
	    udp_socket_init(&s, fd, &udp_kernel) < 0)
		abort();
	return s;
}

struct arrived {
	unsigned messages, trains;
	size_t bytes;
	bool intact; /* every byte, TOS and segment as sent */
};

/* Receives until nothing more comes. */
static struct arrived receive(const struct udp_socket *s)
{
	struct udp_datagram d[UDP_BATCH_MAX];
	struct arrived a = {.intact = true};
	struct pollfd p = {.fd = s->fd, .events = POLLIN};

	while (poll(&p, 1, 100) == 1) {
		int n = udp_receive(s, in, UDP_GRO_ROOM, d, UDP_BATCH_MAX);

		for (int i = 0; i < n; i++) {
			a.intact = a.intact && a.bytes + d[i].len <= LEN && d[i].tos == TOS &&
				   memcmp(d[i].data, data + a.bytes, d[i].len) == 0 &&
				   (d[i].segment == 0 || d[i].segment == SEGMENT);
			a.messages++;
			a.trains += d[i].segment > 0;
			a.bytes += d[i].len;
		}
	}
	return a;
}

/* One way to send, received without and with GRO. */
static void test_way(struct tap *t, const char *what, struct udp_socket *from,
		     const struct endpoint *local, const struct endpoint *remote,
		     struct udp_socket *to, bool gro)
{
	bool gso = from->gso;
	struct arrived a;

	tap_zero(t, udp_send_train(from, local, remote, data, LEN, SEGMENT, TOS), what);
	tap_ok(t, from->gso == gso, "%s: as it was", what);
	a = receive(to);
	tap_ok(t, a.bytes == LEN && a.intact, "%s: all of it came", what);
	if (gso && gro)
		tap_ok(t, a.messages == 1 && a.trains == 1, "%s: as one", what);
	else if (!gro)
		tap_ok(t, a.messages == 11 && a.trains == 0, "%s: as 11", what);
}

static void test_trains(struct tap *t, const char *to_text, const char *from_text)
{
	struct endpoint remote = endpoint(to_text), local = endpoint(from_text);
	struct udp_socket to = bound(t), from = connected(&remote);
	struct endpoint client;

	for (int gro = 0; gro < 2; gro++) {
		from.gso = true;
		test_way(t, "connected", &from, NULL, &remote, &to, gro);
		from.gso = false;
		test_way(t, "connected, one by one", &from, NULL, &remote, &to, gro);
		if (gro == 0)
			tap_ok(t, udp_set_gro(&to), "trains are received from now on");
	}
	/* From a bound one, from an address of its choice. */
	if (socket_local(from.fd, &client) < 0)
		abort();
	udp_set_gro(&from);
	test_way(t, "bound", &to, &remote, &client, &from, true);
	to.gso = false;
	test_way(t, "bound, one by one", &to, &remote, &client, &from, true);
	to.gso = true;
	tap_ok(t, udp_send_train(&to, &local, &client, data, LEN, SEGMENT, TOS) == 1 && to.gso,
	       "from an address that has gone: from another one");
	to.gso = false;
	tap_ok(t, udp_send_train(&to, &local, &client, data, LEN, SEGMENT, TOS) == 1,
	       "one by one as well");
	close(from.fd);
	close(to.fd);
}

/* What a device without checksum offload does (EIO), this option does on every one (EINVAL). */
static void test_refused(struct tap *t)
{
	struct endpoint remote = endpoint("127.0.0.1:51820");
	struct udp_socket to = bound(t), from = connected(&remote);
	struct arrived a;
	int on = 1;

	tap_ok(t, udp_send_train(&from, NULL, &remote, data, 3 * 1490, 1490, TOS) == -EMSGSIZE &&
	       from.gso, "too big for the interface: trains go on");
	setsockopt(from.fd, SOL_SOCKET, SO_NO_CHECK, &on, sizeof on);
	tap_zero(t, udp_send_train(&from, NULL, &remote, data, LEN, SEGMENT, TOS),
		 "a train that the kernel refuses is sent");
	tap_ok(t, !from.gso, "and is the last one");
	a = receive(&to);
	tap_ok(t, a.bytes == LEN && a.messages == 11 && a.intact, "it came as 11");
	close(from.fd);
	close(to.fd);
}

/* Which of the sockets the flow's datagrams came to; -1: several or none. */
static int socket_of(const struct udp_socket *shared, const struct udp_socket *client,
		     const struct endpoint *remote)
{
	struct udp_datagram d[UDP_BATCH_MAX];
	int found = -1;

	for (int i = 0; i < 5; i++)
		udp_send(client, NULL, remote, "x", 1, 0);
	for (int i = 0; i < SHARED; i++) {
		int n = udp_receive(&shared[i], in, UDP_GRO_ROOM, d, UDP_BATCH_MAX);

		if (n == 5)
			found = i;
		else if (n != -EAGAIN)
			return -1;
	}
	return found;
}

static void test_flows(struct tap *t, const struct udp_socket *shared, const char *text)
{
	struct endpoint remote = endpoint(text);
	int seen[SHARED] = {0}, whole = 0, used = 0;

	for (int i = 0; i < FLOWS; i++) {
		struct udp_socket client = connected(&remote);
		int at = socket_of(shared, &client, &remote);

		if (at >= 0)
			whole++, used += seen[at]++ == 0;
		close(client.fd);
	}
	tap_ok(t, whole == FLOWS, "%s: %d of %d flows are at one socket each", text, whole, FLOWS);
	tap_ok(t, used > 1, "%s: they are at %d sockets", text, used);
}

static void test_shared(struct tap *t)
{
	struct socket_options sharing = {.share_port = true};
	struct udp_socket shared[SHARED];
	struct endpoint local = {0};
	char why[WHY_MAX] = "";
	int fds[SHARED], other;

	tap_ok(t, udp_open_bound(PORT, 0, &options, fds, why) == -EINVAL, "none is too few");
	why[0] = '\0';
	tap_ok(t, udp_open_bound(PORT, SHARED, &options, fds, why) == 0, "%d on one port %s",
	       SHARED, why);
	for (int i = 0; i < SHARED; i++)
		udp_socket_init(&shared[i], fds[i], &udp_kernel);
	tap_ok(t, udp_open_bound(PORT, 1, &options, &other, why) == -EADDRINUSE, "it is in use");
	test_flows(t, shared, "127.0.0.1:51820");
	test_flows(t, shared, "[::1]:51820");
	for (int i = 0; i < SHARED; i++)
		close(fds[i]);
	tap_ok(t, udp_open_bound(PORT, 1, &sharing, &other, why) == 0, "somebody who would share");
	tap_ok(t, udp_open_bound(PORT, SHARED, &options, fds, why) == -EADDRINUSE, "is noticed");
	close(other);
	tap_ok(t, udp_open_bound(0, SHARED, &options, fds, why) == 0 &&
	       socket_local(fds[0], &local) == 0 && local.port != 0, "a port of the kernel's choice");
	for (int i = 0; i < SHARED; i++) {
		struct endpoint e = {0};

		tap_ok(t, socket_local(fds[i], &e) == 0 && e.port == local.port, "the same");
		close(fds[i]);
	}
}

int main(void)
{
	struct netlink_link lo;
	struct netlink *nl;
	struct tap t = {0};

	if (unshare(CLONE_NEWNET) < 0) {
		printf("1..0 # SKIP no network namespace: %s\n", strerror(errno));
		return 0;
	}
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 31 + i / 997);
	if (tap_zero(&t, netlink_open(&nl), "netlink opened") &&
	    tap_ok(&t, netlink_link_get(nl, "lo", &lo) == 0 &&
		   netlink_link_set_mtu(nl, lo.index, 1500) == 0 &&
		   netlink_link_set_up(nl, lo.index, true) == 0, "the loopback")) {
		test_trains(&t, "127.0.0.1:51820", "203.0.113.9:1");
		test_trains(&t, "[::1]:51820", "[2001:db8::9]:1");
		test_refused(&t);
		test_shared(&t);
		netlink_close(nl);
	}
	return tap_end(&t);
}
