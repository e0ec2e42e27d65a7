/* SPDX-License-Identifier: ISC */
/* Good and bad configurations, and the encoding of the good ones. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <tund/config/config.h>

#include "tap.h"

#define KEY_A "\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\""
#define KEY_B "\"AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=\""
#define KEY_C "\"AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=\""

#define EDGE "role = edge\nprivate_key = " KEY_A "\n"
#define EDGE_SECTION "edge { public_key = " KEY_B " endpoint = \"edge.example.com\" }\n"
#define CLIENT "role = client\nprivate_key = " KEY_A "\n" EDGE_SECTION
#define CONNECTOR "role = connector\nprivate_key = " KEY_A "\nannounce = {\"10.77.0.0/24\"}\n" \
	EDGE_SECTION
#define ALICE "principal \"alice\" {\n device \"laptop\" { public_key = " KEY_B \
	" address = {\"100.80.0.11\"} }\n}\n"
#define DC1 "principal \"dc1\" { kind = connector device \"a\" { public_key = " KEY_C " } }\n"

#define ERRORS_MAX 32

struct outcome {
	int err;
	struct config *config;
	unsigned count;
	struct config_error error[ERRORS_MAX];
};

static void collect(void *ctx, const struct config_error *error)
{
	struct outcome *o = ctx;

	if (o->count < ERRORS_MAX)
		o->error[o->count] = *error;
	o->count++;
}

static int file_of(const void *data, size_t len)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
	return fd;
}

static struct outcome parse_bytes(const void *conf, size_t len, const char *policy, bool world)
{
	struct outcome o = {0};
	struct config_errors sink = {.ctx = &o, .report = collect};
	struct config_file c = {file_of(conf, len), "t.conf", world};
	struct config_file p = {-1, "t.policy", world};

	if (policy)
		p.fd = file_of(policy, strlen(policy));
	o.err = config_parse(&c, &p, &sink, &o.config);
	close(c.fd);
	if (policy)
		close(p.fd);
	ck_assert_msg((o.err != 0) == (o.config == NULL) || o.err == -EINVAL, "out-parameter");
	return o;
}

static struct outcome parse(const char *conf, const char *policy)
{
	return parse_bytes(conf, strlen(conf), policy, false);
}

static struct config *parse_good(const char *conf, const char *policy)
{
	struct outcome o = parse(conf, policy);

	ck_assert_msg(o.err == 0, "%s:%u: %s", o.error[0].file, o.error[0].line, o.error[0].text);
	ck_assert_uint_eq(o.count, 0);
	return o.config;
}

static void read_example(const char *name, char *buf, size_t size)
{
	const char *srcdir = getenv("TUND_SRCDIR");
	char path[4096];
	FILE *f;

	snprintf(path, sizeof path, "%s/doc/examples/%s", srcdir ? srcdir : ".", name);
	f = fopen(path, "r");
	ck_assert_msg(f != NULL, "%s", path);
	buf[fread(buf, 1, size - 1, f)] = '\0';
	fclose(f);
}

/* A file, and the error that must be the first: where, and a part of what. */
struct bad {
	const char *conf, *policy;
	const char *file;
	unsigned line;
	const char *text;
};

