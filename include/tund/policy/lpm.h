/* SPDX-License-Identifier: ISC */
/*
 * Longest prefix match over IPv4 and IPv6. The prefixes are flattened once into disjoint ranges,
 * sorted by their first address; a look-up is one binary search (the tables of a tunnel are small
 * and never change in place, so nothing faster pays). Immutable after it was built: any thread.
 */
#ifndef TUND_POLICY_LPM_H
#define TUND_POLICY_LPM_H

#include <stddef.h>
#include <stdint.h>

#include <tund/base/addr.h>

#define LPM_NONE UINT32_MAX

struct lpm_entry {
	struct ip_prefix prefix;
	uint32_t value; /* not LPM_NONE */
};

struct lpm;

/* Builds from `n` entries in any order. -EINVAL: one is no prefix. -EEXIST: one
 * occurs twice. -ENOMEM. */
int lpm_new(const struct lpm_entry *entries, size_t n, struct lpm **out);
void lpm_free(struct lpm *lpm);

/* The value of the longest prefix that holds `a`, or LPM_NONE. */
uint32_t lpm_find(const struct lpm *lpm, const struct ip_addr *a);

#endif
