/* SPDX-License-Identifier: ISC */
/* The operands of `tund policy explain`, in the orders that people write them. */
#ifndef TUND_CMD_QUESTION_H
#define TUND_CMD_QUESTION_H

#include <tund/base/addr.h>

struct question {
	const char *principal;
	char destination[IP_ADDR_STRLEN];
	char protocol[8]; /* a name or a number */
	char port[6];     /* "0" where there is none */
};

/*
 * Reads PRINCIPAL, then in any order a protocol and ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT, then
 * perhaps a port. NULL, or what is wrong; *out is then untouched. Pure.
 */
const char *question_read(int count, char *const *words, struct question *out);

#endif
