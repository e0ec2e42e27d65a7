/* SPDX-License-Identifier: ISC */
/*
 * One-line messages for people on standard error, "level: message"; under systemd with the
 * sd-daemon prefix ("<3>") instead, so that the journal knows the priority. Control characters in
 * a message are replaced, so that a foreign string can neither start a line nor move a cursor.
 * The level and the form are the only globals of this layer. Any thread; one write(2) a line.
 */
#ifndef TUND_SYS_LOG_H
#define TUND_SYS_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#define LOG_LINE_MAX 1024 /* bytes, prefix and newline included; longer messages are cut */

/* The values are syslog's priorities (RFC 5424 section 6.2.1). */
enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/* Chooses the form (JOURNAL_STREAM names our standard error: sd-daemon prefixes) and the program's
 * name, which follows the level: "error: engine: ..."; NULL or "" for none. `program` is borrowed
 * for ever. Call once at the start; without it lines have no name. */
void log_init(const char *program);

/* Messages above `level` are dropped; LOG_LEVEL_INFO at start. */
void log_set_level(enum log_level level);
enum log_level log_level(void);

/* "error", "warning", "notice", "info", "debug"; and back: false: none of them. */
const char *log_level_name(enum log_level level);
bool log_level_parse(const char *name, enum log_level *out);

/* Writes one line; a failure to write is ignored. */
void log_write(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...) log_write(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

/*
 * Formats a line as log_write() does, without writing it: the pure part. `prefix` comes first as
 * it is, control characters and invalid bytes of the message become '?', a newline ends it.
 * Returns its length, at most size - 1; size must be 2 or more.
 */
size_t log_format(char *buf, size_t size, const char *prefix, const char *format, va_list args)
	__attribute__((format(printf, 4, 0)));

#endif
