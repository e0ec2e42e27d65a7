/* SPDX-License-Identifier: ISC */
/*
 * A stranger on the path of two nodes with a session: it holds back, repeats, reorders, changes and
 * invents datagrams. What it did not take over unchanged is dropped with a reason, is answered by
 * not one byte and moves nothing; a packet is delivered once at most, and as it was sent.
 *
 * Input: 1 byte, bits 0-1 the suite, bit 2 a queue so short that each handshake needs a cookie,
 * bit 3 which node is aimed at. Then steps, whose arguments are zeros where the input ends:
 *
 *   0  an invented datagram: 2 bytes length, so many bytes
 *   1  a datagram of the other node: 1 byte which of its last ones, 1 byte from where, 1 byte how
 *      many changes, each 2 bytes place and 1 byte difference (beyond the end: of the length)
 *   2  time goes on: 2 bytes, in units of 10 ms
 *   3  the other node sends a packet: 1 byte, its length
 *   4  the other node takes all that the one aimed at sent last
 */
#include <errno.h>
#include <string.h>

#include <tund/base/bytes.h>

#include "nodes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define STEPS_MAX 64
#define MARK 4 /* bytes in front of each packet: its number */

static struct world world;

struct scene {
	struct side *target, *other;
	uint32_t packets; /* sent by `other` */
	bool delivered[STEPS_MAX + 1];
};

static const struct path nowhere = {
	.socket = 7,
	.remote = {.addr = {.family = 4, .bytes = {203, 0, 113, 66}}, .port = 666},
};

static void exchange(struct side *from, struct side *to, size_t first)
{
	struct received received;
	uint8_t packet[2048];
	size_t end = from->sent_count;

	for (size_t i = first + SENT_MAX < end ? end - SENT_MAX : first; i < end; i++) {
		const struct message *m = &from->sent[i % SENT_MAX];

		side_receive(to, &from->path, m->bytes, m->len, &received, packet);
	}
}

static bool is_up(const struct side *side)
{
	struct peer_stats stats;

	peer_get_stats(side->peer, &stats);
	return stats.up;
}

static void tick(const struct side *side)
{
	node_tick(side->node, world.now_ns);
	expect(node_next_deadline(side->node) > world.now_ns);
}

/* Until both have a session, with cookies where they are asked for. */
static void establish(struct side *a, struct side *b)
{
	size_t a_seen = 0, b_seen = 0;

	peer_path_use(b->peer, world.now_ns, &a->path);
	for (unsigned tries = 0; tries < 40 && !(is_up(a) && is_up(b)); tries++) {
		size_t a_end = a->sent_count, b_end = b->sent_count;

		exchange(b, a, b_seen);
		exchange(a, b, a_seen);
		a_seen = a_end;
		b_seen = b_end;
		world.now_ns += NS_PER_SEC;
		tick(a);
		tick(b);
	}
	expect(is_up(a) && is_up(b));
}

static struct scene set_up(uint8_t kind)
{
	uint8_t suite = (uint8_t)((kind & 3) % SUITE_COUNT);
	struct peer_config config = {
		.wireguard = suite == SUITE_WIREGUARD,
		.pinned_suite = suite == SUITE_WIREGUARD ? -1 : suite,
	};
	struct side *a = &world.sides[0], *b = &world.sides[1];

	memset(&world, 0, sizeof world);
	world.now_ns = START_NS;
	side_start(&world, a, 1, kind & 4 ? 8 : 64);
	side_start(&world, b, 2, kind & 4 ? 8 : 64);
	side_add_peer(a, b->public_key, config);
	config.connect = true;
	side_add_peer(b, a->public_key, config);
	establish(a, b);
	return (struct scene){
		.target = kind & 8 ? b : a,
		.other = kind & 8 ? a : b,
	};
}

