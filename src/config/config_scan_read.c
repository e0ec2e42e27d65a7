/* SPDX-License-Identifier: ISC */
/* Reading a configuration file into memory that is wiped afterwards. */
#include "config_scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, char *buf, size_t size, size_t *len)
{
	size_t n = 0;

	while (n < size) {
		ssize_t got = pread(fd, buf + n, size - n, (off_t)n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	*len = n;
	return 0;
}

int scan_read(struct scan *scan, int fd, struct diag *diag)
{
	struct stat st;
	size_t size;
	int err;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		diag_report(diag, 0, "not a regular file; expected a text file");
		return -EINVAL;
	}
	if (st.st_size > SCAN_FILE_MAX) {
		diag_report(diag, 0, "%lld bytes long; expected at most %d", (long long)st.st_size,
			    SCAN_FILE_MAX);
		return -EINVAL;
	}
	size = (size_t)st.st_size;
	scan->text = malloc(size + 1);
	if (!scan->text)
		return -ENOMEM;
	err = read_all(fd, scan->text, size, &scan->len);
	if (err) {
		diag_report(diag, 0, "cannot be read: %s", strerror(-err));
		return -EINVAL;
	}
	scan->text[scan->len] = '\0';
	return 0;
}

void scan_clear(struct scan *scan)
{
	if (scan->text)
		explicit_bzero(scan->text, scan->len);
	free(scan->text);
	for (size_t i = 0; i < scan->section_count; i++)
		free(scan->sections[i].title);
	free(scan->sections);
	*scan = (struct scan){0};
}
