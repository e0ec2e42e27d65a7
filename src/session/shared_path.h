/* SPDX-License-Identifier: ISC */
/*
 * A path that several threads read while any of them may change it: a seqlock. Who reads never
 * waits for another reader, writes nothing, and can tell later whether the path is still the same
 * one, for every change has a version. All zero: no path. Any thread.
 */
#ifndef TUND_SESSION_SHARED_PATH_H
#define TUND_SESSION_SHARED_PATH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <tund/base/lock.h>
#include <tund/session/path.h>

#define SHARED_PATH_WORDS 7

struct shared_path {
	struct lock lock;         /* of who writes */
	_Atomic uint32_t version; /* odd while the words change */
	_Atomic uint64_t words[SHARED_PATH_WORDS];
};

/* Another path, or the same one in another version; NULL: none. */
void shared_path_set(struct shared_path *shared, const struct path *path);

/* A copy, and its version. False if there is none; `out` is untouched then. */
bool shared_path_get(const struct shared_path *shared, struct path *out, uint32_t *version);

/* Whether this is the path, and in which version; false, too, while it changes. It is for certain
 * if shared_path_is_version() says so afterwards. */
bool shared_path_is(const struct shared_path *shared, const struct path *path, uint32_t *version);

/* Whether it has not changed since. */
bool shared_path_is_version(const struct shared_path *shared, uint32_t version);

#endif