static const struct bad syntax[] = {
	{"", NULL, "t.conf", 0, "role is not set"},
	{"# only a comment", NULL, "t.conf", 0, "role is not set"},
	{"role", NULL, "t.conf", 1, "\"role\" is incomplete; expected \"=\""},
	{"role = ", NULL, "t.conf", 1, "unexpected end of the file"},
	{"\nrole =\nmtu = 1400\n", NULL, "t.conf", 2, "\"role\" is incomplete; expected a value"},
	{"role edge\nmtu = 1400", NULL, "t.conf", 1, "\"role\" is incomplete"},
	{"role = edge\nrole = edge\n", NULL, "t.conf", 2, "set a second time; expected it once (line 1"},
	{"pool = {\"a\"}\npool = {\"b\"}\n", NULL, "t.conf", 2, "\"pool\" is set a second time"},
	{"pool += {\"10.0.0.0/8\"}\n", NULL, "t.conf", 1, "unexpected character '+'"},
	{"pool = {\"10.0.0.0/8\" \"11.0.0.0/8\"}\n", NULL, "t.conf", 1, "expected a comma or }"},
	{"pool = {\n\"10.0.0.0/8\",\n\n", NULL, "t.conf", 1, "expected } at the end of the list"},
	{"/* a\n*/ # b\n// c\nrol = edge\n", NULL, "t.conf", 4, "unknown option \"rol\"; expected \"role\""},
	{"/*\n\n*/\n\n\nzzzzzzzz = 1", NULL, "t.conf", 6, "expected one of: role, private_key, interface"},
	{"role = edge\n/* never\nclosed", NULL, "t.conf", 2, "the comment that begins here is not closed"},
	{"role = edge /", NULL, "t.conf", 1, "unexpected character '/'"},
	{"\n\nprivate_key = \"abc\nrole = edge\"\n", NULL, "t.conf", 3, "is not closed; expected \" on"},
	{"private_key = 'abc", NULL, "t.conf", 1, "is not closed; expected ' on"},
	{"private_key = \"${KEY}\"", NULL, "t.conf", 1, "the environment is not used"},
	{"private_key = ${KEY}", NULL, "t.conf", 1, "unexpected character '$'"},
	{"private_key = \"a\\x41\"", NULL, "t.conf", 1, "unexpected character '\\' in quotes"},
	{"role = \"e\x1b[31m\"", NULL, "t.conf", 1, "unexpected byte 0x1b in quotes"},
	{"role = edge\n\x80\x81", NULL, "t.conf", 2, "unexpected byte 0x80 outside quotes"},
	{"\"role\" = edge", NULL, "t.conf", 1, "expected the name of an option"},
	{"= edge", NULL, "t.conf", 1, "unexpected =; expected the name of an option"},
	{"}\n", NULL, "t.conf", 1, "unexpected }; expected the name of an option"},
	{"\nedge {\n public_key = " KEY_A "\n", NULL, "t.conf", 2, "the section that begins here is not closed"},
	{"edge = 5", NULL, "t.conf", 1, "\"edge\" is a section"},
		{"role { }", NULL, "t.conf", 1, "\"role\" is an option with a value"},
	{"a{a{a{a{a{a{a{a{a{", NULL, "t.conf", 1, "nested more than"},
	{"role = edge\r\nmtu = x\r\n\rmtu = 3", NULL, "t.conf", 3, "unexpected byte 0x0d"},
	{"include(\"/etc/passwd\")", NULL, "t.conf", 1, "unexpected character '('"},
	{"edge|suite = auto", NULL, "t.conf", 1, "unexpected character '|'"},
};

