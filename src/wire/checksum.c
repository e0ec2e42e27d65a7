/* SPDX-License-Identifier: ISC */
/* The Internet checksum. */
#include <tund/wire/checksum.h>

#include <string.h>

#include <tund/base/bytes.h>

typedef uint64_t vector __attribute__((vector_size(16)));

#define STEP (2 * sizeof(vector))
#define LOW_HALF UINT64_C(0xffffffff)

/*
 * The sum of the 16-bit words in this machine's byte order, which is the sum in network order with
 * its bytes swapped (RFC 1071 section 2(B)). 2^32 = 1 modulo 0xffff, so 32 bits are added at a
 * time. The sum of the high halves says what of the sum of all, modulo 2^64, is that of the low
 * ones: two additions and a shift for 8 bytes in each lane. Neither half's sum overflows below 2^31
 * steps. `len` is a multiple of STEP.
 */
static uint64_t add_vectors(const uint8_t *p, size_t len)
{
	vector all = {0}, high = {0}, low, a, b;
	uint64_t sum = 0;

	for (const uint8_t *end = p + len; p < end; p += STEP) {
		memcpy(&a, p, sizeof a);
		memcpy(&b, p + sizeof a, sizeof b);
		all += a + b;
		high += (a >> 32) + (b >> 32);
	}
	low = all - (high << 32);
	for (size_t i = 0; i < 2; i++)
		sum += (low[i] & LOW_HALF) + (low[i] >> 32) + high[i];
	return sum;
}

static uint64_t in_network_order(uint64_t sum)
{
	uint16_t folded = (uint16_t)~checksum_fold(sum);
	uint8_t bytes[2];

	memcpy(bytes, &folded, sizeof bytes);
	return get_be16(bytes);
}

uint64_t checksum_add(uint64_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t whole = len / STEP * STEP;

	if (whole > 0) {
		sum += in_network_order(add_vectors(p, whole));
		p += whole;
		len -= whole;
	}
	for (; len >= 4; p += 4, len -= 4)
		sum += get_be32(p);
	if (len >= 2) {
		sum += get_be16(p);
		p += 2;
		len -= 2;
	}
	if (len)
		sum += (uint64_t)*p << 8;
	return sum;
}

uint64_t checksum_add_pseudo(uint64_t sum, const uint8_t *src_dst, size_t addr_size, uint8_t proto,
			     uint32_t len)
{
	return checksum_add(sum, src_dst, 2 * addr_size) + proto + len;
}

uint16_t checksum_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

uint16_t checksum_update(uint16_t field, uint16_t old_word, uint16_t new_word)
{
	return checksum_fold((uint64_t)(uint16_t)~field + (uint16_t)~old_word + new_word);
}
