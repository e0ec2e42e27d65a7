/* SPDX-License-Identifier: ISC */
/* Lists of prefixes as sets of addresses. */
#ifndef TUND_BASE_PREFIXES_H
#define TUND_BASE_PREFIXES_H

#include <stddef.h>

#include <tund/base/addr.h>

/*
 * The least list that holds the same addresses: sorted, without what another one covers, and two
 * halves joined into their whole. In place; returns the new length. O(n log n).
 */
size_t prefixes_join(struct ip_prefix *list, size_t n);

#endif