/* What the stranger made itself: dropped, unanswered, and nothing has moved. */
static void forged(struct side *target, const uint8_t *bytes, size_t len)
{
	size_t sent = target->sent_count, events = target->events;
	struct peer_stats before, after;
	struct path path, path_after;
	struct received received;
	uint8_t packet[2048];

	peer_get_stats(target->peer, &before);
	expect(peer_path(target->peer, &path));
	expect(side_receive(target, &nowhere, bytes, len, &received, packet) == RECEIVED_NOTHING);
	expect(received.reason != SESSION_OK && received.peer == NULL);
	expect(target->sent_count == sent && target->events == events);
	peer_get_stats(target->peer, &after);
	expect(memcmp(&before, &after, sizeof before) == 0);
	expect(peer_path(target->peer, &path_after) && path_equal(&path, &path_after));
}

static void invent(struct scene *scene, struct reader *r)
{
	uint8_t bytes[2048];
	size_t len = read_u16(r) % (sizeof bytes + 1);

	for (size_t i = 0; i < len; i++)
		bytes[i] = read_u8(r);
	forged(scene->target, bytes, len);
}

static bool was_sent(const struct side *side, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < SENT_MAX; i++)
		if (side->sent[i].len == len && memcmp(side->sent[i].bytes, bytes, len) == 0)
			return true;
	return false;
}

static void genuine(struct scene *scene, const struct path *from, const struct message *m)
{
	struct received received;
	uint8_t packet[2048];
	uint32_t number;

	if (side_receive(scene->target, from, m->bytes, m->len, &received, packet) !=
	    RECEIVED_PACKET)
		return;
	expect(received.len >= MARK && received.flags == 0);
	number = get_be32(packet);
	expect(number < scene->packets && !scene->delivered[number]);
	scene->delivered[number] = true;
	for (size_t i = MARK; i < received.len; i++)
		expect(packet[i] == (uint8_t)number || (packet[i] == 0 && i + 16 > received.len));
}

/* Handshakes are good up to mac2, which is looked at only under load. */
static size_t protected_size(const struct message *m)
{
	bool has_mac2 = m->len > 0 && (m->bytes[0] == MESSAGE_INITIATION ||
				       m->bytes[0] == MESSAGE_RESPONSE);

	return has_mac2 && m->len >= MAC_SIZE ? m->len - MAC_SIZE : m->len;
}

static void tamper(struct scene *scene, struct reader *r)
{
	const struct side *other = scene->other;
	struct message m = other->sent[read_u8(r) % SENT_MAX];
	const struct path *from = read_u8(r) & 1 ? &nowhere : &other->path;
	struct message was = m;

	for (unsigned n = read_u8(r) % 8; n > 0; n--) {
		size_t place = read_u16(r);
		uint8_t difference = read_u8(r);

		if (place < m.len)
			m.bytes[place] ^= difference;
		else if (place & 0x8000 && m.len + difference <= sizeof m.bytes)
			m.len += difference;
		else
			m.len -= difference < m.len ? difference : m.len;
	}
	if (m.len == was.len && memcmp(m.bytes, was.bytes, protected_size(&was)) == 0)
		genuine(scene, from, &m);
	else if (!was_sent(other, m.bytes, m.len))
		forged(scene->target, m.bytes, m.len);
}

static void send_packet(struct scene *scene, struct reader *r)
{
	uint8_t packet[MARK + 255];
	size_t len = MARK + read_u8(r);

	memset(packet, (uint8_t)scene->packets, sizeof packet);
	put_be32(packet, scene->packets);
	if (side_send(scene->other, packet, len) != -EHOSTUNREACH)
		scene->packets++;
}

static void step(struct scene *scene, struct reader *r)
{
	switch (read_u8(r) % 5) {
	case 0:
		invent(scene, r);
		break;
	case 1:
		tamper(scene, r);
		break;
	case 2:
		world.now_ns += read_u16(r) * 10 * NS_PER_MS;
		tick(scene->target);
		tick(scene->other);
		break;
	case 3:
		send_packet(scene, r);
		break;
	case 4:
		exchange(scene->target, scene->other, 0);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct reader r = reader_init(data, len);
	struct scene scene;

	expect(crypto_init() == 0);
	scene = set_up(read_u8(&r));
	for (unsigned i = 0; i < STEPS_MAX && r.pos < r.len && !r.failed; i++)
		step(&scene, &r);
	world_free(&world);
	return 0;
}
