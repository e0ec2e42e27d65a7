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
 * At most WINDOW pieces and CONTROL_UNACKNOWLEDGED_MAX bytes of them are not consumed.
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
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/session/control_channel.h>
#include <tund/wire/control_frame.h>

enum {
	WINDOW = CONTROL_WINDOW,
	DEAD = 8,     /* epochs of the other side that are remembered as left */
	MAP_BITS = 64,
	PADDING_MAX = 15,

	FLAG_FIRST = 0x01,
	FLAG_LAST = 0x02,
	FLAG_START = 0x04,

	HEADER = 10,
	MESSAGE_HEADER = 16,
	ACK_SIZE = 26,
	PIECE_MAX = CONTROL_FRAME_BYTES - MESSAGE_HEADER,
};

struct piece {
	uint8_t *data; /* own; NULL: there is none, or (inbound) it was delivered */
	uint16_t len;
	uint8_t flags;   /* FLAG_FIRST, FLAG_LAST */
	bool arrived;    /* outbound: the other side has it */
};

/* Sequence numbers count modulo 2^32; piece n is pieces[n % WINDOW]. */
struct outbound {
	uint32_t epoch;
	uint32_t first, next; /* the oldest not consumed; that of the next new piece */
	size_t bytes;
	bool acknowledged;    /* something of this epoch was */
	struct piece *pieces; /* NULL while first == next */
};

struct inbound {
	uint32_t epoch;               /* 0: unknown */
	uint32_t consumed, delivered; /* the first not yet so; both at the start of a message */
	size_t bytes;                 /* of the pieces from `consumed` on */
	size_t held;                  /* number of pieces with data */
	unsigned left_over;           /* delivered of epochs left, and not yet consumed */
	struct piece *pieces;         /* NULL while there is nothing from `consumed` on */
	uint32_t dead[DEAD];
	unsigned dead_next;
};

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

/* A frame taken apart. */
struct frame {
	enum control_frame_type type;
	uint8_t flags;
	uint32_t from, to;
	uint32_t sequence; /* MESSAGE */
	const uint8_t *piece;
	uint16_t len;
	uint32_t consumed, received; /* ACK */
	uint64_t map;
};

static struct piece *slot(struct piece *pieces, uint32_t n)
{
	return &pieces[n % WINDOW];
}

static void pieces_free(struct piece **pieces)
{
	for (unsigned i = 0; *pieces && i < WINDOW; i++)
		free((*pieces)[i].data);
	free(*pieces);
	*pieces = NULL;
}

static int pieces_need(struct piece **pieces)
{
	if (!*pieces)
		*pieces = calloc(WINDOW, sizeof **pieces);
	return *pieces ? 0 : -ENOMEM;
}

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
	const struct piece *p = slot(c->out.pieces, n);
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

static bool has_arrived(const struct inbound *in, uint32_t n)
{
	return in->pieces && n - in->consumed < WINDOW && slot(in->pieces, n)->data;
}

