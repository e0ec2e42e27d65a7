/* SPDX-License-Identifier: ISC */
/* One status, rendered both ways. */
#include <stdlib.h>
#include <string.h>

#include <tund/base/time.h>

#include "control/status.h"

#include "tap.h"

#define NOW (1750000000 * NS_PER_SEC)

static struct ip_addr own, held;
static struct ip_prefix route, other;
static struct engine_peer session;

static const struct status_drop drops[] = {{"replay", 3}, {"malformed_notice", 1}};

static void setup(void)
{
	setenv("TZ", "UTC", 1);
	ck_assert_int_eq(ip_addr_parse("100.80.0.1", &own), 0);
	ck_assert_int_eq(ip_addr_parse("100.80.0.11", &held), 0);
	ck_assert_int_eq(ip_prefix_parse("10.77.0.0/24", &route), 0);
	ck_assert_int_eq(ip_prefix_parse("10.78.0.0/16", &other), 0);
	session = (struct engine_peer){
		.up = true,
		.suite = 1,
		.transport = "tcp",
		.public_key = {1},
		.last_handshake_wall_ns = NOW - 65 * NS_PER_SEC,
		.rx_bytes = 512,
		.tx_bytes = 3 << 20,
		.rx_packets = 5,
		.tx_packets = 6,
	};
	ck_assert_int_eq(endpoint_parse("192.0.2.1:51820", &session.endpoint), 0);
	ck_assert_int_eq(ip_addr_parse("192.0.2.9", &session.local.addr), 0);
}

static void expect(const struct status *s, const char *text, const char *json)
{
	char *got;
	size_t len;

	ck_assert_int_eq(status_text(s, &got, &len), 0);
	ck_assert_str_eq(got, text);
	ck_assert_uint_eq(len, strlen(text));
	free(got);
	ck_assert_int_eq(status_json(s, &got, &len), 0);
	ck_assert_str_eq(got, json);
	ck_assert_uint_eq(len, strlen(json));
	free(got);
}

static const char client_text[] =
	"tunnel: home\n"
	"  role: client\n"
	"  interface: tund0\n"
	"  up since: 2025-06-14 14:05:39 (1 day, 1 hour, 1 minute, 1 second ago)\n"
	"  addresses: 100.80.0.11\n"
	"  routes: 10.77.0.0/24\n"
	"  mtu: 1400\n"
	"  routes not applied: 10.78.0.0/16\n"
	"\n"
	"peer: edge\n"
	"  public key: AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
	"  configured as: edge.example.com port 51820\n"
	"  endpoint: 192.0.2.1:51820\n"
	"  transport: tcp\n"
	"  path: 192.0.2.9 -> 192.0.2.1:51820\n"
	"  session: up\n"
	"  suite: 1 (AES-256-GCM)\n"
	"  latest handshake: 1 minute, 5 seconds ago\n"
	"  transfer: 512 B received, 3.00 MiB sent\n"
	"\n"
	"denied by the edge:\n"
	"  100.80.0.1 tcp port 22: 1 second ago\n"
	"\n"
	"dropped:\n"
	"  replay: 3\n"
	"  malformed_notice: 1\n";

static const char client_json[] =
	"{\n"
	"  \"schema\": 1,\n"
	"  \"tunnel\": \"home\",\n"
	"  \"role\": \"client\",\n"
	"  \"interface\": \"tund0\",\n"
	"  \"up\": true,\n"
	"  \"up_since\": 1749909939.0,\n"
	"  \"addresses\": [\n"
	"    \"100.80.0.11\"\n"
	"  ],\n"
	"  \"routes\": [\n"
	"    \"10.77.0.0/24\"\n"
	"  ],\n"
	"  \"routes_not_applied\": [\n"
	"    \"10.78.0.0/16\"\n"
	"  ],\n"
	"  \"mtu\": 1400,\n"
	"  \"problem\": null,\n"
	"  \"denied\": [\n"
	"    {\n"
	"      \"destination\": \"100.80.0.1\",\n"
	"      \"proto\": 6,\n"
	"      \"port\": 22,\n"
	"      \"at\": 1749999999.0\n"
	"    }\n"
	"  ],\n"
	"  \"peers\": [\n"
	"    {\n"
	"      \"name\": \"edge\",\n"
	"      \"public_key\": \"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\n"
	"      \"up\": true,\n"
	"      \"endpoint\": \"192.0.2.1:51820\",\n"
	"      \"local\": \"192.0.2.9\",\n"
	"      \"transport\": \"tcp\",\n"
	"      \"suite\": 1,\n"
	"      \"last_handshake\": 1749999935.0,\n"
	"      \"rx_bytes\": 512,\n"
	"      \"tx_bytes\": 3145728,\n"
	"      \"rx_packets\": 5,\n"
	"      \"tx_packets\": 6\n"
	"    }\n"
	"  ],\n"
	"  \"dropped\": {\n"
	"    \"replay\": 3,\n"
	"    \"malformed_notice\": 1\n"
	"  }\n"
	"}\n";