static const struct bad values[] = {
	{"role = egde", NULL, "t.conf", 1, "expected one of: client, connector, edge (\"edge\"?)"},
	{"role = edge\n", "", "t.conf", 0, "private_key is not set; expected the output"},
	{"role = edge\nprivate_key = \"AQE=\"", "", "t.conf", 2, "private_key has 4 characters; expected 44"},
	{"role = edge\nprivate_key = \"AQEBAQEBAQEB!QEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\"", "", "t.conf", 2,
	 "character 13 of private_key is not one of base64"},
	{"role = edge\nprivate_key = \"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQF=\"", "", "t.conf", 2,
	 "does not end as base64 of 32 bytes"},
	{"role = edge\nprivate_key = \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"", "", "t.conf", 2,
	 "is all zeros"},
	{EDGE "mtu = 010000\n", "", "t.conf", 3, "expected 1280 to 9000, in decimal, without a leading zero"},
	{EDGE "mtu = 1279\n", "", "t.conf", 3, "mtu = \"1279\" is no such number"},
	{EDGE "mtu = 9001\n", "", "t.conf", 3, "mtu = \"9001\""},
	{EDGE "mtu = 99999999999999999999\n", "", "t.conf", 3, "mtu = \"99999999999999999999\""},
	{EDGE "listen = 0\n", "", "t.conf", 3, "listen = \"0\" is no such number; expected 1 to 65535"},
	{EDGE "listen = 65536\n", "", "t.conf", 3, "listen = \"65536\""},
	{EDGE "listen = -1\n", "", "t.conf", 3, "listen = \"-1\""},
	{EDGE "address = {\"100.80.0.1/16\"}\n", "", "t.conf", 3, "is no IP address"},
	{EDGE "address = {\"127.0.0.1\"}\n", "", "t.conf", 3, "is no address of a host"},
	{EDGE "address = {\"10.0.0.1\"}\n", "", "t.conf", 3, "is not in pool"},
	{EDGE "address = {\"100.80.0.1\",\n\"100.80.0.2\"}\n", "", "t.conf", 4, "is one too many"},
	{EDGE "pool = {\"100.80.0.1/16\"}\n", "", "t.conf", 3, "expected \"100.80.0.0/16\""},
	{EDGE "pool = {}\n", "", "t.conf", 0, "pool is empty"},
	{EDGE "interface = tun0\n", "", "t.conf", 3, "\"interface\" is no option of role edge; expected only with: client, connector"},
	{EDGE "\n" EDGE_SECTION, "", "t.conf", 4, "\"edge\" is no option of role edge"},
	{EDGE "announce = {\"10.77.0.0/24\"}\n", "", "t.conf", 3, "expected only with: connector"},
	{CLIENT "listen = 5\n", NULL, "t.conf", 4, "\"listen\" is no option of role client; expected only with: edge"},
	{CLIENT "source = snat\n", NULL, "t.conf", 4, "\"source\" is no option of role client"},
	{CLIENT "interface = \"a/b\"\n", NULL, "t.conf", 4, "cannot be the name of an interface"},
	{CLIENT "interface = \"sixteen-bytes-xx\"\n", NULL, "t.conf", 4, "cannot be the name"},
	{CLIENT "interface = all\n", NULL, "t.conf", 4, "cannot be the name"},
	{CLIENT "interface = \"\"\n", NULL, "t.conf", 4, "cannot be the name"},
	{CLIENT "keepalive = 65536\n", NULL, "t.conf", 4, "keepalive = \"65536\""},
	{CLIENT "transport = upd\n", NULL, "t.conf", 4, "expected one of: auto, udp, tcp (\"udp\"?)"},
	{CLIENT "full_tunnel = maybe\n", NULL, "t.conf", 4, "expected one of: yes, no, true, false, on, off"},
	{CLIENT "fwmark = 0x1ffffffff\n", NULL, "t.conf", 4, "fwmark = \"0x1ffffffff\""},
	{CLIENT "accept_routes = {\"10.0.0.0/33\"}\n", NULL, "t.conf", 4, "is no prefix"},
	{CLIENT "accept_routes = {\"fc00::/7\", \"FC00::/7\"}\n", NULL, "t.conf", 4, "fc00::/7 is listed twice"},
	{"role = client\nprivate_key = " KEY_A "\nedge \"a\" { }\n", NULL, "t.conf", 3, "\"edge\" is a section without a title"},
	{CLIENT EDGE_SECTION, NULL, "t.conf", 4, "\"edge\" occurs a second time; expected one (line 3"},
	{"role = client\nprivate_key = " KEY_A "\n", NULL, "t.conf", 0, "there is no edge"},
	{"role = client\nprivate_key = " KEY_A "\nedge {\n}\n", NULL, "t.conf", 3, "edge has no public_key"},
	{CLIENT "mtu = 1400\n", "", "t.policy", 0, "a client has no policy"},
	{EDGE, NULL, "t.policy", 0, "there is no such file, and an edge"},
	{"role = connector\nprivate_key = " KEY_A "\n" EDGE_SECTION, NULL, "t.conf", 0, "a connector without announce"},
	{CONNECTOR "source = nat\n", NULL, "t.conf", 5, "expected one of: snat, preserve (\"snat\"?)"},
};

/* The endpoint's forms, in line 1 of an edge section in line 3. */
#define ENDPOINT(text) "role = client\nprivate_key = " KEY_A "\nedge { public_key = " KEY_B \
	"\n endpoint = \"" text "\" }\n"

static const char *const bad_endpoints[] = {
	ENDPOINT(""), ENDPOINT(":51820"), ENDPOINT("a:"), ENDPOINT("a:0"), ENDPOINT("a:65536"),
	ENDPOINT("a:1x"), ENDPOINT("a:01"), ENDPOINT("2001:db8::1"), ENDPOINT("[2001:db8::1"),
	ENDPOINT("[2001:db8::1]51820"), ENDPOINT("[192.0.2.1]:1"), ENDPOINT("192.0.2.256"),
	ENDPOINT("1.2.3"), ENDPOINT("0.0.0.0"), ENDPOINT("224.0.0.1"), ENDPOINT("[::]:1"),
	ENDPOINT("[ff02::1]:1"), ENDPOINT("-a.example"), ENDPOINT("a-.example"), ENDPOINT("a..b"),
	ENDPOINT("."), ENDPOINT("a b"), ENDPOINT("a/b"), ENDPOINT("[fe80::1%eth0]:1"),
	ENDPOINT("a123456789b123456789c123456789d123456789e123456789f123456789g1234.example"),
};

