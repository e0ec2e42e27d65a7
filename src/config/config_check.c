/* SPDX-License-Identifier: ISC */
/* Names and lists: yes or no, without a message. */
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

bool address_is_listed(const struct config *config, uint32_t count, const struct ip_addr *a)
{
	for (uint32_t i = 0; i < count; i++)
		if (ip_addr_equal(&config->address.addr[i], a))
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
