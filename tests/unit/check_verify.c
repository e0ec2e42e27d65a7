/* SPDX-License-Identifier: ISC */
/* What children may ask for: a table for each judgement. */
#include <stdlib.h>
#include <string.h>

#include <tund/parent/tunnel.h>

#include "parent/verify.h"

#include "tap.h"

static const struct {
	const char *name;
	bool valid;
} names[] = {
	{"office", true},
	{"a", true},
	{"A-b_9", true},
	{"_x", true},
	{"12345678901234567890123456789012", true},
	{"123456789012345678901234567890123", false},
	{"", false},
	{"-x", false},
	{".", false},
	{"..", false},
	{"a.b", false},
	{"a/b", false},
	{"a b", false},
	{"a\nb", false},
	{"\xc3\xa4", false},
};

START_TEST(tunnel_name)
{
	ck_assert_msg(tunnel_name_is_valid(names[_i].name) == names[_i].valid, "\"%s\"",
		      names[_i].name);
}
END_TEST

static struct config *config_of(enum role role)
{
	static const char *const accepted[] = {"10.0.0.0/8", "192.168.0.0/16", "100.64.0.0/10",
					       "fc00::/7"};
	struct config *config = calloc(1, sizeof *config);

	config->role = role;
	config->edge.port = 51820;
	for (size_t i = 0; i < 4; i++)
		ip_prefix_parse(accepted[i],
				&config->accept_routes.prefix[config->accept_routes.count++]);
	return config;
}

static const struct {
	enum role role;
	enum transport_choice transport;
	unsigned kind;
	const char *remote;
	enum verdict verdict;
} sockets[] = {
	{ROLE_CLIENT, TRANSPORT_AUTO, SOCKET_UDP, "192.0.2.1:51820", VERDICT_OK},
	{ROLE_CLIENT, TRANSPORT_AUTO, SOCKET_TCP, "[2001:db8::1]:51820", VERDICT_OK},
	{ROLE_CONNECTOR, TRANSPORT_AUTO, SOCKET_TCP, "192.0.2.1:51820", VERDICT_OK},
	{ROLE_EDGE, TRANSPORT_AUTO, SOCKET_UDP, "192.0.2.1:51820", VERDICT_ROLE},
	{ROLE_CLIENT, TRANSPORT_AUTO, SOCKET_UDP, "192.0.2.1:22", VERDICT_PORT},
	{ROLE_CLIENT, TRANSPORT_AUTO, 2, "192.0.2.1:51820", VERDICT_MALFORMED},
	{ROLE_CLIENT, TRANSPORT_UDP_ONLY, SOCKET_TCP, "192.0.2.1:51820", VERDICT_TRANSPORT},
	{ROLE_CLIENT, TRANSPORT_TCP_ONLY, SOCKET_UDP, "192.0.2.1:51820", VERDICT_TRANSPORT},
	{ROLE_CLIENT, TRANSPORT_TCP_ONLY, SOCKET_TCP, "192.0.2.1:51820", VERDICT_OK},
	{ROLE_CLIENT, TRANSPORT_AUTO, SOCKET_UDP, NULL, VERDICT_MALFORMED},
};

START_TEST(outer_socket)
{
	struct config *config = config_of(sockets[_i].role);
	struct request_socket request = {.kind = sockets[_i].kind};

	config->transport = sockets[_i].transport;
	if (sockets[_i].remote)
		ck_assert_int_eq(endpoint_parse(sockets[_i].remote, &request.remote), 0);
	else
		request.remote = (struct endpoint){.addr = {.family = 5}, .port = 51820};
	ck_assert_int_eq(verify_socket(config, &request), sockets[_i].verdict);
	free(config);
}
END_TEST

/* The host of these tests: connected to 192.168.1.0/24 and fd00:1::/64, the edge at 10.9.9.9 and
 * 2001:db8::1. */
struct node_of_test {
	struct ip_prefix connected[2];
	struct endpoint edges[2];
	struct verify_bounds bounds;
};

static void node_init(struct node_of_test *host, const struct config *config)
{
	ip_prefix_parse("192.168.1.0/24", &host->connected[0]);
	ip_prefix_parse("fd00:1::/64", &host->connected[1]);
	endpoint_parse("10.9.9.9:51820", &host->edges[0]);
	endpoint_parse("[2001:db8::1]:51820", &host->edges[1]);
	host->bounds = (struct verify_bounds){config, host->connected, 2, host->edges, 2};
}

static const struct {
	const char *prefix;
	bool full;
	enum verdict verdict;
} routes[] = {
	{"10.77.0.0/24", false, VERDICT_OK},
	{"100.80.0.0/16", false, VERDICT_OK},
	{"fd74:756e:64::/48", false, VERDICT_OK},
	{"10.77.0.10/32", false, VERDICT_OK},
	{"8.8.8.0/24", false, VERDICT_NOT_ACCEPTED},
	{"8.8.8.0/24", true, VERDICT_NOT_ACCEPTED},
	{"0.0.0.0/0", false, VERDICT_FULL_TUNNEL},
	{"::/0", false, VERDICT_FULL_TUNNEL},
	{"0.0.0.0/0", true, VERDICT_OK},
	{"::/0", true, VERDICT_OK},
	{"0.0.0.0/1", true, VERDICT_SPECIAL},
	{"128.0.0.0/1", true, VERDICT_NOT_ACCEPTED},
	{"8.0.0.0/5", false, VERDICT_NOT_ACCEPTED}, /* wider than 10.0.0.0/8 */
	{"192.168.1.0/24", false, VERDICT_CONNECTED},
	{"192.168.1.7/32", false, VERDICT_CONNECTED},
	{"192.168.0.0/16", false, VERDICT_OK}, /* the connected route is longer */
	{"fd00:1::/64", false, VERDICT_CONNECTED},
	{"10.9.9.0/24", false, VERDICT_COVERS_EDGE},
	{"10.9.9.9/32", false, VERDICT_COVERS_EDGE},
	{"10.0.0.0/8", false, VERDICT_COVERS_EDGE},
	{"2001:db8::/32", false, VERDICT_NOT_ACCEPTED},
	{"127.0.0.0/8", false, VERDICT_SPECIAL},
	{"169.254.0.0/16", false, VERDICT_SPECIAL},
	{"224.0.0.0/4", false, VERDICT_SPECIAL},
	{"fe80::/10", false, VERDICT_SPECIAL},
	{"ff02::/16", false, VERDICT_SPECIAL},
};