static const struct bad policies[] = {
	{EDGE, "principle \"a\" { }", "t.policy", 1, "unknown option \"principle\"; expected \"principal\""},
	{EDGE, "principal { }", "t.policy", 1, "\"principal\" is a section with a title"},
	{EDGE, "principal = x", "t.policy", 1, "\"principal\" is a section; expected {"},
	{EDGE, "principal \"\" { }", "t.policy", 1, "principal has 0 bytes"},
	{EDGE, "# x\nprincipal \"a\" {\n kind = conector }", "t.policy", 3, "expected one of: user, connector, service (\"connector\"?)"},
	{EDGE, ALICE "\n" ALICE, "t.policy", 5, "is there twice"},
	{EDGE, "principal \"a\" {\n device \"x\" { } }", "t.policy", 2, "device has no public_key"},
	{EDGE, "principal \"a\" {\n device \"x\" { public_key = " KEY_B " } }", "t.policy", 2, "device has no address"},
	{EDGE, "principal \"a\" {\n\n device \"x\" { public_key = " KEY_B " address = {\"10.1.1.1\"} } }", "t.policy", 3, "is not in the edge's pool"},
	{EDGE, "principal \"a\" {\n device \"x\" { public_key = \"x\"\n address = {\"1\",\n\"::\"} } }", "t.policy", 2, "public_key has 1 characters"},
	{EDGE, ALICE "principal \"bob\" {\n device \"p\" { public_key = " KEY_C "\n address = {\"100.80.0.11\"} } }", "t.policy", 5, "held twice"},
	{EDGE, "principal \"a\" {\n device \"p\" { public_key = " KEY_C " address = {\"100.80.0.1\"} } }", "t.policy", 2, "held twice"},
	{EDGE, ALICE "principal \"bob\" {\n device \"p\" { public_key = " KEY_B "\n address = {\"100.80.0.12\"} } }", "t.policy", 5, "belongs to two devices"},
	{EDGE, ALICE "principal \"b\" {\n device { } }", "t.policy", 5, "\"device\" is a section with a title"},
	{EDGE, ALICE "route \"10.77.0.0/33\" { }", "t.policy", 4, "route: \"10.77.0.0/33\" is no prefix"},
	{EDGE, ALICE "\nroute \"10.77.0.5/24\" { }", "t.policy", 5, "expected \"10.77.0.0/24\""},
	{EDGE, ALICE "/*\n*/route \"10.77.0.0/24\" {\n via = {\"dc1\"} }", "t.policy", 5, "there is no such principal"},
	{EDGE, ALICE "route \"10.77.0.0/24\" {\n via = {\"alice\"} }", "t.policy", 4, "is a user; expected one with kind = connector"},
	{EDGE, DC1 "route \"10.77.0.0/24\" { via = dc1\n}\nroute \"10.77.0.0/24\" { via = dc1 }", "t.policy", 4, "is there twice"},
	{EDGE, DC1 "route \"fd00::/64\" { via = dc1\n}\nroute \"FD00::/64\" { via = dc1 }", "t.policy", 4, "is there twice"},
	{EDGE, DC1 "route \"10.77.0.0/24\" { via = {\"dc1\"}\n rule \"r\" { from = {\"any\"} ports = {\"80\"} } }", "t.policy", 3, "expected proto = tcp or proto = udp"},
	{EDGE, DC1 "route \"10.77.0.0/24\" { via = {\"dc1\"}\n rule \"r\" { from = {\"any\"} proto = tcp\n ports = {\"80\", \"90-80\"} } }", "t.policy", 4, "\"90-80\" is no port"},
	{EDGE, DC1 "route \"10.77.0.0/24\" { via = {\"dc1\"}\n rule \"r\" { from = {\"any\"} proto = tcp ports = {} } }", "t.policy", 3, "ports is empty"},
	{EDGE, DC1 "route \"10.77.0.0/24\" { via = {\"dc1\"}\n rule \"r\" { from = {\"any\"} prot = tcp } }", "t.policy", 3, "unknown option \"prot\"; expected \"proto\""},
	{EDGE, DC1 "route \"10.77.0.0/24\" { via = {\"dc1\"}\n rule \"r\" { from = {\"any\"} proto = tpc } }", "t.policy", 3, "(\"tcp\"?)"},
	{EDGE, DC1 "route \"10.77.0.0/24\" { via = {\"dc1\"}\n rule \"r\" { from = {\"any\"} proto = 256 } }", "t.policy", 3, "expected 0 to 255"},
	{EDGE, DC1 "route \"10.77.0.0/24\" { via = {\"dc1\"}\n rule \"r\" { from = {\"any\"} action = allow } }", "t.policy", 3, "expected one of: accept, reject, drop"},
	{EDGE, DC1 "route \"10.77.0.0/24\" { via = {\"dc1\"}\n rule \"r\" { } }", "t.policy", 3, "has no from"},
	{EDGE, DC1 "route \"10.77.0.0/24\" { via = {\"dc1\"}\n rule \"r\" { from = {\"group:x\"} } }", "t.policy", 3, "no principal is in group \"x\""},
	{EDGE, DC1 "route \"10.77.0.0/24\" { via = {\"dc1\"}\n rule \"r\" { from = {\"eng\"} } }", "t.policy", 3, "expected \"any\", \"group:NAME\""},
	{CONNECTOR, ALICE, "t.policy", 1, "principal on a connector"},
	{CONNECTOR, "route \"10.78.0.0/24\" { }", "t.policy", 1, "touches nothing that this connector announces"},
	{CONNECTOR, "route \"10.77.0.0/24\" {\n via = {\"dc1\"} }", "t.policy", 2, "via on a connector"},
};

