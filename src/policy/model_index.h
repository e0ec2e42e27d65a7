/* SPDX-License-Identifier: ISC */
/*
 * A sorted list of byte strings, each with a number and a place: finds one, and finds what occurs
 * twice. Built once, then read. Private to the policy layer.
 */
#ifndef TUND_POLICY_MODEL_INDEX_H
#define TUND_POLICY_MODEL_INDEX_H

#include <tund/policy/model.h>

#define INDEX_NONE UINT32_MAX

struct index_item {
	const void *key; /* borrowed */
	size_t len;      /* bytes */
	uint32_t value;
	const struct spec_place *place; /* borrowed; may be NULL */
};

struct index {
	struct index_item *items;
	size_t count;
};

/* Room for `max` items; -ENOMEM. index_clear() releases it. */
int index_init(struct index *x, size_t max);
void index_clear(struct index *x);

/* Adds one item (there must be room), in any order; a text without its NUL. */
void index_add(struct index *x, const void *key, size_t len, uint32_t value,
	       const struct spec_place *place);
void index_add_text(struct index *x, const char *text, uint32_t value,
		    const struct spec_place *place);

/* To be called once after the last add, before any other function. Equal keys keep their order of
 * `value`. */
void index_sort(struct index *x);

/* The second of two items with an equal key, or NULL if all differ. */
const struct index_item *index_duplicate(const struct index *x);

/* The least value of the key, or INDEX_NONE. */
uint32_t index_find(const struct index *x, const void *key, size_t len);
uint32_t index_find_text(const struct index *x, const char *text);

#endif