START_TEST(client)
{
	struct status_peer peer = {.session = &session};
	struct status s = {
		.now_wall_ns = NOW,
		.tunnel = "home",
		.interface = "tund0",
		.role = ROLE_CLIENT,
		.works = true,
		.works_since_wall_ns = NOW - 90061 * NS_PER_SEC,
		.has_network = true,
		.addresses = {&held, 1},
		.routes = {&route, 1},
		.not_applied = {&other, 1},
		.mtu = 1400,
		.edge_host = "edge.example.com",
		.edge_port = 51820,
		.problem = "",
		.denied_count = 1,
		.denied = {{{.destination = own, .proto = 6, .port = 22}, NOW - NS_PER_SEC}},
		.peer = &peer,
		.peer_count = 1,
		.drop = drops,
		.drop_count = 2,
	};

	expect(&s, client_text, client_json);
}
END_TEST

static const char nothing_yet_text[] = "tunnel: -\n"
				       "  role: connector\n"
				       "  state: not up\n"
				       "  announces: 10.77.0.0/24\n"
				       "  problem: no permission\n";

static const char nothing_yet_json[] = "{\n"
				       "  \"schema\": 1,\n"
				       "  \"tunnel\": null,\n"
				       "  \"role\": \"connector\",\n"
				       "  \"interface\": null,\n"
				       "  \"up\": false,\n"
				       "  \"up_since\": null,\n"
				       "  \"addresses\": [],\n"
				       "  \"routes\": [],\n"
				       "  \"routes_not_applied\": [],\n"
				       "  \"mtu\": null,\n"
				       "  \"problem\": \"no permission\",\n"
				       "  \"denied\": [],\n"
				       "  \"announces\": [\n"
				       "    \"10.77.0.0/24\"\n"
				       "  ],\n"
				       "  \"peers\": [],\n"
				       "  \"dropped\": {}\n"
				       "}\n";

/* A member before the edge said anything; what is missing is left out, or null. */
START_TEST(nothing_yet)
{
	struct status s = {
		.now_wall_ns = NOW,
		.tunnel = "",
		.interface = "",
		.role = ROLE_CONNECTOR,
		.announces = {&route, 1},
		.problem = "no permission",
	};

	expect(&s, nothing_yet_text, nothing_yet_json);
}
END_TEST

static const char edge_text[] = "tunnel: edge1\n"
				"  role: edge\n"
				"  up since: 2025-06-15 15:06:40 (now)\n"
				"  listening port: 51820\n"
				"  addresses: 100.80.0.1\n"
				"  pool: 10.77.0.0/24\n"
				"  mtu: 1420\n"
				"\n"
				"peer: office/rack\n"
				"  public key: AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
				"  endpoint: 192.0.2.1:51820\n"
				"  transport: udp\n"
				"  path: 192.0.2.9 -> 192.0.2.1:51820\n"
				"  session: up\n"
				"  suite: 1 (AES-256-GCM)\n"
				"  latest handshake: 1 minute, 5 seconds ago\n"
				"  addresses: 100.80.0.11\n"
				"  announced routes: 10.77.0.0/24, 10.78.0.0/16\n"
				"  accepted routes: 10.77.0.0/24\n"
				"\n"
				"peer: AgAAAAAA...\n"
				"  public key: AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
				"  session: none\n";

