/* SPDX-License-Identifier: ISC */
/* The Internet checksum. */
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/wire/checksum.h>

/* Sums 32-bit words in network order: 2^32 = 1 modulo 0xffff, so the fold gives the same. */
uint64_t checksum_add(uint64_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;

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
