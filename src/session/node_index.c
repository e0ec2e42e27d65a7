/* SPDX-License-Identifier: ISC */
/*
 * Receiver indices: one thread changes the table, any may look. Open addressing, with the index
 * itself for a hash, since we draw it at random. A slot once used is never empty again, so that a
 * search that is under way finds what it would have found; a table with too many of those, or too
 * full, is replaced by a copy.
 */
#include "node_index.h"

#include <errno.h>
#include <stdlib.h>

#include "node_keypair.h"
#include "node_state.h"

#define SLOTS_MIN 64 /* a power of two */

struct index_table {
	struct retired retired;
	size_t mask; /* slots - 1 */
	size_t used; /* slots that are not empty */
	_Atomic(struct index_entry *) slots[];
};

/* What a slot holds whose entry was removed. */
static struct index_entry *removed(void)
{
	return (struct index_entry *)(uintptr_t)1;
}

static _Atomic(struct index_entry *) *slot_of(const struct node *node, uint32_t index)
{
	struct index_table *table = atomic_load_explicit(&node->indices, memory_order_acquire);

	for (size_t i = index & table->mask;; i = (i + 1) & table->mask) {
		struct index_entry *entry =
			atomic_load_explicit(&table->slots[i], memory_order_acquire);

		if (!entry)
			return NULL;
		if (entry != removed() && entry->index == index)
			return &table->slots[i];
	}
}

struct index_entry *session_index_find(const struct node *node, uint32_t index)
{
	_Atomic(struct index_entry *) *slot = slot_of(node, index);
	struct index_entry *entry = slot ? atomic_load_explicit(slot, memory_order_acquire) : NULL;

	/* Perhaps it was removed since. */
	return entry == removed() ? NULL : entry;
}

static void put(struct index_table *table, struct index_entry *entry)
{
	size_t i = entry->index & table->mask;

	while (atomic_load_explicit(&table->slots[i], memory_order_relaxed))
		i = (i + 1) & table->mask;
	atomic_store_explicit(&table->slots[i], entry, memory_order_release);
	table->used++;
}

static struct index_table *make_table(size_t slots)
{
	struct index_table *table = calloc(1, sizeof *table + slots * sizeof table->slots[0]);

	if (table)
		table->mask = slots - 1;
	return table;
}

int session_index_init(struct node *node)
{
	struct index_table *table = make_table(SLOTS_MIN);

	atomic_store(&node->indices, table);
	return table ? 0 : -ENOMEM;
}

void session_index_clear(struct node *node)
{
	free(atomic_load(&node->indices));
}

/* Room for one more, with a quarter of the slots empty. */
static int make_room(struct node *node)
{
	struct index_table *table = atomic_load(&node->indices), *bigger;
	size_t slots = SLOTS_MIN;

	if ((table->used + 1) * 4 <= (table->mask + 1) * 3)
		return 0;
	while (slots < (node->index_count + 1) * 2)
		slots *= 2;
	bigger = make_table(slots);
	if (!bigger)
		return -ENOMEM;
	for (size_t i = 0; i <= table->mask; i++) {
		struct index_entry *entry = atomic_load(&table->slots[i]);

		if (entry && entry != removed())
			put(bigger, entry);
	}
	atomic_store_explicit(&node->indices, bigger, memory_order_release);
	epoch_retire(node->epoch, &table->retired, free, table);
	return 0;
}

int session_index_insert_as(struct node *node, struct peer *peer, struct keypair *keypair,
			    uint32_t index)
{
	struct index_entry *entry;

	if (session_index_find(node, index))
		return -EEXIST;
	entry = calloc(1, sizeof *entry);
	if (!entry || make_room(node) < 0) {
		free(entry);
		return -ENOMEM;
	}
	entry->index = index;
	entry->peer = peer;
	atomic_init(&entry->keypair, keypair);
	if (keypair)
		keypair->local_index = index;
	put(atomic_load(&node->indices), entry);
	node->index_count++;
	return 0;
}

int session_index_insert(struct node *node, struct peer *peer, struct keypair *keypair,
			 uint32_t *index)
{
	uint32_t drawn;
	int err;

	do {
		drawn = rng_u32(&node->rng);
		err = session_index_insert_as(node, peer, keypair, drawn);
	} while (err == -EEXIST);
	if (err == 0)
		*index = drawn;
	return err;
}

void session_index_remove(struct node *node, uint32_t index)
{
	_Atomic(struct index_entry *) *slot = slot_of(node, index);
	struct index_entry *entry;

	if (!slot)
		return;
	entry = atomic_exchange(slot, removed());
	node->index_count--;
	epoch_retire(node->epoch, &entry->retired, free, entry);
}
