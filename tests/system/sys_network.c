/* SPDX-License-Identifier: ISC */
/*
 * The adapters for TUN, netlink, nft and sysctl, and real sockets, in a network namespace of our
 * own: nothing of this reaches the machine's. TAP; root; run by sys.sh.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tund/sys/netlink.h>
#include <tund/sys/nft.h>
#include <tund/sys/socket.h>
#include <tund/sys/sysctl.h>
#include <tund/sys/tcp.h>
#include <tund/sys/tun.h>
#include <tund/sys/udp.h>

#include "sys_tap.h"

#define TUN "tund0"
#define MARK 0x7475
#define PORT 51820

static struct ip_addr addr(const char *text)
{
	struct ip_addr a = {0};

	if (ip_addr_parse(text, &a) < 0)
		abort();
	return a;
}

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p = {0};

	if (ip_prefix_parse(text, &p) < 0)
		abort();
	return p;
}

static bool readable(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, timeout_ms) == 1;
}

static int open_tun(const char *name, int *fd, char *why)
{
	const struct tun_options options = {.owner = 65534, .queues = 1};
	struct tun_features features;

	return tun_open(&tun_kernel, name, &options, &features, fd, why);
}

static int write_tun(int fd, const void *packet, size_t len)
{
	struct iovec whole = {.iov_base = (void *)(uintptr_t)packet, .iov_len = len};

	return tun_write(&tun_kernel, fd, &whole, 1);
}

static void test_tun_names(struct tap *t)
{
	char why[WHY_MAX];
	int fd;

	tap_ok(t, open_tun("a/b", &fd, why) == -EINVAL, "a TUN with a bad name");
	tap_ok(t, open_tun(TUN, &fd, why) == -EBUSY, "a TUN that exists: %s", why);
}

/* Until an event says this of our interface, or 2 s have passed. */
static bool event_says(struct netlink_monitor *m, bool present, bool up)
{
	struct netlink_event e;
	int r;

	for (;;) {
		r = netlink_monitor_next(m, &e);
		if (r < 0 || (r == 0 && !readable(netlink_monitor_fd(m), 2000)))
			return false;
		if (r == 1 && strcmp(e.link.name, TUN) == 0 && e.present == present &&
		    (!present || e.link.up == up))
			return true;
	}
}

static void test_links(struct tap *t, struct netlink *nl, struct netlink_monitor *m,
		       struct netlink_link *link)
{
	struct netlink_link after;

	tap_ok(t, netlink_link_get(nl, "nothere0", link) == -ENODEV, "no such interface");
	tap_zero(t, netlink_link_get(nl, TUN, link), "the TUN is found");
	tap_ok(t, !link->up, "it is down at first");
	tap_zero(t, netlink_link_set_mtu(nl, link->index, 1380), "MTU 1380");
	tap_ok(t, netlink_link_set_mtu(nl, link->index, 20) == -EINVAL, "MTU 20 is refused");
	tap_zero(t, netlink_link_set_up(nl, link->index, true), "up");
	tap_ok(t, event_says(m, true, true), "the monitor saw it go up");
	tap_zero(t, netlink_link_get(nl, TUN, &after), "and it is found again");
	tap_ok(t, after.up && after.mtu == 1380, "up, MTU 1380");
}

static void test_addresses(struct tap *t, struct netlink *nl, uint32_t ifindex)
{
	struct ip_addr v4 = addr("100.80.0.11"), v6 = addr("fd74:756e:64::11");
	struct ip_prefix list[8];
	int n;

	tap_zero(t, netlink_address_add(nl, ifindex, &v4), "an IPv4 address");
	tap_zero(t, netlink_address_add(nl, ifindex, &v4), "the same once more");
	tap_zero(t, netlink_address_add(nl, ifindex, &v6), "an IPv6 address");
	n = netlink_address_list(nl, ifindex, list, 8);
	tap_ok(t, n >= 2 && list[0].len == 32 && ip_addr_equal(&list[0].addr, &v4),
	       "listed: %d, the IPv4 one first", n);
	n = netlink_address_list(nl, 0, list, 8);
	tap_ok(t, n == 2, "2 addresses on the host besides link-local and lo: %d", n);
	tap_ok(t, netlink_connected(nl, ifindex, list, 8) == 0, "no connected prefix but the TUN's");
	tap_ok(t, netlink_connected(nl, 0, list, 8) == 2, "with the TUN's 2");
	tap_ok(t, netlink_address_list(nl, 0, list, 0) == 2, "a full list still counts");
	tap_zero(t, netlink_address_del(nl, ifindex, &v4), "removed");
	tap_zero(t, netlink_address_del(nl, ifindex, &v4), "removed once more");
	tap_ok(t, netlink_address_list(nl, 0, list, 8) == 1, "1 is left");
	tap_zero(t, netlink_address_add(nl, ifindex, &v4), "and back");
}

