/* SPDX-License-Identifier: ISC */
/* The order of tokens in a configuration file, and where its sections stand. */
#include "config_scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_token.h"

#define DEPTH_MAX 8  /* principal, device: 2 are in use */
#define NAMES_MAX 32 /* distinct options of one section; every known section has fewer */

/* What may come next. */
enum expect {
	EXPECT_NAME,      /* a statement, or "}" */
	EXPECT_ASSIGN,    /* after a name: "=", a title, or "{" */
	EXPECT_SECTION,   /* after a title: "{" */
	EXPECT_VALUE,     /* after "=": a value or "{" */
	EXPECT_ITEM,      /* in a list: a value or "}" */
	EXPECT_SEPARATOR, /* after an item: "," or "}" */
};

struct name {
	const char *text;
	size_t len;
	unsigned line;
};

struct frame {
	unsigned line; /* of the section's keyword; 0: the file itself */
	size_t count;
	struct name names[NAMES_MAX]; /* already assigned */
};

struct state {
	struct scan *scan;
	struct diag *diag;
	enum expect expect;
	struct name name;   /* of the statement at hand */
	struct token title; /* of the section at hand; text is NULL without one */
	size_t depth;
	struct frame frames[DEPTH_MAX + 1];
};

static int bad(struct state *s, const struct token *t, const char *expected)
{
	char shown[DIAG_SHOWN];
	const char *what = diag_shown(t->text, t->len, shown);

	if (t->kind == TOKEN_END)
		what = "end of the file";
	else if (t->kind == TOKEN_STRING || t->len > 20)
		what = "value"; /* which may be a secret */
	diag_report(s->diag, t->line, "unexpected %s; expected %s", what, expected);
	return -EINVAL;
}

/* The token that should have continued a statement stands elsewhere: the statement is at fault. */
static int incomplete(struct state *s, const char *expected)
{
	char shown[DIAG_SHOWN];

	diag_report(s->diag, s->name.line, "\"%s\" is incomplete; expected %s",
		    diag_shown(s->name.text, s->name.len, shown), expected);
	return -EINVAL;
}

static int grow_sections(struct scan *scan)
{
	size_t room = scan->section_room ? scan->section_room * 2 : 64;
	void *grown = reallocarray(scan->sections, room, sizeof *scan->sections);

	if (!grown)
		return -ENOMEM;
	scan->sections = grown;
	scan->section_room = room;
	return 0;
}

/* Copies the title, and blanks it where it stands, with its quotes. */
static char *take_title(struct scan *scan, const struct token *title)
{
	size_t quote = title->kind == TOKEN_STRING;
	char *copy = strndup(title->text, title->len);

	if (copy)
		memset(scan->text + (title->text - scan->text) - quote, ' ',
		       title->len + 2 * quote);
	return copy;
}

static int remember_section(struct state *s)
{
	struct scan *scan = s->scan;
	struct scan_section section = {.line = s->name.line};

	if (scan->section_count == scan->section_room && grow_sections(scan) != 0)
		return -ENOMEM;
	/* A longer one is no keyword of ours: libconfuse refuses it. */
	if (s->name.len < sizeof section.keyword)
		memcpy(section.keyword, s->name.text, s->name.len);
	if (s->title.text) {
		section.title = take_title(scan, &s->title);
		if (!section.title)
			return -ENOMEM;
	}
	scan->sections[scan->section_count++] = section;
	return 0;
}

static int open_section(struct state *s)
{
	struct frame *frame;

	if (s->depth == DEPTH_MAX) {
		diag_report(s->diag, s->name.line,
			    "sections are nested more than %d deep; expected principals with "
			    "devices, or routes with rules",
			    DEPTH_MAX);
		return -EINVAL;
	}
	frame = &s->frames[++s->depth];
	frame->line = s->name.line;
	frame->count = 0;
	s->expect = EXPECT_NAME;
	return remember_section(s);
}

static int note_assignment(struct state *s)
{
	struct frame *frame = &s->frames[s->depth];
	char shown[DIAG_SHOWN];

	for (size_t i = 0; i < frame->count; i++) {
		const struct name *seen = &frame->names[i];

		if (seen->len != s->name.len || memcmp(seen->text, s->name.text, seen->len) != 0)
			continue;
		diag_report(s->diag, s->name.line,
			    "\"%s\" is set a second time; expected it once (line %u has it)",
			    diag_shown(seen->text, seen->len, shown), seen->line);
		return -EINVAL;
	}
	if (frame->count < NAMES_MAX)
		frame->names[frame->count++] = s->name;
	s->expect = EXPECT_VALUE;
	return 0;
}

