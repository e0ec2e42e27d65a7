/* SPDX-License-Identifier: ISC */
/*
 * What a packet costs that is joined with others of its flow: its checksum still to be completed,
 * or ("sum") complete and verified. "in_turn" is with packets of a second flow between.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tund/wire/coalesce.h>
#include <tund/wire/segment.h>

#include "bench.h"
#include "super.h"

#define FLOWS 2

struct scene {
	struct coalescer *coalescer;
	bool partial;
	size_t flows;   /* 1 or FLOWS */
	size_t emitted; /* packets that came out of the last round */
	size_t ip;      /* bytes of the IP header */
	size_t lens[SUPER_PIECES];
	uint8_t headers[FLOWS][SUPER_PIECES][64];
	uint8_t packets[FLOWS][SUPER_PIECES][SUPER_MTU + SUPER_SPACE];
};

static void emit(void *ctx, const struct iovec *iov, size_t n)
{
	struct scene *s = ctx;

	s->emitted++;
	bench_keep(iov);
	bench_keep(&n);
}

/* Cuts a packet into those that are joined again, twice: the flows differ in a port. */
static void make_pieces(struct scene *s, struct super *super)
{
	struct segmenter cut;
	uint8_t *piece;
	size_t len;

	for (size_t flow = 0; flow < FLOWS; flow++) {
		memcpy(super->packet, super->header, sizeof super->header);
		super->packet[super->gso.l4 + 1] = (uint8_t)flow;
		segment_begin(&cut, super->packet, super->len, &super->gso, true, true);
		for (size_t i = 0; segment_next(&cut, &piece, &len); i++) {
			memcpy(s->packets[flow][i], piece, len);
			memcpy(s->headers[flow][i], piece, sizeof s->headers[flow][i]);
			s->lens[i] = len;
		}
	}
	s->ip = super->gso.l4;
}

static void join_once(struct scene *s)
{
	const struct gso none = {.kind = GSO_NONE, .l4 = (uint16_t)s->ip};

	s->emitted = 0;
	for (size_t i = 0; i < SUPER_PIECES; i++)
		for (size_t flow = 0; flow < s->flows; flow++) {
			memcpy(s->packets[flow][i], s->headers[flow][i], 64);
			coalesce_add(s->coalescer, s->packets[flow][i], s->lens[i], s->partial,
				     &none);
		}
	coalesce_flush(s->coalescer);
}

/* n packets, rounded up to whole rounds. */
static void join(void *ctx, size_t n)
{
	struct scene *s = ctx;

	for (size_t i = 0; i < n; i += SUPER_PIECES * s->flows)
		join_once(s);
}

static void measure_as(const struct bench *b, struct scene *s, const char *what, const char *suffix)
{
	const struct bench_op op = {join, s};
	char name[48];

	snprintf(name, sizeof name, "coalesce_%s%s%s", what, s->partial ? "" : "_sum", suffix);
	bench_run(b, name, &op);
	if (bench_wanted(b, name) && s->emitted != s->flows)
		fprintf(stderr, "%s: %zu packets came out of %zu flows\n", name, s->emitted,
			s->flows);
}

static void measure(const struct bench *b, struct scene *s, enum gso_kind kind, int family)
{
	static struct super super;

	super_make(&super, kind, family);
	make_pieces(s, &super);
	for (int partial = 1; partial >= 0; partial--) {
		s->partial = partial;
		s->flows = 1;
		measure_as(b, s, super.name, "");
		s->flows = FLOWS;
		measure_as(b, s, super.name, "_in_turn");
	}
}

int main(int argc, char **argv)
{
	static struct scene s;
	struct bench b;

	bench_init(&b, argc, argv);
	s.coalescer = coalescer_new(emit, &s);
	if (!s.coalescer)
		return EXIT_FAILURE;
	coalesce_set_mode(s.coalescer, COALESCE_TCP_UDP);
	for (int family = 4; family <= 6; family += 2) {
		measure(&b, &s, GSO_TCP, family);
		measure(&b, &s, GSO_UDP, family);
	}
	coalescer_free(s.coalescer);
	return EXIT_SUCCESS;
}
