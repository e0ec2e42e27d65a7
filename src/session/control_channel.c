/* SPDX-License-Identifier: ISC */
/*
 * The control frames MESSAGE, ACK and RESET. Numbers are big-endian; every frame starts alike:
 *
 *    0      1       2               6               10
 *   +------+-------+---------------+---------------+----
 *   | type | flags | from          | to            | ...
 *   +------+-------+---------------+---------------+----
 *
 * from   the sender's epoch, never 0
 * to     the receiver's epoch as far as the sender knows it, 0 if not at all
 * flags  FIRST, LAST: of a MESSAGE, whether the piece begins and ends its message
 *        START: nothing of the epoch `from` has been acknowledged yet, so that the sender still
 *        has it all, from sequence number 0 on. Any other flag is an error.
 *
 *   MESSAGE  10 sequence (4)  14 length (2)    16 a piece of 1..1184 bytes
 *   ACK      10 consumed (4)  14 received (4)  18 map (8)
 *   RESET    nothing more
 *
 * After that only padding, fewer than 16 zeros. Every piece is answered by an ACK, and so is a
 * RESET; an ACK never. In an ACK all pieces before `consumed` have been consumed and are forgotten
 * by the sender, all before `received` have arrived, `received` itself has not, and bit i of the
 * map (the most significant is bit 0) says that piece received + 1 + i has. What has arrived is
 * not repeated; when all has arrived but not all is consumed, the oldest piece is repeated to ask.
 * At most CONTROL_WINDOW pieces and CONTROL_UNACKNOWLEDGED_MAX bytes of them are not consumed.
 *
 * Epochs. A frame whose `from` is not the epoch known is
 *  - taken for the beginning of a new epoch if it has START: the receiver forgets what it had of
 *    the old one. If `to` is not the receiver's epoch although that was acknowledged before, the
 *    other side lost its state, and the receiver's own messages with it: it draws a new epoch and
 *    has its owner send everything again.
 *  - otherwise refused, as is every epoch that was left (DEAD of them are remembered), by a RESET
 *    whose `to` is the epoch refused.
 * A RESET whose `to` is the receiver's epoch makes it draw a new one and its owner send everything
 * again. Any other says nothing but what its `from` says. A new epoch has START and was never left,
 * thus is never refused: each restart causes one on the other side, at most, and none in return.
 */
#include "control_channel.h"

#include <errno.h>
#include <stdlib.h>

#include <tund/base/bytes.h>

#include "control_channel_state.h"

struct control_channel {
	struct control_channel_ops ops;
	struct rng rng;
	struct outbound out;
	struct inbound in;
	bool resetting;    /* the other side is yet to hear of our restart */
	uint32_t reset_to; /* and this was its epoch then */
	bool ack_due;
	uint64_t retry_at_ns, retry_ns; /* TIME_NEVER: nothing to repeat; the interval */
};

/* Frames out. */

static struct writer frame_begin(struct control_channel *c, uint8_t *buf, uint8_t type,
				 uint8_t flags, uint32_t to)
{
	struct writer w = writer_init(buf, CONTROL_FRAME_BYTES);

	write_u8(&w, type);
	write_u8(&w, (uint8_t)(flags | (c->out.acknowledged ? 0 : FLAG_START)));
	write_u32(&w, c->out.epoch);
	write_u32(&w, to);
	return w;
}

static void send_piece(struct control_channel *c, uint64_t now_ns, uint32_t n)
{
	const struct piece *p = piece_at(c->out.pieces, n);
	uint8_t buf[CONTROL_FRAME_BYTES];
	struct writer w = frame_begin(c, buf, FRAME_MESSAGE, p->flags, c->in.epoch);

	write_u32(&w, n);
	write_u16(&w, p->len);
	write_bytes(&w, p->data, p->len);
	c->ops.send(c->ops.ctx, now_ns, buf, w.len, false);
}

static void send_reset(struct control_channel *c, uint64_t now_ns, uint32_t to, bool is_answer)
{
	uint8_t buf[CONTROL_FRAME_BYTES];
	struct writer w = frame_begin(c, buf, FRAME_RESET, 0, to);

	c->ops.send(c->ops.ctx, now_ns, buf, w.len, is_answer);
}

static void send_ack(struct control_channel *c, uint64_t now_ns)
{
	uint8_t buf[CONTROL_FRAME_BYTES];
	struct writer w = frame_begin(c, buf, FRAME_ACK, 0, c->in.epoch);
	uint64_t map;
	uint32_t received = inbound_received(&c->in, &map);

	write_u32(&w, c->in.consumed);
	write_u32(&w, received);
	write_u64(&w, map);
	c->ack_due = false;
	c->ops.send(c->ops.ctx, now_ns, buf, w.len, true);
}

/* Repeating. */

static void retry_start(struct control_channel *c, uint64_t now_ns)
{
	bool wanted = c->resetting || c->out.first != c->out.next;

	c->retry_ns = CONTROL_RETRY_MIN_NS;
	c->retry_at_ns = wanted ? now_ns + c->retry_ns : TIME_NEVER;
}

/* What the other side does not have; the oldest piece, if it has it all, to ask. */
static void send_missing(struct control_channel *c, uint64_t now_ns)
{
	bool sent = false;

	if (c->resetting)
		send_reset(c, now_ns, c->reset_to, false);
	for (uint32_t n = c->out.first; n != c->out.next; n++) {
		if (piece_at(c->out.pieces, n)->arrived)
			continue;
		send_piece(c, now_ns, n);
		sent = true;
	}
	if (!sent && c->out.first != c->out.next)
		send_piece(c, now_ns, c->out.first);
}

