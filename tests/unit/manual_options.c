/* SPDX-License-Identifier: ISC */
/* man/tund.conf.5 against the table of options: each has its entry, which says what the row does. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_kind.h"
#include "config/config_options.h"
#include "tap.h"

#define ENTRIES_MAX 64

/* `.It Ic name No = what`, and the text below it without its macros. */
struct entry {
	unsigned roles; /* of its heading; 0: none that has options */
	bool in_edge;
	bool has_row;
	char name[32], what[128], text[2048];
};

static struct entry entries[ENTRIES_MAX], section; /* the section of the edge is no option */
static size_t entry_count;

static const struct {
	const char *title;
	unsigned roles;
} headings[] = {{"OPTIONS OF EVERY ROLE", OF_ALL},
		{"OPTIONS OF AN EDGE", OF_EDGE},
		{"OPTIONS OF A CLIENT AND A CONNECTOR", OF_INNER},
		{"OPTIONS OF A CONNECTOR", OF_CONNECTOR}};

static unsigned roles_of_heading(const char *title)
{
	for (size_t i = 0; i < sizeof headings / sizeof *headings; i++)
		if (strcmp(title, headings[i].title) == 0)
			return headings[i].roles;
	return 0;
}

/* Ends the line, and skips the macro that it begins with. */
static const char *plain(char *line)
{
	line[strcspn(line, "\n")] = '\0';
	if (line[0] != '.' || !isupper((unsigned char)line[1]))
		return line;
	line += strcspn(line, " ");
	return *line ? line + 1 : line;
}

/* Returns where its text goes. */
static struct entry *add_entry(unsigned roles, bool in_edge, const char *line)
{
	struct entry *e = &entries[entry_count];

	ck_assert_uint_lt(entry_count, ENTRIES_MAX);
	e->roles = roles;
	e->in_edge = in_edge;
	ck_assert_int_ge(sscanf(line, ".It Ic %31s No = %127[^\n]", e->name, e->what), 1);
	if (!e->what[0])
		return &section;
	entry_count++;
	return e;
}

static void add_text(struct entry *e, const char *text)
{
	ck_assert_uint_lt(strlen(e->text) + strlen(text) + 2, sizeof e->text);
	strcat(e->text, text);
	strcat(e->text, " ");
}

static void read_manual(void)
{
	const char *srcdir = getenv("TUND_SRCDIR");
	char path[4096], line[512];
	struct entry *e = NULL;
	unsigned roles = 0;
	int depth = 0;
	FILE *f;

	snprintf(path, sizeof path, "%s/man/tund.conf.5", srcdir ? srcdir : ".");
	f = fopen(path, "r");
	ck_assert_msg(f != NULL, "%s", path);
	while (fgets(line, sizeof line, f)) {
		if (strncmp(line, ".Sh ", 4) == 0)
			roles = roles_of_heading(plain(line));
		depth += strncmp(line, ".Bl ", 4) == 0;
		depth -= strncmp(line, ".El", 3) == 0;
		if (roles && strncmp(line, ".It Ic ", 7) == 0)
			e = add_entry(roles, depth > 1, line);
		else if (roles && depth > 0 && e)
			add_text(e, plain(line));
	}
	fclose(f);
	ck_assert_uint_gt(entry_count, 10);
}

static bool says(const struct entry *e, const char *text)
{
	return strstr(e->text, text) != NULL;
}

static bool is_of(const struct entry *e, const struct option *o)
{
	if (strcmp(e->name, o->name) != 0 || e->in_edge != o->in_edge)
		return false;
	if (o->roles == OF_WIREGUARD_CLIENT)
		return e->roles == OF_INNER && says(e, "Only for clients.");
	return e->roles == o->roles;
}

static struct entry *entry_of(const struct option *o)
{
	struct entry *found = NULL;

	for (size_t i = 0; i < entry_count; i++) {
		if (!is_of(&entries[i], o))
			continue;
		ck_assert_msg(!found, "two entries for %s", o->name);
		found = &entries[i];
	}
	ck_assert_msg(found, "no entry for %s below the heading of its roles", o->name);
	return found;
}

static void expect_range(const struct option *o, const struct entry *e)
{
	char range[48];

	snprintf(range, sizeof range, "%u to %u", o->min, o->max);
	ck_assert_msg(says(e, range), "%s: no \"%s\"", o->name, range);
}

