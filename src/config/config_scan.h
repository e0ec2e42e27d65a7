/* SPDX-License-Identifier: ISC */
/*
 * The first pass over a file, before libconfuse sees it. libconfuse 3.3 counts lines wrongly after
 * comments, takes an unclosed section or a second assignment silently, expands ${ENV}, and knows
 * neither where a section began nor where a name stood. So this pass checks characters, quotes,
 * the order of tokens and duplicates, blanks the comments (newlines stay), and takes the titles of
 * sections out (libconfuse compares each with all before it: 60,000 would take it 13 s). What is
 * left for libconfuse are the options of each section.
 *
 *   file      = { statement }
 *   statement = name "=" value | name "=" "{" [ value { "," value } ] "}"
 *             | name [ title ] "{" { statement } "}"
 */
#ifndef TUND_CONFIG_CONFIG_SCAN_H
#define TUND_CONFIG_CONFIG_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "config_diag.h"

#define SCAN_FILE_MAX (16 * 1024 * 1024) /* bytes; some 60,000 principals */

struct scan_section {
	unsigned line; /* of its keyword */
	char keyword[12];
	char *title; /* owned; NULL: none written */
};

struct scan {
	char *text; /* NUL-terminated; wiped by scan_clear() */
	size_t len;
	struct scan_section *sections; /* in the order of the file */
	size_t section_count, section_room;
};

/* Reads the whole of a descriptor, from its start. 0, -EINVAL after a report, -ENOMEM. */
int scan_read(struct scan *scan, int fd, struct diag *diag);

/* Checks and blanks scan->text in place. 0, -EINVAL after a report, -ENOMEM. */
int scan_run(struct scan *scan, struct diag *diag);

/*
 * The next section with this keyword, from position *next on, which is moved behind it; NULL: no
 * more. libconfuse keeps the sections of one keyword in the order of the file, so that asking for
 * one here goes with each of its.
 */
const struct scan_section *scan_next_section(const struct scan *scan, const char *keyword,
					     size_t *next);

void scan_clear(struct scan *scan);

#endif
