/* SPDX-License-Identifier: ISC */
/*
 * The parts of a snapshot. Integers are big-endian; a flag that does not exist, an instant to come,
 * anything that the writer would not have written makes the reader fail. Each reader returns
 * -EBADMSG or -ENOMEM and leaves what it has made in the peer, which node_free() takes.
 */
#ifndef TUND_SESSION_SNAPSHOT_PART_H
#define TUND_SESSION_SNAPSHOT_PART_H

#include <tund/base/bytes.h>

#include "node_keypair.h"
#include "node_peer.h"

#define SNAPSHOT_KEYPAIR_BYTES (2 + 8 + 2 * 4 + 2 * KEY_SIZE + 7 * 8 + 8 * REPLAY_WORDS)
#define SNAPSHOT_PATH_BYTES (1 + 4 + 2 * (1 + 16 + 2 + 4))
#define SNAPSHOT_PEER_BYTES                                                                     \
	(8 + 2 * KEY_SIZE + 2 + 2 + 3 * TAI64N_SIZE + 2 * 8 + 4 + 8 * 6 + 8 * TIMER_COUNT + 8 * 5 + \
	 SNAPSHOT_PATH_BYTES + 1 + PATHS_MAX * (SNAPSHOT_PATH_BYTES + 2 * 8 + 2) + 2 + 4 +      \
	 4 * KEY_SIZE + 1)

/* snapshot_keypair.c: takes the counters and the window of a keypair; `is_next` that it is in that
 * slot. And one that is in the index, but in no slot yet. */
void snapshot_write_keypair(struct writer *w, struct keypair *keypair, bool is_next);
int snapshot_read_keypair(struct reader *r, struct peer *peer, uint64_t now_ns,
			  struct keypair **out);

/* snapshot_peer.c: and its keypairs, of which there are so many. */
unsigned snapshot_count_keypairs(const struct peer *peer);
void snapshot_write_peer(struct writer *w, struct peer *peer);
int snapshot_read_peer(struct reader *r, struct node *node, uint64_t now_ns);

/* snapshot_path.c */
void snapshot_write_path(struct writer *w, const struct path *path);
int snapshot_read_path(struct reader *r, struct path *out);
void snapshot_write_known(struct writer *w, const struct known_path known[PATHS_MAX]);
int snapshot_read_known(struct reader *r, uint64_t now_ns, struct known_path known[PATHS_MAX]);

/* An instant that has come, or 0; any other makes the reader fail. */
static inline uint64_t snapshot_read_instant(struct reader *r, uint64_t now_ns)
{
	uint64_t at_ns = read_u64(r);

	r->failed |= at_ns > now_ns;
	return at_ns;
}

#endif
