/* SPDX-License-Identifier: ISC */
/*
 * Two hosts that only have each other, joined by this program: what it reads from the TUN of one
 * it writes to that of the other as it is, in two pieces.
 *
 *     [ host 0: 10.9.0.1 --- tund0 ] ====== this program ====== [ tund1 --- 10.9.0.2 :host 1 ]
 *
 * With virtio headers and USO, on a kernel without USO, without the headers; and the queues of a
 * multi-queue device. TAP; root; run by sys.sh.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <tund/sys/netlink.h>
#include <tund/sys/sysctl.h>
#include <tund/sys/tun.h>
#include <tund/sys/udp.h>

#include "sys_tap.h"

#define MTU 1400
#define PORT 4000
#define BYTES (4u << 20)
#define TRAIN 12
#define SEGMENT 1000
#define QUEUES 4
#define FLOWS 64

static const char *const names[2] = {"tund0", "tund1"};
static const char *const addresses[2] = {"10.9.0.1", "10.9.0.2"};

struct node {
	int netns, tun;
	struct tun_features features;
	size_t largest; /* packet that came out of it, bytes without virtio header */
};

/* A kernel before 6.2. */
static int ioctl_without_uso(int fd, unsigned long request, void *arg)
{
	if (request == TUNSETOFFLOAD && ((uintptr_t)arg & 0x60)) {
		errno = EINVAL;
		return -1;
	}
	return tun_kernel.ioctl(fd, request, arg);
}

/* One that does not offer the headers. */
static int ioctl_without_headers(int fd, unsigned long request, void *arg)
{
	int result = tun_kernel.ioctl(fd, request, arg);

	if (request == TUNGETFEATURES && result == 0)
		*(unsigned *)arg &= ~(unsigned)IFF_VNET_HDR;
	return result;
}

static const struct {
	const char *text;
	int (*ioctl)(int fd, unsigned long request, void *arg);
	bool vnet_hdr, uso;
} kernels[] = {
	{"all offloads", NULL, true, true},
	{"no USO", ioctl_without_uso, true, false},
	{"no virtio headers", ioctl_without_headers, false, false},
};

static bool set_up(const char *name, const char *own, const char *other)
{
	struct fib_route route = {0};
	struct netlink_link link;
	struct netlink *nl;
	struct ip_addr a;
	bool ok;

	if (netlink_open(&nl) < 0)
		return false;
	ok = netlink_link_get(nl, name, &link) == 0 && ip_addr_parse(own, &a) == 0 &&
	     ip_prefix_parse(other, &route.dst) == 0;
	sysctl_set(SYSCTL_IP6_ADDR_GEN_MODE, name, 1);
	route.ifindex = link.index;
	ok = ok && netlink_link_set_gso_max(nl, link.index, 60000) == 0 &&
	     netlink_link_set_queue(nl, link.index, 1000) == 0 &&
	     netlink_link_set_mtu(nl, link.index, MTU) == 0 &&
	     netlink_address_add(nl, link.index, &a) == 0 &&
	     netlink_link_set_up(nl, link.index, true) == 0 && netlink_route_add(nl, &route) == 0;
	netlink_close(nl);
	return ok;
}

static bool make_node(struct node *h, int side, const struct tun_ops *ops)
{
	const struct tun_options options = {.owner = (uid_t)-1, .queues = 1, .vnet_hdr = true};
	char other[20], why[WHY_MAX];

	snprintf(other, sizeof other, "%s/32", addresses[!side]);
	*h = (struct node){0};
	if (unshare(CLONE_NEWNET) < 0)
		return false;
	h->netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return tun_open(ops, names[side], &options, &h->features, &h->tun, why) == 0 &&
	       set_up(names[side], addresses[side], other);
}

static bool enter(const struct node *h)
{
	return setns(h->netns, CLONE_NEWNET) == 0;
}

/* All that waits on one side goes to the other. Returns whether it could. */
static bool shuttle(struct node *from, const struct node *to)
{
	size_t header = from->features.vnet_hdr ? TUN_VNET_HEADER : 0;
	static uint8_t packet[TUN_PACKET_MAX];
	ssize_t n;

	while ((n = tun_read(&tun_kernel, from->tun, packet, sizeof packet)) > 0) {
		/* With headers the first piece is the header alone. */
		size_t first = header ? header : 20;
		struct iovec pieces[2] = {{packet, first}, {packet + first, (size_t)n - first}};

		if ((size_t)n - header > from->largest)
			from->largest = (size_t)n - header;
		if (tun_write(&tun_kernel, to->tun, pieces, 2) < 0)
			return false;
	}
	return n == -EAGAIN;
}