void control_channel_kick(struct control_channel *channel, uint64_t now_ns)
{
	retry_start(channel, now_ns);
	send_missing(channel, now_ns);
}

void control_channel_tick(struct control_channel *channel, uint64_t now_ns)
{
	if (now_ns < channel->retry_at_ns)
		return;
	channel->retry_ns *= 2;
	if (channel->retry_ns > CONTROL_RETRY_MAX_NS)
		channel->retry_ns = CONTROL_RETRY_MAX_NS;
	channel->retry_at_ns = now_ns + channel->retry_ns;
	send_missing(channel, now_ns);
}

uint64_t control_channel_deadline(const struct control_channel *channel)
{
	return channel->retry_at_ns;
}

struct control_channel *control_channel_new(const struct control_channel_ops *ops,
					    const struct rng *rng)
{
	struct control_channel *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->ops = *ops;
	c->rng = *rng;
	outbound_restart(&c->out, &c->rng);
	retry_start(c, 0);
	return c;
}

void control_channel_free(struct control_channel *channel)
{
	if (!channel)
		return;
	pieces_free(&channel->out.pieces);
	pieces_free(&channel->in.pieces);
	free(channel);
}

void control_channel_restart(struct control_channel *channel, uint64_t now_ns)
{
	if (channel->in.epoch)
		channel->reset_to = channel->in.epoch;
	outbound_restart(&channel->out, &channel->rng);
	inbound_restart(&channel->in, 0);
	channel->in.left_over = 0;
	channel->ack_due = false;
	channel->resetting = true;
	control_channel_kick(channel, now_ns);
}

/* The other side lost what we sent. */
static void send_again(struct control_channel *c, uint64_t now_ns)
{
	outbound_restart(&c->out, &c->rng);
	retry_start(c, now_ns);
	c->ops.reset(c->ops.ctx);
}

int control_channel_send(struct control_channel *channel, uint64_t now_ns, const uint8_t *msg,
			 size_t len)
{
	struct outbound *out = &channel->out;
	uint32_t start = out->next, end;
	int err;

	if (len == 0 || len > CONTROL_MESSAGE_MAX)
		return -EINVAL;
	err = outbound_append(out, msg, len);
	if (err < 0)
		return err;
	if (channel->retry_at_ns == TIME_NEVER)
		retry_start(channel, now_ns);
	end = out->next;
	for (uint32_t n = start; n != end; n++)
		send_piece(channel, now_ns, n);
	return 0;
}

/* Each step leaves a whole state: the owner may consume, send and even restart in deliver(). */
static void deliver_ready(struct control_channel *c)
{
	uint8_t *msg;
	size_t len;

	while ((msg = inbound_next(&c->in, &len))) {
		c->ops.deliver(c->ops.ctx, msg, len);
		free(msg);
	}
}

void control_channel_consumed(struct control_channel *channel, uint64_t now_ns)
{
	if (inbound_consume(&channel->in))
		send_ack(channel, now_ns);
	else
		deliver_ready(channel);
}

/* Frames in. */

/* A piece is measured by the epoch that it belongs to; one that is refused, by nothing. */
static bool is_valid(const struct control_channel *c, const struct frame *f)
{
	if (f->type == FRAME_ACK)
		return f->to != c->out.epoch || outbound_ack_is_valid(&c->out, f);
	if (f->type == FRAME_RESET || (f->from != c->in.epoch && !inbound_begins(&c->in, f)))
		return true;
	return inbound_is_valid(&c->in, f);
}

static void take_piece(struct control_channel *c, const struct frame *f)
{
	c->ack_due = true;
	if (inbound_take(&c->in, f) == 0)
		deliver_ready(c);
}

static void take_ack(struct control_channel *c, uint64_t now_ns, const struct frame *f)
{
	if (f->to == c->out.epoch && outbound_take_ack(&c->out, f))
		retry_start(c, now_ns);
}

/* True if the frame's epoch is the one known now. */
static bool epoch_enter(struct control_channel *c, uint64_t now_ns, const struct frame *f)
{
	bool lost = f->to != c->out.epoch && c->out.acknowledged;

	if (f->from == c->in.epoch)
		return true;
	if (!inbound_begins(&c->in, f)) {
		send_reset(c, now_ns, f->from, true);
		return false;
	}
	inbound_restart(&c->in, f->from);
	if (lost)
		send_again(c, now_ns);
	return c->in.epoch == f->from;
}

int control_channel_receive(struct control_channel *channel, uint64_t now_ns, const uint8_t *frame,
			    size_t len)
{
	struct control_channel *c = channel;
	uint32_t before = c->out.epoch;
	struct frame f;
	bool known;

	if (control_frame_parse(frame, len, &f) < 0 || !is_valid(c, &f))
		return -EBADMSG;
	if (f.to == before && c->resetting) {
		c->resetting = false;
		retry_start(c, now_ns);
	}
	known = epoch_enter(c, now_ns, &f);
	if (f.type == FRAME_RESET && f.to == before && c->out.epoch == before)
		send_again(c, now_ns);
	if (!known)
		return 0;
	if (f.type == FRAME_MESSAGE)
		take_piece(c, &f);
	else if (f.type == FRAME_ACK)
		take_ack(c, now_ns, &f);
	else
		c->ack_due = true;
	if (c->ack_due && c->in.epoch)
		send_ack(c, now_ns);
	return 0;
}
