/* SPDX-License-Identifier: ISC */
/*
 * Reads test vectors in JSON: public ones from $TUND_VECTORS (by default ../shared/vectors beside
 * the sources; not committed, so they may be absent), our own from tests/vectors. "make check"
 * says where the sources are ($TUND_SRCDIR); by hand, run the test from there.
 */
#ifndef TUND_TESTS_UNIT_VECTORS_H
#define TUND_TESTS_UNIT_VECTORS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VECTOR_MAX 4096 /* bytes of the longest value */

/* A value in bytes. */
struct vector_bytes {
	uint8_t data[VECTOR_MAX];
	size_t len;
};

/* Whether the public file `name` ("wycheproof/x25519_test.json") is there. */
bool vectors_exist(const char *name);

/* Loads a public file, or one of ours; fails the test if it cannot. The caller json_decref()s. */
json_t *vectors_load(const char *name);
json_t *vectors_load_own(const char *name);

/* The hexadecimal string `key` of an object, as bytes; fails the test where there is none. */
void vector_get(const json_t *object, const char *key, struct vector_bytes *out);

#endif
