/* SPDX-License-Identifier: ISC */
/* What distinguishes the suites. For all threads: it never changes. */
#ifndef TUND_SESSION_NODE_SUITE_H
#define TUND_SESSION_NODE_SUITE_H

#include <stdbool.h>
#include <stdint.h>

#include <tund/crypto/aead.h>
#include <tund/wire/message.h>

struct suite_rules {
	const char *construction, *identifier;
	enum aead_kind kind;
	bool authenticates_header; /* type word into the hash, data header as associated data */
	uint64_t rekey_after_messages;
};

extern const struct suite_rules suite_rules[SUITE_COUNT];

#endif
