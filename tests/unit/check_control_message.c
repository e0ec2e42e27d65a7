/* SPDX-License-Identifier: ISC */
/* Control messages as JSON: what is accepted, what is refused, and round trips. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/control_message.h"

#include "tap.h"

struct control_message_case {
	const char *text;
	int result;
	enum control_message_type type;
};

#define HELLO "\"type\":\"hello\",\"schema\":1,\"role\":\"client\",\"software\":\"tund 1\""

static const struct control_message_case cases[] = {
	{"{" HELLO "}", 0, CONTROL_MESSAGE_HELLO},
	{"{" HELLO ",\"later\":{\"a\":[1,2,{}]}}", 0, CONTROL_MESSAGE_HELLO},
	{"{\"type\":\"goodbye\"}", 0, CONTROL_MESSAGE_GOODBYE},
	{"{\"type\":\"more\"}", 0, CONTROL_MESSAGE_MORE},
	{"{\"type\":\"teleport\",\"to\":3}", 0, CONTROL_MESSAGE_OTHER},
	{"{\"type\":\"config\",\"addresses\":[],\"routes\":[]}", 0, CONTROL_MESSAGE_CONFIG},
	{"{\"type\":\"config\",\"addresses\":[\"100.80.0.11\",\"fd74:756e:64::11\"],"
	 "\"routes\":[\"10.77.0.0/24\",\"0.0.0.0/0\",\"::/0\"],\"mtu\":1420}",
	 0, CONTROL_MESSAGE_CONFIG},
	{"{\"type\":\"routes\",\"routes\":[\"10.77.0.0/24\"]}", 0, CONTROL_MESSAGE_ROUTES},
	{"{\"type\":\"denied\",\"destination\":\"10.77.0.10\",\"proto\":6,\"port\":80}", 0,
	 CONTROL_MESSAGE_DENIED},
	{"{\"type\":\"denied\",\"destination\":\"224.0.0.1\",\"proto\":1}", 0,
	 CONTROL_MESSAGE_DENIED},
	{"{\"type\":\"holders\",\"first\":true,\"last\":true,\"holders\":[]}", 0,
	 CONTROL_MESSAGE_IDENTITIES},
	{"{\"type\":\"holders\",\"first\":true,\"last\":false,\"holders\":[{\"principal\":\"a\","
	 "\"groups\":[\"eng\"],\"addresses\":[\"100.80.0.11\"]}]}",
	 0, CONTROL_MESSAGE_IDENTITIES},
	/* no JSON object with a type */
	{"", -EBADMSG, 0},
	{"{", -EBADMSG, 0},
	{"[]", -EBADMSG, 0},
	{"\"hello\"", -EBADMSG, 0},
	{"{}", -EBADMSG, 0},
	{"{\"type\":1}", -EBADMSG, 0},
	{"{\"type\":\"mtu\",\"mtu\":1280}", 0, CONTROL_MESSAGE_MTU},
	{"{\"type\":\"mtu\",\"mtu\":9000}", 0, CONTROL_MESSAGE_MTU},
	{"{\"type\":\"mtu\"}", -EBADMSG, 0},
	{"{\"type\":\"mtu\",\"mtu\":0}", -EBADMSG, 0},
	{"{\"type\":\"mtu\",\"mtu\":1279}", -EBADMSG, 0},
	{"{\"type\":\"mtu\",\"mtu\":9001}", -EBADMSG, 0},
	{"{\"type\":\"goodbye\"} x", -EBADMSG, 0},
	{"{\"type\":\"goodbye\",\"type\":\"hello\"}", -EBADMSG, 0},
	{"{\"type\":\"goodbye\",\"a\":1,\"a\":1}", -EBADMSG, 0},
	{"{\"type\":\"goodbye\",\"a\":\"\xff\"}", -EBADMSG, 0},
	{"{\"type\":\"goodbye\",\"a\":\"\\u0000\"}", -EBADMSG, 0},
	/* depth: 8 is allowed, 9 is not; brackets in texts do not count */
	{"{\"type\":\"goodbye\",\"a\":[[[[[[[]]]]]]]}", 0, CONTROL_MESSAGE_GOODBYE},
	{"{\"type\":\"goodbye\",\"a\":[[[[[[[[]]]]]]]]}", -EBADMSG, 0},
	{"{\"type\":\"goodbye\",\"a\":\"[[[[[[[[[[\\\"[[[[[[[[[[\"}", 0, CONTROL_MESSAGE_GOODBYE},
	/* hello */
	{"{\"type\":\"hello\"}", -EBADMSG, 0},
	{"{\"type\":\"hello\",\"schema\":0,\"role\":\"edge\",\"software\":\"x\"}", -EBADMSG, 0},
	{"{\"type\":\"hello\",\"schema\":1.0,\"role\":\"edge\",\"software\":\"x\"}", -EBADMSG, 0},
	{"{\"type\":\"hello\",\"schema\":1,\"role\":\"\",\"software\":\"x\"}", -EBADMSG, 0},
	{"{\"type\":\"hello\",\"schema\":1,\"role\":\"edge\",\"software\":\"\\u001b[2J\"}",
	 -EBADMSG, 0},
	{"{\"type\":\"hello\",\"schema\":1,\"role\":\"edge\",\"software\":\"\\u009b2J\"}", -EBADMSG,
	 0},
	{"{\"type\":\"hello\",\"schema\":1,\"role\":\"0123456789abcdef\",\"software\":\"x\"}",
	 -EBADMSG, 0},
	/* config */
	{"{\"type\":\"config\",\"addresses\":[]}", -EBADMSG, 0},
	{"{\"type\":\"config\",\"addresses\":{},\"routes\":[]}", -EBADMSG, 0},
	{"{\"type\":\"config\",\"addresses\":[1],\"routes\":[]}", -EBADMSG, 0},
	{"{\"type\":\"config\",\"addresses\":[\"127.0.0.1\"],\"routes\":[]}", -EBADMSG, 0},
	{"{\"type\":\"config\",\"addresses\":[\"fe80::1\"],\"routes\":[]}", -EBADMSG, 0},
	{"{\"type\":\"config\",\"addresses\":[\"100.80.0.11/32\"],\"routes\":[]}", -EBADMSG, 0},
	{"{\"type\":\"config\",\"addresses\":[\"1.1.1.1\",\"1.1.1.1\",\"1.1.1.1\",\"1.1.1.1\","
	 "\"1.1.1.1\",\"1.1.1.1\",\"1.1.1.1\",\"1.1.1.1\",\"1.1.1.1\"],\"routes\":[]}",
	 -EBADMSG, 0},
	{"{\"type\":\"config\",\"addresses\":[],\"routes\":[\"10.77.0.1/24\"]}", -EBADMSG, 0},
	{"{\"type\":\"config\",\"addresses\":[],\"routes\":[\"224.0.0.0/4\"]}", -EBADMSG, 0},
	{"{\"type\":\"config\",\"addresses\":[],\"routes\":[\"127.0.0.0/8\"]}", -EBADMSG, 0},
	{"{\"type\":\"config\",\"addresses\":[],\"routes\":[],\"mtu\":1279}", -EBADMSG, 0},
	{"{\"type\":\"config\",\"addresses\":[],\"routes\":[],\"mtu\":9001}", -EBADMSG, 0},
	{"{\"type\":\"config\",\"addresses\":[],\"routes\":[],\"mtu\":-1}", -EBADMSG, 0},
	{"{\"type\":\"config\",\"addresses\":[],\"routes\":[],\"mtu\":4294968576}", -EBADMSG, 0},
	{"{\"type\":\"config\",\"addresses\":[],\"routes\":[],\"mtu\":null}", -EBADMSG, 0},
	/* the others */
	{"{\"type\":\"routes\"}", -EBADMSG, 0},
	{"{\"type\":\"denied\",\"destination\":\"x\",\"proto\":6}", -EBADMSG, 0},
	{"{\"type\":\"denied\",\"destination\":\"10.0.0.1\",\"proto\":256}", -EBADMSG, 0},
	{"{\"type\":\"denied\",\"destination\":\"10.0.0.1\",\"proto\":6,\"port\":65536}", -EBADMSG,
	 0},
	{"{\"type\":\"holders\",\"first\":1,\"last\":true,\"holders\":[]}", -EBADMSG, 0},
	{"{\"type\":\"holders\",\"first\":true,\"last\":true,\"holders\":[{\"principal\":\"a\","
	 "\"addresses\":[]}]}",
	 -EBADMSG, 0},
	{"{\"type\":\"holders\",\"first\":true,\"last\":true,\"holders\":[{\"principal\":\"a\","
	 "\"groups\":[\"\"],\"addresses\":[]}]}",
	 -EBADMSG, 0},
};

