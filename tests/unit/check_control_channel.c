/* SPDX-License-Identifier: ISC */
/*
 * The control channel: its frames one by one, then two channels over a link that loses, reorders,
 * delays and duplicates, on a virtual clock, while either side, or both, restarts.
 *
 *   side 0                 link: up to 500 ms, in any order             side 1
 *   owner <-> channel ===> [frame] [frame] [frame] ... ===>  channel <-> owner
 *                     <=== ...                         <===
 *
 * Every message says of which generation it is (what its sender sent since it last began anew) and
 * its number in it. Whatever happens, each generation arrives from 0 on, in order, nothing twice;
 * and when the link has become quiet, the newest one has arrived whole.
 */
#include <errno.h>
#include <malloc.h>
#include <string.h>

#include <tund/base/bytes.h>
#include "session/control_channel.h"
#include <tund/wire/control_frame.h>

#include "tap.h"

enum {
	FIRST = 1,
	LAST = 2,
	START = 4, /* flags, as in control_channel.c */
	HEADER = 16,
	PIECE = CONTROL_FRAME_BYTES - HEADER,
	FLIGHT_MAX = 16384,
	GENERATIONS_MAX = 4096,
	STEP_MS = 10,
};

struct flying {
	int to;
	uint64_t arrives_ns;
	size_t len;
	uint8_t *frame;
};

struct link {
	uint64_t seed;
	unsigned loss, duplicates; /* percent */
	unsigned delay_ms;         /* at most */
	struct flying flying[FLIGHT_MAX];
	size_t count;
	size_t sent[FRAME_PROBE]; /* by type */
};

struct side {
	struct world *world;
	int id;
	struct control_channel *channel;
	bool consumes_at_once;
	unsigned unconsumed;
	size_t unconsumed_bytes;
	size_t sizes[CONTROL_WINDOW * 2]; /* of the unconsumed, oldest first */
	unsigned resets;
	uint32_t generation, sent;      /* of what we send */
	uint32_t seen[GENERATIONS_MAX]; /* messages received of each generation of the other side */
	uint32_t newest;                /* the one received from last */
};

struct world {
	uint64_t now_ns;
	struct link link;
	struct side sides[2];
	uint32_t generations;
	bool talkative; /* owners answer a reset with more than one message */
};

static uint32_t roll(struct world *w)
{
	w->link.seed ^= w->link.seed << 13;
	w->link.seed ^= w->link.seed >> 7;
	w->link.seed ^= w->link.seed << 17;
	return (uint32_t)(w->link.seed >> 32);
}

static bool chance(struct world *w, unsigned percent)
{
	return roll(w) % 100 < percent;
}

static void fill_random(void *ctx, uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)roll(ctx);
}

/* The link. */

static void link_put(struct world *w, int to, const uint8_t *frame, size_t len)
{
	struct link *l = &w->link;
	struct flying *f = &l->flying[l->count++];

	if (l->count > FLIGHT_MAX)
		ck_abort_msg("too many frames under way");
	*f = (struct flying){.to = to, .len = len, .frame = malloc(len)};
	memcpy(f->frame, frame, len);
	f->arrives_ns = w->now_ns + (l->delay_ms ? roll(w) % l->delay_ms : 0) * NS_PER_MS;
}

static void link_send(void *ctx, uint64_t now_ns, const uint8_t *frame, size_t len, bool is_ack)
{
	struct side *s = ctx;
	struct world *w = s->world;

	if (now_ns != w->now_ns || len > CONTROL_FRAME_BYTES ||
	    (frame[0] != FRAME_RESET && is_ack != (frame[0] == FRAME_ACK)))
		ck_abort_msg("a frame of type %d, %zu bytes", frame[0], len);
	w->link.sent[frame[0]]++;
	if (chance(w, w->link.loss))
		return;
	link_put(w, !s->id, frame, len);
	if (chance(w, w->link.duplicates))
		link_put(w, !s->id, frame, len);
}

static void link_drop_to(struct world *w, int to)
{
	struct link *l = &w->link;

	for (size_t i = 0; i < l->count;) {
		if (l->flying[i].to != to) {
			i++;
			continue;
		}
		free(l->flying[i].frame);
		l->flying[i] = l->flying[--l->count];
	}
}

/* Everything that is due, in random order; true if there was something. */
static bool link_deliver(struct world *w)
{
	struct link *l = &w->link;
	size_t start = l->count ? roll(w) % l->count : 0;

	for (size_t k = 0; k < l->count; k++) {
		size_t i = (start + k) % l->count;
		struct flying f = l->flying[i];

		if (f.arrives_ns > w->now_ns)
			continue;
		l->flying[i] = l->flying[--l->count];
		if (control_channel_receive(w->sides[f.to].channel, w->now_ns, f.frame, f.len) < 0)
			ck_abort_msg("an honest frame was refused");
		free(f.frame);
		return true;
	}
	return false;
}

