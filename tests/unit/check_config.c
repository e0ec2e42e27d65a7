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
#include <tund/crypto/random.h>
#include <tund/crypto/x25519.h>

#include "config_cases.h"
#include "tap.h"
#include "vectors.h"

#define ERRORS_MAX 32
#define X25519_FILE "wycheproof/x25519_test.json"

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

static void check_bad(const struct bad *bad)
{
	struct outcome o = parse(bad->conf, bad->policy);
	const struct config_error *e = &o.error[0];

	ck_assert_msg(o.err == -EINVAL, "accepted (%d): %s / %s", o.err, bad->conf,
		      bad->policy ? bad->policy : "-");
	ck_assert_uint_ge(o.count, 1);
	ck_assert_msg(strcmp(e->file, bad->file) == 0 && e->line == bad->line &&
			      strstr(e->text, bad->text),
		      "%s:%u: %s\nwanted %s:%u: ...%s", e->file, e->line, e->text, bad->file,
		      bad->line, bad->text);
	ck_assert_msg(strstr(e->text, "expected") || strstr(e->text, "is there twice") ||
			      strcmp(bad->file, "t.policy") == 0,
		      "no word of what is expected: %s", e->text);
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
	ck_assert_uint_eq(c->workers, 0);
	ck_assert_int_eq(c->aead, AEAD_AUTO);
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
	ck_assert_uint_eq(c->address.count, 2);
	ck_assert_str_eq(ip_addr_format(&c->address.addr[0], text), "100.80.0.1");
	ck_assert_str_eq(ip_addr_format(&c->address.addr[1], text), "fd74:756e:64::1");
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
		"workers = 64\n"
		"aead = libcrypto\n"
		"edge { public_key = " KEY_B " preshared_key = " KEY_C " endpoint = 192.0.2.1:443\n"
		"suite = chacha20-poly1305 } transport = tcp accept_routes = {} full_tunnel = on\n"
		"accept_dns = yes fwmark = 0xCAFE source = preserve interface = 'vpn.1-a_b'\n"
		"announce = {10.77.0.0/24, # both\n fd00::/64}",
		NULL);

	ck_assert_uint_eq(c->mtu, 1280);
	ck_assert_uint_eq(c->workers, 64);
	ck_assert_int_eq(c->aead, AEAD_LIBCRYPTO);
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

START_TEST(a_client_of_a_stock_server)
{
	struct config *c = parse_good(WG_CLIENT, NULL);

	ck_assert_int_eq(c->edge.suite, 0);
	ck_assert_int_eq(c->transport, TRANSPORT_UDP_ONLY);
	ck_assert_uint_eq(c->address.count, 2);
	ck_assert_uint_eq(c->routes.count, 2);
	config_free(c);
	config_free(parse_good(WG_CLIENT "transport = udp\n", NULL));
}
END_TEST

START_TEST(a_stock_peer)
{
	struct config *c = parse_good(EDGE, WG_ALICE);

	ck_assert(c->policy->principals[0].devices[0].wireguard);
	ck_assert(!c->policy->principals[0].devices[1].wireguard);
	config_free(c);
}
END_TEST

/* Rules keep their own lines where sections of both kinds alternate. */
START_TEST(lines_of_sections)
{
	struct config *c = parse_good(
		EDGE,
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
/* A peer's key: whether the parser and X25519 itself agree on it. Returns whether it is taken. */
static bool key_is_taken(const uint8_t key[KEY_SIZE])
{
	static const uint8_t secret[KEY_SIZE] = {8, 1, 2, 3};
	static const uint8_t zero[KEY_SIZE];
	char conf[512], text[KEY_BASE64_LEN + 1];
	uint8_t shared[KEY_SIZE];
	struct outcome o;
	bool usable = x25519_dh(secret, key, shared) == 0;

	key_to_base64(key, text);
	snprintf(conf, sizeof conf, "role = client\nprivate_key = " KEY_A
		 "\nedge {\n public_key = \"%s\"\n endpoint = \"e\"\n}\n", text);
	o = parse(conf, NULL);
	ck_assert_msg((o.err == 0) == usable, "%s", text);
	if (o.err) {
		ck_assert_uint_eq(o.error[0].line, 4);
		ck_assert_ptr_nonnull(strstr(o.error[0].text, memcmp(key, zero, KEY_SIZE)
								      ? "low order"
								      : "all zeros"));
	}
	config_free(o.config);
	return usable;
}

START_TEST(keys_of_low_order)
{
	json_t *root, *group, *test;
	struct vector_bytes key;
	size_t i, j;
	int refused = 0;

	ck_assert_int_eq(crypto_init(), 0);
	root = vectors_load(X25519_FILE);
	json_array_foreach(json_object_get(root, "testGroups"), i, group) {
		json_array_foreach(json_object_get(group, "tests"), j, test) {
			vector_get(test, "public", &key);
			refused += !key_is_taken(key.data);
			key.data[KEY_SIZE - 1] ^= 0x80;
			refused += !key_is_taken(key.data);
		}
	}
	json_decref(root);
	ck_assert_int_ge(refused, 31 * 2); /* keys of low order, with either top bit */
}
END_TEST

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
			big[i] = (char)(seed == 0   ? 'a'
					: seed == 1 ? '{'
					: seed == 2 ? ' '
					: seed == 3 ? '"'
					: seed == 4 ? '\n'
						    : rand());
		o = parse_bytes(big, seed < 5 ? len : 4096, NULL, false);
		ck_assert_int_eq(o.err, -EINVAL);
	}
	free(big);
}
END_TEST

/* What doc/examples and the manual pages show. */
START_TEST(examples)
{
	static const char *const names[][2] = {{"client.conf", NULL},
					       {"wireguard-client.conf", NULL},
					       {"connector.conf", NULL},
					       {"connector.conf", "connector.policy"},
					       {"edge.conf", "edge.policy"}};
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
	{WG_CLIENT, NULL},
	{EDGE, WG_ALICE},
	{CONNECTOR, "route \"10.77.0.0/25\" { rule \"a\" { from = {\"group:x\"} } }"},
	{EDGE, ""},
	{EDGE "pool = {\"100.80.0.0/16\"} listen = 1 mtu = 9000 workers = 7 aead = libsodium",
	 ALICE DC1 "route \"10.77.0.0/24\" { via = {dc1} rule \"a\" { from = {any} proto = tcp "
		   "ports = {1-5} } }"},
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

	memset(c->public_key, 7, sizeof c->public_key);
	for (int view = CONFIG_FULL; view <= CONFIG_HOST; view++) {
		size_t len = encode(c, (enum config_view)view, first, sizeof first);
		struct reader r = reader_init(first, len);
		struct config *back;

		ck_assert(contains(first, len, 1) == (view == CONFIG_FULL));
		ck_assert(contains(first, len, 7) == (view == CONFIG_HOST));
		ck_assert(view != CONFIG_HOST ||
			  (!contains(first, len, 2) && !contains(first, len, 3)));
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
	if (vectors_exist(X25519_FILE))
		tcase_add_test(tc, keys_of_low_order);
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
	tcase_add_test(tc, a_client_of_a_stock_server);
	tcase_add_test(tc, a_stock_peer);
	tcase_add_test(tc, lines_of_sections);
	tcase_add_loop_test(tc, examples, 0, 5);
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