static int decode(const char *text, struct control_message **out)
{
	return control_message_decode((const uint8_t *)text, strlen(text), out);
}

START_TEST(texts_decode)
{
	const struct control_message_case *c = &cases[_i];
	struct control_message *n = NULL;
	int r = decode(c->text, &n);

	ck_assert_msg(r == c->result, "%s: %d", c->text, r);
	if (r) {
		ck_assert_ptr_null(n); /* untouched on error */
		return;
	}
	ck_assert_int_eq(n->type, c->type);
	control_message_free(n);
}
END_TEST

static struct control_message *round_trip(const struct control_message *in)
{
	struct control_message *out;
	char *text;

	ck_assert_int_eq(control_message_encode(in, &text), 0);
	ck_assert_int_eq(decode(text, &out), 0);
	ck_assert_int_eq(out->type, in->type);
	free(text);
	return out;
}

START_TEST(config_round_trip)
{
	struct control_message in = {.type = CONTROL_MESSAGE_CONFIG, .config = {.mtu = 1280}}, *out;

	in.config.address_count = 2;
	ck_assert_int_eq(ip_addr_parse("100.80.0.11", &in.config.address[0]), 0);
	ck_assert_int_eq(ip_addr_parse("fd74:756e:64::11", &in.config.address[1]), 0);
	in.config.route_count = NETWORK_ROUTES_MAX;
	for (uint32_t i = 0; i < NETWORK_ROUTES_MAX; i++) {
		struct ip_addr a = ip_addr_from_bytes(
			4, (const uint8_t[]){10, (uint8_t)(i / 256), (uint8_t)i, 0});

		in.config.route[i] = ip_prefix_of(&a, 24);
	}
	out = round_trip(&in);
	ck_assert_mem_eq(&out->config, &in.config, sizeof in.config);
	control_message_free(out);
}
END_TEST

