/* SPDX-License-Identifier: ISC */
/* Error texts for people. */

#include <tund/sys/why.h>

#include <stdarg.h>
#include <stdio.h>

int why_set(char why[WHY_MAX], int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, WHY_MAX, format, args);
	va_end(args);
	return error;
}
