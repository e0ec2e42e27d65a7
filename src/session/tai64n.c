/* SPDX-License-Identifier: ISC */
/* TAI64N stamps, whose bytes compare as the times do. */
#include "tai64n.h"

#include <string.h>

#include <tund/base/bytes.h>
#include <tund/base/time.h>

/* The TAI64 label of 1970-01-01 00:00:00 UTC, less leap seconds since (WireGuard's choice). */
#define EPOCH_LABEL (UINT64_C(0x4000000000000000) + 10)

#define COARSE_MASK ((UINT32_C(1) << 24) - 1) /* of the nanoseconds: not told to the other side */
#define NANO_OFFSET 8

static int compare(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, TAI64N_SIZE); /* no secrets */
}

void tai64n_from_wall(uint64_t wall_ns, uint8_t out[TAI64N_SIZE])
{
	put_be64(out, EPOCH_LABEL + wall_ns / NS_PER_SEC);
	put_be32(out + NANO_OFFSET, (uint32_t)(wall_ns % NS_PER_SEC) & ~COARSE_MASK);
}

/* The least stamp above `stamp`. */
static void just_above(const uint8_t stamp[TAI64N_SIZE], uint8_t out[TAI64N_SIZE])
{
	uint64_t seconds = get_be64(stamp);
	uint64_t nanos = (uint64_t)(get_be32(stamp + NANO_OFFSET) | COARSE_MASK) + 1;

	if (nanos >= NS_PER_SEC) {
		nanos = 0;
		seconds++;
	}
	put_be64(out, seconds);
	put_be32(out + NANO_OFFSET, (uint32_t)nanos);
}

void tai64n_next(uint64_t wall_ns, const uint8_t last[TAI64N_SIZE], uint8_t out[TAI64N_SIZE])
{
	uint8_t now[TAI64N_SIZE], above[TAI64N_SIZE];

	tai64n_from_wall(wall_ns, now);
	just_above(last, above);
	memcpy(out, compare(now, above) > 0 ? now : above, TAI64N_SIZE);
}

static bool is_ahead(uint64_t wall_ns, const uint8_t stamp[TAI64N_SIZE])
{
	uint8_t limit[TAI64N_SIZE];

	tai64n_from_wall(wall_ns + TAI64N_AHEAD_NS, limit);
	return compare(stamp, limit) > 0;
}

bool tai64n_is_new(const struct tai64n_greatest *greatest, uint64_t wall_ns,
		   const uint8_t stamp[TAI64N_SIZE])
{
	if (compare(stamp, greatest->usual) <= 0)
		return false;
	if (compare(stamp, greatest->ahead) > 0)
		return true;
	return !is_ahead(wall_ns, stamp) && compare(stamp, greatest->ahead_first) < 0;
}

void tai64n_accept(struct tai64n_greatest *greatest, uint64_t wall_ns,
		   const uint8_t stamp[TAI64N_SIZE])
{
	if (!is_ahead(wall_ns, stamp)) {
		memcpy(greatest->usual, stamp, TAI64N_SIZE);
		return;
	}
	/* The range begins anew once the usual class has passed it: it stays as short as can be. */
	if (compare(greatest->ahead, greatest->usual) <= 0)
		memcpy(greatest->ahead_first, stamp, TAI64N_SIZE);
	memcpy(greatest->ahead, stamp, TAI64N_SIZE);
}