static void check_bad(const struct bad *bad)
{
	struct outcome o = parse(bad->conf, bad->policy);
	const struct config_error *e = &o.error[0];

	ck_assert_msg(o.err == -EINVAL, "accepted (%d): %s / %s", o.err, bad->conf,
		      bad->policy ? bad->policy : "-");
	ck_assert_uint_ge(o.count, 1);
	ck_assert_msg(strcmp(e->file, bad->file) == 0 && e->line == bad->line &&
		      strstr(e->text, bad->text), "%s:%u: %s\nwanted %s:%u: ...%s", e->file, e->line,
		      e->text, bad->file, bad->line, bad->text);
	ck_assert_msg(strstr(e->text, "expected") || strstr(e->text, "is there twice") ||
		      strcmp(bad->file, "t.policy") == 0, "no word of what is expected: %s", e->text);
}

START_TEST(bad_syntax)
{
	check_bad(&syntax[_i]);
}
END_TEST

START_TEST(bad_values)
{
	check_bad(&values[_i]);
}
END_TEST

START_TEST(bad_policies)
{
	check_bad(&policies[_i]);
}
END_TEST

START_TEST(bad_endpoint)
{
	struct bad bad = {bad_endpoints[_i], NULL, "t.conf", 4, "expected"};

	check_bad(&bad);
}
END_TEST

START_TEST(good_endpoints)
{
	static const struct {
		const char *conf, *host;
		uint16_t port;
	} cases[] = {
		{ENDPOINT("edge.example.com"), "edge.example.com", 51820},
		{ENDPOINT("edge.example.com.:443"), "edge.example.com.", 443},
		{ENDPOINT("192.0.2.1:1"), "192.0.2.1", 1},
		{ENDPOINT("[2001:db8::1]"), "2001:db8::1", 51820},
		{ENDPOINT("[2001:db8::1]:65535"), "2001:db8::1", 65535},
		{ENDPOINT("localhost:5000"), "localhost", 5000},
		{ENDPOINT("127.0.0.1"), "127.0.0.1", 51820},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct config *c = parse_good(cases[i].conf, NULL);

		ck_assert_str_eq(c->edge.host, cases[i].host);
		ck_assert_uint_eq(c->edge.port, cases[i].port);
		config_free(c);
	}
}
END_TEST

