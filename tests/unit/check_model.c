/* SPDX-License-Identifier: ISC */
/* Specs: what is wrong with one and where; the trip through bytes, cut and damaged on the way. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "world.h"

#define VIA(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NOTHING ((const char *const[]){NULL})

/* Each takes a good spec and spoils it in one way. */
static void double_principal(struct policy_spec *s)
{
	policy_spec_add_principal(s, "bob", PRINCIPAL_USER, "f", 7);
}

static void empty_id(struct policy_spec *s)
{
	policy_spec_add_principal(s, "", PRINCIPAL_USER, "f", 7);
}

static void control_character(struct policy_spec *s)
{
	policy_spec_add_principal(s, "x\n2026 alice accepted", PRINCIPAL_USER, "f", 7);
}

static void double_key(struct policy_spec *s)
{
	struct spec_principal *p = policy_spec_add_principal(s, "x", PRINCIPAL_USER, "f", 6);
	struct spec_device *d = policy_spec_add_device(s, p, "d", "f", 7);

	d->public_key[0] = KEY_ALICE;
}

static void no_key(struct policy_spec *s)
{
	struct spec_principal *p = policy_spec_add_principal(s, "x", PRINCIPAL_USER, "f", 6);

	policy_spec_add_device(s, p, "d", "f", 7);
}

static void double_device_name(struct policy_spec *s)
{
	struct spec_principal *p = policy_spec_add_principal(s, "x", PRINCIPAL_USER, "f", 6);

	world_add_device(s, p, "d", 70, NOTHING);
	world_add_device(s, p, "d", 71, NOTHING)->place.line = 7;
}

static void add_holder(struct policy_spec *s, const char *address)
{
	struct spec_principal *p = policy_spec_add_principal(s, "x", PRINCIPAL_USER, "f", 6);

	world_add_device(s, p, "d", 70, VIA(address))->place.line = 7;
}

static void double_address(struct policy_spec *s)
{
	add_holder(s, ALICE6);
}

static void own_address(struct policy_spec *s)
{
	add_holder(s, OWN4);
}

static void special_address(struct policy_spec *s)
{
	add_holder(s, "127.0.0.1");
}

static void double_route(struct policy_spec *s)
{
	world_add_route(s, "10.77.0.0/24", VIA("dc1"))->place.line = 7;
}

static void unknown_via(struct policy_spec *s)
{
	world_add_route(s, "10.1.0.0/24", VIA("dc1", "dc3"))->place.line = 7;
}

static void user_as_via(struct policy_spec *s)
{
	world_add_route(s, "10.1.0.0/24", VIA("alice"))->place.line = 7;
}

static void double_via(struct policy_spec *s)
{
	world_add_route(s, "10.1.0.0/24", VIA("dc1", "dc1"))->place.line = 7;
}

static void leads_nowhere(struct policy_spec *s)
{
	world_add_route(s, "10.1.0.0/24", NOTHING)->place.line = 7;
}

static void special_route(struct policy_spec *s)
{
	world_add_route(s, "169.254.0.0/16", VIA("dc1"))->place.line = 7;
}

/* A rule in a new route, at line 7. */
static struct spec_rule *add_rule(struct policy_spec *s, const char *from, uint16_t proto,
				  uint16_t port)
{
	struct spec_route *r = world_add_route(s, "10.1.0.0/24", VIA("dc1"));
	struct spec_rule *rule = world_add_rule(s, r, "n", from, proto, port);

	rule->place.line = 7;
	return rule;
}

static void unknown_user(struct policy_spec *s)
{
	add_rule(s, "user:carol", 6, 80);
}

static void unknown_group(struct policy_spec *s)
{
	add_rule(s, "group:ops", 6, 80);
}

static void wrong_kind(struct policy_spec *s)
{
	add_rule(s, "user:dc1", 6, 80);
}

static void no_selector(struct policy_spec *s)
{
	add_rule(s, "alice", 6, 80);
}

static void empty_group(struct policy_spec *s)
{
	add_rule(s, "group:", 6, 80);
}

static void ports_with_icmp(struct policy_spec *s)
{
	add_rule(s, "any", POLICY_PROTO_ICMP, 80);
}

static void ports_with_any(struct policy_spec *s)
{
	add_rule(s, "any", POLICY_PROTO_ANY, 80);
}

static void ports_backwards(struct policy_spec *s)
{
	policy_spec_add_ports(s, add_rule(s, "any", 6, 80), 90, 89);
}

static void port_zero(struct policy_spec *s)
{
	policy_spec_add_ports(s, add_rule(s, "any", 6, 80), 0, 89);
}

static void nobody(struct policy_spec *s)
{
	add_rule(s, "any", 6, 80)->from.count = 0;
}

static void double_rule(struct policy_spec *s)
{
	struct spec_route *r = world_add_route(s, "10.1.0.0/24", VIA("dc1"));

	world_add_rule(s, r, "n", "any", 6, 80);
	world_add_rule(s, r, "n", "any", 6, 81)->place.line = 7;
}

