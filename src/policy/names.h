/* SPDX-License-Identifier: ISC */
/*
 * Texts turned into small numbers. A text that a rule has named keeps its number for good; one that
 * only devices use loses it with the last of them, and another may get it. Adding and finding cost
 * the same with one text or 65,536 of them. One thread. Private to the policy layer.
 */
#ifndef TUND_POLICY_NAMES_H
#define TUND_POLICY_NAMES_H

#include <stddef.h>
#include <stdint.h>

#define NAME_NONE UINT32_MAX

struct name;

struct names {
	uint32_t *heads;   /* by hash: the first of its chain, plus 1 */
	struct name **all; /* by number; NULL: free */
	uint32_t *unused;  /* numbers that were given back, as many as `unused_count` */
	uint32_t count, cap, unused_count;
};

/* -ENOMEM: nothing is to be cleared. */
int names_init(struct names *n);
void names_clear(struct names *n);

/* The number of a text, or NAME_NONE. */
uint32_t names_find(const struct names *n, const char *text);

/* The number of a text, a new one if it has none, which it keeps for good; NAME_NONE: out of
 * memory. */
uint32_t names_pin(struct names *n, const char *text);

/* The same until names_release() is called as often as this. */
uint32_t names_use(struct names *n, const char *text);
void names_release(struct names *n, uint32_t number);

#endif