START_TEST(others_round_trip)
{
	struct control_message hello = {.type = CONTROL_MESSAGE_HELLO,
					.hello = {"connector", "tund 0.1.0"}};
	struct control_message denied = {.type = CONTROL_MESSAGE_DENIED,
					 .denied = {.proto = 17, .port = 53}};
	struct control_message mtu = {.type = CONTROL_MESSAGE_MTU, .mtu = 1400};
	struct control_message goodbye = {.type = CONTROL_MESSAGE_GOODBYE}, *out;

	out = round_trip(&hello);
	ck_assert_str_eq(out->hello.role, "connector");
	ck_assert_str_eq(out->hello.software, "tund 0.1.0");
	control_message_free(out);
	ck_assert_int_eq(ip_addr_parse("10.77.0.10", &denied.denied.destination), 0);
	out = round_trip(&denied);
	ck_assert_mem_eq(&out->denied, &denied.denied, sizeof denied.denied);
	control_message_free(out);
	control_message_free(round_trip(&goodbye));
	out = round_trip(&mtu);
	ck_assert_uint_eq(out->mtu, 1400);
	control_message_free(out);
}
END_TEST

static void make_identity(struct control_message_identity *h, unsigned i)
{
	memset(h, 0, sizeof *h);
	snprintf(h->principal, sizeof h->principal, "user%u@example.com", i);
	h->group_count = 2;
	strcpy(h->group[0], "eng");
	snprintf(h->group[1], sizeof h->group[1], "team%u", i % 7);
	h->address_count = 1;
	h->address[0] = ip_addr_from_bytes(
		4, (const uint8_t[]){100, 80, (uint8_t)(i / 250), (uint8_t)(1 + i % 250)});
}

/* Checks one chunk's holders, which start with number `from`; returns how many there are. */
static unsigned expect_identities(const char *text, unsigned from, bool first, bool last)
{
	struct control_message_identity expected, got;
	struct control_message *n;
	unsigned count;

	ck_assert_uint_le(strlen(text), CONTROL_MESSAGE_CHUNK_MAX);
	ck_assert_int_eq(decode(text, &n), 0);
	ck_assert_int_eq(n->type, CONTROL_MESSAGE_IDENTITIES);
	ck_assert_int_eq(n->identities.first, first);
	ck_assert_int_eq(n->identities.last, last);
	count = n->identities.count;
	for (unsigned i = 0; i < count; i++) {
		make_identity(&expected, from + i);
		control_message_identity(n, i, &got);
		ck_assert_mem_eq(&got, &expected, sizeof got);
	}
	control_message_free(n);
	return count;
}

