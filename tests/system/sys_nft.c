/* SPDX-License-Identifier: ISC */
/*
 * What our nft table lets through, packet by packet, in a network namespace of our own. Both sides
 * of a connector are TUNs in our hands:
 *
 *     tunnel                    connector                      private network
 *     100.80.0.11  --- tund0 [ 100.80.0.2   10.77.0.1 ] lan0 --- 10.77.0.10 (announced)
 *                                                            --- 10.99.0.10 (not announced)
 *
 * TAP; root; run by sys.sh.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tund/sys/netlink.h>
#include <tund/sys/nft.h>
#include <tund/sys/sysctl.h>
#include <tund/sys/tun.h>

#include "sys_tap.h"

#define QUIET_MS 100 /* what has not come by then was dropped: the kernel forwards at once */

struct udp_packet {
	struct iphdr ip;
	struct udphdr udp;
	uint32_t number;
};

struct sides {
	int tunnel, lan;
	struct netlink *nl;
};

static uint32_t numbers;

static uint16_t ip_checksum(const struct iphdr *ip)
{
	uint16_t words[sizeof *ip / 2];
	uint32_t sum = 0;
	size_t i;

	memcpy(words, ip, sizeof *ip);
	for (i = 0; i < sizeof words / sizeof words[0]; i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~(sum + (sum >> 16));
}

/* Without a UDP checksum, which IPv4 allows. */
static struct udp_packet packet(const char *src, uint16_t sport, const char *dst, uint16_t dport)
{
	struct udp_packet p = {
		.ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP,
		       .tot_len = htons(sizeof p), .saddr = inet_addr(src),
		       .daddr = inet_addr(dst)},
		.udp = {.source = htons(sport), .dest = htons(dport),
			.len = htons(sizeof p.udp + sizeof p.number)},
		.number = ++numbers,
	};

	p.ip.check = ip_checksum(&p.ip);
	return p;
}

static void inject(int side, const struct udp_packet *p)
{
	struct iovec whole = {.iov_base = (void *)(uintptr_t)p, .iov_len = sizeof *p};

	(void)tun_write(&tun_kernel, side, &whole, 1);
}

/* Whether this packet comes out of a side; others (router solicitations) are passed over. */
static bool comes_out(int side, const struct udp_packet *in, struct udp_packet *out)
{
	struct pollfd p = {.fd = side, .events = POLLIN};
	uint8_t buf[2048];

	while (poll(&p, 1, QUIET_MS) == 1) {
		ssize_t n = tun_read(&tun_kernel, side, buf, sizeof buf);

		if (n != (ssize_t)sizeof *out || buf[0] != 0x45)
			continue;
		memcpy(out, buf, sizeof *out);
		if (out->number == in->number)
			return true;
	}
	return false;
}

static bool open_side(struct netlink *nl, const char *name, const char *address, const char *route,
		      int *fd)
{
	const struct tun_options options = {.owner = (uid_t)-1, .queues = 1};
	struct tun_features features;
	struct netlink_link link;
	struct fib_route r = {0};
	char why[WHY_MAX];
	struct ip_addr a;

	if (tun_open(&tun_kernel, name, &options, &features, fd, why) < 0 ||
	    netlink_link_get(nl, name, &link) < 0 ||
	    netlink_link_set_up(nl, link.index, true) < 0 || ip_addr_parse(address, &a) < 0 ||
	    netlink_address_add(nl, link.index, &a) < 0 || ip_prefix_parse(route, &r.dst) < 0)
		return false;
	r.ifindex = link.index;
	return netlink_route_add(nl, &r) == 0 && sysctl_set(SYSCTL_IP4_FORWARDING, name, 1) == 0;
}

static bool load(bool snat)
{
	static char script[NFT_SCRIPT_MAX];
	struct nft_table t = {.interface = "tund0", .address_count = 1, .forward = true,
			      .snat = snat, .announced_count = 1};
	struct ip_prefix announced;
	char why[WHY_MAX];
	struct ip_addr own;

	if (ip_addr_parse("100.80.0.2", &own) < 0 || ip_prefix_parse("10.77.0.0/24", &announced) < 0)
		return false;
	t.address = &own;
	t.announced = &announced;
	return nft_build(&t, script, sizeof script) > 0 && nft_run(script, why) == 0;
}

static void test_snat(struct tap *t, const struct sides *s)
{
	struct udp_packet request = packet("100.80.0.11", 5000, "10.77.0.10", 53), out, reply;

	tap_ok(t, load(true), "the table, with SNAT");
	inject(s->tunnel, &request);
	tap_ok(t, comes_out(s->lan, &request, &out), "tunnel to an announced prefix passes");
	tap_ok(t, out.ip.saddr == inet_addr("10.77.0.1"), "from the connector's own address");
	reply = packet("10.77.0.10", 53, "10.77.0.1", ntohs(out.udp.source));
	inject(s->lan, &reply);
	tap_ok(t, comes_out(s->tunnel, &reply, &out), "its reply passes");
	tap_ok(t, out.ip.daddr == inet_addr("100.80.0.11") && out.udp.dest == htons(5000),
	       "to the client");
}

