/* SPDX-License-Identifier: ISC */
/* The table of options, row by row: its bounds, who sees it, what a reload may change. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/config_kind.h"
#include "config/config_options.h"
#include "config_cases.h"
#include "tap.h"

static const struct {
	unsigned role;
	const char *conf;
} roles[] = {{OF_EDGE, EDGE},
	     {OF_CONNECTOR, CONNECTOR},
	     {OF_CLIENT, CLIENT},
	     {OF_WIREGUARD_CLIENT, WG_CLIENT}};
#define ROLES (sizeof roles / sizeof *roles)

static int file_of(const char *text)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	return fd;
}

static void report(void *ctx, const struct config_error *error)
{
	(void)ctx;
	ck_abort_msg("%s:%u: %s", error->file, error->line, error->text);
}

/* What the file makes of itself, for the parent to see. */
static struct config *config_of(size_t role)
{
	struct config_file conf = {file_of(roles[role].conf), "t.conf", false};
	struct config_file policy = {-1, "t.policy", false};
	struct config_errors sink = {.report = report};
	struct config *config;

	if (roles[role].role == OF_EDGE)
		policy.fd = file_of("");
	ck_assert_int_eq(config_parse(&conf, &policy, &sink, &config), 0);
	close(conf.fd);
	if (policy.fd >= 0)
		close(policy.fd);
	ck_assert_uint_eq(options_role(config), roles[role].role);
	memset(config->public_key, 7, sizeof config->public_key);
	return config;
}

static size_t count_words(const struct option *o)
{
	size_t n = 0;

	while (o->words[n])
		n++;
	return n;
}

static bool decodes(const struct option *o, const void *image, size_t len, struct config *out)
{
	struct reader r = reader_init(image, len);

	kind_decode(o, out, &r);
	return reader_done(&r);
}

static void expect_number(const struct option *o, uint32_t number, bool valid)
{
	struct config config = {0};
	uint8_t image[4];

	put_be32(image, number);
	ck_assert_msg(decodes(o, image, sizeof image, &config) == valid, "%s = %u", o->name,
		      number);
	if (valid)
		ck_assert_uint_eq(kind_number(o, &config), number);
}

static void expect_round_trip(const struct option *o, const struct config *in)
{
	static uint8_t first[CONFIG_HOST_SIZE], second[CONFIG_HOST_SIZE];
	struct writer w = writer_init(first, sizeof first),
		      again = writer_init(second, sizeof second);
	struct config *out = calloc(1, sizeof *out);

	kind_encode(o, in, &w);
	ck_assert(!w.failed);
	ck_assert_msg(decodes(o, first, w.len, out), "%s", o->name);
	ck_assert_msg(kind_equal(o, in, out), "%s", o->name);
	kind_encode(o, out, &again);
	ck_assert(again.len == w.len && memcmp(first, second, w.len) == 0);
	for (size_t len = 0; len < w.len; len++)
		ck_assert_msg(!decodes(o, first, len, out), "%s: %zu of %zu", o->name, len, w.len);
	free(out);
}

static void expect_refused(const struct option *o, const struct config *in)
{
	static uint8_t image[CONFIG_HOST_SIZE];
	struct writer w = writer_init(image, sizeof image);
	struct config *out = calloc(1, sizeof *out);

	kind_encode(o, in, &w);
	ck_assert_msg(!decodes(o, image, w.len, out), "%s", o->name);
	free(out);
}

static void bounds_of_number(const struct option *o, struct config *config)
{
	uint32_t top = o->kind == KIND_NUMBER ? o->max
		       : o->kind == KIND_FLAG ? 1
					      : (uint32_t)count_words(o) - 1;

	expect_number(o, o->min, true);
	expect_number(o, o->unset, true);
	expect_number(o, top, true);
	if (top < UINT32_MAX)
		expect_number(o, top + 1, false);
	if (o->min > 0 && o->min - 1 != o->unset)
		expect_number(o, o->min - 1, false);
	kind_set_number(o, config, top);
	expect_round_trip(o, config);
}

static void bounds_of_key(const struct option *o, struct config *config)
{
	memset(kind_field(o, config), 0x55, KEY_SIZE);
	expect_round_trip(o, config);
	memset(kind_field(o, config), 0, KEY_SIZE);
	expect_round_trip(o, config);
	*(uint8_t *)kind_field(o, config) = 1;
	if (o->kind == KIND_PUBLIC_KEY)
		expect_refused(o, config);
	else
		expect_round_trip(o, config);
}

static void bounds_of_interface(const struct option *o, struct config *config)
{
	static const char *const bad[] = {"", "a/b", "lo"};

	strcpy(kind_field(o, config), "fifteen-letters");
	expect_round_trip(o, config);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		strcpy(kind_field(o, config), bad[i]);
		expect_refused(o, config);
	}
	ck_assert(!decodes(o, "\x10sixteen-letters-", 17, config));
	ck_assert(!decodes(o,
			   "\x03"
			   "a\0b",
			   4, config));
}