static void send_ack(struct control_channel *c, uint64_t now_ns)
{
	uint8_t buf[CONTROL_FRAME_BYTES];
	struct writer w = frame_begin(c, buf, FRAME_ACK, 0, c->in.epoch);
	uint32_t received = c->in.delivered;
	uint64_t map = 0;

	while (has_arrived(&c->in, received))
		received++;
	for (uint32_t i = 0; i < MAP_BITS; i++)
		map = map << 1 | has_arrived(&c->in, received + 1 + i);
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
		if (slot(c->out.pieces, n)->arrived)
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

/* Epochs. */

static void out_restart(struct control_channel *c)
{
	uint32_t epoch = rng_u32(&c->rng);

	while (epoch == 0 || epoch == c->out.epoch)
		epoch++;
	pieces_free(&c->out.pieces);
	c->out = (struct outbound){.epoch = epoch};
}

static bool is_dead(const struct inbound *in, uint32_t epoch)
{
	for (unsigned i = 0; i < DEAD; i++) {
		if (in->dead[i] == epoch)
			return true;
	}
	return false;
}

/* Whether a frame of an epoch that is not the known one begins that epoch. */
static bool is_beginning(const struct inbound *in, const struct frame *f)
{
	return (f->flags & FLAG_START) && !is_dead(in, f->from);
}

static unsigned unconsumed_messages(const struct inbound *in)
{
	unsigned count = 0;

	for (uint32_t n = in->consumed; n != in->delivered; n++) {
		if (slot(in->pieces, n)->flags & FLAG_LAST)
			count++;
	}
	return count;
}

/* Leaves the other side's epoch for a new one, or for an unknown one (0). */
static void in_restart(struct inbound *in, uint32_t epoch)
{
	in->left_over += unconsumed_messages(in);
	pieces_free(&in->pieces);
	if (in->epoch)
		in->dead[in->dead_next++ % DEAD] = in->epoch;
	in->epoch = epoch;
	in->consumed = in->delivered = 0;
	in->bytes = in->held = 0;
}

struct control_channel *control_channel_new(const struct control_channel_ops *ops,
					    const struct rng *rng)
{
	struct control_channel *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->ops = *ops;
	c->rng = *rng;
	out_restart(c);
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
	out_restart(channel);
	in_restart(&channel->in, 0);
	channel->in.left_over = 0;
	channel->ack_due = false;
	channel->resetting = true;
	control_channel_kick(channel, now_ns);
}

/* The other side lost what we sent. */
static void send_again(struct control_channel *c, uint64_t now_ns)
{
	out_restart(c);
	retry_start(c, now_ns);
	c->ops.reset(c->ops.ctx);
}

/* Messages out. */

static int out_append(struct outbound *out, const uint8_t *msg, size_t len)
{
	uint32_t n = out->next;

	for (size_t done = 0; done < len; n++) {
		size_t size = len - done < PIECE_MAX ? len - done : PIECE_MAX;
		struct piece *p = slot(out->pieces, n);

		*p = (struct piece){.data = malloc(size), .len = (uint16_t)size};
		if (!p->data)
			return -ENOMEM;
		memcpy(p->data, msg + done, size);
		done += size;
	}
	slot(out->pieces, out->next)->flags |= FLAG_FIRST;
	slot(out->pieces, n - 1)->flags |= FLAG_LAST;
	out->next = n;
	out->bytes += len;
	return 0;
}

static void out_drop(struct outbound *out, uint32_t n)
{
	struct piece *p = slot(out->pieces, n);

	free(p->data);
	*p = (struct piece){0};
}

int control_channel_send(struct control_channel *channel, uint64_t now_ns, const uint8_t *msg,
			 size_t len)
{
	struct outbound *out = &channel->out;
	uint32_t count = (uint32_t)((len + PIECE_MAX - 1) / PIECE_MAX);
	uint32_t start = out->next;

	if (len == 0 || len > CONTROL_MESSAGE_MAX)
		return -EINVAL;
	if (out->bytes + len > CONTROL_UNACKNOWLEDGED_MAX || start - out->first + count > WINDOW)
		return -ENOBUFS;
	if (pieces_need(&out->pieces) < 0)
		return -ENOMEM;
	if (out_append(out, msg, len) < 0) {
		for (uint32_t n = start; n != start + count; n++)
			out_drop(out, n);
		if (out->first == out->next)
			pieces_free(&out->pieces);
		return -ENOMEM;
	}
	if (channel->retry_at_ns == TIME_NEVER)
		retry_start(channel, now_ns);
	for (uint32_t n = start; n != start + count; n++)
		send_piece(channel, now_ns, n);
	return 0;
}

/* Frames in. */

/* Only padding may follow what a frame says of itself. */
static bool ends_well(struct reader *r)
{
	size_t left = r->len - r->pos;
	const uint8_t *rest = read_bytes(r, left);

	if (r->failed || left > PADDING_MAX)
		return false;
	for (size_t i = 0; i < left; i++) {
		if (rest[i] != 0)
			return false;
	}
	return true;
}

static int frame_parse(const uint8_t *buf, size_t len, struct frame *out)
{
	struct reader r = reader_init(buf, len);
	struct frame f = {.type = read_u8(&r), .flags = read_u8(&r)};
	uint8_t known = FLAG_START;

	f.from = read_u32(&r);
	f.to = read_u32(&r);
	if (f.type == FRAME_MESSAGE) {
		known |= FLAG_FIRST | FLAG_LAST;
		f.sequence = read_u32(&r);
		f.len = read_u16(&r);
		f.piece = read_bytes(&r, f.len);
		if (f.len == 0 || f.len > PIECE_MAX)
			return -EBADMSG;
	} else if (f.type == FRAME_ACK) {
		f.consumed = read_u32(&r);
		f.received = read_u32(&r);
		f.map = read_u64(&r);
	} else if (f.type != FRAME_RESET) {
		return -EBADMSG;
	}
	if (!ends_well(&r) || f.from == 0 || (f.flags & ~known) != 0)
		return -EBADMSG;
	*out = f;
	return 0;
}

/* Whether the run of adjacent pieces around a new one is, or may become, one valid message. */
static bool piece_fits(const struct inbound *in, const struct frame *f)
{
	size_t total = f->len;
	uint32_t n = f->sequence;
	uint8_t flags = f->flags;

	for (; n != in->delivered && !(flags & FLAG_FIRST) && has_arrived(in, n - 1); n--) {
		const struct piece *p = slot(in->pieces, n - 1);

		flags = p->flags;
		total += p->len;
	}
	if (n == in->delivered && !(flags & FLAG_FIRST))
		return false;
	flags = f->flags;
	for (n = f->sequence; !(flags & FLAG_LAST) && has_arrived(in, n + 1); n++) {
		const struct piece *p = slot(in->pieces, n + 1);

		flags = p->flags;
		total += p->len;
	}
	return total <= CONTROL_MESSAGE_MAX;
}

/* A message's last piece is followed by a first one, and no other is. */
static bool piece_joins(const struct inbound *in, const struct frame *f)
{
	uint32_t n = f->sequence;
	bool first = f->flags & FLAG_FIRST, last = f->flags & FLAG_LAST;

	if (n != in->delivered && has_arrived(in, n - 1) &&
	    first != !!(slot(in->pieces, n - 1)->flags & FLAG_LAST))
		return false;
	return !has_arrived(in, n + 1) || last == !!(slot(in->pieces, n + 1)->flags & FLAG_FIRST);
}

static bool is_duplicate(const struct inbound *in, uint32_t n)
{
	return (int32_t)(n - in->delivered) < 0 || has_arrived(in, n);
}

static bool message_valid(const struct inbound *in, const struct frame *f)
{
	if (is_duplicate(in, f->sequence))
		return true;
	return f->sequence - in->consumed < WINDOW &&
	       in->bytes + f->len <= CONTROL_UNACKNOWLEDGED_MAX && piece_joins(in, f) &&
	       piece_fits(in, f);
}

/* What is acknowledged was sent. An acknowledgement overtaken by a newer one is valid. */
static bool ack_valid(const struct outbound *out, const struct frame *f)
{
	uint32_t sent = out->next - out->first;
	uint32_t beyond = out->next - f->received; /* the map may speak of those but the first */

	if ((int32_t)(f->consumed - out->first) < 0)
		return true;
	if (f->consumed - out->first > f->received - out->first || f->received - out->first > sent)
		return false;
	if (beyond > MAP_BITS)
		return true;
	return beyond <= 1 ? f->map == 0 : (f->map & (UINT64_MAX >> (beyond - 1))) == 0;
}

/* A piece is measured by the epoch that it belongs to; one that is refused, by nothing. */
static bool frame_valid(const struct control_channel *c, const struct frame *f)
{
	const struct inbound fresh = {0};

	if (f->type == FRAME_ACK)
		return f->to != c->out.epoch || ack_valid(&c->out, f);
	if (f->type == FRAME_RESET)
		return true;
	if (f->from == c->in.epoch)
		return message_valid(&c->in, f);
	return !is_beginning(&c->in, f) || message_valid(&fresh, f);
}

/* Messages in. */

static int in_store(struct inbound *in, const struct frame *f)
{
	uint8_t *data = malloc(f->len);
	struct piece *p;

	if (!data || pieces_need(&in->pieces) < 0) {
		free(data);
		return -ENOMEM;
	}
	memcpy(data, f->piece, f->len);
	p = slot(in->pieces, f->sequence);
	*p = (struct piece){.data = data, .len = f->len};
	p->flags = f->flags & (FLAG_FIRST | FLAG_LAST);
	in->bytes += f->len;
	in->held++;
	return 0;
}

/* The number of pieces of the next message, and its bytes; 0 while one is missing. */
static uint32_t next_message(const struct inbound *in, size_t *len)
{
	size_t total = 0;

	for (uint32_t n = in->delivered; has_arrived(in, n); n++) {
		total += slot(in->pieces, n)->len;
		if (slot(in->pieces, n)->flags & FLAG_LAST) {
			*len = total;
			return n + 1 - in->delivered;
		}
	}
	return 0;
}

/* Moves the next `count` pieces out into one buffer, which the caller frees; NULL: no memory. */
static uint8_t *take_message(struct inbound *in, uint32_t count, size_t len)
{
	struct piece *p = slot(in->pieces, in->delivered);
	uint8_t *msg = realloc(p->data, len);

	if (!msg)
		return NULL;
	for (size_t done = p->len, i = 1; i < count; i++) {
		struct piece *next = slot(in->pieces, in->delivered + (uint32_t)i);

		memcpy(msg + done, next->data, next->len);
		done += next->len;
		free(next->data);
		next->data = NULL;
	}
	p->data = NULL;
	in->held -= count;
	in->delivered += count;
	return msg;
}

/*
 * Nothing of a new epoch before all of the old has been consumed, or a peer that changes epochs
 * could fill its owner without end. Each step leaves a whole state: the owner may consume, send and
 * even restart in deliver().
 */
static void deliver_ready(struct control_channel *c)
{
	uint32_t count;
	size_t len;

	while (c->in.left_over == 0 && (count = next_message(&c->in, &len)) > 0) {
		uint8_t *msg = take_message(&c->in, count, len);

		if (!msg)
			return;
		c->ops.deliver(c->ops.ctx, msg, len);
		free(msg);
	}
}

void control_channel_consumed(struct control_channel *channel, uint64_t now_ns)
{
	struct inbound *in = &channel->in;
	bool last = false;

	if (in->left_over > 0) {
		in->left_over--;
		deliver_ready(channel);
		return;
	}
	if (in->consumed == in->delivered)
		return;
	while (!last) {
		struct piece *p = slot(in->pieces, in->consumed++);

		in->bytes -= p->len;
		last = p->flags & FLAG_LAST;
	}
	if (in->consumed == in->delivered && in->held == 0)
		pieces_free(&in->pieces);
	send_ack(channel, now_ns);
}

static void take_piece(struct control_channel *c, const struct frame *f)
{
	c->ack_due = true;
	if (!is_duplicate(&c->in, f->sequence) && in_store(&c->in, f) < 0)
		return; /* as if it had been lost */
	deliver_ready(c);
}

static void take_ack(struct control_channel *c, uint64_t now_ns, const struct frame *f)
{
	struct outbound *out = &c->out;
	bool progress = false;

	if (f->to != out->epoch || (int32_t)(f->consumed - out->first) < 0)
		return;
	for (; out->first != f->consumed; out->first++) {
		out->bytes -= slot(out->pieces, out->first)->len;
		out_drop(out, out->first);
		progress = true;
	}
	for (uint32_t n = out->first; n != out->next; n++) {
		uint32_t above = n - f->received; /* `received` itself is missing */
		bool seen = (int32_t)above < 0 ||
			    (above >= 1 && above <= MAP_BITS && f->map >> (MAP_BITS - above) & 1);

		progress = progress || (seen && !slot(out->pieces, n)->arrived);
		slot(out->pieces, n)->arrived |= seen;
	}
	if (out->first == out->next)
		pieces_free(&out->pieces);
	out->acknowledged = out->acknowledged || progress;
	if (progress)
		retry_start(c, now_ns);
}

/* True if the frame's epoch is the one known now. */
static bool epoch_enter(struct control_channel *c, uint64_t now_ns, const struct frame *f)
{
	bool lost = f->to != c->out.epoch && c->out.acknowledged;

	if (f->from == c->in.epoch)
		return true;
	if (!is_beginning(&c->in, f)) {
		send_reset(c, now_ns, f->from, true);
		return false;
	}
	in_restart(&c->in, f->from);
	if (lost)
		send_again(c, now_ns);
	return c->in.epoch == f->from;
}

int control_channel_receive(struct control_channel *channel, uint64_t now_ns,
			    const uint8_t *frame, size_t len)
{
	struct control_channel *c = channel;
	uint32_t before = c->out.epoch;
	struct frame f;
	bool known;

	if (frame_parse(frame, len, &f) < 0 || !frame_valid(c, &f))
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
