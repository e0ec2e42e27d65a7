/* SPDX-License-Identifier: ISC */
/*
 * A registry's entry: a device in one piece of memory, with what links it into the tables. It is
 * made, then linked, then unlinked and retired; it never changes. Private to the policy layer.
 */
#ifndef TUND_POLICY_REGISTRY_ENTRY_H
#define TUND_POLICY_REGISTRY_ENTRY_H

#include <stdatomic.h>

#include <tund/policy/registry.h>

#include "names.h"

/* One of its addresses, in the chain of its bucket. */
struct registry_node {
	struct registry_node *_Atomic next;
	const struct registry_device *device;
	uint64_t word[2]; /* of the address */
	uint64_t kind;    /* its zone and family */
};

/* What each packet needs lies in two cache lines: the device, and its first addresses. */
struct registry_entry {
	struct retired retired;
	struct registry_entry *before;   /* of this device, or NULL */
	struct registry_entry *next_key; /* in the chain of its public key; the owner's */
	_Alignas(64) struct registry_device device;
	uint32_t node_count;
	struct registry_node nodes[]; /* one for each address */
};

/* A copy of the device at `position` of `p`, with neither number nor principal; `groups` has the
 * bits. NULL: out of memory. */
struct registry_entry *registry_entry_new(const struct spec_principal *p, size_t position,
					  const struct names *groups);
/* Wipes and frees. */
void registry_entry_free(struct registry_entry *e);

/* Whether they are the same but for number, generation and `user`. */
bool registry_entry_equal(const struct registry_entry *a, const struct registry_entry *b);

#endif
