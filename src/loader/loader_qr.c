/* SPDX-License-Identifier: ISC */
/* A text as a QR code on a terminal. */
#include "loader.h"

#include <errno.h>
#include <stdio.h>

#include <qrencode.h>

#define QUIET 4 /* modules around it (ISO/IEC 18004 section 9.1) */

/* Outside of the code everything is light. */
static bool is_light(const QRcode *code, int x, int y)
{
	if (x < 0 || y < 0 || x >= code->width || y >= code->width)
		return true;
	return (code->data[y * code->width + x] & 1) == 0;
}

/* Light is drawn and dark left out, since terminals are dark; with colour, whatever they are. */
static void print_line(const QRcode *code, int y, bool colour)
{
	static const char *const blocks[2][2] = {
		{" ", "\u2584"}, {"\u2580", "\u2588"}}; /* lower half, upper half, whole */

	if (colour)
		fputs("\033[97;40m", stdout);
	for (int x = -QUIET; x < code->width + QUIET; x++)
		fputs(blocks[is_light(code, x, y)][is_light(code, x, y + 1)], stdout);
	fputs(colour ? "\033[0m\n" : "\n", stdout);
}

int loader_print_qr(const char *text, bool colour)
{
	QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);

	if (!code)
		return -errno;
	for (int y = -QUIET; y < code->width + QUIET; y += 2)
		print_line(code, y, colour);
	QRcode_free(code);
	return fflush(stdout) == 0 ? 0 : -EIO;
}