static void test_routes(struct tap *t, struct netlink *nl, uint32_t ifindex)
{
	struct fib_route v4 = {.dst = prefix("10.77.0.0/24"), .ifindex = ifindex};
	struct fib_route v6 = {.dst = prefix("fd77::/64"), .ifindex = ifindex, .metric = 50};
	struct fib_route all = {.dst = prefix("0.0.0.0/0"), .ifindex = ifindex, .table = 29813};
	struct ip_addr inside = addr("10.77.0.10"), outside = addr("192.0.2.1");
	struct ip_addr own = addr("100.80.0.11");
	struct fib_route list[8];
	struct fib_lookup found;

	tap_zero(t, netlink_route_add(nl, &v4), "an IPv4 route");
	tap_ok(t, netlink_route_add(nl, &v4) == -EEXIST, "twice is EEXIST");
	tap_zero(t, netlink_route_add(nl, &v6), "an IPv6 route");
	tap_zero(t, netlink_route_add(nl, &all), "a default route in a table of its own");
	tap_ok(t, netlink_route_list(nl, NETLINK_PROTOCOL, ifindex, list, 8) == 3, "3 are ours");
	tap_zero(t, netlink_route_lookup(nl, &inside, 0, &found), "a look-up inside");
	tap_ok(t, found.ifindex == ifindex && !found.local && ip_addr_equal(&found.source, &own),
	       "goes through the TUN, from our address");
	tap_ok(t, netlink_route_lookup(nl, &outside, 0, &found) == -ENETUNREACH,
	       "a look-up outside: unreachable");
	tap_zero(t, netlink_route_lookup(nl, &own, 0, &found), "a look-up of our own address");
	tap_ok(t, found.local, "is local");
	tap_zero(t, netlink_route_del(nl, &v4), "IPv4 removed");
	tap_zero(t, netlink_route_del(nl, &v4), "removed once more");
	tap_zero(t, netlink_route_del(nl, &v6), "IPv6 removed");
	tap_ok(t, netlink_route_list(nl, NETLINK_PROTOCOL, 0, list, 8) == 1 &&
	       list[0].table == 29813 && list[0].dst.len == 0, "the default route is left");
}

static bool same_rule(const struct fib_rule *a, const struct fib_rule *b)
{
	return a->family == b->family && a->invert == b->invert && a->priority == b->priority &&
	       a->mark == b->mark && a->table == b->table &&
	       a->suppress_prefix == b->suppress_prefix;
}

/* The pair that wg-quick(8) uses for a full tunnel. */
static void test_rules(struct tap *t, struct netlink *nl, uint32_t ifindex, uint8_t family)
{
	struct fib_rule tunnel = {.family = family, .invert = true, .priority = 5210,
				  .mark = MARK, .table = 29813, .suppress_prefix = -1};
	struct fib_rule specific = {.family = family, .priority = 5209, .suppress_prefix = 0,
				    .table = NETLINK_TABLE_MAIN};
	struct ip_addr outside = addr("192.0.2.1");
	struct fib_rule list[4];
	struct fib_lookup found;

	tap_zero(t, netlink_rule_add(nl, &tunnel), "rule: not from all fwmark ... lookup");
	tap_ok(t, netlink_rule_add(nl, &tunnel) == -EEXIST, "twice is EEXIST");
	tap_zero(t, netlink_rule_add(nl, &specific), "rule: suppress_prefixlength 0");
	tap_ok(t, netlink_rule_list(nl, family, list, 4) == 2 && same_rule(&list[0], &specific) &&
	       same_rule(&list[1], &tunnel), "both are listed as they were added");
	if (family == 4) {
		tap_ok(t, netlink_route_lookup(nl, &outside, 0, &found) == 0 &&
		       found.ifindex == ifindex, "without the mark: into the tunnel");
		tap_ok(t, netlink_route_lookup(nl, &outside, MARK, &found) == -ENETUNREACH,
		       "with the mark: around it");
	}
	tap_zero(t, netlink_rule_del(nl, &tunnel), "removed");
	tap_zero(t, netlink_rule_del(nl, &tunnel), "removed once more");
	tap_zero(t, netlink_rule_del(nl, &specific), "and the other");
	tap_ok(t, netlink_rule_list(nl, family, list, 4) == 0, "none is left");
}

