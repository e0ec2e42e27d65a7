/* SPDX-License-Identifier: ISC */
/* Why a packet was not forwarded: one enum for all of policy, so that one counter each suffices. */
#ifndef TUND_POLICY_REASON_H
#define TUND_POLICY_REASON_H

#include <tund/wire/inner.h>

enum reason {
	REASON_ACCEPTED,
	/* policy */
	REASON_NO_ROUTE,     /* no route holds the destination */
	REASON_DENIED,       /* a rule says reject or drop */
	REASON_NO_RULE,      /* no rule of the route matched */
	REASON_NO_CONNECTOR, /* accepted, but no connector of the route is there */
	/* identity */
	REASON_UNKNOWN_DEVICE,   /* the sender is not in the policy (any more) */
	REASON_SOURCE_SPECIAL,   /* loopback, multicast, ... as source */
	REASON_SOURCE_NOT_OWNED, /* the source is not the sender's */
	REASON_DESTINATION_SPECIAL,
	REASON_NO_FLOW,        /* a reply to nothing */
	REASON_WRONG_NEXT_HOP, /* a reply that came from another connector than its flow's */
	/* ICMP */
	REASON_ICMP_TYPE,    /* neither query, reply nor error */
	REASON_ICMP_QUOTE,   /* an error whose quote is no packet, or no fragmentless one */
	REASON_ICMP_NO_FLOW, /* an error that quotes no flow through its sender */
	/* fragments */
	REASON_FRAGMENT_OVERLAP,
	REASON_FRAGMENT_DENIED,   /* the first fragment was not accepted */
	REASON_FRAGMENT_TOO_MANY, /* more pieces than are tracked */
	REASON_FRAGMENT_TOO_BIG,  /* too large to be held */
	REASON_FRAGMENT_EXPIRED,  /* held, and its first never came */
	REASON_FRAGMENT_EVICTED,  /* held, and pushed out by newer ones */
	/* routing */
	REASON_TTL_EXCEEDED,
	REASON_TOO_BIG, /* for the caller: larger than the next hop's MTU, or than any message */
	/* carriage */
	REASON_BAD_FRAME, /* for the caller: a whole TSO packet that is not what it says */
	REASON_BAD_OFFLOAD, /* for the caller: left to us to cut or to sum, and cannot be */
	REASON_NOT_SEALED, /* for the caller: a message of it, as its session went on elsewhere */
	/* malformed: REASON_INNER + enum inner_error */
	REASON_INNER,
	REASON_COUNT = REASON_INNER + INNER_ERROR_COUNT,
};

static inline enum reason reason_of_inner(enum inner_error error)
{
	return (enum reason)(REASON_INNER + (int)error);
}

/* "no_rule", "inner_bad_ihl" and the like: stable names for counters. */
const char *reason_name(enum reason reason);

/* One sentence for people: "no rule of the route matched". */
const char *reason_text(enum reason reason);

#endif
