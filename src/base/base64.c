/* SPDX-License-Identifier: ISC */
/* 32-byte keys in base64, without a table look-up or a branch that depends on a secret. */
#include <tund/base/base64.h>

#include <errno.h>
#include <string.h>

/* 1 if lo <= c <= hi, else 0, for small non-negative values. */
static unsigned in_range(unsigned c, unsigned lo, unsigned hi)
{
	return ((lo - 1 - c) & (c - hi - 1)) >> 31;
}

/* The 6-bit value of a character; 64 or more when it is none. */
static unsigned decode_char(unsigned c)
{
	unsigned upper = in_range(c, 'A', 'Z'), lower = in_range(c, 'a', 'z');
	unsigned digit = in_range(c, '0', '9'), plus = in_range(c, '+', '+');
	unsigned slash = in_range(c, '/', '/');
	unsigned none = 1 - (upper | lower | digit | plus | slash);

	return upper * (c - 'A') + lower * (c - 'a' + 26) + digit * (c - '0' + 52) + plus * 62 +
	       slash * 63 + none * 64;
}

static unsigned encode_char(unsigned v)
{
	return in_range(v, 1, 25) * ('A' + v) + (1 - (v + 63) / 64) * 'A' +
	       in_range(v, 26, 51) * ('a' + v - 26) + in_range(v, 52, 61) * ('0' + v - 52) +
	       in_range(v, 62, 62) * '+' + in_range(v, 63, 63) * '/';
}

int key_from_base64(const char *text, uint8_t key[KEY_SIZE])
{
	uint8_t out[KEY_SIZE + 1];
	unsigned bad = 0, acc = 0, bits = 0;
	size_t n = 0;

	if (strlen(text) != KEY_BASE64_LEN || text[KEY_BASE64_LEN - 1] != '=')
		return -EINVAL;
	for (size_t i = 0; i < KEY_BASE64_LEN - 1; i++) {
		unsigned v = decode_char((unsigned char)text[i]);

		bad |= v & 64;
		acc = (acc << 6) | (v & 63);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[n++] = (uint8_t)(acc >> bits);
		}
	}
	bad |= acc & ((1u << bits) - 1);
	if (!bad)
		memcpy(key, out, KEY_SIZE);
	explicit_bzero(out, sizeof out);
	return bad ? -EINVAL : 0;
}

void key_to_base64(const uint8_t key[KEY_SIZE], char text[KEY_BASE64_LEN + 1])
{
	unsigned acc = 0, bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < KEY_SIZE; i++) {
		acc = (acc << 8) | key[i];
		bits += 8;
		while (bits >= 6) {
			bits -= 6;
			text[n++] = (char)encode_char((acc >> bits) & 63);
		}
	}
	text[n++] = (char)encode_char((acc << (6 - bits)) & 63);
	text[n++] = '=';
	text[n] = '\0';
}