START_TEST(route)
{
	struct config *config = config_of(ROLE_CLIENT);
	struct node_of_test host;
	struct ip_prefix prefix;

	config->full_tunnel = routes[_i].full;
	node_init(&host, config);
	ck_assert_int_eq(ip_prefix_parse(routes[_i].prefix, &prefix), 0);
	ck_assert_msg(verify_route(&host.bounds, &prefix) == routes[_i].verdict, "%s",
		      routes[_i].prefix);
	free(config);
}
END_TEST

static const struct {
	const char *address;
	enum verdict verdict;
} addresses[] = {
	{"100.80.0.11", VERDICT_OK},
	{"172.16.0.1", VERDICT_OK}, /* private, though not in accept_routes */
	{"fd74:756e:64::11", VERDICT_OK},
	{"8.8.8.8", VERDICT_NOT_ACCEPTED},
	{"2001:db8::7", VERDICT_NOT_ACCEPTED},
	{"127.0.0.1", VERDICT_SPECIAL},
	{"::1", VERDICT_SPECIAL},
	{"0.0.0.0", VERDICT_SPECIAL},
	{"255.255.255.255", VERDICT_SPECIAL},
	{"224.0.0.1", VERDICT_SPECIAL},
	{"192.168.1.77", VERDICT_CONNECTED},
	{"10.9.9.9", VERDICT_COVERS_EDGE},
};

START_TEST(address)
{
	struct config *config = config_of(ROLE_CLIENT);
	struct node_of_test host;
	struct ip_addr a;

	node_init(&host, config);
	ck_assert_int_eq(ip_addr_parse(addresses[_i].address, &a), 0);
	ck_assert_msg(verify_address(&host.bounds, &a) == addresses[_i].verdict, "%s",
		      addresses[_i].address);
	free(config);
}
END_TEST

static struct network good_network(void)
{
	struct network request = {.mtu = 1420, .address_count = 1, .route_count = 1};

	ip_addr_parse("100.80.0.11", &request.address[0]);
	ip_prefix_parse("10.77.0.0/24", &request.route[0]);
	return request;
}

START_TEST(network_shape)
{
	struct config *config = config_of(ROLE_CONNECTOR);
	struct verify_bounds bounds = {.config = config};
	struct network r = good_network();

	ck_assert_int_eq(verify_network(&bounds, &r), VERDICT_OK);
	r.route_count = NETWORK_ROUTES_MAX + 1;
	ck_assert_int_eq(verify_network(&bounds, &r), VERDICT_MALFORMED);
	r = good_network();
	r.address_count = UINT32_MAX;
	ck_assert_int_eq(verify_network(&bounds, &r), VERDICT_MALFORMED);
	r = good_network();
	r.route[0].addr.bytes[3] = 1; /* behind the prefix */
	ck_assert_int_eq(verify_network(&bounds, &r), VERDICT_MALFORMED);
	r = good_network();
	r.route[0].len = 33;
	ck_assert_int_eq(verify_network(&bounds, &r), VERDICT_MALFORMED);
	r = good_network();
	r.address[0].bytes[15] = 1; /* spare bytes of IPv4 */
	ck_assert_int_eq(verify_network(&bounds, &r), VERDICT_MALFORMED);
	r = good_network();
	r.address[0].family = 0;
	ck_assert_int_eq(verify_network(&bounds, &r), VERDICT_MALFORMED);
	r = good_network();
	r.mtu = 1279;
	ck_assert_int_eq(verify_network(&bounds, &r), VERDICT_MTU);
	r.mtu = 9001;
	ck_assert_int_eq(verify_network(&bounds, &r), VERDICT_MTU);
	config->role = ROLE_EDGE;
	ck_assert_int_eq(verify_network(&bounds, &r), VERDICT_ROLE);
	free(config);
}
END_TEST

START_TEST(texts)
{
	for (enum verdict v = VERDICT_OK; v <= VERDICT_MTU; v++)
		ck_assert_uint_gt(strlen(verdict_text(v)), 5);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

int main(void)
{
	Suite *suite = suite_create("verify");
	TCase *tc = tcase_create("verify");

	tcase_add_loop_test(tc, tunnel_name, 0, COUNT(names));
	tcase_add_loop_test(tc, outer_socket, 0, COUNT(sockets));
	tcase_add_loop_test(tc, route, 0, COUNT(routes));
	tcase_add_loop_test(tc, address, 0, COUNT(addresses));
	tcase_add_test(tc, network_shape);
	tcase_add_test(tc, texts);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