static void bounds_of_endpoint(const struct option *o, struct config *config)
{
	struct config_edge *edge = kind_field(o, config);

	memset(edge->host, 'a', CONFIG_HOST_MAX - 1);
	for (size_t i = 60; i < CONFIG_HOST_MAX - 2; i += 60)
		edge->host[i] = '.';
	edge->port = UINT16_MAX;
	expect_round_trip(o, config);
	edge->port = 0;
	expect_refused(o, config);
	edge->port = 1;
	expect_round_trip(o, config);
	strcpy(edge->host, "a..b");
	expect_refused(o, config);
}

static void bounds_of_prefixes(const struct option *o, struct config *config)
{
	struct prefix_list *list = kind_field(o, config);
	static const uint8_t too_many[4] = {0, 0, CONFIG_PREFIXES_MAX >> 8, 1};
	struct ip_addr a = {.family = 6, .bytes = {0xfd}};

	list->count = 0;
	expect_round_trip(o, config);
	for (list->count = 0; list->count < CONFIG_PREFIXES_MAX; list->count++) {
		a.bytes[1] = (uint8_t)list->count;
		list->prefix[list->count] = ip_prefix_of(&a, 16);
	}
	expect_round_trip(o, config);
	ck_assert(!decodes(o, too_many, sizeof too_many, config));
	list->count = 2;
	list->prefix[1] = list->prefix[0];
	expect_refused(o, config);
	list->count = 1;
	list->prefix[0].addr.bytes[15] = 1; /* behind the prefix */
	expect_refused(o, config);
}

static void bounds_of_addresses(const struct option *o, struct config *config)
{
	struct address_list *list = kind_field(o, config);

	for (uint32_t i = 0; i < CONFIG_ADDRESSES_MAX; i++)
		list->addr[i] = (struct ip_addr){4, {10, 0, 0, (uint8_t)(i + 1)}};
	list->count = 0;
	expect_round_trip(o, config);
	list->count = o->max;
	expect_round_trip(o, config);
	if (o->max < CONFIG_ADDRESSES_MAX) {
		list->count = o->max + 1;
		expect_refused(o, config);
	}
	list->count = 2;
	list->addr[1] = list->addr[0];
	expect_refused(o, config);
	list->count = 1;
	list->addr[0].bytes[0] = 127;
	expect_refused(o, config);
}

/* A row holds what it says, to the last value, and is decoded to nothing else. */
START_TEST(bounds)
{
	static void (*const of_kind[OPTION_KINDS])(const struct option *, struct config *) = {
		[KIND_NUMBER] = bounds_of_number,      [KIND_WORD] = bounds_of_number,
		[KIND_FLAG] = bounds_of_number,        [KIND_SECRET] = bounds_of_key,
		[KIND_PUBLIC_KEY] = bounds_of_key,     [KIND_INTERFACE] = bounds_of_interface,
		[KIND_ENDPOINT] = bounds_of_endpoint,  [KIND_PREFIXES] = bounds_of_prefixes,
		[KIND_ADDRESSES] = bounds_of_addresses};
	const struct option *o = &config_options[_i];
	struct config *config = calloc(1, sizeof *config);

	of_kind[o->kind](o, config);
	free(config);
}
END_TEST

/* Another value of the same role. */
static void change(const struct option *o, struct config *config)
{
	struct prefix_list *prefixes = kind_field(o, config);
	struct address_list *addresses = kind_field(o, config);
	struct config_edge *edge = kind_field(o, config);

	switch (o->kind) {
	case KIND_NUMBER:
		kind_set_number(o, config, kind_number(o, config) == o->max ? o->min : o->max);
		break;
	case KIND_WORD:
	case KIND_FLAG:
		kind_set_number(o, config, kind_number(o, config) == 1 ? 0 : 1);
		break;
	case KIND_SECRET:
	case KIND_PUBLIC_KEY:
		memset(kind_field(o, config), 0x55, KEY_SIZE);
		break;
	case KIND_INTERFACE:
		strcpy(kind_field(o, config), "another");
		break;
	case KIND_ENDPOINT:
		edge->port++;
		break;
	case KIND_PREFIXES:
		prefixes->prefix[0] = ip_prefix_of(&prefixes->prefix[0].addr, 9);
		break;
	case KIND_ADDRESSES:
		addresses->addr[0].bytes[3]++;
		break;
	}
}

static size_t encode(const struct config *config, enum config_view view, uint8_t *buf, size_t size)
{
	struct writer w = writer_init(buf, size);

	config_encode(config, view, &w);
	ck_assert(!w.failed);
	return w.len;
}