/* Every error of values is reported in the order of the lines, up to twenty. */
START_TEST(all_errors)
{
	struct outcome o = parse(CLIENT "fwmark = x\n\nmtu = 1\nkeepalive = y\n", NULL);
	char many[4096] = "";

	ck_assert_uint_eq(o.count, 3);
	ck_assert_uint_eq(o.error[0].line, 4);
	ck_assert_uint_eq(o.error[1].line, 6);
	ck_assert_uint_eq(o.error[2].line, 7);
	for (int i = 0; i < 100; i++)
		strcat(many, "route \"x\" { }\n");
	o = parse(EDGE, many);
	ck_assert_uint_eq(o.count, 21);
	ck_assert_uint_eq(o.error[19].line, 20);
	ck_assert_ptr_nonnull(strstr(o.error[20].text, "80 more errors"));
}
END_TEST

START_TEST(defaults_of_a_client)
{
	struct config *c = parse_good(CLIENT, NULL);

	ck_assert_int_eq(c->role, ROLE_CLIENT);
	ck_assert_str_eq(c->interface, "tund0");
	ck_assert_uint_eq(c->mtu, 1420);
	ck_assert_uint_eq(c->keepalive_s, 25);
	ck_assert_int_eq(c->edge.suite, -1);
	ck_assert_int_eq(c->transport, TRANSPORT_AUTO);
	ck_assert_uint_eq(c->accept_routes.count, 5);
	ck_assert(!c->full_tunnel && !c->accept_dns);
	ck_assert_uint_ne(c->fwmark, 0);
	ck_assert_ptr_nonnull(c->policy);
	config_free(c);
}
END_TEST

START_TEST(defaults_of_an_edge)
{
	struct config *c = parse_good(EDGE, ALICE DC1 "route \"10.77.0.0/24\" { via = {\"dc1\"}\n"
				      "rule \"w\" { from = {\"user:alice\"} } }");
	char text[IP_ADDR_STRLEN];

	ck_assert_uint_eq(c->listen_port, 51820);
	ck_assert_uint_eq(c->pool.count, 2);
	ck_assert_uint_eq(c->address_count, 2);
	ck_assert_str_eq(ip_addr_format(&c->address[0], text), "100.80.0.1");
	ck_assert_str_eq(ip_addr_format(&c->address[1], text), "fd74:756e:64::1");
	ck_assert_uint_eq(c->policy->own_count, 2);
	ck_assert_uint_eq(c->policy->principal_count, 2);
	ck_assert_uint_eq(c->policy->routes[0].rules[0].place.line, 6);
	ck_assert_str_eq(c->policy->routes[0].place.file, "t.policy");
	ck_assert_int_eq(c->policy->routes[0].rules[0].proto, POLICY_PROTO_ANY);
	config_free(c);
}
END_TEST

START_TEST(options_as_written)
{
	struct config *c = parse_good(
		"role = connector private_key = " KEY_A " mtu = 1280 keepalive = 0\r\n"
		"edge { public_key = " KEY_B " preshared_key = " KEY_C " endpoint = 192.0.2.1:443\n"
		"suite = chacha20-poly1305 } transport = tcp accept_routes = {} full_tunnel = on\n"
		"accept_dns = yes fwmark = 0xCAFE source = preserve interface = 'vpn.1-a_b'\n"
		"announce = {10.77.0.0/24, # both\n fd00::/64}", NULL);

	ck_assert_uint_eq(c->mtu, 1280);
	ck_assert_uint_eq(c->keepalive_s, 0);
	ck_assert_int_eq(c->edge.suite, 2);
	ck_assert_uint_eq(c->edge.preshared_key[0], 3);
	ck_assert_int_eq(c->transport, TRANSPORT_TCP_ONLY);
	ck_assert_uint_eq(c->accept_routes.count, 0);
	ck_assert(c->full_tunnel && c->accept_dns);
	ck_assert_uint_eq(c->fwmark, 0xcafe);
	ck_assert_int_eq(c->source, SOURCE_PRESERVE);
	ck_assert_str_eq(c->interface, "vpn.1-a_b");
	ck_assert_uint_eq(c->announce.count, 2);
	config_free(c);
}
END_TEST

