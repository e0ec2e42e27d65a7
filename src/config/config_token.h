/* SPDX-License-Identifier: ISC */
/* Tokens of a configuration file, as libconfuse's lexer will see them, and the same or an error. */
#ifndef TUND_CONFIG_CONFIG_TOKEN_H
#define TUND_CONFIG_CONFIG_TOKEN_H

#include <stddef.h>

#include "config_diag.h"

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,   /* bare: letters, digits and _ - . : / @ % */
	TOKEN_STRING, /* in quotes, which text and len leave out */
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_EQUALS,
	TOKEN_COMMA,
};

struct token {
	enum token_kind kind;
	const char *text; /* inside the tokenizer's text */
	size_t len;
	unsigned line; /* where it begins */
};

struct tokenizer {
	char *text;
	size_t len, pos;
	unsigned line; /* from 1 */
	struct diag *diag;
};

/*
 * Takes the next token; comments and carriage returns before it are overwritten with spaces.
 * 0, or -EINVAL after a report. TOKEN_END again and again at the end.
 */
int token_next(struct tokenizer *t, struct token *out);

#endif
