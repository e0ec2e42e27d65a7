/* SPDX-License-Identifier: ISC */
/* The operands of `tund policy explain`, in the orders that people write them. */
#ifndef TUND_CMD_EXPLAIN_H
#define TUND_CMD_EXPLAIN_H

#include <tund/base/addr.h>

struct explain_words {
	const char *principal;
	char destination[IP_ADDR_STRLEN];
	char protocol[8]; /* a name or a number */
	char port[6];     /* "0" where there is none */
};

/*
 * Reads PRINCIPAL, then in any order a protocol and ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT, then
 * perhaps a port. NULL, or what is wrong; *out is then untouched. Pure.
 */
const char *explain_read_words(int count, char *const *words, struct explain_words *out);

#endif
