/* SPDX-License-Identifier: ISC */
/* Error messages of the configuration parser. */
#include "config_diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void diag_report(struct diag *diag, unsigned line, const char *format, ...)
{
	struct config_error *error;
	va_list args;

	if (diag->count++ >= DIAG_HELD)
		return;
	error = &diag->held[diag->count - 1];
	error->line = line;
	snprintf(error->file, sizeof error->file, "%s", diag->file);
	va_start(args, format);
	vsnprintf(error->text, sizeof error->text, format, args);
	va_end(args);
}

/* Those of one line stay in the order in which they were found. */
static void sort(struct config_error *errors, unsigned n)
{
	for (unsigned i = 1; i < n; i++) {
		struct config_error error = errors[i];
		unsigned at = i;

		for (; at > 0 && errors[at - 1].line > error.line; at--)
			errors[at] = errors[at - 1];
		errors[at] = error;
	}
}

void diag_flush(struct diag *diag)
{
	unsigned held = diag->count < DIAG_HELD ? diag->count : DIAG_HELD;
	struct config_error more = {0};

	sort(diag->held, held);
	for (unsigned i = 0; i < held; i++)
		diag->sink->report(diag->sink->ctx, &diag->held[i]);
	if (diag->count == held)
		return;
	snprintf(more.file, sizeof more.file, "%s", diag->file);
	snprintf(more.text, sizeof more.text, "%u more errors; expected none", diag->count - held);
	diag->sink->report(diag->sink->ctx, &more);
}

const char *diag_shown(const char *text, size_t len, char buf[DIAG_SHOWN])
{
	size_t n = len < DIAG_SHOWN - 4 ? len : DIAG_SHOWN - 4;

	for (size_t i = 0; i < n; i++)
		buf[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	strcpy(buf + n, n < len ? "..." : "");
	return buf;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

#define NEAREST_MAX 31

/* Levenshtein's distance, one row at a time; both texts have at most NEAREST_MAX bytes. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[NEAREST_MAX + 1];
	size_t n = strlen(b);

	for (size_t j = 0; j <= n; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; a[i - 1]; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= n; j++) {
			unsigned above = row[j];

			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[n];
}

const char *diag_nearest(const char *text, const char *const *names)
{
	const char *best = NULL;
	unsigned best_distance = (unsigned)strlen(text) / 3 + 1;

	if (strlen(text) > NEAREST_MAX)
		return NULL;
	for (; *names; names++) {
		unsigned d;

		if (strcasecmp(text, *names) == 0)
			return *names;
		d = strlen(*names) <= NEAREST_MAX ? distance(text, *names) : NEAREST_MAX;
		if (d <= best_distance && d < strlen(*names)) {
			best = *names;
			best_distance = d - (d > 0);
		}
	}
	return best;
}

const char *diag_list(const char *const *names, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (; *names && len < size; names++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? ", " : "", *names);
	return buf;
}
