/* SPDX-License-Identifier: ISC */
/* The framing of the TCP transport. */
#include <tund/wire/frame.h>

#include <assert.h>
#include <errno.h>

#include <tund/base/bytes.h>
#include <tund/wire/message.h>

long frame_next(const uint8_t *buf, size_t len, size_t max_message)
{
	size_t announced;

	if (len < FRAME_HEADER)
		return 0;
	announced = get_be16(buf);
	if (announced < DATA_MIN_SIZE || announced > max_message)
		return -EBADMSG;
	return len - FRAME_HEADER < announced ? 0 : (long)(FRAME_HEADER + announced);
}

void frame_put_header(uint8_t header[FRAME_HEADER], size_t len)
{
	assert(len <= MESSAGE_MAX_SIZE);
	put_be16(header, (uint16_t)len);
}
