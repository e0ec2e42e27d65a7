/* SPDX-License-Identifier: ISC */
/* One-line messages on standard error. */

#include <tund/sys/log.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *log_program = "";
static bool log_journal;
static atomic_int chosen_level = LOG_LEVEL_INFO;

const char *log_level_name(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return "error";
	case LOG_LEVEL_WARNING:
		return "warning";
	case LOG_LEVEL_NOTICE:
		return "notice";
	case LOG_LEVEL_INFO:
		return "info";
	case LOG_LEVEL_DEBUG:
		return "debug";
	}
	return "message";
}

/* systemd.exec(5): JOURNAL_STREAM is the device and inode of the stream to the journal; it is
 * inherited by programs whose standard error goes elsewhere. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%lu:%lu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void log_init(const char *program)
{
	log_program = program ? program : "";
	log_journal = stderr_is_journal();
}

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&chosen_level, level, memory_order_relaxed);
}

enum log_level log_level(void)
{
	return (enum log_level)atomic_load_explicit(&chosen_level, memory_order_relaxed);
}

bool log_level_parse(const char *name, enum log_level *out)
{
	for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
		if (strcmp(name, log_level_name((enum log_level)level)) != 0)
			continue;
		*out = (enum log_level)level;
		return true;
	}
	return false;
}

/* Well-formed UTF-8 outside ASCII passes: names of people are in messages. What follows is the
 * number of bytes of the sequence that starts at s, 0 if it is not one (RFC 3629 section 4). */
static size_t utf8_length(const unsigned char *s)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t len, i;

	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf4)
		high = 0x8f;
	else if (s[0] == 0xc2)
		low = 0xa0; /* U+0080..U+009F are control characters, too */
	for (i = 1; i < len; i++) {
		if (s[i] < low || s[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return len;
}

static void sanitise(unsigned char *s)
{
	size_t len;

	for (; *s; s += len ? len : 1) {
		len = *s < 0x80 ? 1 : utf8_length(s);
		if (len == 0 || *s < 0x20 || *s == 0x7f)
			*s = '?';
	}
}

size_t log_format(char *buf, size_t size, const char *prefix, const char *format, va_list args)
{
	int head = snprintf(buf, size - 1, "%s", prefix);
	size_t len = head < 0 ? 0 : (size_t)head;
	int body;

	if (len > size - 2)
		len = size - 2;
	body = vsnprintf(buf + len, size - 1 - len, format, args);
	if (body < 0)
		buf[len] = '\0';
	sanitise((unsigned char *)buf + len);
	if (body > 0)
		len += (size_t)body;
	if (len > size - 2)
		len = size - 2;
	buf[len] = '\n';
	buf[len + 1] = '\0';
	return len + 1;
}

void log_write(enum log_level level, const char *format, ...)
{
	char prefix[64], line[LOG_LINE_MAX];
	const char *colon = log_program[0] ? ": " : "";
	va_list args;
	size_t len;

	if ((int)level > atomic_load_explicit(&chosen_level, memory_order_relaxed))
		return;
	if (log_journal)
		snprintf(prefix, sizeof prefix, "<%d>%s%s", (int)level, log_program, colon);
	else
		snprintf(prefix, sizeof prefix, "%s: %s%s", log_level_name(level), log_program,
			 colon);
	va_start(args, format);
	len = log_format(line, sizeof line, prefix, format, args);
	va_end(args);
	(void)!write(STDERR_FILENO, line, len);
}
