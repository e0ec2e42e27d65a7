/* SPDX-License-Identifier: ISC */
/*
 * Memory for secrets: the static key in pages that are unreadable between
 * handshakes, keypairs and PSKs in a locked slab that no core file and no fork contains.
 */
#ifndef TUND_CRYPTO_SECRET_H
#define TUND_CRYPTO_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Overwrites with zeros; never optimized away, for the compiler must believe that somebody reads
 * them. Inline, since packets and hashes wipe a few cache lines each. Any thread.
 */
static inline void secret_wipe(void *p, size_t n)
{
	__asm__("" : "+r"(n)); /* of a known size gcc makes a "rep stos", which takes 10 ns to start */
	memset(p, 0, n);
	__asm__ volatile("" : : "r"(p) : "memory");
}

/* Compares in constant time: the compiler never knows whether all was equal so far. Inline for the
 * tag of each packet. Any thread. */
static inline bool secret_equal(const void *a, const void *b, size_t n)
{
	const uint8_t *p = a, *q = b;
	uint64_t x = 0, y = 0, difference = 0;

	while (n > 0) {
		size_t step = n < sizeof x ? 1 : sizeof x;

		memcpy(&x, p, step);
		memcpy(&y, q, step);
		difference |= x ^ y;
		__asm__("" : "+r"(difference));
		p += step;
		q += step;
		n -= step;
	}
	return difference == 0;
}

/* Whether all `n` bytes are zero, in constant time. Any thread. */
bool secret_is_zero(const void *p, size_t n);

/* One long-lived secret in pages of its own. One thread at a time. */
struct secret;

/*
 * Copies `n` bytes (1..4096) into a secret, which is closed. The caller wipes its copy and ends
 * with secret_free(). NULL: out of memory. After crypto_init().
 */
struct secret *secret_new(const void *bytes, size_t n);

/*
 * Makes it readable until secret_close(). Both are a system call, but not inside another such pair:
 * they nest, so that whoever knows of several uses to come opens around them all. Touching the
 * bytes after the last close, or writing to them ever, is a SIGSEGV. NULL: the kernel refused.
 */
const uint8_t *secret_open(struct secret *s);
void secret_close(struct secret *s);

/* Wipes and frees; NULL is allowed. */
void secret_free(struct secret *s);

/*
 * Objects of one size, each on cache lines of its own, in memory that is locked, left out of core
 * files and zeroed in a forked child. All functions by one thread (the one of the handshakes);
 * others may use an object while it is allocated.
 */
struct secret_slab;

/*
 * A slab for objects of `object_size` bytes. It grows by chunks that hold `count_hint` objects or
 * a little more. NULL: out of memory, or a size of zero.
 */
struct secret_slab *secret_slab_new(size_t object_size, size_t count_hint);

/* An object, all zero, aligned to 64 bytes. NULL: out of memory. */
void *secret_slab_alloc(struct secret_slab *slab);

/* Wipes an object and takes it back; NULL is allowed. */
void secret_slab_free(struct secret_slab *slab, void *object);

/* Whether all memory so far could be locked (RLIMIT_MEMLOCK); for one warning to the user. */
bool secret_slab_locked(const struct secret_slab *slab);

/* Wipes and unmaps everything, also objects not freed; NULL is allowed. */
void secret_slab_destroy(struct secret_slab *slab);

#endif