/* The number where nothing is written, for every role; one out of the range stands for words. */
static void expect_default(const struct option *o, const struct entry *e)
{
	struct config *config = calloc(1, sizeof *config);
	char number[24];

	for (int role = ROLE_CLIENT; role <= ROLE_EDGE; role++) {
		config->role = (enum role)role;
		if (!option_applies(o, config))
			continue;
		kind_set_default(o, config);
		if (o->compute)
			o->compute(config);
		if (kind_number(o, config) < o->min)
			continue;
		snprintf(number, sizeof number, o->hex ? "0x%x" : " %u", kind_number(o, config));
		ck_assert_msg(says(e, number), "%s: no default of%s", o->name, number);
	}
	free(config);
}

/* "Cm a | b | c": the same words, in any order. */
static void expect_words(const struct option *o, const struct entry *e)
{
	char copy[sizeof e->what], *at = copy, *word;
	size_t written = 0, n = 0;

	strcpy(copy, e->what + (strncmp(e->what, "Cm ", 3) == 0 ? 3 : 0));
	while ((word = strsep(&at, " |"))) {
		bool known = *word == '\0';

		written += *word != '\0';
		for (n = 0; o->words[n]; n++)
			known |= strcmp(o->words[n], word) == 0;
		ck_assert_msg(known, "%s has no \"%s\"", o->name, word);
	}
	ck_assert_msg(written == n, "%s has %zu words, not %zu", o->name, n, written);
}

static void expect_list(const struct option *o, const struct entry *e)
{
	char most[24];

	snprintf(most, sizeof most, "at most %u",
		 o->kind == KIND_PREFIXES ? CONFIG_PREFIXES_MAX : o->max);
	ck_assert_msg(says(e, o->at_most ? o->at_most : most), "%s: no \"%s\"", o->name, most);
	for (size_t i = 0; o->prefixes && o->prefixes[i]; i++)
		ck_assert_msg(says(e, o->prefixes[i]), "%s: no %s", o->name, o->prefixes[i]);
}

static void expect_value(const struct option *o, const struct entry *e)
{
	switch (o->kind) {
	case KIND_NUMBER:
		expect_range(o, e);
		expect_default(o, e);
		break;
	case KIND_WORD:
		expect_words(o, e);
		break;
	case KIND_FLAG:
		ck_assert_str_eq(e->what, "Cm yes | no");
		break;
	case KIND_INTERFACE:
		ck_assert_msg(says(e, o->text), "%s: no default", o->name);
		break;
	case KIND_PREFIXES:
	case KIND_ADDRESSES:
		expect_list(o, e);
		break;
	case KIND_SECRET:
	case KIND_PUBLIC_KEY:
	case KIND_ENDPOINT:
		break;
	}
	ck_assert_msg(says(e, "required") == (o->missing && !o->prefixes), "%s: required or not",
		      o->name);
}

/* A row of this name: what is computed of the private key says that it is fixed. */
static bool is_fixed(const struct option *o)
{
	bool is = false;

	for (size_t i = 0; i < config_option_count; i++)
		if (config_options[i].in_edge == o->in_edge &&
		    strcmp(config_options[i].name, o->name) == 0)
			is |= config_options[i].fixed;
	return is;
}

START_TEST(row_has_entry)
{
	const struct option *o = &config_options[_i];
	struct entry *e;

	if (o->derived)
		return;
	read_manual();
	e = entry_of(o);
	expect_value(o, e);
	ck_assert_msg(says(e, "It cannot change while the tunnel runs.") == is_fixed(o),
		      "%s: whether it can change while the tunnel runs", o->name);
}
END_TEST

START_TEST(entry_has_row)
{
	read_manual();
	for (size_t i = 0; i < config_option_count; i++)
		if (!config_options[i].derived)
			entry_of(&config_options[i])->has_row = true;
	for (size_t i = 0; i < entry_count; i++)
		ck_assert_msg(entries[i].has_row, "%s is no option", entries[i].name);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("manual_options");
	TCase *tc = tcase_create("tund.conf.5");

	tcase_add_loop_test(tc, row_has_entry, 0, (int)config_option_count);
	tcase_add_test(tc, entry_has_row);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
