/* SPDX-License-Identifier: ISC */
/*
 * Releasing stores keep their order, and so do acquiring loads (Boehm, "Can seqlocks get along with
 * programming language memory models?").
 */
#include "shared_path.h"

#include <sched.h>
#include <string.h>

/* A path in words that can be compared; no path is all zero. */
static void pack(const struct path *path, uint64_t words[SHARED_PATH_WORDS])
{
	const struct endpoint *ends[] = {&path->local, &path->remote};

	words[0] = UINT64_C(1) << 63 | (uint64_t)path->transport << 32 | path->socket;
	for (int i = 0; i < 2; i++) {
		uint64_t *w = words + 1 + 3 * i;

		w[0] = (uint64_t)ends[i]->scope_id << 32 | (uint64_t)ends[i]->port << 16 |
		       ends[i]->addr.family;
		memcpy(w + 1, ends[i]->addr.bytes, sizeof ends[i]->addr.bytes);
	}
}

static void unpack(const uint64_t words[SHARED_PATH_WORDS], struct path *path)
{
	struct endpoint *ends[] = {&path->local, &path->remote};

	path->transport = (uint8_t)(words[0] >> 32);
	path->socket = (uint32_t)words[0];
	for (int i = 0; i < 2; i++) {
		const uint64_t *w = words + 1 + 3 * i;

		ends[i]->scope_id = (uint32_t)(w[0] >> 32);
		ends[i]->port = (uint16_t)(w[0] >> 16);
		ends[i]->addr.family = (uint8_t)w[0];
		memcpy(ends[i]->addr.bytes, w + 1, sizeof ends[i]->addr.bytes);
	}
}

void shared_path_set(struct shared_path *shared, const struct path *path)
{
	uint64_t words[SHARED_PATH_WORDS] = {0};
	uint32_t version;

	if (path)
		pack(path, words);
	lock_take(&shared->lock);
	version = atomic_load_explicit(&shared->version, memory_order_relaxed);
	atomic_store_explicit(&shared->version, version + 1, memory_order_relaxed);
	for (int i = 0; i < SHARED_PATH_WORDS; i++)
		atomic_store_explicit(&shared->words[i], words[i], memory_order_release);
	atomic_store_explicit(&shared->version, version + 2, memory_order_release);
	lock_release(&shared->lock);
}

bool shared_path_get(const struct shared_path *shared, struct path *out, uint32_t *version)
{
	uint64_t words[SHARED_PATH_WORDS];

	for (;;) {
		*version = atomic_load_explicit(&shared->version, memory_order_acquire);
		for (int i = 0; i < SHARED_PATH_WORDS; i++)
			words[i] = atomic_load_explicit(&shared->words[i], memory_order_acquire);
		if (*version % 2 == 0 &&
		    atomic_load_explicit(&shared->version, memory_order_relaxed) == *version)
			break;
		sched_yield(); /* who writes was interrupted */
	}
	if (words[0] != 0)
		unpack(words, out);
	return words[0] != 0;
}

bool shared_path_is(const struct shared_path *shared, const struct path *path, uint32_t *version)
{
	uint64_t words[SHARED_PATH_WORDS], differ = 0;

	pack(path, words);
	*version = atomic_load_explicit(&shared->version, memory_order_acquire);
	for (int i = 0; i < SHARED_PATH_WORDS; i++)
		differ |= words[i] ^ atomic_load_explicit(&shared->words[i], memory_order_acquire);
	return differ == 0 && *version % 2 == 0;
}

bool shared_path_is_version(const struct shared_path *shared, uint32_t version)
{
	return atomic_load_explicit(&shared->version, memory_order_acquire) == version;
}
