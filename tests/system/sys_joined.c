/* SPDX-License-Identifier: ISC */
/*
 * What the coalescer writes to a TUN, cut again by the kernel itself: it forwards it to a second
 * TUN that can do nothing, so that packets leave there as they would on a wire, checksums
 * complete. They must be those that went in, a hop older.
 *
 *     this program === [ tund0, virtio headers ] this host forwards [ tund1, plain ] === this program
 *         10.77.0.10, fdfd:...          ------------------------->          100.80.0.11, fcfc:...
 *
 * TAP; root; run by sys.sh.
 */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tund/base/bytes.h>
#include <tund/sys/netlink.h>
#include <tund/sys/tun.h>
#include <tund/wire/coalesce.h>

#include "../unit/gso_order.h"
#include "sys_tap.h"

#define SEEDS 40

/* The order of emission does not matter here, only what the kernel makes of it. */
static struct order order;
static struct {
	int in, out;
	unsigned writes, refused;
} host;

static void emit(void *ctx, const struct iovec *iov, size_t n)
{
	(void)ctx;
	host.writes++;
	if (tun_write(&tun_kernel, host.in, iov, n) < 0)
		host.refused++;
}

static bool set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, value, strlen(value));

	if (fd >= 0)
		close(fd);
	return n > 0;
}

/* The device, and the routes to what lies behind it. */
static bool attach(struct netlink *nl, const char *name, const char *net4, const char *net6)
{
	const char *const nets[] = {net4, net6};
	struct netlink_link link;
	bool ok = netlink_link_get(nl, name, &link) == 0 &&
		  netlink_link_set_mtu(nl, link.index, 1500) == 0 &&
		  netlink_link_set_up(nl, link.index, true) == 0;

	for (size_t i = 0; ok && i < 2; i++) {
		struct fib_route route = {.ifindex = link.index};

		ok = ip_prefix_parse(nets[i], &route.dst) == 0 &&
		     netlink_route_add(nl, &route) == 0;
	}
	return ok;
}

static bool make_node(struct tun_features *features)
{
	const struct tun_options joined = {.owner = (uid_t)-1, .queues = 1, .vnet_hdr = true};
	const struct tun_options plain = {.owner = (uid_t)-1, .queues = 1};
	struct tun_features none;
	struct netlink *nl;
	char why[WHY_MAX];
	bool ok;

	if (unshare(CLONE_NEWNET) < 0 ||
	    tun_open(&tun_kernel, "tund0", &joined, features, &host.in, why) < 0 ||
	    tun_open(&tun_kernel, "tund1", &plain, &none, &host.out, why) < 0 ||
	    !set("/proc/sys/net/ipv4/ip_forward", "1") ||
	    !set("/proc/sys/net/ipv6/conf/all/forwarding", "1") ||
	    !set("/proc/sys/net/ipv4/conf/all/rp_filter", "0") || netlink_open(&nl) < 0)
		return false;
	ok = attach(nl, "tund0", "10.77.0.0/24", "fdfd::/16") &&
	     attach(nl, "tund1", "100.80.0.0/24", "fcfc::/16");
	netlink_close(nl);
	return ok;
}

/* Takes the hop back that the host took off, and leaves out what the host says by itself. */
static void came(uint8_t *packet, size_t len)
{
	if (packet[0] >> 4 == 6 && packet[8] == 0xfd) {
		packet[7]++;
		order_came(&order, packet, len);
	} else if (packet[0] >> 4 == 4) {
		packet[8]++;
		put_be16(packet + 10, 0);
		put_be16(packet + 10, plain_sum(0, packet, (packet[0] & 15) * 4u));
		order_came(&order, packet, len);
	}
}

/* All that leaves, until everything has, or nothing does for a while. */
static void collect(void)
{
	static uint8_t packet[TUN_PACKET_MAX];
	struct pollfd ready = {.fd = host.out, .events = POLLIN};

	while (order.seen < order.count && poll(&ready, 1, 2000) > 0) {
		ssize_t n = tun_read(&tun_kernel, host.out, packet, sizeof packet);

		if (n >= 20)
			came(packet, (size_t)n);
	}
}