/* The owners. */

static void owner_consume(struct side *s)
{
	ck_assert_uint_gt(s->unconsumed, 0);
	s->unconsumed_bytes -= s->sizes[0];
	s->unconsumed--;
	memmove(s->sizes, s->sizes + 1, s->unconsumed * sizeof *s->sizes);
	control_channel_consumed(s->channel, s->world->now_ns);
}

static uint8_t filler(uint32_t generation, uint32_t number, size_t i)
{
	return (uint8_t)(generation * 31 + number * 7 + i + i / 251);
}

static void owner_take(void *ctx, const uint8_t *msg, size_t len)
{
	struct side *s = ctx;
	uint32_t generation = get_be32(msg), number = get_be32(msg + 4);
	size_t wrong = 0;

	ck_assert_uint_ge(len, 8);
	ck_assert_uint_lt(generation, GENERATIONS_MAX);
	ck_assert_uint_eq(number, s->seen[generation]);
	for (size_t i = 8; i < len; i++)
		wrong += msg[i] != filler(generation, number, i);
	ck_assert_uint_eq(wrong, 0);
	s->seen[generation]++;
	s->newest = generation;
	ck_assert_uint_lt(s->unconsumed, CONTROL_WINDOW);
	s->sizes[s->unconsumed++] = len;
	s->unconsumed_bytes += len;
	ck_assert_uint_le(s->unconsumed_bytes, CONTROL_UNACKNOWLEDGED_MAX);
	if (s->consumes_at_once)
		owner_consume(s);
}

static int owner_send(struct side *s, size_t len)
{
	static uint8_t msg[CONTROL_MESSAGE_MAX];
	int err;

	put_be32(msg, s->generation);
	put_be32(msg + 4, s->sent);
	for (size_t i = 8; i < len; i++)
		msg[i] = filler(s->generation, s->sent, i);
	err = control_channel_send(s->channel, s->world->now_ns, msg, len);
	if (err == 0)
		s->sent++;
	return err;
}

static size_t some_length(struct world *w)
{
	return 8 + roll(w) % (chance(w, 10) ? CONTROL_MESSAGE_MAX - 7 : 2000);
}

/* What an owner does that lost its state, or whose other side did: it sends all it has to say. */
static void owner_begin(struct side *s)
{
	unsigned count = s->world->talkative ? 1 + roll(s->world) % 5 : 1;

	s->generation = s->world->generations++;
	s->sent = 0;
	ck_assert_uint_lt(s->generation, GENERATIONS_MAX);
	ck_assert_int_eq(owner_send(s, 8), 0);
	while (--count > 0)
		owner_send(s, some_length(s->world));
}

static void owner_reset(void *ctx)
{
	struct side *s = ctx;

	s->resets++;
	owner_begin(s);
}

static void side_start(struct side *s)
{
	const struct control_channel_ops ops = {s, link_send, owner_take, owner_reset};
	const struct rng rng = {fill_random, s->world};

	memset(s->seen, 0, sizeof s->seen);
	s->unconsumed = 0;
	s->unconsumed_bytes = 0;
	s->channel = control_channel_new(&ops, &rng);
	ck_assert_ptr_nonnull(s->channel);
}

/* The whole process: its sessions are lost with it, so nothing under way to it can be read. */
static void side_replace(struct side *s)
{
	control_channel_free(s->channel);
	link_drop_to(s->world, s->id);
	side_start(s);
	owner_begin(s);
}

/* The control process alone. */
static void side_restart(struct side *s)
{
	s->unconsumed = 0;
	s->unconsumed_bytes = 0;
	control_channel_restart(s->channel, s->world->now_ns);
	owner_begin(s);
}

static struct world *world_new(uint64_t seed)
{
	struct world *w = calloc(1, sizeof *w);

	w->link.seed = seed * 0x9e3779b97f4a7c15 + 1;
	for (int i = 0; i < 2; i++) {
		w->sides[i] = (struct side){.world = w, .id = i, .consumes_at_once = true};
		side_start(&w->sides[i]);
	}
	return w;
}

static void world_free(struct world *w)
{
	for (int i = 0; i < 2; i++) {
		control_channel_free(w->sides[i].channel);
		link_drop_to(w, i);
	}
	free(w);
}

