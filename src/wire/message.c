/* SPDX-License-Identifier: ISC */
/* The length and type gate: the first thing that a datagram or frame meets. */
#include <tund/wire/message.h>

#include <errno.h>
#include <stdbool.h>

#define DATA_FLAGS_KNOWN \
	(DATA_FLAG_CONTROL | DATA_FLAG_CSUM | DATA_FLAG_GSO | DATA_FLAG_NO_MOVE)

static bool length_is_exact(uint8_t type, size_t len)
{
	switch (type) {
	case MESSAGE_INITIATION:
		return len == INITIATION_SIZE;
	case MESSAGE_RESPONSE:
		return len == RESPONSE_SIZE;
	case MESSAGE_COOKIE:
		return len == COOKIE_SIZE;
	case MESSAGE_DATA:
		return len >= DATA_MIN_SIZE && len <= MESSAGE_MAX_SIZE;
	}
	return false;
}

int message_gate(const uint8_t *msg, size_t len)
{
	uint8_t type, suite, flags_allowed;

	if (len < HEADER_SIZE)
		return -EBADMSG;
	type = msg[0];
	suite = msg[1];
	flags_allowed = type == MESSAGE_DATA && suite != SUITE_WIREGUARD ? DATA_FLAGS_KNOWN : 0;
	if (suite >= SUITE_COUNT || (msg[2] & ~flags_allowed) || msg[3] != 0 ||
	    !length_is_exact(type, len))
		return -EBADMSG;
	return type;
}
