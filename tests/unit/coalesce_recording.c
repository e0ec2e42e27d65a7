/* SPDX-License-Identifier: ISC */
/* What the tests of joining begin and end with. */
#include <check.h>

#include "coalesce_recording.h"

struct order order;

struct coalescer *recording_begin(enum coalesce_mode mode)
{
	struct coalescer *c = coalescer_new(order_emit, &order);

	ck_assert_ptr_nonnull(c);
	coalesce_set_mode(c, mode);
	order_init(&order, mode);
	return c;
}

void recording_end(struct coalescer *c, unsigned writes)
{
	coalesce_flush(c);
	ck_assert(order_holds(&order));
	ck_assert_uint_eq(order.seen, order.count);
	ck_assert_uint_eq(order.writes, writes);
	coalescer_free(c);
}