static void world_step(struct world *w)
{
	while (link_deliver(w))
		;
	for (int i = 0; i < 2; i++) {
		struct side *s = &w->sides[i];

		while (s->unconsumed > 0 && chance(w, 30))
			owner_consume(s);
		if (control_channel_deadline(s->channel) <= w->now_ns)
			control_channel_tick(s->channel, w->now_ns);
	}
	w->now_ns += STEP_MS * NS_PER_MS;
}

static bool world_is_quiet(const struct world *w)
{
	return w->link.count == 0 && w->sides[0].unconsumed == 0 && w->sides[1].unconsumed == 0 &&
	       control_channel_deadline(w->sides[0].channel) == TIME_NEVER &&
	       control_channel_deadline(w->sides[1].channel) == TIME_NEVER;
}

/* No deadlock: with what remains of the loss, all is delivered soon. */
static void world_settle(struct world *w)
{
	uint64_t end_ns = w->now_ns + 600 * NS_PER_SEC;

	while (!world_is_quiet(w)) {
		world_step(w);
		if (w->now_ns > end_ns)
			ck_abort_msg("not quiet after 600 s");
	}
	for (int i = 0; i < 2; i++) {
		const struct side *from = &w->sides[i], *to = &w->sides[!i];

		if (from->sent == 0)
			continue;
		ck_assert_uint_eq(to->newest, from->generation);
		ck_assert_uint_eq(to->seen[from->generation], from->sent);
	}
}

/* A loss-free link with both sides begun and acquainted. */
static struct world *world_acquainted(void)
{
	struct world *w = world_new(1);

	owner_begin(&w->sides[0]);
	owner_begin(&w->sides[1]);
	world_settle(w);
	memset(w->link.sent, 0, sizeof w->link.sent);
	return w;
}

/* Simulation. */

START_TEST(lossy_link)
{
	struct world *w = world_new((uint64_t)_i);

	w->link.loss = (unsigned)_i * 7 % 50;
	w->link.duplicates = (unsigned)_i * 13 % 40;
	w->link.delay_ms = 1 + (unsigned)_i * 97 % 500;
	w->talkative = true;
	for (int i = 0; i < 2; i++) {
		w->sides[i].consumes_at_once = _i & 1;
		owner_begin(&w->sides[i]);
	}
	while (w->now_ns < 60 * NS_PER_SEC) {
		for (int i = 0; i < 2; i++) {
			if (chance(w, 10))
				owner_send(&w->sides[i], some_length(w));
		}
		world_step(w);
	}
	world_settle(w);
	ck_assert_uint_gt(w->sides[0].sent + w->sides[1].sent, 50);
	ck_assert_uint_eq(w->sides[0].resets, 0);
	ck_assert_uint_eq(w->sides[1].resets, 0);
	world_free(w);
}
END_TEST

static void restart_some(struct world *w)
{
	uint32_t what = roll(w) % 6;

	for (int i = 0; i < 2; i++) {
		struct side *s = &w->sides[i];

		if (what / 2 != 2 && (int)(what / 2) != i)
			continue; /* 0, 1: side 0; 2, 3: side 1; 4, 5: both */
		if (what & 1)
			side_replace(s);
		else
			side_restart(s);
	}
}

START_TEST(restarts)
{
	struct world *w = world_new((uint64_t)_i + 1000);

	w->link.loss = (unsigned)_i * 11 % 40;
	w->link.duplicates = (unsigned)_i * 5 % 30;
	w->link.delay_ms = 1 + (unsigned)_i * 31 % 500;
	w->talkative = true;
	for (int i = 0; i < 2; i++) {
		w->sides[i].consumes_at_once = _i & 1;
		owner_begin(&w->sides[i]);
	}
	while (w->now_ns < 60 * NS_PER_SEC) {
		for (int i = 0; i < 2; i++) {
			if (chance(w, 5))
				owner_send(&w->sides[i], some_length(w));
		}
		if (roll(w) % 400 == 0)
			restart_some(w);
		world_step(w);
	}
	world_settle(w);
	world_free(w);
}
END_TEST

/* One restart causes one reset on the other side, and none in return. */
START_TEST(one_restart_one_reset)
{
	struct world *w = world_acquainted();

	side_restart(&w->sides[0]);
	world_settle(w);
	ck_assert_uint_eq(w->sides[0].resets, 0);
	ck_assert_uint_eq(w->sides[1].resets, 1);
	side_replace(&w->sides[1]);
	world_settle(w);
	ck_assert_uint_eq(w->sides[0].resets, 1);
	ck_assert_uint_eq(w->sides[1].resets, 1);
	side_restart(&w->sides[0]);
	side_restart(&w->sides[1]);
	world_settle(w);
	ck_assert_uint_le(w->sides[0].resets + w->sides[1].resets, 3);
	world_free(w);
}
END_TEST