static int at_name(struct state *s, const struct token *t)
{
	if (t->kind == TOKEN_WORD) {
		s->name = (struct name){t->text, t->len, t->line};
		s->title = (struct token){0};
		s->expect = EXPECT_ASSIGN;
		return 0;
	}
	if (t->kind == TOKEN_CLOSE && s->depth > 0) {
		s->depth--;
		return 0;
	}
	return bad(s, t, s->depth ? "the name of an option, or }" : "the name of an option");
}

static int at_assign(struct state *s, const struct token *t)
{
	if (t->kind == TOKEN_EQUALS)
		return note_assignment(s);
	if (t->kind == TOKEN_OPEN)
		return open_section(s);
	if ((t->kind == TOKEN_STRING || t->kind == TOKEN_WORD) && t->line == s->name.line) {
		s->title = *t;
		s->expect = EXPECT_SECTION;
		return 0;
	}
	return incomplete(s, "\"=\" and a value after it, or { ... }");
}

static int at_value(struct state *s, const struct token *t)
{
	/* On the same line: a forgotten value must not swallow the next statement's name. */
	if (t->line != s->name.line)
		return incomplete(s, "a value after \"=\" on the same line");
	if (t->kind == TOKEN_OPEN)
		s->expect = EXPECT_ITEM;
	else if (t->kind == TOKEN_STRING || t->kind == TOKEN_WORD)
		s->expect = EXPECT_NAME;
	else
		return bad(s, t, "a value after \"=\"");
	return 0;
}

static int at_item(struct state *s, const struct token *t)
{
	if (t->kind == TOKEN_CLOSE)
		s->expect = EXPECT_NAME;
	else if (t->kind == TOKEN_STRING || t->kind == TOKEN_WORD)
		s->expect = EXPECT_SEPARATOR;
	else
		return bad(s, t, "a value or } in the list");
	return 0;
}

static int at_separator(struct state *s, const struct token *t)
{
	if (t->kind == TOKEN_CLOSE)
		s->expect = EXPECT_NAME;
	else if (t->kind == TOKEN_COMMA)
		s->expect = EXPECT_ITEM;
	else
		return bad(s, t, "a comma or } in the list");
	return 0;
}

static int step(struct state *s, const struct token *t)
{
	switch (s->expect) {
	case EXPECT_NAME:
		return at_name(s, t);
	case EXPECT_ASSIGN:
		return at_assign(s, t);
	case EXPECT_SECTION:
		if (t->kind == TOKEN_OPEN)
			return open_section(s);
		return incomplete(s, "\"=\" before a value, or { after a title");
	case EXPECT_VALUE:
		return at_value(s, t);
	case EXPECT_ITEM:
		return at_item(s, t);
	case EXPECT_SEPARATOR:
		return at_separator(s, t);
	}
	return -EINVAL;
}

static int finish(struct state *s, const struct token *end)
{
	if (s->expect == EXPECT_ITEM || s->expect == EXPECT_SEPARATOR)
		return incomplete(s, "} at the end of the list");
	if (s->expect != EXPECT_NAME)
		return step(s, end);
	if (s->depth > 0) {
		diag_report(s->diag, s->frames[s->depth].line,
			    "the section that begins here is not closed; expected } at its end");
		return -EINVAL;
	}
	return 0;
}

int scan_run(struct scan *scan, struct diag *diag)
{
	struct state s = {.scan = scan, .diag = diag};
	struct tokenizer tokens = {.text = scan->text, .len = scan->len, .line = 1, .diag = diag};
	struct token t;
	int err;

	for (;;) {
		err = token_next(&tokens, &t);
		if (err)
			return err;
		if (t.kind == TOKEN_END)
			return finish(&s, &t);
		err = step(&s, &t);
		if (err)
			return err;
	}
}

const struct scan_section *scan_next_section(const struct scan *scan, const char *keyword,
					     size_t *next)
{
	for (size_t i = *next; i < scan->section_count; i++) {
		if (strcmp(scan->sections[i].keyword, keyword) != 0)
			continue;
		*next = i + 1;
		return &scan->sections[i];
	}
	return NULL;
}