/* Rules keep their own lines where sections of both kinds alternate. */
START_TEST(lines_of_sections)
{
	struct config *c = parse_good(EDGE,
		"# 1\nroute \"10.1.0.0/16\" { via = {dc1}\n rule \"a\" { from = {any} }\n"
		"/* 4\n 5 */ rule \"b\" { from = {any} } }\n" DC1
		"route \"10.2.0.0/16\" { via = {dc1} }\nprincipal \"rule\" {\n\n"
		" device \"route\" { public_key = " KEY_B " address = {100.80.0.9} } }\n"
		"route \"10.3.0.0/16\" { via = {dc1}\n rule \"principal\" { from = {any} } }");
	const struct policy_spec *p = c->policy;

	ck_assert_uint_eq(p->routes[0].place.line, 2);
	ck_assert_uint_eq(p->routes[0].rules[0].place.line, 3);
	ck_assert_uint_eq(p->routes[0].rules[1].place.line, 5);
	ck_assert_uint_eq(p->principals[0].place.line, 6);
	ck_assert_uint_eq(p->routes[1].place.line, 7);
	ck_assert_uint_eq(p->principals[1].place.line, 8);
	ck_assert_uint_eq(p->principals[1].devices[0].place.line, 10);
	ck_assert_uint_eq(p->routes[2].place.line, 11);
	ck_assert_uint_eq(p->routes[2].rules[0].place.line, 12);
	config_free(c);
}
END_TEST

START_TEST(readable_by_others)
{
	static const char psk[] = "principal \"a\" { device \"b\" { public_key = " KEY_B
				  " preshared_key = " KEY_C " address = {100.80.0.9} } }";
	struct outcome o = parse_bytes(CLIENT, strlen(CLIENT), NULL, true);
	struct config_errors sink = {.ctx = &o, .report = collect};
	struct config_file conf = {file_of(EDGE, strlen(EDGE)), "t.conf", false};
	struct config_file policy = {file_of(psk, strlen(psk)), "t.policy", true};
	struct config *c = NULL;

	ck_assert_int_eq(o.err, -EINVAL);
	ck_assert_ptr_nonnull(strstr(o.error[0].text, "chmod 600 t.conf"));
	o = (struct outcome){0};
	ck_assert_int_eq(config_parse(&conf, &policy, &sink, &c), -EINVAL);
	ck_assert_ptr_nonnull(strstr(o.error[0].text, "chmod 600 t.policy"));
	close(policy.fd);
	/* without a secret in it, others may read it */
	policy.fd = file_of(ALICE, strlen(ALICE));
	ck_assert_int_eq(config_parse(&conf, &policy, &sink, &c), 0);
	config_free(c);
	close(policy.fd);
	close(conf.fd);
}
END_TEST

/* Neither a NUL, nor a long file, nor noise is more than an error. */
START_TEST(hostile_bytes)
{
	size_t len = 1 << 20;
	char *big = malloc(len + 1);
	struct outcome o = parse_bytes("role\0= edge", 11, NULL, false);

	ck_assert_int_eq(o.err, -EINVAL);
	ck_assert_ptr_nonnull(strstr(o.error[0].text, "0x00"));
	for (unsigned seed = 0; seed < 24; seed++) {
		srand(seed);
		for (size_t i = 0; i < len; i++)
			big[i] = (char)(seed == 0 ? 'a' : seed == 1 ? '{' : seed == 2 ? ' ' :
					seed == 3 ? '"' : seed == 4 ? '\n' : rand());
		o = parse_bytes(big, seed < 5 ? len : 4096, NULL, false);
		ck_assert_int_eq(o.err, -EINVAL);
	}
	free(big);
}
END_TEST

/* What doc/examples and the manual pages show. */
START_TEST(examples)
{
	static const char *const names[][2] = {
		{"client.conf", NULL}, {"connector.conf", NULL},
		{"connector.conf", "connector.policy"}, {"edge.conf", "edge.policy"}};
	char conf[4096], policy[4096] = "";

	read_example(names[_i][0], conf, sizeof conf);
	if (names[_i][1])
		read_example(names[_i][1], policy, sizeof policy);
	config_free(parse_good(conf, names[_i][1] ? policy : NULL));
}
END_TEST

static const char *const round_trips[][2] = {
	{CLIENT, NULL},
	{CONNECTOR, NULL},
	{CONNECTOR, "route \"10.77.0.0/25\" { rule \"a\" { from = {\"group:x\"} } }"},
	{EDGE, ""},
	{EDGE "pool = {\"100.80.0.0/16\"} listen = 1 mtu = 9000", ALICE DC1
	 "route \"10.77.0.0/24\" { via = {dc1} rule \"a\" { from = {any} proto = tcp ports = {1-5} } }"},
};