/* A side that lost its state and has nothing to say is noticed when it hears something. */
START_TEST(silent_restart)
{
	struct world *w = world_acquainted();
	struct side *s = &w->sides[1];

	control_channel_free(s->channel);
	side_start(s);
	s->sent = 0;
	ck_assert_int_eq(owner_send(&w->sides[0], 100), 0);
	world_settle(w);
	ck_assert_uint_eq(w->sides[0].resets, 1);
	ck_assert_uint_eq(s->resets, 0);
	world_free(w);
}
END_TEST

/* What the old epoch delivered and nobody consumed yet does not count for the new one, and holds
 * its messages back. */
START_TEST(consumption_across_epochs)
{
	struct world *w = world_acquainted();
	struct side *a = &w->sides[0], *b = &w->sides[1];

	b->consumes_at_once = false;
	ck_assert_int_eq(owner_send(a, 60000), 0);
	while (link_deliver(w))
		;
	ck_assert_uint_eq(b->unconsumed, 1);
	side_replace(a);
	ck_assert_int_eq(owner_send(a, 60000), 0);
	while (link_deliver(w))
		;
	ck_assert_uint_eq(b->unconsumed, 1);
	owner_consume(b);
	ck_assert_uint_eq(b->unconsumed, 2);
	ck_assert_uint_ne(control_channel_deadline(a->channel), TIME_NEVER);
	owner_consume(b);
	while (link_deliver(w))
		;
	ck_assert_int_eq(owner_send(a, 60000), -ENOBUFS);
	owner_consume(b);
	world_settle(w);
	world_free(w);
}
END_TEST

/* Repeating. */

START_TEST(bare_acknowledgements)
{
	struct world *w = world_acquainted();

	ck_assert_int_eq(owner_send(&w->sides[0], 3 * PIECE), 0);
	world_settle(w);
	ck_assert_uint_eq(w->link.sent[FRAME_MESSAGE], 3);
	ck_assert_uint_eq(w->link.sent[FRAME_ACK], 3);
	ck_assert_uint_eq(w->link.sent[FRAME_RESET], 0);
	w->sides[1].consumes_at_once = false;
	ck_assert_int_eq(owner_send(&w->sides[0], PIECE), 0);
	world_settle(w);
	ck_assert_uint_eq(w->link.sent[FRAME_MESSAGE], 4);
	ck_assert_uint_eq(w->link.sent[FRAME_ACK], 5);
	world_free(w);
}
END_TEST

START_TEST(intervals)
{
	static const uint64_t expected_ms[] = {300, 600, 1200, 2400, 4800, 5000, 5000};
	struct world *w = world_acquainted();
	struct control_channel *channel = w->sides[0].channel;

	w->link.loss = 100;
	ck_assert_int_eq(owner_send(&w->sides[0], 10), 0);
	for (size_t i = 0; i < sizeof expected_ms / sizeof *expected_ms; i++) {
		uint64_t at_ns = control_channel_deadline(channel);

		ck_assert_uint_eq(at_ns - w->now_ns, expected_ms[i] * NS_PER_MS);
		w->now_ns = at_ns - 1;
		control_channel_tick(channel, w->now_ns);
		ck_assert_uint_eq(w->link.sent[FRAME_MESSAGE], i + 1);
		w->now_ns = at_ns;
		control_channel_tick(channel, w->now_ns);
		ck_assert_uint_eq(w->link.sent[FRAME_MESSAGE], i + 2);
	}
	control_channel_kick(channel, w->now_ns);
	ck_assert_uint_eq(w->link.sent[FRAME_MESSAGE], 9);
	ck_assert_uint_eq(control_channel_deadline(channel), w->now_ns + CONTROL_RETRY_MIN_NS);
	world_free(w);
}
END_TEST

