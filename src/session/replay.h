/* SPDX-License-Identifier: ISC */
/* The replay window: RFC 6479, a ring of words. One thread at a time for each window. */
#ifndef TUND_SESSION_REPLAY_H
#define TUND_SESSION_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#define REPLAY_WORDS 128
#define REPLAY_WINDOW ((REPLAY_WORDS - 1) * 64) /* 8128 counters */

struct replay {
	uint64_t next; /* one more than the greatest counter accepted; 0: none yet */
	uint64_t words[REPLAY_WORDS];
};

/* Whether `counter` would be accepted: neither seen nor behind the window. UINT64_MAX never is; the
 * last counter a peer may use lies far below (REJECT_AFTER_MESSAGES). Changes nothing. */
bool replay_is_new(const struct replay *replay, uint64_t counter);

/* Whether replay_accept() can have made this window of an empty one. */
bool replay_is_possible(const struct replay *replay);

/* Accepts `counter` if it is new, else returns false. Only after its tag was verified. */
bool replay_accept(struct replay *replay, uint64_t counter);

#endif
