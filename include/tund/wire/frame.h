/* SPDX-License-Identifier: ISC */
/*
 * The TCP transport's framing: a 16-bit big-endian length, then one message of 32..65535 bytes.
 * A deframer owns no memory: the caller gives the buffer and feeds what it read.
 */
#ifndef TUND_WIRE_FRAME_H
#define TUND_WIRE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_HEADER 2

/*
 * Looks for a whole frame at the start of buf[0..len).
 * Returns the total size of the frame (header and message) when one is complete, 0 when more
 * bytes are needed, -EBADMSG when the length announced is below the smallest message or above
 * `max_message`: the stream is then beyond repair and the connection ends.
 */
long frame_next(const uint8_t *buf, size_t len, size_t max_message);

/* Writes the header for a message of `len` (at most MESSAGE_MAX_SIZE) bytes. */
void frame_put_header(uint8_t header[FRAME_HEADER], size_t len);

#endif
