/* SPDX-License-Identifier: ISC */
/* Control messages: whatever is accepted must survive being sent on. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "control/control_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static void identities_round_trip(const struct control_message *message)
{
	struct control_message_identity identity, back;
	struct identities_chunk chunk;
	struct control_message *again;
	char *text;

	for (uint32_t i = 0; i < message->identities.count; i++) {
		control_message_identity(message, i, &identity);
		expect(identities_chunk_init(&chunk) == 0);
		expect(identities_chunk_add(&chunk, &identity) == 0);
		expect(identities_chunk_encode(&chunk, true, true, &text) == 0);
		expect(control_message_decode((const uint8_t *)text, strlen(text), &again) == 0);
		control_message_identity(again, 0, &back);
		expect(memcmp(&identity, &back, sizeof identity) == 0);
		control_message_free(again);
		free(text);
	}
}

static void round_trip(const struct control_message *message)
{
	struct control_message *again;
	char *text;

	expect(control_message_encode(message, &text) == 0);
	expect(control_message_decode((const uint8_t *)text, strlen(text), &again) == 0);
	expect(again->type == message->type);
	if (message->type == CONTROL_MESSAGE_CONFIG)
		expect(memcmp(&again->config, &message->config, sizeof again->config) == 0);
	if (message->type == CONTROL_MESSAGE_ROUTES)
		expect(memcmp(&again->routes, &message->routes, sizeof again->routes) == 0);
	if (message->type == CONTROL_MESSAGE_MTU)
		expect(again->mtu == message->mtu);
	control_message_free(again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct control_message *message;

	if (control_message_decode(data, len, &message))
		return 0;
	if (message->type == CONTROL_MESSAGE_IDENTITIES)
		identities_round_trip(message);
	else if (message->type != CONTROL_MESSAGE_OTHER)
		round_trip(message);
	control_message_free(message);
	return 0;
}