/* An ICMP echo request from 10.77.0.10 to 100.80.0.11, without checksums that anybody checks. */
static const uint8_t echo_request[] = {
	0x45, 0, 0, 28, 0, 0, 0, 0, 64, 1, 0xc0, 0xa0, 10, 77, 0, 10, 100, 80, 0, 11,
	8, 0, 0xf7, 0xff, 0, 0, 0, 0,
};

static void test_packets(struct tap *t, struct netlink *nl, uint32_t ifindex, int tun)
{
	static const uint8_t garbage[] = {0x17, 1, 2};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9),
				 .sin_addr.s_addr = htonl(0x0a4d000a)};
	struct fib_route route = {.dst = prefix("10.77.0.0/24"), .ifindex = ifindex};
	uint8_t packet[2048];
	ssize_t n = 0;
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	netlink_route_add(nl, &route);
	sendto(s, "hello", 5, 0, (const struct sockaddr *)&to, sizeof to);
	while (readable(tun, 2000) && (n = tun_read(&tun_kernel, tun, packet, sizeof packet)) > 0)
		if (packet[0] == 0x45 && packet[9] == IPPROTO_UDP)
			break;
	tap_ok(t, n == 33 && memcmp(packet + 28, "hello", 5) == 0, "a packet out of the TUN");
	tap_zero(t, write_tun(tun, echo_request, sizeof echo_request),
		 "a packet into it");
	tap_ok(t, write_tun(tun, garbage, sizeof garbage) == -EINVAL,
	       "garbage is EINVAL");
	netlink_link_set_up(nl, ifindex, false);
	tap_ok(t, write_tun(tun, echo_request, sizeof echo_request) == -EIO,
	       "down is EIO");
	netlink_link_set_up(nl, ifindex, true);
	close(s);
}

static bool table_says(const char *text)
{
	char command[200];

	snprintf(command, sizeof command,
		 "nft list table inet tund_" TUN " 2>/dev/null | grep -qF '%s'", text);
	return system(command) == 0;
}

static void test_nft(struct tap *t)
{
	struct ip_addr own[] = {addr("100.80.0.2"), addr("fd74:756e:64::2")};
	struct ip_prefix announced[] = {prefix("10.77.0.0/16"), prefix("10.77.0.0/24"),
					prefix("fd77::/48"), prefix("0.0.0.0/0")};
	struct nft_table table = {.interface = TUN, .address = own, .address_count = 2,
				  .forward = true, .snat = true, .announced = announced,
				  .announced_count = 3};
	static char script[NFT_SCRIPT_MAX];
	char why[WHY_MAX] = "";

	tap_ok(t, nft_build(&table, script, sizeof script) > 0, "a script for a connector");
	tap_ok(t, nft_run(script, why) == 0, "nft takes it %s", why);
	tap_ok(t, table_says("masquerade") && table_says("10.77.0.0/16") &&
	       table_says("fd74:756e:64::2"), "the kernel has it");
	tap_ok(t, nft_run(script, why) == 0, "and once more %s", why);
	table.announced_count = 4;
	nft_build(&table, script, sizeof script);
	tap_ok(t, nft_run(script, why) == 0, "with 0.0.0.0/0 %s", why);
	table.forward = false;
	table.address_count = 0;
	nft_build(&table, script, sizeof script);
	tap_ok(t, nft_run(script, why) == 0, "with nothing in its sets %s", why);
	tap_ok(t, table_says("guard") && !table_says("masquerade"), "it replaced the other");
	tap_ok(t, nft_build_delete(TUN, script, sizeof script) > 0, "a script that deletes");
	tap_ok(t, nft_run(script, why) == 0, "nft takes it %s", why);
	tap_ok(t, !table_says("table"), "nothing is left");
	tap_ok(t, nft_run(script, why) == 0, "and once more %s", why);
	nft_build_delete("a.b-c_1", script, sizeof script);
	tap_ok(t, nft_run(script, why) == 0, "a name with dot, dash and underscore %s", why);
	tap_ok(t, nft_run("table inet nonsense { chain }\n", why) == -EIO, "a bad one: %s", why);
}

