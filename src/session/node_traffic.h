/* SPDX-License-Identifier: ISC */
/* What data messages say to the timers, from whichever thread. */
#ifndef TUND_SESSION_NODE_TRAFFIC_H
#define TUND_SESSION_NODE_TRAFFIC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "node_keypair.h"
#include "shared_path.h"

/* What data messages do to timers and paths, by whichever thread. All shared. The instants are of
 * the messages, 0 where there is none; main makes deadlines of them (timers_fold()). */
struct traffic {
	_Alignas(CACHE_LINE) _Atomic uint64_t heard_ns; /* the last authentic message */
	_Atomic uint64_t path_heard_ns; /* the last on the active path since it is that */
	_Atomic uint64_t data_sent_ns;  /* the first data sent since anything was heard */
	_Atomic uint64_t data_heard_ns; /* the first data heard since anything was sent */
	_Atomic uint64_t unanswered_ns; /* the first sent since, that wants an answer of the path */
	_Atomic uint64_t exchanged_ns;  /* the last message, either way; with a keepalive only */
	_Atomic uint64_t keepalive_ns;  /* configured, written by main only; 0: off */
	_Atomic uint64_t deadline_ns;   /* as in the heap, written by main only: never later than
					 * the earliest timer that main knows */
	_Alignas(CACHE_LINE) atomic_bool need_another_keepalive;
	atomic_bool watched;          /* main was asked to look at the timers and has not yet */
	atomic_bool rescuing;         /* the pending handshake is there because nothing is heard */
	atomic_bool sent_last_minute; /* rekeyed on receive, once in a keypair's life */
	struct shared_path path; /* the active one, as main has it or a lane that has just heard
				  * a newer one */
	_Alignas(CACHE_LINE) _Atomic uint64_t tx_bytes;
	_Atomic uint64_t tx_packets;
};

/*
 * What the protocol's events do to the timers (WireGuard paper section 6). Any
 * thread. Each returns the deadline that it sets, TIME_NEVER if none or the one there was: one
 * that is earlier than traffic.deadline_ns main is to be told (timers_fold()).
 */
uint64_t traffic_data_sent(struct peer *peer, uint64_t now_ns);
uint64_t traffic_data_heard(struct peer *peer, uint64_t now_ns);
uint64_t traffic_authentic_sent(struct peer *peer, uint64_t now_ns);
uint64_t traffic_authentic_heard(struct peer *peer, uint64_t now_ns);
/* Something that wants an answer was sent. */
uint64_t traffic_expects_answer(struct peer *peer, uint64_t now_ns);
/* The same for an initiation of suite 0. */
uint64_t traffic_expects_response(struct peer *peer, uint64_t now_ns);
/* Whether main is to be told of this deadline. */
bool traffic_wants_watch(const struct peer *peer, uint64_t deadline_ns);
/* The later of two instants stays. */
void traffic_advance(_Atomic uint64_t *at_ns, uint64_t now_ns);

#endif