/* Only the piece that was lost is repeated; when none was, the oldest, to ask. */
START_TEST(repeats_what_is_missing)
{
	struct world *w = world_acquainted();
	struct side *a = &w->sides[0];

	w->sides[1].consumes_at_once = false;
	ck_assert_int_eq(owner_send(a, 40 * PIECE), 0);
	free(w->link.flying[7].frame); /* the eighth is lost */
	w->link.flying[7] = w->link.flying[--w->link.count];
	while (link_deliver(w))
		;
	w->now_ns = control_channel_deadline(a->channel);
	control_channel_tick(a->channel, w->now_ns);
	ck_assert_uint_eq(w->link.sent[FRAME_MESSAGE], 41);
	while (link_deliver(w))
		;
	ck_assert_uint_eq(w->sides[1].unconsumed, 1);
	w->now_ns = control_channel_deadline(a->channel);
	control_channel_tick(a->channel, w->now_ns);
	ck_assert_uint_eq(w->link.sent[FRAME_MESSAGE], 42);
	ck_assert_uint_eq(get_be16(w->link.flying[0].frame + 14), PIECE);
	world_settle(w);
	ck_assert_uint_eq(control_channel_deadline(a->channel), TIME_NEVER);
	world_free(w);
}
END_TEST

/* Limits. */

START_TEST(lengths)
{
	static const uint8_t msg[CONTROL_MESSAGE_MAX + 1];
	struct world *w = world_new(1);
	struct control_channel *c = w->sides[0].channel;

	ck_assert_int_eq(control_channel_send(c, 0, msg, 0), -EINVAL);
	ck_assert_int_eq(control_channel_send(c, 0, msg, CONTROL_MESSAGE_MAX + 1), -EINVAL);
	ck_assert_uint_eq(control_channel_deadline(c), TIME_NEVER);
	ck_assert_int_eq(owner_send(&w->sides[0], CONTROL_MESSAGE_MAX), 0);
	ck_assert_int_eq(
		owner_send(&w->sides[0], CONTROL_UNACKNOWLEDGED_MAX - CONTROL_MESSAGE_MAX + 1),
		-ENOBUFS);
	ck_assert_int_eq(owner_send(&w->sides[0], CONTROL_UNACKNOWLEDGED_MAX - CONTROL_MESSAGE_MAX),
			 0);
	ck_assert_int_eq(owner_send(&w->sides[0], 8), -ENOBUFS);
	world_settle(w);
	ck_assert_int_eq(owner_send(&w->sides[0], CONTROL_MESSAGE_MAX), 0);
	world_settle(w);
	world_free(w);
}
END_TEST

START_TEST(number_of_pieces)
{
	struct world *w = world_new(1);

	w->sides[1].consumes_at_once = false;
	for (int i = 0; i < CONTROL_WINDOW; i++)
		ck_assert_int_eq(owner_send(&w->sides[0], 8), 0);
	ck_assert_int_eq(owner_send(&w->sides[0], 8), -ENOBUFS);
	while (link_deliver(w))
		;
	ck_assert_uint_eq(w->sides[1].unconsumed, CONTROL_WINDOW);
	ck_assert_int_eq(owner_send(&w->sides[0], 8), -ENOBUFS);
	owner_consume(&w->sides[1]);
	while (link_deliver(w))
		;
	ck_assert_int_eq(owner_send(&w->sides[0], 8), 0);
	world_settle(w);
	world_free(w);
}
END_TEST

START_TEST(memory_comes_and_goes)
{
	struct world *w = world_new(1);
	size_t before = mallinfo2().uordblks;

	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(owner_send(&w->sides[i & 1], CONTROL_MESSAGE_MAX), 0);
		world_settle(w);
	}
	ck_assert_uint_lt(mallinfo2().uordblks, before + 2048);
	control_channel_consumed(w->sides[0].channel, w->now_ns); /* there is nothing */
	world_free(w);
}
END_TEST

/* Frames that break the rules. A bare channel, and frames by hand. */

struct bare {
	struct control_channel *channel;
	unsigned frames, messages, resets;
	uint32_t epoch; /* of the channel, from what it sent */
};

static void bare_send(void *ctx, uint64_t now_ns, const uint8_t *frame, size_t len, bool is_ack)
{
	struct bare *b = ctx;

	(void)now_ns, (void)len, (void)is_ack;
	b->frames++;
	b->epoch = get_be32(frame + 2);
}

static void bare_deliver(void *ctx, const uint8_t *msg, size_t len)
{
	(void)msg, (void)len;
	((struct bare *)ctx)->messages++;
}

static void bare_reset(void *ctx)
{
	((struct bare *)ctx)->resets++;
}

static void fill_ones(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	memset(out, 1, n);
}

static void bare_start(struct bare *b)
{
	const struct control_channel_ops ops = {b, bare_send, bare_deliver, bare_reset};
	const struct rng rng = {fill_ones, NULL};

	*b = (struct bare){.epoch = 0x01010101};
	b->channel = control_channel_new(&ops, &rng);
}

static size_t make(uint8_t *frame, uint8_t type, uint8_t flags, uint32_t from, uint32_t to)
{
	frame[0] = type;
	frame[1] = flags;
	put_be32(frame + 2, from);
	put_be32(frame + 6, to);
	return 10;
}

