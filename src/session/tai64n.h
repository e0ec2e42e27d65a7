/* SPDX-License-Identifier: ISC */
/*
 * TAI64N timestamps (WireGuard paper section 5.1): 8 bytes 2^62 + 10 + unix seconds, 4 bytes
 * nanoseconds rounded down to a multiple of 2^24, both big-endian. Any thread.
 */
#ifndef TUND_SESSION_TAI64N_H
#define TUND_SESSION_TAI64N_H

#include <stdbool.h>
#include <stdint.h>

#include <tund/wire/message.h>

/* Beyond this much ahead of our clock a timestamp counts as one of a wrong clock. */
#define TAI64N_AHEAD_NS (UINT64_C(24) * 3600 * 1000000000)

/* The timestamp of a wall clock, nanoseconds since 1970. */
void tai64n_from_wall(uint64_t wall_ns, uint8_t out[TAI64N_SIZE]);

/* The timestamp to send: of the wall clock, or the one just above `last` if that is greater, so
 * that it always increases although the clock may go back. `out` may be `last`. */
void tai64n_next(uint64_t wall_ns, const uint8_t last[TAI64N_SIZE], uint8_t out[TAI64N_SIZE]);

/*
 * The greatest timestamps accepted from a peer, of two classes: up to TAI64N_AHEAD_NS ahead of our
 * clock, and beyond. As our clock moves a stamp changes its class, so what was accepted beyond is
 * kept as a range, which stays used up. Zeros at first.
 */
struct tai64n_greatest {
	uint8_t usual[TAI64N_SIZE];
	uint8_t ahead_first[TAI64N_SIZE]; /* every stamp accepted beyond, and above `usual`, */
	uint8_t ahead[TAI64N_SIZE];       /* lies between these two, both included */
};

/*
 * Whether it is strictly greater than every one accepted in its class, and was not accepted in the
 * other: of the usual class, it must lie outside the range accepted beyond; of the other, above
 * every one accepted at all. Nothing changes.
 */
bool tai64n_is_new(const struct tai64n_greatest *greatest, uint64_t wall_ns,
		   const uint8_t stamp[TAI64N_SIZE]);

/* Records a new one (tai64n_is_new(), with the same clock). A stamp once accepted is never new
 * again, in whichever class it is by then. */
void tai64n_accept(struct tai64n_greatest *greatest, uint64_t wall_ns,
		   const uint8_t stamp[TAI64N_SIZE]);

#endif
