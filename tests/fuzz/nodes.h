/* SPDX-License-Identifier: ISC */
/* Two nodes that know each other, for the fuzz targets of the session protocol. */
#ifndef TUND_TESTS_FUZZ_HOSTS_H
#define TUND_TESTS_FUZZ_HOSTS_H

#include <stdbool.h>

#include <tund/base/time.h>
#include <tund/session/lane.h>

#include "../unit/prng.h"

#define START_NS (UINT64_C(1000) * NS_PER_SEC)
#define START_WALL_NS (UINT64_C(1790000000) * NS_PER_SEC)
#define SENT_MAX 16

struct message {
	size_t len;
	uint8_t bytes[2048];
};

/* One node, its one peer, and what it has sent. */
struct side {
	struct node *node;
	struct peer *peer;
	struct prng prng;
	struct path path; /* where it is */
	const uint64_t *now_ns;
	uint8_t private_key[KEY_SIZE], public_key[KEY_SIZE];
	struct message sent[SENT_MAX]; /* the last ones, number n at n % SENT_MAX */
	size_t sent_count, events;
};

struct world {
	uint64_t now_ns;
	struct side sides[2];
};

/* Ends the program, which a fuzzer control messages. */
void expect(bool holds);

/* The key pair of a side, without a node. */
void side_make_keys(struct side *side, uint8_t seed);

/* The node of a side. */
void side_start(struct world *world, struct side *side, uint8_t number, uint32_t queue_slots);

/* Introduces `other` to a side; `config` says all but the key. */
void side_add_peer(struct side *side, const uint8_t other[KEY_SIZE], struct peer_config config);

/* Has a side take a copy of a message, in memory of exactly its size, and handle it. */
enum received_kind side_receive(struct side *side, const struct path *from, const uint8_t *bytes,
				size_t len, struct received *out, uint8_t packet[2048]);

/* Has a side send a packet to its peer. 0: sent. -EAGAIN: there is no session yet, it is staged.
 * -EHOSTUNREACH. */
int side_send(struct side *side, const uint8_t *packet, size_t len);

void world_free(struct world *world);

#endif