static int give_piece(struct bare *b, uint8_t flags, uint32_t sequence, size_t len)
{
	uint8_t frame[CONTROL_FRAME_BYTES + 16] = {0};

	make(frame, FRAME_MESSAGE, flags, 7, b->epoch);
	put_be32(frame + 10, sequence);
	put_be16(frame + 14, (uint16_t)len);
	return control_channel_receive(b->channel, 0, frame, HEADER + len);
}

static int give_ack(struct bare *b, uint32_t consumed, uint32_t received, uint64_t map)
{
	uint8_t frame[26];

	make(frame, FRAME_ACK, START, 7, b->epoch);
	put_be32(frame + 10, consumed);
	put_be32(frame + 14, received);
	put_be64(frame + 18, map);
	return control_channel_receive(b->channel, 0, frame, sizeof frame);
}

struct shape_case {
	const char *what;
	size_t len;
	uint8_t bytes[48];
};

/* 0: type, 1: flags, 2: from, 6: to, 10: sequence, 14: length. */
static const struct shape_case shape_cases[] = {
	{"nothing", 0, {0}},
	{"type 0", 17, {0, 7, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 65}},
	{"a probe", 9, {4, 1, 2, 3, 4, 5, 6, 7, 8}},
	{"header only", 10, {1, 7, 0, 0, 0, 7}},
	{"no piece", 16, {1, 7, 0, 0, 0, 7}},
	{"a piece cut short", 17, {1, 7, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 65}},
	{"from nobody", 17, {1, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 65}},
	{"an unknown flag", 17, {1, 15, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 65}},
	{"16 bytes of padding", 33, {1, 7, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 65}},
	{"padding not zero", 18, {1, 7, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 65, 1}},
	{"0 is no first piece", 17, {1, 6, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 65}},
	{"beyond the window", 17, {1, 7, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 65}},
	{"sequence -1", 17, {1, 7, 0, 0, 0, 7, 0, 0, 0, 0, 255, 255, 255, 254, 0, 1, 65}},
	{"an ACK cut short", 25, {2, 4, 0, 0, 0, 7}},
	{"an ACK with FIRST", 26, {2, 5, 0, 0, 0, 7}},
	{"an ACK of what was not sent", 26, {2, 4, 0, 0, 0, 7, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1}},
	{"a RESET cut short", 9, {3, 4, 0, 0, 0, 7}},
	{"a RESET with LAST", 10, {3, 6, 0, 0, 0, 7}},
};

START_TEST(malformed)
{
	const struct shape_case *c = &shape_cases[_i];
	struct bare b;

	bare_start(&b);
	if (strcmp(c->what, "sequence -1") == 0) { /* is one of the past, and only acknowledged */
		ck_assert_int_eq(control_channel_receive(b.channel, 0, c->bytes, c->len), 0);
		ck_assert_uint_eq(b.messages, 0);
	} else {
		ck_assert_int_eq(control_channel_receive(b.channel, 0, c->bytes, c->len), -EBADMSG);
		ck_assert_uint_eq(b.frames + b.messages + b.resets, 0);
	}
	/* Nothing changed: epoch 7 is still to be begun. */
	ck_assert_int_eq(give_piece(&b, FIRST | LAST | START, 0, 5), 0);
	ck_assert_uint_eq(b.messages, 1);
	control_channel_free(b.channel);
}
END_TEST

START_TEST(inconsistent_pieces)
{
	struct bare b;

	bare_start(&b);
	ck_assert_int_eq(give_piece(&b, FIRST | START, 3, 100), 0);
	ck_assert_int_eq(give_piece(&b, START, 2, 100), -EBADMSG);         /* 3 begins anew */
	ck_assert_int_eq(give_piece(&b, FIRST | START, 4, 100), -EBADMSG); /* 3 is not over */
	ck_assert_int_eq(give_piece(&b, FIRST | LAST | START, 2, 100), 0);
	ck_assert_int_eq(give_piece(&b, LAST | START, 4, 100), 0);
	ck_assert_int_eq(give_piece(&b, START, 5, 100), -EBADMSG); /* 4 was the last */
	ck_assert_int_eq(give_piece(&b, LAST | START, 0, 100), -EBADMSG);
	ck_assert_int_eq(give_piece(&b, FIRST | START, 0, 100), 0);
	ck_assert_uint_eq(b.messages, 0);
	ck_assert_int_eq(give_piece(&b, LAST | START, 1, 100), 0);
	ck_assert_uint_eq(b.messages, 3);
	ck_assert_int_eq(give_piece(&b, LAST | START, 1, 100), 0); /* again: nothing */
	ck_assert_uint_eq(b.messages, 3);
	control_channel_free(b.channel);
}
END_TEST

