/* SPDX-License-Identifier: ISC */
/*
 * A node as bytes, so that another process can go on with its sessions: identity, peers, their
 * keypairs with counters and replay windows, paths, timestamps, timers and statistics.
 *
 * A snapshot takes the sessions away from the node that it is made of. Under those keys that node
 * seals nothing and accepts nothing from then on, whatever its lanes still do, so that no counter
 * is used twice and no message accepted twice. What it has in its queues is lost, as packets are:
 * handshakes that wait, packets that wait for a session. Nor are there cookies, rate limits and
 * control channels in it, which begin anew: peer_control_restart() follows.
 *
 * All times are of one clock, which must go on: a snapshot is for the same boot. It holds every
 * secret: its bytes are in memory that is locked, and are wiped as soon as they have been read.
 * Main thread.
 */
#ifndef TUND_SESSION_SNAPSHOT_H
#define TUND_SESSION_SNAPSHOT_H

#include <tund/base/bytes.h>
#include <tund/session/node.h>

/* No snapshot of this node is longer than so many bytes. */
size_t snapshot_size(const struct node *node);

/*
 * Writes a snapshot. The caller has called node_drain() until nothing was left, and afterwards the
 * node is good for node_free() only. -ENOBUFS: there is less room than snapshot_size(); nothing
 * was written, and the node goes on.
 */
int snapshot_write(struct node *node, struct writer *w);

/*
 * Reads one, up to the end of the bytes, and makes the node that it is of: as node_new() does, but
 * identity, timestamp and MTU are the snapshot's. Sends nothing and reports no event; what is due
 * is for node_tick(). Peers have the ids that they had, and no user; their paths name the same
 * sockets and connections. -EBADMSG: it is none, or one of another version, or of a time to come.
 * Else errors as node_new().
 */
int snapshot_read(const struct node_config *config, uint64_t now_ns, struct reader *r,
		  struct node **out);

#endif
