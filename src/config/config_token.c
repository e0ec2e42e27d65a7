/* SPDX-License-Identifier: ISC */
/* Cuts a configuration file into tokens, blanking comments on the way. */
#include "config_token.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static char peek(const struct tokenizer *t, size_t ahead)
{
	return t->len - t->pos > ahead ? t->text[t->pos + ahead] : '\0';
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("_-.:@%", c) != NULL);
}

static int fail_character(struct tokenizer *t, const char *where)
{
	unsigned char c = (unsigned char)t->text[t->pos];

	if (c > ' ' && c <= '~')
		diag_report(t->diag, t->line,
			    "unexpected character '%c' %s; expected text in "
			    "double quotes where it is meant",
			    c, where);
	else
		diag_report(t->diag, t->line, "unexpected byte 0x%02x %s; expected plain text", c,
			    where);
	return -EINVAL;
}

static void blank_to_newline(struct tokenizer *t)
{
	while (t->pos < t->len && t->text[t->pos] != '\n')
		t->text[t->pos++] = ' ';
}

static int blank_block(struct tokenizer *t)
{
	unsigned begin = t->line;

	t->text[t->pos] = t->text[t->pos + 1] = ' ';
	for (t->pos += 2; t->pos < t->len; t->pos++) {
		if (t->text[t->pos] == '\n') {
			t->line++;
			continue;
		}
		if (t->text[t->pos] == '*' && peek(t, 1) == '/') {
			t->text[t->pos] = t->text[t->pos + 1] = ' ';
			t->pos += 2;
			return 0;
		}
		t->text[t->pos] = ' ';
	}
	diag_report(t->diag, begin, "the comment that begins here is not closed; expected */");
	return -EINVAL;
}

/* Leaves `pos` at the first byte that is neither white space nor comment. */
static int skip_blank(struct tokenizer *t)
{
	while (t->pos < t->len) {
		char c = t->text[t->pos];

		if (c == '\n') {
			t->line++;
			t->pos++;
		} else if (c == '\r' && peek(t, 1) == '\n') {
			t->text[t->pos++] = ' ';
		} else if (c == ' ' || c == '\t') {
			t->pos++;
		} else if (c == '#' || (c == '/' && peek(t, 1) == '/')) {
			blank_to_newline(t);
		} else if (c == '/' && peek(t, 1) == '*') {
			int err = blank_block(t);

			if (err)
				return err;
		} else {
			break;
		}
	}
	return 0;
}

/*
 * A string ends on its line, and what stands in it is what it means: no escapes, no expansion,
 * no bytes that a terminal would obey.
 */
static int take_string(struct tokenizer *t, struct token *out)
{
	char quote = t->text[t->pos++];

	*out = (struct token){TOKEN_STRING, t->text + t->pos, 0, t->line};
	for (;; t->pos++) {
		unsigned char c = (unsigned char)peek(t, 0);

		if (t->pos == t->len || c == '\n') {
			diag_report(t->diag, t->line,
				    "the text that begins with a quote here is not "
				    "closed; expected %c on the same line",
				    quote);
			return -EINVAL;
		}
		if (c == (unsigned char)quote)
			break;
		if (c < ' ' || c == 0x7f || c == '\\')
			return fail_character(t, "in quotes");
		if (c == '$' && peek(t, 1) == '{') {
			diag_report(t->diag, t->line,
				    "unexpected \"${\" in quotes; expected the value "
				    "itself, the environment is not used");
			return -EINVAL;
		}
	}
	out->len = (size_t)(t->text + t->pos - out->text);
	t->pos++;
	return 0;
}

static void take_word(struct tokenizer *t, struct token *out)
{
	*out = (struct token){TOKEN_WORD, t->text + t->pos, 0, t->line};
	while (is_word(peek(t, 0)) || (peek(t, 0) == '/' && is_word(peek(t, 1))))
		t->pos++;
	out->len = (size_t)(t->text + t->pos - out->text);
}

static enum token_kind punctuation(char c)
{
	return c == '{'   ? TOKEN_OPEN
	       : c == '}' ? TOKEN_CLOSE
	       : c == '=' ? TOKEN_EQUALS
	       : c == ',' ? TOKEN_COMMA
			  : TOKEN_END;
}

int token_next(struct tokenizer *t, struct token *out)
{
	int err = skip_blank(t);
	char c;

	if (err)
		return err;
	if (t->pos == t->len) {
		*out = (struct token){TOKEN_END, t->text + t->len, 0, t->line};
		return 0;
	}
	c = t->text[t->pos];
	if (c == '"' || c == '\'')
		return take_string(t, out);
	if (is_word(c)) {
		take_word(t, out);
		return 0;
	}
	if (punctuation(c) == TOKEN_END)
		return fail_character(t, "outside quotes");
	*out = (struct token){punctuation(c), t->text + t->pos++, 1, t->line};
	return 0;
}
