/* SPDX-License-Identifier: ISC */
/* What a piece costs that is cut from a packet of many; "sum" with its checksum computed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tund/wire/segment.h>

#include "bench.h"
#include "super.h"

struct scene {
	struct super super;
	bool complete;
	size_t bytes; /* cut in all */
};

static void cut_once(struct scene *s)
{
	struct super *p = &s->super;
	struct segmenter cut;
	uint8_t *piece;
	size_t len;

	memcpy(p->packet, p->header, sizeof p->header);
	if (segment_begin(&cut, p->packet, p->len, &p->gso, true, s->complete) < 0) {
		fprintf(stderr, "%s: cannot be cut\n", p->name);
		exit(EXIT_FAILURE);
	}
	while (segment_next(&cut, &piece, &len))
		s->bytes += len;
}

/* n pieces, rounded up to whole packets. */
static void cut(void *ctx, size_t n)
{
	for (size_t i = 0; i < n; i += SUPER_PIECES)
		cut_once(ctx);
}

static void measure(const struct bench *b, enum gso_kind kind, int family)
{
	static struct scene s;
	const struct bench_op op = {cut, &s};
	char name[48];

	super_make(&s.super, kind, family);
	for (int complete = 0; complete < 2; complete++) {
		s.complete = complete;
		snprintf(name, sizeof name, "segment_%s%s", s.super.name, complete ? "_sum" : "");
		bench_run(b, name, &op);
		bench_keep(&s.bytes);
	}
}

int main(int argc, char **argv)
{
	struct bench b;

	bench_init(&b, argc, argv);
	for (int family = 4; family <= 6; family += 2) {
		measure(&b, GSO_TCP, family);
		measure(&b, GSO_UDP, family);
	}
	return EXIT_SUCCESS;
}
