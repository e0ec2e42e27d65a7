/* SPDX-License-Identifier: ISC */
/* Names, lists and keys: yes or no, without a message. */
#include "config_check.h"

#include <string.h>

bool config_interface_is_valid(const char *name)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	size_t len = strlen(name);

	/* The last two name something else under /proc/sys/net. */
	return len > 0 && len < INTERFACE_MAX && strspn(name, allowed) == len && name[0] != '-' &&
	       name[0] != '.' && strcmp(name, "lo") != 0 && strcmp(name, "all") != 0 &&
	       strcmp(name, "default") != 0;
}

static bool label_is_valid(const char *label, size_t len)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

	return len > 0 && len <= 63 && strspn(label, allowed) >= len && label[0] != '-' &&
	       label[len - 1] != '-';
}

/* A name whose last label is all digits would be an address (RFC 3696 section 2). */
static bool name_is_valid(const char *name)
{
	size_t len = 0;

	if (strlen(name) >= CONFIG_HOST_MAX)
		return false;
	for (;; name += len + 1) {
		len = strcspn(name, ".");
		if (!label_is_valid(name, len))
			return false;
		if (name[len] == '\0' || (name[len] == '.' && name[len + 1] == '\0'))
			return strspn(name, "0123456789") < len;
	}
}

bool host_is_valid(const char *host)
{
	static const uint8_t zeros[16];
	struct ip_addr a;

	if (ip_addr_parse(host, &a) != 0)
		return name_is_valid(host);
	if (memcmp(a.bytes, zeros, sizeof zeros) == 0)
		return false;
	return a.family == 4 ? a.bytes[0] < 224 : a.bytes[0] != 0xff;
}

bool address_is_listed(const struct address_list *list, const struct ip_addr *a)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (ip_addr_equal(&list->addr[i], a))
			return true;
	return false;
}

bool prefix_is_listed(const struct prefix_list *list, const struct ip_prefix *p)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (ip_prefix_equal(&list->prefix[i], p))
			return true;
	return false;
}

bool prefix_list_holds(const struct prefix_list *list, const struct ip_addr *a)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (ip_prefix_contains(&list->prefix[i], a))
			return true;
	return false;
}

/* All encodings, the last three being p - 1, p and p + 1; X25519 ignores the highest bit. */
bool key_is_low_order(const uint8_t key[KEY_SIZE])
{
	static const uint8_t points[][KEY_SIZE] = {
		{0},
		{1},
		{0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
		 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
		 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
		{0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
		 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
		 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
		{0xec, [1 ... KEY_SIZE - 2] = 0xff, 0x7f},
		{0xed, [1 ... KEY_SIZE - 2] = 0xff, 0x7f},
		{0xee, [1 ... KEY_SIZE - 2] = 0xff, 0x7f},
	};
	uint8_t point[KEY_SIZE];

	memcpy(point, key, KEY_SIZE);
	point[KEY_SIZE - 1] &= 0x7f;
	for (size_t i = 0; i < sizeof points / sizeof *points; i++)
		if (memcmp(point, points[i], KEY_SIZE) == 0)
			return true;
	return false;
}