START_TEST(too_much_from_outside)
{
	struct bare b;
	uint32_t n = 0;

	bare_start(&b);
	while (give_piece(&b, START | (n == 0 ? FIRST : 0), n, PIECE) == 0)
		n++;
	ck_assert_uint_eq(n, CONTROL_MESSAGE_MAX / PIECE); /* it would be too long a message */
	control_channel_free(b.channel);

	bare_start(&b);
	for (n = 0; give_piece(&b, START | FIRST | LAST, n, PIECE) == 0; n++)
		ck_assert_uint_eq(b.messages, n + 1); /* none is consumed */
	ck_assert_uint_eq(n, CONTROL_UNACKNOWLEDGED_MAX / PIECE);
	control_channel_free(b.channel);

	bare_start(&b);
	for (n = 0; give_piece(&b, START | FIRST | LAST, n, 1) == 0; n++)
		;
	ck_assert_uint_eq(n, CONTROL_WINDOW);
	control_channel_free(b.channel);
}
END_TEST

struct ack_case {
	uint32_t consumed, received;
	uint64_t map;
	int result;
};

/* Three pieces were sent: 0, 1, 2. */
static const struct ack_case ack_cases[] = {
	{0, 0, 0, 0},
	{3, 3, 0, 0},
	{0, 3, 0, 0},
	{0, 0, UINT64_C(3) << 62, 0},        /* 1 and 2 have arrived */
	{0, 0, UINT64_C(1) << 61, -EBADMSG}, /* 3 has? */
	{0, 0, 1, -EBADMSG},
	{0, 2, 0, 0},
	{0, 2, UINT64_C(1) << 63, -EBADMSG},
	{0, 3, UINT64_C(1) << 63, -EBADMSG},
	{2, 1, 0, -EBADMSG}, /* consumed before it arrived? */
	{0, 4, 0, -EBADMSG},
	{4, 4, 0, -EBADMSG},
	{UINT32_MAX, 0, 0, 0}, /* overtaken */
};

START_TEST(acknowledgements)
{
	static const uint8_t msg[3 * PIECE];
	const struct ack_case *c = &ack_cases[_i];
	struct bare b;

	bare_start(&b);
	ck_assert_int_eq(control_channel_send(b.channel, 0, msg, sizeof msg), 0);
	ck_assert_int_eq(give_ack(&b, c->consumed, c->received, c->map), c->result);
	ck_assert_uint_eq(b.frames, 3); /* and no answer */
	ck_assert_int_eq(control_channel_deadline(b.channel) == TIME_NEVER, c->consumed == 3);
	ck_assert_int_eq(give_ack(&b, 3, 3, 0), 0);
	ck_assert_uint_eq(control_channel_deadline(b.channel), TIME_NEVER);
	control_channel_free(b.channel);
}
END_TEST

/* An epoch that was left does not come back, though a late frame of it may. */
START_TEST(late_frames)
{
	uint8_t frame[17] = {0};
	struct bare b;

	bare_start(&b);
	ck_assert_int_eq(give_piece(&b, FIRST | LAST | START, 0, 5), 0); /* of epoch 7 */
	control_channel_consumed(b.channel, 0);
	make(frame, FRAME_MESSAGE, FIRST | LAST | START, 8, b.epoch);
	put_be16(frame + 14, 1);
	ck_assert_int_eq(control_channel_receive(b.channel, 0, frame, sizeof frame), 0);
	ck_assert_uint_eq(b.messages, 2);
	ck_assert_int_eq(give_piece(&b, FIRST | LAST | START, 0, 5), 0);
	ck_assert_int_eq(give_piece(&b, FIRST | LAST | START, 1, 5), 0);
	ck_assert_uint_eq(b.messages, 2);
	ck_assert_uint_eq(b.resets, 0);
	control_channel_free(b.channel);
}
END_TEST

static int give_bare(struct bare *b, uint8_t type, uint8_t flags, uint32_t from, uint32_t to)
{
	uint8_t frame[26] = {0}; /* as an ACK: nothing has arrived */

	return control_channel_receive(b->channel, 0, frame,
				       make(frame, type, flags, from, to) +
					       (type == FRAME_ACK ? 16 : 0));
}