static bool finish(struct coalescer *c)
{
	coalesce_flush(c);
	collect();
	return order_holds(&order) && order.seen == order.count && host.refused == 0;
}

static struct coalescer *begin(const struct tun_features *features)
{
	enum coalesce_mode mode = features->uso ? COALESCE_TCP_UDP : COALESCE_TCP;
	struct coalescer *c = coalescer_new(emit, NULL);

	if (!c)
		exit(EXIT_FAILURE);
	coalesce_set_mode(c, mode);
	order_init(&order, mode);
	host.writes = host.refused = 0;
	return c;
}

static void bulk(struct tap *t, const struct tun_features *features, unsigned kind)
{
	bool v6 = kind & 1, udp = kind & 2, partial = kind & 4, once = features->uso || !udp;
	struct coalescer *c = begin(features);
	struct shape s = shape_bulk(v6, udp);
	bool ok;

	for (unsigned i = 0; i < 40; i++) {
		s.flags = i == 39 ? 0x18 : 0x10;
		s.payload = i == 39 ? 77 : 1300;
		order_add(&order, c, &s, partial);
		shape_advance(&s);
	}
	ok = finish(c);
	tap_ok(t, ok && host.writes == (once ? 1 : 40),
	       "%s over IPv%d, checksums %s: %u packets of 40 left, %u writes, %u refused",
	       udp ? "UDP" : "TCP", v6 ? 6 : 4, partial ? "to be completed" : "complete",
	       order.seen, host.writes, host.refused);
	coalescer_free(c);
}

/* Packets that came whole, with options in front as well. */
static void whole(struct tap *t, const struct tun_features *features)
{
	static uint8_t frame[70000];
	struct coalescer *c = begin(features);
	bool ok = true;

	for (unsigned kind = 0; kind < 4; kind++) {
		struct shape s = shape_bulk(kind & 1, false);

		s.flags = 0x98;
		s.src_port = (uint16_t)(2000 + kind);
		s.ip_words = (uint8_t)(kind / 2);
		s.payload = 20000;
		order_add_whole(&order, c, &s, 1200, frame);
		ok = finish(c) && ok;
	}
	tap_ok(t, ok && host.writes == 4, "whole packets: %u pieces of %zu left, %u refused",
	       order.seen, order.count, host.refused);
	coalescer_free(c);
}

/* A few flows in turn, with what may happen between two packets. */
static bool mixed(const struct tun_features *features, uint64_t seed)
{
	struct coalescer *c = begin(features);
	struct prng r = {seed};
	struct shape flow[6];
	bool ok;

	for (unsigned i = 0; i < 6; i++) {
		flow[i] = shape_random(&r);
		flow[i].src_port = (uint16_t)(1000 + i);
	}
	while (order.count < 100) {
		struct shape *s = &flow[pick(&r, 6)];

		for (uint32_t n = 1 + pick(&r, 12); n > 0; n--) {
			s->flags = (uint8_t)(0x10 | (pick(&r, 6) ? 0 : pick(&r, 256)));
			if (pick(&r, 12) == 0)
				s->payload = pick(&r, 1400);
			order_add(&order, c, s, pick(&r, 5) != 0);
			shape_advance(s);
		}
	}
	ok = finish(c);
	coalescer_free(c);
	return ok;
}

int main(void)
{
	struct tun_features features;
	unsigned good = 0;
	struct tap t = {0};

	if (!tap_ok(&t, make_node(&features), "a host that forwards"))
		return tap_end(&t);
	for (unsigned kind = 0; kind < 8; kind++)
		bulk(&t, &features, kind);
	whole(&t, &features);
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		good += mixed(&features, seed);
	tap_ok(&t, good == SEEDS, "%u of %u mixtures of flows came out whole and in order", good,
	       SEEDS);
	return tap_end(&t);
}
