/* SPDX-License-Identifier: ISC */
/* Why a message from outside was dropped: one enum, one table of names, one counter each. */
#ifndef TUND_SESSION_REASON_H
#define TUND_SESSION_REASON_H

enum session_reason {
	SESSION_OK,
	SESSION_MALFORMED,        /* length, type, suite, flags or zero bytes */
	SESSION_BAD_MAC1,
	SESSION_QUEUE_FULL,       /* too many handshakes waiting */
	SESSION_NEEDS_COOKIE,     /* under load: a cookie reply was sent, nothing else */
	SESSION_RATE_LIMITED,     /* per source address, or per peer */
	SESSION_BAD_HANDSHAKE,    /* a tag, a low-order key, a wrong state */
	SESSION_UNKNOWN_PEER,
	SESSION_REPLAYED_INITIATION,
	SESSION_UNKNOWN_INDEX,
	SESSION_WRONG_SUITE,
	SESSION_EXPIRED_KEY,
	SESSION_BAD_TAG,
	SESSION_REPLAYED_COUNTER,
	SESSION_BAD_COOKIE,
	SESSION_BAD_CONTROL,      /* a control frame that breaks its own rules */
	SESSION_REASON_COUNT,
};

/* "bad_mac1" and so on; a static string. */
const char *session_reason_name(enum session_reason reason);

#endif