static void test_preserve(struct tap *t, const struct sides *s)
{
	struct udp_packet request = packet("100.80.0.11", 5001, "10.77.0.10", 53), out, reply;

	tap_ok(t, load(false), "the table, source preserved");
	inject(s->tunnel, &request);
	tap_ok(t, comes_out(s->lan, &request, &out) && out.ip.saddr == inet_addr("100.80.0.11"),
	       "the origin sees the client's tunnel address");
	reply = packet("10.77.0.10", 53, "100.80.0.11", 5001);
	inject(s->lan, &reply);
	tap_ok(t, comes_out(s->tunnel, &reply, &out), "its reply passes");
}

static void test_refusals(struct tap *t, const struct sides *s)
{
	struct udp_packet other = packet("100.80.0.11", 5002, "10.99.0.10", 53), out;
	struct udp_packet back = packet("100.80.0.11", 5003, "100.80.0.12", 53);
	struct udp_packet new = packet("10.77.0.66", 7, "100.80.0.11", 5002);
	struct udp_packet spoofed = packet("10.77.0.66", 5002, "10.77.0.10", 53);

	inject(s->tunnel, &other);
	tap_ok(t, !comes_out(s->lan, &other, &out), "tunnel to a prefix not announced: dropped");
	inject(s->tunnel, &back);
	tap_ok(t, !comes_out(s->tunnel, &back, &out), "tunnel to tunnel: dropped");
	inject(s->tunnel, &spoofed);
	tap_ok(t, !comes_out(s->lan, &spoofed, &out),
	       "tunnel, as if from the private network: dropped");
	inject(s->lan, &new);
	tap_ok(t, !comes_out(s->tunnel, &new, &out), "private network into the tunnel: dropped");
}

/* What reaches a socket of the connector itself. */
static bool is_received(int socket, const struct udp_packet *p)
{
	struct pollfd poll_fd = {.fd = socket, .events = POLLIN};
	uint32_t number = 0;

	return poll(&poll_fd, 1, QUIET_MS) == 1 &&
	       recv(socket, &number, sizeof number, 0) == sizeof number && number == p->number;
}

static void test_own(struct tap *t, const struct sides *s)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(5300)};
	struct udp_packet guess = packet("10.77.0.66", 7, "100.80.0.2", 5300);
	struct udp_packet service = packet("10.77.0.66", 7, "10.77.0.1", 5300);
	struct udp_packet tunnel = packet("100.80.0.11", 7, "100.80.0.2", 5300);
	struct udp_packet announced = packet("100.80.0.11", 7, "10.77.0.1", 5300);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	tap_ok(t, bind(fd, (const struct sockaddr *)&any, sizeof any) == 0, "a service here");
	inject(s->lan, &service);
	tap_ok(t, is_received(fd, &service), "the private network reaches it");
	inject(s->lan, &guess);
	tap_ok(t, !is_received(fd, &guess), "but not by our tunnel address");
	inject(s->tunnel, &announced);
	tap_ok(t, is_received(fd, &announced), "the tunnel, by an announced address");
	inject(s->tunnel, &tunnel);
	tap_ok(t, !is_received(fd, &tunnel), "but not by another");
	close(fd);
}

/* That it is the table that drops: without it, all of it passes. */
static void test_without(struct tap *t, const struct sides *s)
{
	static char script[NFT_SCRIPT_MAX];
	struct udp_packet other = packet("100.80.0.11", 5004, "10.99.0.10", 53), out;
	struct udp_packet new = packet("10.77.0.66", 7, "100.80.0.11", 5004);
	struct udp_packet spoofed = packet("10.77.0.66", 5004, "10.77.0.10", 53);
	char why[WHY_MAX];

	nft_build_delete("tund0", script, sizeof script);
	tap_ok(t, nft_run(script, why) == 0, "the table removed");
	inject(s->tunnel, &other);
	tap_ok(t, comes_out(s->lan, &other, &out), "now the prefix not announced is reached");
	inject(s->tunnel, &spoofed);
	tap_ok(t, comes_out(s->lan, &spoofed, &out), "also as if from the private network");
	inject(s->lan, &new);
	tap_ok(t, comes_out(s->tunnel, &new, &out), "and the tunnel from the private network");
}

int main(void)
{
	struct sides s = {-1, -1, NULL};
	struct fib_route extra = {0};
	struct netlink_link lan;
	struct tap t = {0};

	if (unshare(CLONE_NEWNET) < 0) {
		printf("1..0 # SKIP no network namespace: %s\n", strerror(errno));
		return 0;
	}
	if (tap_ok(&t, netlink_open(&s.nl) == 0 &&
			       open_side(s.nl, "tund0", "100.80.0.2", "100.80.0.0/16", &s.tunnel) &&
			       open_side(s.nl, "lan0", "10.77.0.1", "10.77.0.0/24", &s.lan),
		   "two sides") &&
	    netlink_link_get(s.nl, "lan0", &lan) == 0 &&
	    ip_prefix_parse("10.99.0.0/24", &extra.dst) == 0) {
		extra.ifindex = lan.index;
		tap_zero(&t, netlink_route_add(s.nl, &extra), "and a prefix behind one of them");
		test_snat(&t, &s);
		test_preserve(&t, &s);
		test_refusals(&t, &s);
		test_own(&t, &s);
		test_without(&t, &s);
	}
	netlink_close(s.nl);
	return tap_end(&t);
}