static const char edge_json[] =
	"{\n"
	"  \"schema\": 1,\n"
	"  \"tunnel\": \"edge1\",\n"
	"  \"role\": \"edge\",\n"
	"  \"interface\": null,\n"
	"  \"up\": true,\n"
	"  \"up_since\": 1750000000.0,\n"
	"  \"listen_port\": 51820,\n"
	"  \"addresses\": [\n"
	"    \"100.80.0.1\"\n"
	"  ],\n"
	"  \"pool\": [\n"
	"    \"10.77.0.0/24\"\n"
	"  ],\n"
	"  \"mtu\": 1420,\n"
	"  \"peers\": [\n"
	"    {\n"
	"      \"name\": \"office/rack\",\n"
	"      \"public_key\": \"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\n"
	"      \"up\": true,\n"
	"      \"endpoint\": \"192.0.2.1:51820\",\n"
	"      \"local\": \"192.0.2.9\",\n"
	"      \"transport\": \"udp\",\n"
	"      \"suite\": 1,\n"
	"      \"last_handshake\": 1749999935.0,\n"
	"      \"rx_bytes\": 0,\n"
	"      \"tx_bytes\": 0,\n"
	"      \"rx_packets\": 5,\n"
	"      \"tx_packets\": 6,\n"
	"      \"principal\": \"office\",\n"
	"      \"device\": \"rack\",\n"
	"      \"kind\": \"connector\",\n"
	"      \"addresses\": [\n"
	"        \"100.80.0.11\"\n"
	"      ],\n"
	"      \"mtu\": 1400,\n"
	"      \"announced\": [\n"
	"        \"10.77.0.0/24\",\n"
	"        \"10.78.0.0/16\"\n"
	"      ],\n"
	"      \"routes\": [\n"
	"        \"10.77.0.0/24\"\n"
	"      ]\n"
	"    },\n"
	"    {\n"
	"      \"name\": \"AgAAAAAA...\",\n"
	"      \"public_key\": \"AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\n"
	"      \"up\": false,\n"
	"      \"endpoint\": null,\n"
	"      \"local\": null,\n"
	"      \"transport\": null,\n"
	"      \"suite\": null,\n"
	"      \"last_handshake\": null,\n"
	"      \"rx_bytes\": 0,\n"
	"      \"tx_bytes\": 0,\n"
	"      \"rx_packets\": 0,\n"
	"      \"tx_packets\": 0\n"
	"    }\n"
	"  ],\n"
	"  \"dropped\": {}\n"
	"}\n";

/* A connector that announced, and a key that the configuration has not. */
START_TEST(edge)
{
	struct spec_principal principal = {.id = "office", .kind = PRINCIPAL_CONNECTOR};
	struct spec_device device = {.name = "rack"};
	struct device_index_entry identity = {&principal, &device};
	struct ip_prefix announced[] = {route, other};
	struct engine_peer stranger = {.suite = -1, .public_key = {2}};
	struct status_peer peers[] = {
		{.session = &session,
		 .identity = &identity,
		 .addresses = {&held, 1},
		 .mtu = 1400,
		 .has_announced = true,
		 .announced = {announced, 2},
		 .granted = {&route, 1}},
		{.session = &stranger},
	};
	struct status s = {
		.now_wall_ns = NOW,
		.tunnel = "edge1",
		.interface = "",
		.role = ROLE_EDGE,
		.works = true,
		.works_since_wall_ns = NOW,
		.has_network = true,
		.addresses = {&own, 1},
		.mtu = 1420,
		.listen_port = 51820,
		.pool = {&route, 1},
		.problem = "",
		.peer = peers,
		.peer_count = 2,
	};

	strcpy(session.transport, "udp");
	session.rx_bytes = session.tx_bytes = 0;
	expect(&s, edge_text, edge_json);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("status");
	TCase *tc = tcase_create("status");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, client);
	tcase_add_test(tc, nothing_yet);
	tcase_add_test(tc, edge);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