/* A new epoch means a lost state exactly if it does not know ours although ours was acknowledged. */
START_TEST(which_side_lost_its_state)
{
	struct bare b;

	bare_start(&b);
	ck_assert_int_eq(control_channel_send(b.channel, 0, (const uint8_t *)"x", 1), 0);
	ck_assert_int_eq(give_bare(&b, FRAME_ACK, START, 5, 0), 0);
	ck_assert_int_eq(give_bare(&b, FRAME_ACK, START, 6, 0), 0);
	ck_assert_uint_eq(b.resets, 0); /* it never knew us */
	ck_assert_int_eq(give_bare(&b, FRAME_ACK, START, 7, b.epoch), 0);
	ck_assert_int_eq(give_ack(&b, 1, 1, 0), 0);
	ck_assert_int_eq(give_bare(&b, FRAME_ACK, START, 8, b.epoch), 0);
	ck_assert_uint_eq(b.resets, 0);
	ck_assert_int_eq(give_bare(&b, FRAME_ACK, START, 9, 0), 0);
	ck_assert_uint_eq(b.resets, 1);
	ck_assert_uint_eq(b.frames, 1);
	control_channel_free(b.channel);
}
END_TEST

START_TEST(acknowledgement_of_another_epoch)
{
	uint32_t old;
	struct bare b;

	bare_start(&b);
	old = b.epoch;
	ck_assert_int_eq(give_bare(&b, FRAME_RESET, START, 7, b.epoch), 0);
	ck_assert_uint_eq(b.resets, 1);
	ck_assert_uint_ne(b.epoch, old);
	ck_assert_int_eq(control_channel_send(b.channel, 0, (const uint8_t *)"x", 1), 0);
	b.epoch = old;
	ck_assert_int_eq(give_ack(&b, 1, 1, 0), 0);
	ck_assert_uint_ne(control_channel_deadline(b.channel), TIME_NEVER);
	control_channel_free(b.channel);
}
END_TEST

/* A restart is told until something comes back that knows of it; and it is answered, once. */
START_TEST(reset_is_repeated_and_answered)
{
	struct bare b;

	bare_start(&b);
	control_channel_restart(b.channel, 0);
	ck_assert_uint_eq(b.frames, 1);
	for (unsigned i = 1; i < 10; i++) {
		control_channel_tick(b.channel, control_channel_deadline(b.channel));
		ck_assert_uint_eq(b.frames, i + 1);
	}
	ck_assert_int_eq(give_bare(&b, FRAME_ACK, START, 7, 1), 0);
	ck_assert_uint_ne(control_channel_deadline(b.channel), TIME_NEVER);
	ck_assert_int_eq(give_bare(&b, FRAME_ACK, START, 7, b.epoch), 0);
	ck_assert_uint_eq(control_channel_deadline(b.channel), TIME_NEVER);
	ck_assert_uint_eq(b.frames, 10);
	ck_assert_int_eq(give_bare(&b, FRAME_RESET, START, 8, 1), 0);
	ck_assert_uint_eq(b.frames, 11);
	ck_assert_uint_eq(b.resets, 0); /* it had nothing of ours */
	control_channel_free(b.channel);
}
END_TEST

static TCase *simulation(void)
{
	TCase *tc = tcase_create("simulation");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, lossy_link, 0, 24);
	tcase_add_loop_test(tc, restarts, 0, 48);
	tcase_add_test(tc, one_restart_one_reset);
	tcase_add_test(tc, silent_restart);
	tcase_add_test(tc, consumption_across_epochs);
	tcase_add_test(tc, bare_acknowledgements);
	tcase_add_test(tc, intervals);
	tcase_add_test(tc, repeats_what_is_missing);
	return tc;
}

static TCase *limits(void)
{
	TCase *tc = tcase_create("limits");

	tcase_add_test(tc, lengths);
	tcase_add_test(tc, number_of_pieces);
	tcase_add_test(tc, memory_comes_and_goes);
	tcase_add_loop_test(tc, malformed, 0, sizeof shape_cases / sizeof *shape_cases);
	tcase_add_test(tc, inconsistent_pieces);
	tcase_add_test(tc, too_much_from_outside);
	tcase_add_loop_test(tc, acknowledgements, 0, sizeof ack_cases / sizeof *ack_cases);
	tcase_add_test(tc, late_frames);
	tcase_add_test(tc, which_side_lost_its_state);
	tcase_add_test(tc, acknowledgement_of_another_epoch);
	tcase_add_test(tc, reset_is_repeated_and_answered);
	return tc;
}

int main(void)
{
	Suite *suite = suite_create("control_channel");

	suite_add_tcase(suite, simulation());
	suite_add_tcase(suite, limits());
	return tap_run(suite);
}