static const struct {
	void (*spoil)(struct policy_spec *s);
	const char *says;
} wrongs[] = {
	{double_principal, "\"bob\" is there twice"},
	{empty_id, "0 bytes"},
	{control_character, "control character"},
	{double_key, "two devices"},
	{no_key, "no public_key"},
	{double_device_name, "\"d\" already"},
	{double_address, "fd74:756e:64::11 is held twice"},
	{own_address, "100.80.0.1 is held twice"},
	{special_address, "127.0.0.1"},
	{double_route, "10.77.0.0/24 is there twice"},
	{unknown_via, "\"dc3\""},
	{user_as_via, "\"alice\" is a user"},
	{double_via, "\"dc1\" twice"},
	{leads_nowhere, "no via"},
	{special_route, "169.254.0.0/16"},
	{unknown_user, "no principal \"carol\""},
	{unknown_group, "group \"ops\""},
	{wrong_kind, "write \"connector:dc1\""},
	{no_selector, "expected \"any\""},
	{empty_group, "expected \"any\""},
	{ports_with_icmp, "proto = tcp or proto = udp"},
	{ports_with_any, "proto = tcp or proto = udp"},
	{ports_backwards, "90-89"},
	{port_zero, "0-89"},
	{nobody, "has no from"},
	{double_rule, "a rule \"n\" already"},
};

START_TEST(says_what_is_wrong_and_where)
{
	struct policy_spec *spec = world_spec(NULL);
	struct policy_error error = {.text = "nothing"};

	wrongs[_i].spoil(spec);
	ck_assert_int_eq(policy_spec_validate(spec, POLICY_OF_EDGE, &error), -EINVAL);
	ck_assert_msg(strstr(error.text, wrongs[_i].says) != NULL, "%s", error.text);
	ck_assert_uint_eq(error.place.line, 7);
	policy_spec_free(spec);
}
END_TEST

START_TEST(a_connector_knows_no_principals)
{
	struct policy_spec *spec = policy_spec_new();
	struct policy_error error;

	world_add_rule(spec, world_add_route(spec, "10.1.0.0/24", NOTHING), "n", "user:carol", 6,
		       80);
	ck_assert_int_eq(policy_spec_validate(spec, POLICY_OF_CONNECTOR, &error), 0);
	ck_assert_int_eq(policy_spec_validate(spec, POLICY_OF_EDGE, &error), -EINVAL);
	policy_spec_free(spec);
}
END_TEST

/* The caller frees it. */
static uint8_t *encode(const struct policy_spec *spec, bool secrets, size_t *len)
{
	size_t max = policy_spec_encoded_max(spec);
	uint8_t *bytes = malloc(max);
	struct writer w = writer_init(bytes, max);

	policy_spec_encode(spec, secrets, &w);
	ck_assert(!w.failed);
	*len = w.len;
	return bytes;
}

START_TEST(through_bytes_and_back)
{
	struct policy_spec *spec = world_spec(NULL), *copy;
	size_t len, len2;
	uint8_t *bytes, *bytes2;
	struct reader r;

	spec->principals[0].devices[0].has_preshared_key = true;
	memset(spec->principals[0].devices[0].preshared_key, 0x77, KEY_SIZE);
	bytes = encode(spec, true, &len);
	r = reader_init(bytes, len);
	ck_assert_int_eq(policy_spec_decode(&r, &copy), 0);
	ck_assert(reader_done(&r));
	ck_assert_mem_eq(copy->principals[0].devices[0].preshared_key,
			 spec->principals[0].devices[0].preshared_key, KEY_SIZE);
	ck_assert_str_eq(copy->routes[0].rules[4].place.file, "tund.policy");
	bytes2 = encode(copy, true, &len2);
	ck_assert_uint_eq(len, len2);
	ck_assert_mem_eq(bytes, bytes2, len);
	free(bytes);
	bytes = encode(spec, false, &len);
	ck_assert_ptr_null(memmem(bytes, len, spec->principals[0].devices[0].preshared_key, 8));
	free(bytes);
	free(bytes2);
	policy_spec_free(spec);
	policy_spec_free(copy);
}
END_TEST

START_TEST(cut_anywhere)
{
	struct policy_spec *spec = world_spec(NULL), *copy = NULL;
	size_t len;
	uint8_t *bytes = encode(spec, true, &len);

	for (size_t n = 0; n < len; n++) {
		struct reader r = reader_init(bytes, n);
		struct writer w = writer_init(bytes, n);

		ck_assert_int_eq(policy_spec_decode(&r, &copy), -EBADMSG);
		policy_spec_encode(spec, true, &w);
		ck_assert(w.failed);
	}
	ck_assert_ptr_null(copy);
	free(bytes);
	policy_spec_free(spec);
}
END_TEST

/* Whatever a damaged encoding decodes to, it encodes to the same bytes again. */
START_TEST(damaged_anywhere)
{
	struct policy_spec *spec = world_spec(NULL), *copy;
	size_t len, len2;
	uint8_t *bytes = encode(spec, true, &len), *bytes2;
	unsigned decoded = 0;

	for (size_t i = 0; i < len * 4; i++) {
		uint8_t old = bytes[i / 4];
		const uint8_t damage[] = {0x01, 0x80, 0xff, old}; /* the last makes it 0 */
		struct reader r = reader_init(bytes, len);

		bytes[i / 4] ^= damage[i % 4];
		if (policy_spec_decode(&r, &copy) == 0) {
			decoded++;
			bytes2 = encode(copy, true, &len2);
			ck_assert_uint_eq(len2, r.pos);
			ck_assert_mem_eq(bytes, bytes2, len2);
			free(bytes2);
			policy_spec_free(copy);
		}
		bytes[i / 4] = old;
	}
	ck_assert_uint_gt(decoded, 0);
	free(bytes);
	policy_spec_free(spec);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("model");
	TCase *tc = tcase_create("model");

	tcase_add_loop_test(tc, says_what_is_wrong_and_where, 0, sizeof wrongs / sizeof *wrongs);
	tcase_add_test(tc, a_connector_knows_no_principals);
	tcase_add_test(tc, through_bytes_and_back);
	tcase_add_test(tc, cut_anywhere);
	tcase_add_test(tc, damaged_anywhere);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