static void test_sysctl(struct tap *t)
{
	int value = -1;

	tap_zero(t, sysctl_get(SYSCTL_IP4_FORWARDING, TUN, &value), "forwarding is read");
	tap_ok(t, value == 0, "it is off");
	tap_zero(t, sysctl_set(SYSCTL_IP4_FORWARDING, TUN, 1), "set");
	tap_zero(t, sysctl_get(SYSCTL_IP4_FORWARDING, TUN, &value), "read again");
	tap_ok(t, value == 1, "it is on");
	tap_zero(t, sysctl_set(SYSCTL_IP4_FORWARDING, TUN, 0), "put back");
	tap_ok(t, sysctl_get(SYSCTL_IP6_ACCEPT_RA, "nothere0", &value) == -ENOENT,
	       "no such interface");
	tap_zero(t, sysctl_get(SYSCTL_IP6_ALL_FORWARDING, NULL, &value), "one for all interfaces");
}

static void reply_from_chosen_source(struct tap *t, const struct udp_socket *edge,
				     const struct udp_datagram *in, int client)
{
	struct endpoint vanished = in->local;
	uint8_t buffer[64];

	tap_zero(t, udp_send(edge, &in->local, &in->remote, "pong", 4, 0), "answered from there");
	tap_ok(t, readable(client, 2000) && recv(client, buffer, sizeof buffer, 0) == 4,
	       "and it arrived");
	vanished.addr = addr(vanished.addr.family == 4 ? "203.0.113.99" : "2001:db8::99");
	tap_ok(t, udp_send(edge, &vanished, &in->remote, "pong", 4, 0) == 1,
	       "a source that has gone: the kernel's choice");
}

static void test_udp_with(struct tap *t, const struct udp_socket *edge, const char *edge_text)
{
	struct endpoint edge_at, from;
	struct socket_options options = {.mark = MARK, .buffer_bytes = 4 << 20};
	struct udp_datagram in[UDP_BATCH_MAX];
	static uint8_t buffers[UDP_BATCH_MAX * 2048];
	char why[WHY_MAX] = "", text[ENDPOINT_STRLEN];
	int fd, n, i;
	struct udp_socket client;

	if (endpoint_parse(edge_text, &edge_at) < 0)
		abort();
	tap_ok(t, udp_open_connected(&edge_at, &options, &fd, why) == 0, "UDP to %s %s", edge_text,
	       why);
	tap_ok(t, socket_receive_buffer(fd) >= 4 << 20, "with its buffer: %d",
	       socket_receive_buffer(fd));
	udp_socket_init(&client, fd, &udp_kernel);
	tap_ok(t, client.connected && socket_local(fd, &from) == 0, "connected");
	for (i = 0; i < 3; i++)
		tap_zero(t, udp_send(&client, NULL, NULL, "ping", 4, 0), "a datagram");
	readable(edge->fd, 2000);
	n = udp_receive(edge, buffers, 2048, in, UDP_BATCH_MAX);
	tap_ok(t, n == 3 && in[2].len == 4 && in[2].data == buffers + 2 * 2048, "3 arrive at once");
	tap_ok(t, endpoint_equal(&in[0].remote, &from), "from %s",
	       endpoint_format(&in[0].remote, text));
	tap_ok(t, ip_addr_equal(&in[0].local.addr, &edge_at.addr), "to %s",
	       endpoint_format(&in[0].local, text));
	tap_ok(t, udp_receive(edge, buffers, 2048, in, UDP_BATCH_MAX) == -EAGAIN, "no more");
	reply_from_chosen_source(t, edge, &in[0], fd);
	udp_send(&client, NULL, NULL, buffers, 200, 0);
	readable(edge->fd, 2000);
	tap_ok(t, udp_receive(edge, buffers, 100, in, 4) == 1 && in[0].len == 0,
	       "one that does not fit has no bytes");
	close(fd);
}

