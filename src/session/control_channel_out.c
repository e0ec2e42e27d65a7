/* SPDX-License-Identifier: ISC */
/* Our pieces, until the other side has consumed them. */
#include "control_channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control_channel_state.h"

int pieces_need(struct piece **pieces)
{
	if (!*pieces)
		*pieces = calloc(WINDOW, sizeof **pieces);
	return *pieces ? 0 : -ENOMEM;
}

void pieces_free(struct piece **pieces)
{
	for (unsigned i = 0; *pieces && i < WINDOW; i++)
		free((*pieces)[i].data);
	free(*pieces);
	*pieces = NULL;
}

void outbound_restart(struct outbound *out, const struct rng *rng)
{
	uint32_t epoch = rng_u32(rng);

	while (epoch == 0 || epoch == out->epoch)
		epoch++;
	pieces_free(&out->pieces);
	*out = (struct outbound){.epoch = epoch};
}

static void drop(struct outbound *out, uint32_t n)
{
	struct piece *p = piece_at(out->pieces, n);

	free(p->data);
	*p = (struct piece){0};
}

/* Cuts the message into pieces from out->next on; which exist also when it fails half way. */
static int cut(struct outbound *out, const uint8_t *msg, size_t len)
{
	uint32_t n = out->next;

	for (size_t done = 0; done < len; n++) {
		size_t size = len - done < PIECE_MAX ? len - done : PIECE_MAX;
		struct piece *p = piece_at(out->pieces, n);

		*p = (struct piece){.data = malloc(size), .len = (uint16_t)size};
		if (!p->data)
			return -ENOMEM;
		memcpy(p->data, msg + done, size);
		done += size;
	}
	piece_at(out->pieces, out->next)->flags |= FLAG_FIRST;
	piece_at(out->pieces, n - 1)->flags |= FLAG_LAST;
	return 0;
}

int outbound_append(struct outbound *out, const uint8_t *msg, size_t len)
{
	uint32_t count = (uint32_t)((len + PIECE_MAX - 1) / PIECE_MAX);

	if (out->bytes + len > CONTROL_UNACKNOWLEDGED_MAX ||
	    out->next - out->first + count > WINDOW)
		return -ENOBUFS;
	if (pieces_need(&out->pieces) < 0)
		return -ENOMEM;
	if (cut(out, msg, len) < 0) {
		for (uint32_t n = out->next; n != out->next + count; n++)
			drop(out, n);
		if (out->first == out->next)
			pieces_free(&out->pieces);
		return -ENOMEM;
	}
	out->next += count;
	out->bytes += len;
	return 0;
}

static bool is_overtaken(const struct outbound *out, const struct frame *f)
{
	return (int32_t)(f->consumed - out->first) < 0;
}

bool outbound_ack_is_valid(const struct outbound *out, const struct frame *f)
{
	uint32_t sent = out->next - out->first;
	uint32_t beyond = out->next - f->received; /* the map may speak of those but the first */

	if (is_overtaken(out, f))
		return true;
	if (f->consumed - out->first > f->received - out->first || f->received - out->first > sent)
		return false;
	if (beyond > MAP_BITS)
		return true;
	return beyond <= 1 ? f->map == 0 : (f->map & (UINT64_MAX >> (beyond - 1))) == 0;
}

static bool ack_covers(const struct frame *f, uint32_t n)
{
	uint32_t above = n - f->received; /* `received` itself is missing */

	if ((int32_t)above < 0)
		return true;
	return above >= 1 && above <= MAP_BITS && (f->map >> (MAP_BITS - above) & 1);
}

bool outbound_take_ack(struct outbound *out, const struct frame *f)
{
	bool is_news = false;

	if (is_overtaken(out, f))
		return false;
	for (; out->first != f->consumed; out->first++) {
		out->bytes -= piece_at(out->pieces, out->first)->len;
		drop(out, out->first);
		is_news = true;
	}
	for (uint32_t n = out->first; n != out->next; n++) {
		struct piece *p = piece_at(out->pieces, n);

		if (p->arrived || !ack_covers(f, n))
			continue;
		p->arrived = true;
		is_news = true;
	}
	if (out->first == out->next)
		pieces_free(&out->pieces);
	out->acknowledged = out->acknowledged || is_news;
	return is_news;
}