static size_t encode(const struct config *c, enum config_view view, uint8_t *buf, size_t size)
{
	struct writer w = writer_init(buf, size);

	config_encode(c, view, &w);
	ck_assert(!w.failed);
	return w.len;
}

static bool contains(const uint8_t *data, size_t len, uint8_t byte)
{
	uint8_t key[KEY_SIZE];

	memset(key, byte, sizeof key);
	return memmem(data, len, key, sizeof key) != NULL;
}

START_TEST(encoding_round_trip)
{
	uint8_t first[8192], second[8192];
	struct config *c = parse_good(round_trips[_i][0], round_trips[_i][1]);

	for (int view = CONFIG_FULL; view <= CONFIG_HOST; view++) {
		size_t len = encode(c, (enum config_view)view, first, sizeof first);
		struct reader r = reader_init(first, len);
		struct config *back;

		ck_assert(contains(first, len, 1) == (view == CONFIG_FULL));
		ck_assert(view != CONFIG_HOST || (!contains(first, len, 2) && !contains(first, len, 3)));
		ck_assert_int_eq(config_decode(&r, &back), 0);
		ck_assert_uint_eq(encode(back, (enum config_view)view, second, sizeof second), len);
		ck_assert_mem_eq(first, second, len);
		ck_assert_ptr_nonnull(back->policy);
		config_free(back);
	}
	config_free(c);
}
END_TEST

/* Cut short, or with anything behind: refused. With a byte changed: refused, or a valid whole. */
START_TEST(decoding_is_strict)
{
	uint8_t buf[8192], again[8192], *exact;
	struct config *c = parse_good(round_trips[_i][0], round_trips[_i][1]), *back;
	size_t len = encode(c, CONFIG_FULL, buf, sizeof buf - 1);
	struct reader r;

	for (size_t n = 0; n <= len + 1; n++) {
		exact = malloc(n ? n : 1);
		memcpy(exact, buf, n);
		r = reader_init(exact, n);
		if (n != len)
			ck_assert_int_eq(config_decode(&r, &back), -EBADMSG);
		free(exact);
	}
	for (size_t n = 0; n < len * 8; n++) {
		buf[n / 8] ^= (uint8_t)(1u << n % 8);
		r = reader_init(buf, len);
		if (config_decode(&r, &back) == 0) {
			encode(back, CONFIG_FULL, again, sizeof again);
			ck_assert_mem_eq(buf, again, len);
			config_free(back);
		}
		buf[n / 8] ^= (uint8_t)(1u << n % 8);
	}
	config_free(c);
}
END_TEST

static TCase *bad_cases(void)
{
	TCase *tc = tcase_create("bad");

	tcase_add_loop_test(tc, bad_syntax, 0, sizeof syntax / sizeof *syntax);
	tcase_add_loop_test(tc, bad_values, 0, sizeof values / sizeof *values);
	tcase_add_loop_test(tc, bad_policies, 0, sizeof policies / sizeof *policies);
	tcase_add_loop_test(tc, bad_endpoint, 0, sizeof bad_endpoints / sizeof *bad_endpoints);
	tcase_add_test(tc, all_errors);
	tcase_add_test(tc, readable_by_others);
	tcase_add_test(tc, hostile_bytes);
	return tc;
}

static TCase *good_cases(void)
{
	TCase *tc = tcase_create("good");
	int n = sizeof round_trips / sizeof *round_trips;

	tcase_add_test(tc, good_endpoints);
	tcase_add_test(tc, defaults_of_a_client);
	tcase_add_test(tc, defaults_of_an_edge);
	tcase_add_test(tc, options_as_written);
	tcase_add_test(tc, lines_of_sections);
	tcase_add_loop_test(tc, examples, 0, 4);
	tcase_add_loop_test(tc, encoding_round_trip, 0, n);
	tcase_add_loop_test(tc, decoding_is_strict, 0, n);
	return tc;
}

int main(void)
{
	Suite *suite = suite_create("config");

	suite_add_tcase(suite, bad_cases());
	suite_add_tcase(suite, good_cases());
	return tap_run(suite);
}