static void test_udp(struct tap *t)
{
	struct socket_options options = {.mark = MARK, .buffer_bytes = 4 << 20};
	char why[WHY_MAX] = "";
	struct endpoint nobody;
	struct udp_socket edge, client;
	uint8_t buffer[64];
	struct udp_datagram in;
	int fd, again;

	tap_ok(t, udp_open_bound(PORT, 1, &options, &fd, why) == 0, "UDP port bound %s", why);
	tap_ok(t, udp_open_bound(PORT, 1, &options, &again, why) == -EADDRINUSE, "twice: %s", why);
	tap_zero(t, udp_socket_init(&edge, fd, &udp_kernel), "taken for the packet path");
	tap_ok(t, edge.v6 && !edge.connected, "dual-stack, not connected");
	test_udp_with(t, &edge, "127.0.0.2:51820");
	test_udp_with(t, &edge, "[2001:db8::1]:51820");
	close(fd);
	if (endpoint_parse("127.0.0.1:9", &nobody) < 0)
		abort();
	udp_open_connected(&nobody, &options, &fd, why);
	udp_socket_init(&client, fd, &udp_kernel);
	udp_send(&client, NULL, NULL, "x", 1, 0);
	tap_ok(t, readable(fd, 2000) && udp_receive(&client, buffer, 64, &in, 1) == -ECONNREFUSED &&
	       socket_error_is_harmless(-ECONNREFUSED), "nobody there: refused, harmless");
	tap_zero(t, udp_send(&client, NULL, NULL, "x", 1, 0), "sending goes on");
	close(fd);
}

static void test_tcp_with(struct tap *t, int listener, const char *text)
{
	struct socket_options options = {.mark = MARK};
	struct endpoint edge, remote, local;
	struct iovec pieces[2] = {{(void *)(uintptr_t) "he", 2}, {(void *)(uintptr_t) "llo", 3}};
	static char flood[1 << 16];
	struct iovec much = {flood, sizeof flood};
	char why[WHY_MAX] = "", buffer[16];
	int fd, accepted;
	size_t sent = 0;
	ssize_t n;

	if (endpoint_parse(text, &edge) < 0)
		abort();
	tap_ok(t, tcp_connect(&edge, &options, &fd, why) == 0, "TCP to %s %s", text, why);
	readable(listener, 2000);
	tap_zero(t, tcp_accept(listener, &accepted, &remote, &local), "accepted");
	tap_ok(t, endpoint_equal(&local, &edge) && remote.port != 0, "with its addresses");
	tap_zero(t, socket_error(fd), "connected");
	tap_ok(t, tcp_read(accepted, buffer, sizeof buffer) == -EAGAIN, "nothing yet");
	tap_ok(t, tcp_write(fd, pieces, 2) == 5, "5 bytes in 2 pieces");
	readable(accepted, 2000);
	tap_ok(t, tcp_read(accepted, buffer, sizeof buffer) == 5 && memcmp(buffer, "hello", 5) == 0,
	       "arrive");
	while ((n = tcp_write(fd, &much, 1)) > 0)
		sent += (size_t)n;
	tap_ok(t, n == -EAGAIN, "a full one is EAGAIN, after %zu KiB", sent >> 10);
	close(accepted);
	readable(fd, 2000);
	tap_ok(t, tcp_read(fd, buffer, sizeof buffer) <= 0, "the end shows");
	n = tcp_write(fd, pieces, 2);
	tap_ok(t, n == -EPIPE || n == -ECONNRESET, "writing then is an error, no signal");
	close(fd);
}

