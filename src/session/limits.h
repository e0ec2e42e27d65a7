/* SPDX-License-Identifier: ISC */
/*
 * Every time and number that the session protocol obeys, on one page. Layouts and sizes of messages
 * are in wire/message.h.
 */
#ifndef TUND_SESSION_LIMITS_H
#define TUND_SESSION_LIMITS_H

#include <stdint.h>

#include <tund/base/time.h>

/* WireGuard paper section 6.1. Of REKEY_AFTER_MESSAGES each suite has its own: node_suite.c. */
#define REKEY_AFTER_TIME_NS (120 * NS_PER_SEC) /* the original initiator, when it sends */
#define REJECT_AFTER_TIME_NS (180 * NS_PER_SEC)
#define REJECT_AFTER_MESSAGES (UINT64_MAX - 8192)
#define REKEY_TIMEOUT_NS (5 * NS_PER_SEC)
#define REKEY_JITTER_NS (333 * NS_PER_MS)
#define REKEY_ATTEMPTS_MAX 18 /* REKEY_ATTEMPT_TIME / REKEY_TIMEOUT */
#define KEEPALIVE_TIMEOUT_NS (10 * NS_PER_SEC)
#define ERASE_AFTER_NS (3 * REJECT_AFTER_TIME_NS) /* since the last session */
#define INITIATION_INTERVAL_NS (20 * NS_PER_MS)   /* accepted from one peer */

/* WireGuard paper section 5.3 and 5.4.7: cookies and load. */
#define COOKIE_SECRET_LIFETIME_NS (120 * NS_PER_SEC)
#define COOKIE_SECRET_RENEW_NS (COOKIE_SECRET_LIFETIME_NS / 2)
#define COOKIE_LIFETIME_NS (120 * NS_PER_SEC)
#define COOKIE_SEND_MARGIN_NS (5 * NS_PER_SEC) /* the maker stops at 115 s */
#define UNDER_LOAD_NS (1 * NS_PER_SEC)         /* after an eighth of the queue was in use */
#define RATELIMIT_PER_SECOND 20                /* handshakes of a source */
#define RATELIMIT_BURST 5
#define RATELIMIT_ENTRIES_MAX 65536

/* When a path of suites 1 and 2 is asked whether it lives, left for another, and given up. */
#define PROBE_AFTER_NS (1 * NS_PER_SEC)
#define PROBE_INTERVAL_NS (250 * NS_PER_MS)
#define RESCUE_AFTER_NS (2 * NS_PER_SEC)
#define PATH_FAIL_NS (3 * NS_PER_SEC)
#define HANDSHAKE_FAIL_NS (3 * REKEY_TIMEOUT_NS) /* where some handshakes must have time */
#define PATHS_MAX 4                              /* that a peer was heard on */

/* Ours alone. */
#define STAGED_MAX 32 /* packets of one peer that wait for a session */
#define STAGED_TOTAL_MAX 1024
#define COLLECT_INTERVAL_NS (10 * NS_PER_MS) /* looking at what lanes may have left */

#endif
