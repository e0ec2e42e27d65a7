/* SPDX-License-Identifier: ISC */
/* Frames out of a stream, however it is cut; and lengths that end a connection. */
#include <errno.h>
#include <string.h>

#include <tund/wire/frame.h>
#include <tund/wire/message.h>

#include "prng.h"
#include "tap.h"

START_TEST(announced_lengths)
{
	static const struct {
		uint8_t header[FRAME_HEADER];
		size_t len, max;
		long expected;
	} cases[] = {
		{{0, 0}, 0, 65535, 0},          /* nothing yet */
		{{0, 0}, 1, 65535, 0},          /* half a header says nothing */
		{{0xff, 0}, 1, 148, 0},
		{{0, 0}, 2, 65535, -EBADMSG},   /* an empty message */
		{{0, 31}, 2, 65535, -EBADMSG},
		{{0, 31}, 33, 65535, -EBADMSG}, /* also when it is there */
		{{0, 32}, 2, 65535, 0},
		{{0, 32}, 33, 65535, 0},
		{{0, 32}, 34, 65535, 34},
		{{0, 32}, 200, 65535, 34},      /* more behind it */
		{{0, 148}, 150, 148, 150},
		{{0, 149}, 2, 148, -EBADMSG},   /* over what the caller takes */
		{{1, 0}, 258, 65535, 258},      /* the higher byte comes first */
		{{0xff, 0xff}, 65536, 65535, 0},
		{{0xff, 0xff}, 65537, 65535, 65537},
		{{0xff, 0xff}, 2, 65534, -EBADMSG},
	};
	static uint8_t buf[FRAME_HEADER + MESSAGE_MAX_SIZE];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		memcpy(buf, cases[i].header, FRAME_HEADER);
		ck_assert_msg(frame_next(buf, cases[i].len, cases[i].max) == cases[i].expected,
			      "case %zu", i);
	}
}
END_TEST

START_TEST(every_length_round_trips)
{
	static uint8_t buf[FRAME_HEADER + MESSAGE_MAX_SIZE];

	for (size_t len = DATA_MIN_SIZE; len <= MESSAGE_MAX_SIZE; len++) {
		frame_put_header(buf, len);
		ck_assert_int_eq(frame_next(buf, FRAME_HEADER + len, MESSAGE_MAX_SIZE),
				 (long)(FRAME_HEADER + len));
		ck_assert_int_eq(frame_next(buf, FRAME_HEADER + len - 1, MESSAGE_MAX_SIZE), 0);
		ck_assert_int_eq(frame_next(buf, FRAME_HEADER + len, len - 1), -EBADMSG);
	}
}
END_TEST

/* Only what has arrived is read. */
START_TEST(nothing_behind_is_read)
{
	uint8_t *one = malloc(1);

	ck_assert_ptr_nonnull(one);
	*one = 0xff;
	ck_assert_int_eq(frame_next(one, 1, 148), 0);
	ck_assert_int_eq(frame_next(one, 0, 148), 0);
	free(one);
}
END_TEST

#define STREAM_MESSAGES 300

/* A stream in pieces of random size comes out as the messages that went in. */
START_TEST(stream_in_pieces)
{
	static uint8_t stream[STREAM_MESSAGES * (FRAME_HEADER + 2000)], buf[8192];
	struct prng prng = {1};
	size_t lengths[STREAM_MESSAGES], total = 0, fed = 0, held = 0, out = 0;
	long size;

	for (size_t i = 0; i < STREAM_MESSAGES; i++) {
		lengths[i] = DATA_MIN_SIZE + prng_below(&prng, 1900);
		frame_put_header(stream + total, lengths[i]);
		memset(stream + total + FRAME_HEADER, (int)(i & 0xff), lengths[i]);
		total += FRAME_HEADER + lengths[i];
	}
	while (fed < total) {
		size_t piece = 1 + prng_below(&prng, prng_below(&prng, 2) ? 5 : 4000);

		if (piece > total - fed)
			piece = total - fed;
		memcpy(buf + held, stream + fed, piece);
		fed += piece;
		held += piece;
		while ((size = frame_next(buf, held, 2000)) > 0) {
			ck_assert_int_eq(size, (long)(FRAME_HEADER + lengths[out]));
			ck_assert_int_eq(buf[FRAME_HEADER], (int)(out & 0xff));
			ck_assert_int_eq(buf[size - 1], (int)(out & 0xff));
			out++;
			held -= (size_t)size;
			memmove(buf, buf + size, held);
		}
		ck_assert_int_eq(size, 0);
	}
	ck_assert_uint_eq(out, STREAM_MESSAGES);
	ck_assert_uint_eq(held, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("frame");
	TCase *tc = tcase_create("frame");

	tcase_add_test(tc, announced_lengths);
	tcase_add_test(tc, every_length_round_trips);
	tcase_add_test(tc, nothing_behind_is_read);
	tcase_add_test(tc, stream_in_pieces);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
