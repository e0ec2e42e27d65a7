/* SPDX-License-Identifier: ISC */
/*
 *     version 1 byte, private key 32 (zeros: none), last timestamp sent 12, MTU 2, last id 8,
 *     peers 4, each peer (snapshot_peer.c) with its paths and keypairs
 */
#include "snapshot.h"

#include <errno.h>
#include <string.h>

#include <tund/crypto/secret.h>

#include "node_state.h"
#include "snapshot_part.h"

#define SNAPSHOT_VERSION 1
#define NODE_BYTES (1 + KEY_SIZE + TAI64N_SIZE + 2 + 8 + 4)

size_t snapshot_size(const struct node *node)
{
	size_t size = NODE_BYTES;
	struct peer *peer, *next;

	HASH_ITER(hh, node->peers, peer, next)
		size += SNAPSHOT_PEER_BYTES +
			snapshot_count_keypairs(peer) * SNAPSHOT_KEYPAIR_BYTES;
	return size;
}

static void write_private_key(struct writer *w, struct node *node)
{
	static const uint8_t none[KEY_SIZE];
	const uint8_t *key = node->private_key ? secret_open(node->private_key) : NULL;

	write_bytes(w, key ? key : none, KEY_SIZE);
	if (key)
		secret_close(node->private_key);
}

int snapshot_write(struct node *node, struct writer *w)
{
	struct peer *peer, *next;

	if (w->failed || w->cap - w->len < snapshot_size(node))
		return -ENOBUFS;
	write_u8(w, SNAPSHOT_VERSION);
	write_private_key(w, node);
	write_bytes(w, node->last_tai64n, TAI64N_SIZE);
	write_u16(w, node->mtu);
	write_u64(w, node->last_id);
	write_u32(w, HASH_COUNT(node->peers));
	HASH_ITER(hh, node->peers, peer, next)
		snapshot_write_peer(w, peer);
	return 0;
}

static int read_node(const struct node_config *config, uint64_t now_ns, struct reader *r,
		     struct node **out)
{
	struct node_config restored = *config;
	int err = -EBADMSG;

	if (read_u8(r) != SNAPSHOT_VERSION)
		return -EBADMSG;
	read_copy(r, restored.private_key, KEY_SIZE);
	read_copy(r, restored.last_tai64n, TAI64N_SIZE);
	restored.mtu = read_u16(r);
	if (!r->failed)
		err = node_new(&restored, now_ns, out);
	secret_wipe(restored.private_key, KEY_SIZE);
	return err;
}

/* In the order of their ids, none of which is given to another peer later. */
static int read_peers(struct reader *r, struct node *node, uint64_t now_ns)
{
	uint64_t last_id = read_u64(r);
	int err = 0;

	for (uint32_t n = read_u32(r); n > 0 && err == 0; n--)
		err = snapshot_read_peer(r, node, now_ns);
	if (err == 0 && (last_id < node->last_id || last_id == UINT64_MAX))
		err = -EBADMSG;
	node->last_id = last_id;
	return err;
}

int snapshot_read(const struct node_config *config, uint64_t now_ns, struct reader *r,
		  struct node **out)
{
	struct node *node;
	int err = read_node(config, now_ns, r, &node);

	if (err < 0)
		return err;
	err = read_peers(r, node, now_ns);
	if (err == 0 && !reader_done(r))
		err = -EBADMSG;
	if (err < 0) {
		node_free(node);
		return err;
	}
	*out = node;
	return 0;
}
