/* SPDX-License-Identifier: ISC */
/* Interface names. */

#include <tund/sys/ifname.h>

#include <string.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

bool ifname_valid(const char *name)
{
	size_t len = strnlen(name, IFNAME_SIZE);

	return len > 0 && len < IFNAME_SIZE && strspn(name, letters) == len && name[0] != '.' &&
	       name[0] != '-' && strcmp(name, "all") != 0 && strcmp(name, "default") != 0;
}