/* A view that may not see an option is the same whatever the option is; the others are not. */
START_TEST(views)
{
	static uint8_t before[8192], after[8192];
	const struct option *o = &config_options[_i];

	if (o->kind == KIND_SECRET)
		ck_assert_uint_eq(o->views, SEEN_BY_ENGINE);
	for (size_t role = 0; role < ROLES && _i > 0; role++) {
		struct config *config = config_of(role), *other = config_of(role);

		if (option_applies(o, config))
			change(o, other);
		for (int view = CONFIG_FULL; view <= CONFIG_HOST; view++) {
			size_t len = encode(config, (enum config_view)view, before, sizeof before);
			size_t n = encode(other, (enum config_view)view, after, sizeof after);
			bool same = len == n && memcmp(before, after, n) == 0;

			ck_assert_msg(same == !(option_applies(o, config) && o->views & 1u << view),
				      "%s in view %d", o->name, view);
		}
		config_free(config);
		config_free(other);
	}
}
END_TEST

/* The whole refuses what a row does, and what there must be and is not. */
START_TEST(decoding)
{
	static uint8_t image[8192];
	const struct option *o = &config_options[_i];

	for (size_t role = 0; role < ROLES; role++) {
		struct config *config = config_of(role), *back;
		struct reader r;
		bool valid;

		if (option_applies(o, config) && o->missing && o->kind >= KIND_SECRET) {
			memset(kind_field(o, config), 0, o->size);
			valid = false;
		} else {
			if (option_applies(o, config) && o->kind == KIND_NUMBER)
				kind_set_number(o, config, o->max);
			valid = true;
		}
		r = reader_init(image, encode(config, CONFIG_FULL, image, sizeof image));
		ck_assert_msg((config_decode(&r, &back) == 0) == valid, "%s", o->name);
		if (valid)
			config_free(back);
		config_free(config);
	}
}
END_TEST

static void far_address(struct config *config)
{
	config->address.addr[0].bytes[0] = 10; /* outside of the pool */
}

static void two_of_a_family(struct config *config)
{
	config->address.addr[1] = config->address.addr[0];
	config->address.addr[1].bytes[3]++;
}

static void stock_server(struct config *config)
{
	config->edge.suite = 0;
}

static void over_tcp(struct config *config)
{
	config->transport = TRANSPORT_TCP_ONLY;
}

static void special_announce(struct config *config)
{
	config->announce.prefix[0] = (struct ip_prefix){{4, {127}}, 8};
}

/* What the parser finds between one option and others, the decoder finds as well. */
START_TEST(relations)
{
	static const struct {
		unsigned role;
		void (*spoil)(struct config *config);
	} cases[] = {{OF_EDGE, far_address},
		     {OF_EDGE, two_of_a_family},
		     {OF_CONNECTOR, stock_server},
		     {OF_WIREGUARD_CLIENT, over_tcp},
		     {OF_CONNECTOR, special_announce}};
	static uint8_t image[8192];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (int view = CONFIG_FULL; view <= CONFIG_HOST; view++) {
			size_t role = 0;
			struct config *config, *back;
			struct reader r;

			while (roles[role].role != cases[i].role)
				role++;
			config = config_of(role);
			cases[i].spoil(config);
			r = reader_init(
				image, encode(config, (enum config_view)view, image, sizeof image));
			ck_assert_msg(config_decode(&r, &back) == -EBADMSG, "%zu", i);
			config_free(config);
		}
	}
}
END_TEST

START_TEST(fixed)
{
	const struct option *o = &config_options[_i];

	ck_assert_msg(!o->fixed || o->views & SEEN_BY_PARENT, "%s", o->name);
	for (size_t role = 0; role < ROLES && _i > 0; role++) {
		struct config *config = config_of(role), *other = config_of(role);
		const char *said;

		ck_assert_ptr_null(config_fixed_change(config, other));
		change(o, other);
		said = config_fixed_change(config, other);
		if (o->fixed && option_applies(o, config))
			ck_assert_str_eq(said, o->name);
		else
			ck_assert_msg(!said, "%s", said);
		config_free(config);
		config_free(other);
	}
}
END_TEST

START_TEST(role_is_fixed)
{
	for (size_t a = 0; a < ROLES; a++) {
		for (size_t b = 0; b < ROLES; b++) {
			struct config *before = config_of(a), *now = config_of(b);
			const char *said = config_fixed_change(before, now);

			if (before->role == now->role)
				ck_assert_ptr_null(said);
			else
				ck_assert_str_eq(said, "role");
			config_free(before);
			config_free(now);
		}
	}
}
END_TEST

int main(void)
{
	int count = (int)config_option_count;
	Suite *suite = suite_create("config_options");
	TCase *tc = tcase_create("rows");

	tcase_add_loop_test(tc, bounds, 0, count);
	tcase_add_loop_test(tc, views, 0, count);
	tcase_add_loop_test(tc, decoding, 0, count);
	tcase_add_loop_test(tc, fixed, 0, count);
	tcase_add_test(tc, relations);
	tcase_add_test(tc, role_is_fixed);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
