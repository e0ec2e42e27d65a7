/* SPDX-License-Identifier: ISC */
/*
 * What tests and benchmarks may change about a daemon from outside, in builds with
 * --enable-test-hooks only. In every other build there is nothing to change.
 *
 *   TUND_TEST_REKEY_S=6          REKEY_AFTER_TIME
 *   TUND_TEST_SUITE=1            the suite of the peers of a WireGuard interface
 *   TUND_TEST_PREPARE=refuse     what an engine does with a new configuration; or: die, ignore
 *   TUND_TEST_WITHOUT=gso,gro    an older kernel: vnet_hdr, uso, gso, gro
 */
#ifndef TUND_SYS_HOOK_H
#define TUND_SYS_HOOK_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The value of a hook; NULL: not set. Any thread. */
static inline const char *hook_value(const char *name)
{
#ifdef TUND_TEST_HOOKS
	return getenv(name);
#else
	(void)name;
	return NULL;
#endif
}

/* Whether a hook has this value. */
static inline bool hook_is(const char *name, const char *value)
{
	const char *set = hook_value(name);

	return set && strcmp(set, value) == 0;
}

/* Whether this feature of the kernel is to be left alone. */
static inline bool hook_without(const char *feature)
{
	const char *list = hook_value("TUND_TEST_WITHOUT");

	return list && strstr(list, feature);
}

#endif