START_TEST(identities_in_chunks)
{
	const unsigned total = 2000;
	struct identities_chunk chunk;
	struct control_message_identity h;
	unsigned done = 0, chunks = 0;
	char *text;

	ck_assert_int_eq(identities_chunk_init(&chunk), 0);
	for (unsigned i = 0; i < total; i++) {
		int r;

		make_identity(&h, i);
		r = identities_chunk_add(&chunk, &h);
		if (r == -ENOSPC) {
			ck_assert_int_eq(identities_chunk_encode(&chunk, chunks == 0, false, &text),
					 0);
			done += expect_identities(text, done, chunks == 0, false);
			free(text);
			chunks++;
			ck_assert_int_eq(identities_chunk_init(&chunk), 0);
			r = identities_chunk_add(&chunk, &h);
		}
		ck_assert_int_eq(r, 0);
	}
	ck_assert_int_eq(identities_chunk_encode(&chunk, false, true, &text), 0);
	done += expect_identities(text, done, false, true);
	free(text);
	ck_assert_uint_eq(done, total);
	ck_assert_uint_gt(chunks, 2);
}
END_TEST

START_TEST(largest_identity_fits)
{
	struct identities_chunk chunk;
	struct control_message_identity h = {.group_count = 16,
					     .address_count = NETWORK_ADDRESSES_MAX};
	char *text;

	memset(h.principal, 'p', sizeof h.principal - 1);
	for (unsigned i = 0; i < 16; i++)
		memset(h.group[i], 'g', sizeof h.group[i] - 1);
	for (unsigned i = 0; i < NETWORK_ADDRESSES_MAX; i++)
		h.address[i] = ip_addr_from_bytes(6, (const uint8_t *)"\xfd\x74\x75\x6e\x64\x64\x64"
								      "dddddddd\x01");
	ck_assert_int_eq(identities_chunk_init(&chunk), 0);
	ck_assert_int_eq(identities_chunk_add(&chunk, &h), 0);
	ck_assert_int_eq(identities_chunk_encode(&chunk, true, true, &text), 0);
	free(text);
}
END_TEST

START_TEST(not_utf8)
{
	struct identities_chunk chunk;
	struct control_message_identity h = {.principal = "caf\xe9"};
	struct control_message hello = {.type = CONTROL_MESSAGE_HELLO, .hello = {"edge", "\xff"}};
	char *text;

	ck_assert_int_eq(identities_chunk_init(&chunk), 0);
	ck_assert_int_eq(identities_chunk_add(&chunk, &h), -EINVAL);
	identities_chunk_clear(&chunk);
	ck_assert_int_eq(control_message_encode(&hello, &text), -EINVAL);
	ck_assert_int_eq(control_message_encode(
				 &(struct control_message){.type = CONTROL_MESSAGE_OTHER}, &text),
			 -EINVAL);
}
END_TEST

START_TEST(too_long)
{
	char *text = malloc(CONTROL_MESSAGE_BYTES_MAX + 2);
	struct control_message *n = NULL;

	memset(text, ' ', CONTROL_MESSAGE_BYTES_MAX + 1);
	memcpy(text, "{\"type\":\"goodbye\"}", 18);
	ck_assert_int_eq(control_message_decode((uint8_t *)text, CONTROL_MESSAGE_BYTES_MAX, &n), 0);
	control_message_free(n);
	ck_assert_int_eq(control_message_decode((uint8_t *)text, CONTROL_MESSAGE_BYTES_MAX + 1, &n),
			 -EBADMSG);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notice");
	TCase *tc = tcase_create("notice");

	tcase_add_loop_test(tc, texts_decode, 0, sizeof cases / sizeof *cases);
	tcase_add_test(tc, config_round_trip);
	tcase_add_test(tc, others_round_trip);
	tcase_add_test(tc, identities_in_chunks);
	tcase_add_test(tc, largest_identity_fits);
	tcase_add_test(tc, not_utf8);
	tcase_add_test(tc, too_long);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