static int tcp_socket(const struct node *h)
{
	return enter(h) ? socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) : -1;
}

static struct sockaddr_in at(int side, uint16_t port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};

	sin.sin_addr.s_addr = inet_addr(addresses[side]);
	return sin;
}

static uint8_t pattern(size_t i)
{
	return (uint8_t)(i * 31 + i / 997);
}

/* Sends what the socket takes of the pattern. */
static size_t send_some(int fd, size_t sent)
{
	static uint8_t chunk[1 << 16];
	size_t n = BYTES - sent < sizeof chunk ? BYTES - sent : sizeof chunk;
	ssize_t taken;

	for (size_t i = 0; i < n; i++)
		chunk[i] = pattern(sent + i);
	taken = send(fd, chunk, n, MSG_NOSIGNAL);
	return taken > 0 ? (size_t)taken : 0;
}

static bool receive_some(int fd, size_t *received)
{
	static uint8_t chunk[1 << 16];
	ssize_t n = recv(fd, chunk, sizeof chunk, 0);

	for (ssize_t i = 0; i < n; i++)
		if (chunk[i] != pattern((*received)++))
			return false;
	return true;
}

/* BYTES over TCP from host 0 to host 1. */
static bool transfer(struct node h[2])
{
	struct sockaddr_in to = at(1, PORT);
	int client = tcp_socket(&h[0]), listener = tcp_socket(&h[1]), server = -1;
	size_t sent = 0, received = 0;
	bool ok = bind(listener, (const struct sockaddr *)&to, sizeof to) == 0 &&
		  listen(listener, 1) == 0;

	if (connect(client, (const struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS)
		ok = false;
	while (ok && received < BYTES) {
		struct pollfd p[] = {{h[0].tun, POLLIN, 0}, {h[1].tun, POLLIN, 0},
				     {client, sent < BYTES ? POLLOUT : 0, 0},
				     {server < 0 ? listener : server, POLLIN, 0}};

		ok = poll(p, 4, 5000) > 0 && shuttle(&h[0], &h[1]) && shuttle(&h[1], &h[0]);
		if (p[2].revents & POLLOUT)
			sent += send_some(client, sent);
		if (server < 0 && p[3].revents)
			server = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		else if (p[3].revents)
			ok = ok && receive_some(server, &received);
	}
	close(client);
	close(listener);
	close(server);
	return ok;
}

/* A train over UDP from host 0 to host 1. Returns how many bytes of it came. */
static size_t send_train(struct node h[2])
{
	const struct socket_options options = {.buffer_bytes = 1 << 20};
	static uint8_t data[TRAIN * SEGMENT], in[UDP_GRO_ROOM];
	struct endpoint remote = {.port = PORT + 1};
	struct udp_socket from, to;
	struct udp_datagram d;
	char why[WHY_MAX];
	size_t received = 0;
	int fds[2];

	if (ip_addr_parse(addresses[1], &remote.addr) < 0 || !enter(&h[1]) ||
	    udp_open_bound(PORT + 1, 1, &options, &fds[1], why) < 0 || !enter(&h[0]) ||
	    udp_open_connected(&remote, &options, &fds[0], why) < 0)
		return 0;
	udp_socket_init(&from, fds[0], &udp_kernel);
	udp_socket_init(&to, fds[1], &udp_kernel);
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = pattern(i);
	if (udp_send_train(&from, NULL, &remote, data, sizeof data, SEGMENT, 0) == 0 &&
	    shuttle(&h[0], &h[1]))
		while (udp_receive(&to, in, sizeof in, &d, 1) == 1 && received < sizeof data &&
		       memcmp(d.data, data + received, d.len) == 0)
			received += d.len;
	close(fds[0]);
	close(fds[1]);
	return received;
}

static void test_kernel(struct tap *t, int k)
{
	struct tun_ops ops = tun_kernel;
	struct node h[2];

	if (kernels[k].ioctl)
		ops.ioctl = kernels[k].ioctl;
	if (!tap_ok(t, make_node(&h[0], 0, &ops) && make_node(&h[1], 1, &ops), "%s: two hosts",
		    kernels[k].text))
		return;
	tap_ok(t, h[0].features.vnet_hdr == kernels[k].vnet_hdr &&
	       h[0].features.uso == kernels[k].uso, "%s: virtio headers %d, USO %d",
	       kernels[k].text, h[0].features.vnet_hdr, h[0].features.uso);
	tap_ok(t, transfer(h), "%s: 4 MiB over TCP", kernels[k].text);
	tap_ok(t, (h[0].largest > MTU) == kernels[k].vnet_hdr && h[0].largest <= 60000,
	       "%s: the largest packet has %zu bytes", kernels[k].text, h[0].largest);
	h[0].largest = 0;
	tap_ok(t, send_train(h) == TRAIN * SEGMENT, "%s: a train over UDP", kernels[k].text);
	tap_ok(t, (h[0].largest > MTU) == kernels[k].uso,
	       "%s: the largest packet has %zu bytes", kernels[k].text, h[0].largest);
	for (int i = 0; i < 2; i++) {
		close(h[i].tun);
		close(h[i].netns);
	}
}

static unsigned flags_of(int fd)
{
	struct ifreq request = {0};

	return ioctl(fd, TUNGETIFF, &request) == 0 ? (unsigned short)request.ifr_flags : 0;
}

/* Which queue a datagram of the flow came out of; -1: of none or of several. */
static int queue_of(const int *tun, int sender, const struct sockaddr_in *to)
{
	static uint8_t packet[TUN_PACKET_MAX];
	int found = -1;

	for (int i = 0; i < 5; i++)
		sendto(sender, "x", 1, 0, (const struct sockaddr *)to, sizeof *to);
	for (int q = 0; q < QUEUES; q++) {
		int n = 0;

		while (tun_read(&tun_kernel, tun[q], packet, sizeof packet) > 0)
			n++;
		if (n == 5)
			found = q;
		else if (n != 0)
			return -1;
	}
	return found;
}

static void test_queues(struct tap *t)
{
	const struct tun_options options = {.owner = 65534, .queues = QUEUES, .vnet_hdr = true};
	int tun[QUEUES], seen[QUEUES] = {0}, whole = 0, used = 0, sender;
	struct tun_features features;
	char why[WHY_MAX] = "";

	if (unshare(CLONE_NEWNET) < 0 ||
	    !tap_ok(t, tun_open(&tun_kernel, names[0], &options, &features, tun, why) == 0,
		    "%d queues %s", QUEUES, why))
		return;
	tap_ok(t, set_up(names[0], addresses[0], "10.9.0.2/32"), "set up");
	for (uint16_t i = 0; i < FLOWS; i++) {
		struct sockaddr_in to = at(1, (uint16_t)(5000 + i));
		int queue;

		sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		queue = queue_of(tun, sender, &to);
		if (queue >= 0)
			whole++, used += seen[queue]++ == 0;
		close(sender);
	}
	tap_ok(t, whole == FLOWS, "%d of %d flows are in one queue each", whole, FLOWS);
	tap_ok(t, used > 1, "they are in %d queues", used);
	tap_ok(t, flags_of(tun[3]) & IFF_MULTI_QUEUE, "multi-queue");
	for (int q = 0; q < QUEUES; q++)
		close(tun[q]);
}

static void test_one_queue(struct tap *t)
{
	const struct tun_options options = {.owner = 65534, .queues = 1, .vnet_hdr = true};
	struct tun_features features;
	char why[WHY_MAX] = "";
	int tun;

	tap_ok(t, tun_open(&tun_kernel, "tund9", &options, &features, &tun, why) == 0 &&
	       !(flags_of(tun) & IFF_MULTI_QUEUE), "one queue is a plain device %s", why);
	tap_ok(t, set_up("tund9", addresses[0], "10.9.0.2/32") &&
	       system("ip -d link show tund9 | grep -q 'qlen 1000' &&"
		      "ip -d link show tund9 | grep -q 'gso_max_size 60000'") == 0,
	       "1000 packets, at most 60,000 bytes");
	close(tun);
}

int main(void)
{
	struct tap t = {0};

	if (unshare(CLONE_NEWNET) < 0) {
		printf("1..0 # SKIP no network namespace: %s\n", strerror(errno));
		return 0;
	}
	test_one_queue(&t);
	test_queues(&t);
	for (int k = 0; k < 3; k++)
		test_kernel(&t, k);
	return tap_end(&t);
}
