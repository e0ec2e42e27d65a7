/* SPDX-License-Identifier: ISC */
/* What main sends: inner packets, those that wait for a session, control frames. */
#ifndef TUND_SESSION_NODE_DATA_H
#define TUND_SESSION_NODE_DATA_H

#include "node_peer.h"

/* Seals and sends a payload; the peer has a current keypair. -EMSGSIZE, -EIO. */
int data_send(struct peer *peer, uint64_t now_ns, const struct path *path, uint8_t flags,
	      const uint8_t *payload, size_t len);
/* Begin a new handshake where it is time. */
void keep_key_fresh_on_send(struct peer *peer, uint64_t now_ns);
void keep_key_fresh_on_receive(struct peer *peer, uint64_t now_ns);
/* An empty message, or the handshake that it needs. */
void data_send_keepalive(struct peer *peer, uint64_t now_ns);
/* Sends one inner packet (1..65000 bytes). 0: sent. -EAGAIN: no session yet; it is staged (bounded,
 * the oldest staged falls out) and a handshake runs. -EHOSTUNREACH: no path known. */
int data_send_packet(struct peer *peer, uint64_t now_ns, const uint8_t *packet, size_t len);
/* What waits for a session. */
void data_send_staged(struct peer *peer, uint64_t now_ns);
void data_drop_staged(struct peer *peer);
/* Sends a control frame to the peer on `path`; a probe, its answer or an acknowledgement is not
 * traffic that waits for an answer. -ENOTCONN without a session. */
int data_send_frame(struct peer *peer, uint64_t now_ns, const struct path *path,
		    const uint8_t *frame, size_t len, bool is_traffic);

#endif
