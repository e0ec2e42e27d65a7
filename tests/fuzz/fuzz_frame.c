/* SPDX-License-Identifier: ISC */
/*
 * The TCP transport's stream: cut anywhere, it yields the same frames and ends at the same byte;
 * they are those of a reading of the whole that shares no code. Input: 2 bytes, the largest message
 * taken; 1 byte, how the stream is cut; the stream.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <tund/wire/frame.h>
#include <tund/wire/message.h>

#include "../unit/prng.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

/* What a stream comes to: so many frames, so many bytes of them, and whether it broke. */
struct outcome {
	size_t frames, bytes;
	bool broken;
};

static struct outcome read_whole(const uint8_t *s, size_t len, size_t max)
{
	struct outcome o = {0};

	while (len - o.bytes >= 2) {
		size_t n = (size_t)s[o.bytes] * 256 + s[o.bytes + 1];

		o.broken = n < 32 || n > max;
		if (o.broken || len - o.bytes < 2 + n)
			break;
		o.frames++;
		o.bytes += 2 + n;
	}
	return o;
}

/* As a connection does: what has come so far lies in memory of its own, and no more. */
static struct outcome read_in_pieces(const uint8_t *s, size_t len, size_t max, uint8_t seed)
{
	struct prng prng = {seed};
	struct outcome o = {0};
	size_t come = 0;
	long size;

	while (come < len && !o.broken) {
		uint8_t *held;

		come += 1 + prng_below(&prng, seed % 2 ? 3 : 1000);
		come = come < len ? come : len;
		held = malloc(come - o.bytes + 1);
		expect(held != NULL);
		memcpy(held, s + o.bytes, come - o.bytes);
		for (size_t at = 0;; at += (size_t)size) {
			size = frame_next(held + at, come - o.bytes, max);
			if (size <= 0)
				break;
			expect((size_t)size <= come - o.bytes);
			o.frames++;
			o.bytes += (size_t)size;
		}
		expect(size == 0 || size == -EBADMSG);
		o.broken = size < 0;
		free(held);
	}
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t header[FRAME_HEADER];
	struct outcome whole, pieces;
	size_t max;

	if (len < 3)
		return 0;
	max = (size_t)data[0] * 256 + data[1];
	whole = read_whole(data + 3, len - 3, max);
	pieces = read_in_pieces(data + 3, len - 3, max, data[2]);
	expect(whole.frames == pieces.frames && whole.bytes == pieces.bytes);
	expect(whole.broken == pieces.broken);

	frame_put_header(header, max);
	expect(header[0] == data[0] && header[1] == data[1]);
	return 0;
}
