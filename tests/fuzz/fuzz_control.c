/* SPDX-License-Identifier: ISC */
/* Control messages: whatever is accepted must survive being sent on. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "control/notice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static void holders_round_trip(const struct notice *notice)
{
	struct notice_holder holder, back;
	struct holders_chunk chunk;
	struct notice *again;
	char *text;

	for (uint32_t i = 0; i < notice->holders.count; i++) {
		notice_holder(notice, i, &holder);
		expect(holders_chunk_init(&chunk) == 0);
		expect(holders_chunk_add(&chunk, &holder) == 0);
		expect(holders_chunk_encode(&chunk, true, true, &text) == 0);
		expect(notice_decode((const uint8_t *)text, strlen(text), &again) == 0);
		notice_holder(again, 0, &back);
		expect(memcmp(&holder, &back, sizeof holder) == 0);
		notice_free(again);
		free(text);
	}
}

static void round_trip(const struct notice *notice)
{
	struct notice *again;
	char *text;

	expect(notice_encode(notice, &text) == 0);
	expect(notice_decode((const uint8_t *)text, strlen(text), &again) == 0);
	expect(again->type == notice->type);
	if (notice->type == NOTICE_CONFIG)
		expect(memcmp(&again->config, &notice->config, sizeof again->config) == 0);
	if (notice->type == NOTICE_ROUTES)
		expect(memcmp(&again->routes, &notice->routes, sizeof again->routes) == 0);
	notice_free(again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct notice *notice;

	if (notice_decode(data, len, &notice))
		return 0;
	if (notice->type == NOTICE_HOLDERS)
		holders_round_trip(notice);
	else if (notice->type != NOTICE_OTHER)
		round_trip(notice);
	notice_free(notice);
	return 0;
}
