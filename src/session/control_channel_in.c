/* SPDX-License-Identifier: ISC */
/* Pieces of the other side's, until they have been consumed. */
#include "control_channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control_channel_state.h"

static bool is_dead(const struct inbound *in, uint32_t epoch)
{
	for (unsigned i = 0; i < DEAD; i++) {
		if (in->dead[i] == epoch)
			return true;
	}
	return false;
}

bool inbound_begins(const struct inbound *in, const struct frame *f)
{
	return (f->flags & FLAG_START) && !is_dead(in, f->from);
}

static unsigned unconsumed_messages(const struct inbound *in)
{
	unsigned count = 0;

	for (uint32_t n = in->consumed; n != in->delivered; n++) {
		if (piece_at(in->pieces, n)->flags & FLAG_LAST)
			count++;
	}
	return count;
}

void inbound_restart(struct inbound *in, uint32_t epoch)
{
	in->left_over += unconsumed_messages(in);
	pieces_free(&in->pieces);
	if (in->epoch)
		in->dead[in->dead_next++ % DEAD] = in->epoch;
	in->epoch = epoch;
	in->consumed = in->delivered = 0;
	in->bytes = in->held = 0;
}

/* Whether piece n is here, and was not delivered. */
static const struct piece *held(const struct inbound *in, uint32_t n)
{
	const struct piece *p;

	if (!in->pieces || n - in->consumed >= WINDOW)
		return NULL;
	p = piece_at(in->pieces, n);
	return p->data ? p : NULL;
}

static bool is_duplicate(const struct inbound *in, uint32_t n)
{
	return (int32_t)(n - in->delivered) < 0 || held(in, n);
}

/* Behind a last piece comes a first one, and behind no other; so it is where messages begin. */
static bool piece_joins(const struct inbound *in, const struct frame *f)
{
	uint32_t n = f->sequence;
	bool first = f->flags & FLAG_FIRST, last = f->flags & FLAG_LAST;
	const struct piece *before = held(in, n - 1), *behind = held(in, n + 1);

	if (n == in->delivered)
		before = NULL;
	if ((n == in->delivered && !first) || (before && first != !!(before->flags & FLAG_LAST)))
		return false;
	return !behind || last == !!(behind->flags & FLAG_FIRST);
}

/* The bytes of the pieces of its message that are here, and its own. */
static size_t message_so_far(const struct inbound *in, const struct frame *f)
{
	size_t total = f->len;
	uint32_t n = f->sequence;
	uint8_t flags = f->flags;
	const struct piece *p;

	for (; !(flags & FLAG_FIRST) && (p = held(in, n - 1)); n--) {
		flags = p->flags;
		total += p->len;
	}
	flags = f->flags;
	for (n = f->sequence; !(flags & FLAG_LAST) && (p = held(in, n + 1)); n++) {
		flags = p->flags;
		total += p->len;
	}
	return total;
}

static bool keeps_rules(const struct inbound *in, const struct frame *f)
{
	if (is_duplicate(in, f->sequence))
		return true;
	return f->sequence - in->consumed < WINDOW &&
	       in->bytes + f->len <= CONTROL_UNACKNOWLEDGED_MAX && piece_joins(in, f) &&
	       message_so_far(in, f) <= CONTROL_MESSAGE_MAX;
}

bool inbound_is_valid(const struct inbound *in, const struct frame *f)
{
	const struct inbound fresh = {0};

	return keeps_rules(f->from == in->epoch ? in : &fresh, f);
}

int inbound_take(struct inbound *in, const struct frame *f)
{
	uint8_t *data;
	struct piece *p;

	if (is_duplicate(in, f->sequence))
		return 0;
	data = malloc(f->len);
	if (!data || pieces_need(&in->pieces) < 0) {
		free(data);
		return -ENOMEM;
	}
	memcpy(data, f->piece, f->len);
	p = piece_at(in->pieces, f->sequence);
	*p = (struct piece){.data = data, .len = f->len};
	p->flags = f->flags & (FLAG_FIRST | FLAG_LAST);
	in->bytes += f->len;
	in->held++;
	return 0;
}

/* The number of pieces of the next message, and its bytes; 0 while one is missing. */
static uint32_t next_message(const struct inbound *in, size_t *len)
{
	const struct piece *p;
	size_t total = 0;

	for (uint32_t n = in->delivered; (p = held(in, n)); n++) {
		total += p->len;
		if (p->flags & FLAG_LAST) {
			*len = total;
			return n + 1 - in->delivered;
		}
	}
	return 0;
}

/* Moves the data of `count` pieces into that of the first. NULL, and nothing done: no memory. */
static uint8_t *join(struct inbound *in, uint32_t count, size_t len)
{
	struct piece *p = piece_at(in->pieces, in->delivered);
	uint8_t *msg = realloc(p->data, len);
	size_t done = p->len;

	if (!msg)
		return NULL;
	p->data = NULL;
	for (uint32_t i = 1; i < count; i++) {
		p = piece_at(in->pieces, in->delivered + i);
		memcpy(msg + done, p->data, p->len);
		done += p->len;
		free(p->data);
		p->data = NULL;
	}
	return msg;
}

/* Nothing of a new epoch before all of the old has been consumed, or a peer that changes epochs
 * could fill its owner without end. */
uint8_t *inbound_next(struct inbound *in, size_t *len)
{
	uint32_t count = in->left_over == 0 ? next_message(in, len) : 0;
	uint8_t *msg = count > 0 ? join(in, count, *len) : NULL;

	if (!msg)
		return NULL;
	in->held -= count;
	in->delivered += count;
	return msg;
}

bool inbound_consume(struct inbound *in)
{
	bool last = false;

	if (in->left_over > 0) {
		in->left_over--;
		return false;
	}
	if (in->consumed == in->delivered)
		return false;
	while (!last) {
		const struct piece *p = piece_at(in->pieces, in->consumed++);

		in->bytes -= p->len;
		last = p->flags & FLAG_LAST;
	}
	if (in->consumed == in->delivered && in->held == 0)
		pieces_free(&in->pieces);
	return true;
}

uint32_t inbound_received(const struct inbound *in, uint64_t *map)
{
	uint32_t received = in->delivered;

	while (held(in, received))
		received++;
	*map = 0;
	for (uint32_t i = 0; i < MAP_BITS; i++)
		*map = *map << 1 | (held(in, received + 1 + i) != NULL);
	return received;
}
