/* SPDX-License-Identifier: ISC */
/* Texts of prefixes, endpoints and keys: whatever is accepted must survive a round trip. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <tund/base/addr.h>
#include <tund/base/base64.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static void prefix_round_trip(const char *text)
{
	struct ip_prefix p, back;
	char buf[IP_PREFIX_STRLEN];

	if (ip_prefix_parse(text, &p) == 0) {
		expect(ip_prefix_parse(ip_prefix_format(&p, buf), &back) == 0);
		expect(ip_prefix_equal(&p, &back));
	}
}

static void endpoint_round_trip(const char *text)
{
	struct endpoint e, back;
	char buf[ENDPOINT_STRLEN];

	if (endpoint_parse(text, &e) == 0) {
		expect(endpoint_parse(endpoint_format(&e, buf), &back) == 0);
		expect(endpoint_equal(&e, &back));
	}
}

static void key_round_trip(const char *text)
{
	uint8_t key[KEY_SIZE];
	char buf[KEY_BASE64_LEN + 1];

	if (key_from_base64(text, key) == 0) {
		key_to_base64(key, buf);
		expect(strcmp(text, buf) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1);

	expect(text != NULL);
	if (len)
		memcpy(text, data, len);
	text[len] = '\0';
	prefix_round_trip(text);
	endpoint_round_trip(text);
	key_round_trip(text);
	free(text);
	return 0;
}
