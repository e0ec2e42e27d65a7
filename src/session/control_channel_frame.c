/* SPDX-License-Identifier: ISC */
/* Control frames, taken apart: lengths, flags and padding; what they mean is decided elsewhere. */
#include "control_channel.h"

#include <errno.h>

#include <tund/base/bytes.h>

#include "control_channel_state.h"

#define PADDING_MAX 15

/* Only padding may follow what a frame says of itself. */
static bool ends_well(struct reader *r)
{
	size_t left = r->len - r->pos;
	const uint8_t *rest = read_bytes(r, left);

	if (r->failed || left > PADDING_MAX)
		return false;
	for (size_t i = 0; i < left; i++) {
		if (rest[i] != 0)
			return false;
	}
	return true;
}

static uint8_t known_flags(enum control_frame_type type)
{
	return type == FRAME_MESSAGE ? FLAG_START | FLAG_FIRST | FLAG_LAST : FLAG_START;
}

int control_frame_parse(const uint8_t *buf, size_t len, struct frame *out)
{
	struct reader r = reader_init(buf, len);
	struct frame f = {.type = read_u8(&r), .flags = read_u8(&r)};

	f.from = read_u32(&r);
	f.to = read_u32(&r);
	if (f.type == FRAME_MESSAGE) {
		f.sequence = read_u32(&r);
		f.len = read_u16(&r);
		f.piece = read_bytes(&r, f.len);
		if (f.len == 0 || f.len > PIECE_MAX)
			return -EBADMSG;
	} else if (f.type == FRAME_ACK) {
		f.consumed = read_u32(&r);
		f.received = read_u32(&r);
		f.map = read_u64(&r);
	} else if (f.type != FRAME_RESET) {
		return -EBADMSG;
	}
	if (!ends_well(&r) || f.from == 0 || (f.flags & ~known_flags(f.type)) != 0)
		return -EBADMSG;
	*out = f;
	return 0;
}