static void test_tcp(struct tap *t)
{
	struct socket_options options = {.mark = MARK};
	struct endpoint nobody, remote, local;
	char why[WHY_MAX] = "";
	int listener, fd;

	tap_ok(t, tcp_listen(PORT, &options, &listener, why) == 0, "TCP port bound %s", why);
	tap_ok(t, tcp_listen(PORT, &options, &fd, why) == -EADDRINUSE, "twice: %s", why);
	tap_ok(t, tcp_accept(listener, &fd, &remote, &local) == -EAGAIN, "nobody waits");
	test_tcp_with(t, listener, "127.0.0.2:51820");
	test_tcp_with(t, listener, "[2001:db8::1]:51820");
	close(listener);
	if (endpoint_parse("127.0.0.1:9", &nobody) < 0)
		abort();
	if (tcp_connect(&nobody, &options, &fd, why) == 0) {
		readable(fd, 2000);
		tap_ok(t, socket_error(fd) == -ECONNREFUSED, "nobody there: refused");
		close(fd);
	}
}

static void test_lost(struct tap *t, struct netlink *nl, struct netlink_monitor *m, int tun)
{
	struct netlink_link link;
	char name[IFNAME_SIZE];
	uint8_t packet[128];

	tap_zero(t, tun_name(tun, name), "its name");
	tap_ok(t, strcmp(name, TUN) == 0, "is %s", name);
	tap_ok(t, system("ip link delete " TUN) == 0, "deleted by somebody else");
	tap_ok(t, event_says(m, false, false), "the monitor saw it go");
	tap_ok(t, tun_read(&tun_kernel, tun, packet, sizeof packet) == -ENODEV, "reading is ENODEV");
	tap_ok(t, write_tun(tun, echo_request, sizeof echo_request) == -ENODEV,
	       "writing is ENODEV");
	tap_ok(t, tun_name(tun, name) == -EBADFD, "it has no name");
	tap_ok(t, netlink_link_get(nl, TUN, &link) == -ENODEV, "netlink: gone, too");
}

static void test_all(struct tap *t, struct netlink *nl, struct netlink_monitor *m, int tun)
{
	struct netlink_link link = {0};

	test_tun_names(t);
	test_links(t, nl, m, &link);
	test_addresses(t, nl, link.index);
	test_routes(t, nl, link.index);
	test_rules(t, nl, link.index, 4);
	test_rules(t, nl, link.index, 6);
	test_packets(t, nl, link.index, tun);
	test_sysctl(t);
	test_nft(t);
	test_lost(t, nl, m, tun);
}

/* IPv6 on a fresh address takes its time, and a socket that is connected before then keeps the
 * unreachable route that it found. */
static bool becomes_local(struct netlink *nl, const struct ip_addr *a)
{
	struct fib_lookup found;
	int tries;

	for (tries = 0; tries < 500; tries++) {
		if (netlink_route_lookup(nl, a, 0, &found) == 0 && found.local)
			return true;
		usleep(10000);
	}
	return false;
}

int main(void)
{
	struct ip_addr outer = addr("2001:db8::1");
	struct netlink_monitor *m = NULL;
	struct netlink *nl = NULL;
	struct netlink_link lo;
	struct tap t = {0};
	char why[WHY_MAX] = "";
	int tun = -1;

	if (unshare(CLONE_NEWNET) < 0) {
		printf("1..0 # SKIP no network namespace: %s\n", strerror(errno));
		return 0;
	}
	if (tap_zero(&t, netlink_open(&nl), "netlink opened") &&
	    tap_zero(&t, netlink_monitor_open(&m), "monitor opened") &&
	    tap_ok(&t, open_tun(TUN, &tun, why) == 0, "TUN created %s", why))
		test_all(&t, nl, m, tun);
	tap_zero(&t, netlink_link_get(nl, "lo", &lo), "the loopback");
	netlink_link_set_up(nl, lo.index, true);
	netlink_address_add(nl, lo.index, &outer);
	tap_ok(&t, becomes_local(nl, &outer), "an IPv6 address on it");
	test_udp(&t);
	test_tcp(&t);
	netlink_monitor_close(m);
	netlink_close(nl);
	close(tun);
	return tap_end(&t);
}
