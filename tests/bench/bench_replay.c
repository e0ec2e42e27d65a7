/* SPDX-License-Identifier: ISC */
/* The replay window: counters in order, those of two packets swapped, and one that was seen. */
#include <stdlib.h>

#include "session/replay.h"

#include "bench.h"

struct scene {
	struct replay replay;
	uint64_t counter;
	size_t accepted;
};

static void in_order(void *ctx, size_t n)
{
	struct scene *s = ctx;

	while (n-- > 0)
		s->accepted += replay_accept(&s->replay, s->counter++);
}

static void swapped(void *ctx, size_t n)
{
	struct scene *s = ctx;

	while (n-- > 0)
		s->accepted += replay_accept(&s->replay, s->counter++ ^ 1);
}

/* The same counter again and again. */
static void replayed(void *ctx, size_t n)
{
	struct scene *s = ctx;

	while (n-- > 0)
		s->accepted += replay_accept(&s->replay, 0);
}

int main(int argc, char **argv)
{
	static struct scene s;
	static const struct {
		const char *name;
		void (*run)(void *, size_t);
	} table[] = {
		{"replay_in_order", in_order},
		{"replay_swapped", swapped},
		{"replay_replayed", replayed},
	};
	struct bench b;

	bench_init(&b, argc, argv);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		const struct bench_op op = {table[i].run, &s};

		bench_run(&b, table[i].name, &op);
		bench_keep(&s.accepted);
	}
	return EXIT_SUCCESS;
}
