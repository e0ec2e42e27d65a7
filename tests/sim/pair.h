/* SPDX-License-Identifier: ISC */
/*
 * What the tests of a node begin with: two nodes of the simulated network that are peers of each
 * other, and a log of what they sent. The third node is an address where somebody else is.
 *
 *     node 0, which knows where node 1 is  ------  node 1
 */
#ifndef TUND_TESTS_SIM_PAIR_H
#define TUND_TESTS_SIM_PAIR_H

#include "network.h"

#define SEC NS_PER_SEC
#define MESSAGES_MAX 4096

/* What left a node, by type, and the last message of each type. */
struct log {
	size_t count[MESSAGE_DATA + 1];
	uint64_t at_ns[MESSAGES_MAX]; /* of initiations */
	uint8_t last[MESSAGE_DATA + 1][2048];
	size_t len[MESSAGE_DATA + 1];
};

extern struct sim sim;
extern struct log logs[SIM_NODES];
extern struct peer *a, *b;          /* node 0's view of node 1, and the reverse */
extern unsigned packets[SIM_NODES]; /* that arrived */
extern uint8_t last_packet[2048];
extern unsigned drop_type; /* messages of this type are lost; 0: none */

extern const struct peer_config tund, wireguard;

/* For tcase_add_checked_fixture(). */
void pair_setup(void);
void pair_teardown(void);

/* The usual pair; node 0 begins when it has something to send, or at once with `connect`. */
void pair(struct peer_config ca, struct peer_config cb);

/* One packet. sim_send()'s result. */
int send_from(unsigned node);

/* A session, made by a packet of node 0's that arrives. */
void established(struct peer_config ca, struct peer_config cb);

#endif
