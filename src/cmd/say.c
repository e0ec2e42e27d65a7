/* SPDX-License-Identifier: ISC */
/* What people read. */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool use_color(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDERR_FILENO) && !(no_color && no_color[0]) && term && term[0];
}

void say(const char *format, ...)
{
	va_list args;

	fputs("tund: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

int say_error(int code, const char *format, ...)
{
	va_list args;

	fputs(use_color() ? "tund: \033[1;31merror:\033[0m " : "tund: error: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return code;
}
