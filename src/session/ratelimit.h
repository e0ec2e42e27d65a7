/* SPDX-License-Identifier: ISC */
/*
 * How many handshakes a source may begin: a token bucket for each IPv4 address and each IPv6 /64
 * (WireGuard's constants: 20 a second, burst 5). The table is bounded; where it is full, the entry
 * least recently used goes. One thread.
 */
#ifndef TUND_SESSION_RATELIMIT_H
#define TUND_SESSION_RATELIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/base/addr.h>
#include <tund/base/siphash.h>

#include "limits.h"

struct ratelimit;

/* Memory grows with use, up to RATELIMIT_ENTRIES_MAX entries. NULL when out of memory. */
struct ratelimit *ratelimit_new(const struct siphash_key *key);
void ratelimit_free(struct ratelimit *limit);

/* Takes one token of this source; false if it has none, or if memory is out. */
bool ratelimit_allow(struct ratelimit *limit, uint64_t now_ns, const struct ip_addr *source);

/* Entries at present: for tests and status. */
size_t ratelimit_count(const struct ratelimit *limit);

#endif
