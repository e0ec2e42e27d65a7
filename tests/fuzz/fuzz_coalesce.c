/* SPDX-License-Identifier: ISC */
/*
 * Joining, of a few flows with whatever may happen between two of their packets: all that went in
 * comes out, whole and in the order of its flow, when what is written to the device is cut as the
 * kernel cuts it.
 *
 * Input: a byte for the mode, then steps of 4 bytes: what to do, which flow and how; what changes
 * from the packet before; two bytes for the change.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/wire/coalesce.h>
#include <tund/wire/inner.h>

#include "../unit/gso_order.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define FLOWS 24
#define PARTIAL 0x10 /* bits of the first byte of a step; the lower four are the flow */
#define PATCH 0x20   /* the packet is not what a sender would send */
#define MEND 0x40    /* and its checksums are right nevertheless */
#define FLUSH 0x80

static struct order order;
static uint8_t frame[70000];

static void expect(bool holds)
{
	if (!holds)
		abort();
}

/* The next packet of a flow: what follows the one before, but for one field. */
static void change(struct shape *s, uint8_t what, uint16_t value)
{
	s->flags = 0x10;
	switch (what % 16) {
	case 0:
		s->payload = value % 1500;
		break;
	case 1:
		s->seq += value;
		break;
	case 2:
		s->ack = value;
		break;
	case 3:
		s->window = value;
		break;
	case 4:
		s->tos = (uint8_t)value;
		break;
	case 5:
		s->id = value;
		break;
	case 6:
		s->option_words = (uint8_t)(value % 11);
		break;
	case 7:
		s->ip_words = (uint8_t)(value % 9);
		break;
	case 8:
		s->df = value & 1;
		break;
	case 9:
		s->flags = (uint8_t)value;
		break;
	case 10:
		s->ttl = (uint8_t)value;
		break;
	}
}

/* Whether the strict parser reads TCP or UDP that is whole. */
static bool can_be_completed(const uint8_t *packet, size_t len)
{
	struct inner_packet p;

	return inner_parse(packet, len, &p) == INNER_OK && p.fragment == INNER_WHOLE &&
	       (p.proto == PROTO_TCP || p.proto == PROTO_UDP);
}

static void mend(uint8_t *packet, size_t len)
{
	size_t header = (packet[0] & 15) * 4u;

	if (packet[0] >> 4 == 4 && header >= 20 && header <= len) {
		put_be16(packet + 10, 0);
		put_be16(packet + 10, plain_sum(0, packet, header));
	}
	oracle_complete(packet, len);
}

/* A packet with a byte of its headers, or behind them, exchanged. */
static void add_patched(struct coalescer *c, const struct shape *s, uint8_t how, uint16_t value)
{
	static const struct gso none = {.kind = GSO_NONE};
	uint8_t *packet = order.given[order.count];
	size_t len = shape_write(s, packet), at = (value >> 8) % len;
	bool partial = how & PARTIAL;

	packet[at] ^= (uint8_t)value;
	if (how & MEND)
		mend(packet, len);
	order_expect(&order, len, partial);
	order.in[order.count - 1].optional = partial && !can_be_completed(packet, len);
	coalesce_add(c, packet, len, partial, &none);
}

static void step(struct coalescer *c, struct shape *s, const uint8_t *data)
{
	uint16_t value = get_be16(data + 2);
	struct shape whole = *s;

	change(s, data[1], value);
	if (data[0] & PATCH) {
		add_patched(c, s, data[0], value);
	} else if (data[1] == 0xff && s->payload > 0) {
		whole.payload = s->payload * (1 + value % 8);
		order_add_whole(&order, c, &whole, (uint16_t)s->payload, frame);
		s->seq += (uint32_t)(whole.payload - s->payload);
	} else {
		order_add(&order, c, s, data[0] & PARTIAL);
	}
	shape_advance(s);
	if (data[0] & FLUSH)
		coalesce_flush(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	enum coalesce_mode mode = len ? (enum coalesce_mode)(data[0] % 3) : COALESCE_PLAIN;
	struct coalescer *c = coalescer_new(order_emit, &order);
	struct shape flow[FLOWS];

	expect(c != NULL);
	coalesce_set_mode(c, mode);
	order_init(&order, mode);
	for (unsigned i = 0; i < FLOWS; i++) {
		flow[i] = shape_bulk(i & 1, i & 2);
		flow[i].src_port = (uint16_t)(1000 + i);
	}
	for (size_t at = 1; at + 4 <= len && order.count + 8 < ORDER_PACKETS; at += 4)
		step(c, &flow[data[at] % FLOWS], data + at);
	coalesce_flush(c);
	expect(order_holds(&order));
	coalescer_free(c);
	return 0;
}
