/* SPDX-License-Identifier: ISC */
/* The journal of changes to the system, as lines of text. */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct journal {
	char path[128];
	int fd; /* -1: loaded, not to be appended to */
	size_t count;
	struct change change[JOURNAL_CHANGES_MAX];
};

/* The names in the file; the numbers of the enum may differ in another version of tund. */
static const struct {
	enum sysctl_key key;
	const char *name;
} keys[] = {
	{SYSCTL_IP4_FORWARDING, "ip4.forwarding"},
	{SYSCTL_IP4_RP_FILTER, "ip4.rp_filter"},
	{SYSCTL_IP4_SRC_VALID_MARK, "ip4.src_valid_mark"},
	{SYSCTL_IP6_FORWARDING, "ip6.forwarding"},
	{SYSCTL_IP6_ALL_FORWARDING, "ip6.all_forwarding"},
	{SYSCTL_IP6_FORCE_FORWARDING, "ip6.force_forwarding"},
	{SYSCTL_IP6_ACCEPT_RA, "ip6.accept_ra"},
	{SYSCTL_IP6_ADDR_GEN_MODE, "ip6.addr_gen_mode"},
	{SYSCTL_IP6_DISABLE, "ip6.disable"},
};

#define KEY_COUNT (sizeof keys / sizeof *keys)

static const char *key_name(enum sysctl_key key)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (keys[i].key == key)
			return keys[i].name;
	return "?";
}

static int key_find(const char *name, enum sysctl_key *out)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (strcmp(keys[i].name, name) == 0) {
			*out = keys[i].key;
			return 0;
		}
	return -EINVAL;
}

void change_format(const struct change *c, char line[CHANGE_LINE_MAX])
{
	switch (c->kind) {
	case CHANGE_CHILD:
		snprintf(line, CHANGE_LINE_MAX, "child %d %" PRIu64 "\n", (int)c->pid, c->started);
		break;
	case CHANGE_INTERFACE:
		snprintf(line, CHANGE_LINE_MAX, "interface %s\n", c->interface);
		break;
	case CHANGE_NFT:
		snprintf(line, CHANGE_LINE_MAX, "nft %s\n", c->interface);
		break;
	case CHANGE_SYSCTL:
		snprintf(line, CHANGE_LINE_MAX, "sysctl %s %s %d %d\n", key_name(c->key),
			 c->interface[0] ? c->interface : "*", c->before, c->after);
		break;
	case CHANGE_RULE:
		snprintf(line, CHANGE_LINE_MAX, "rule %u %d %u %u %u %d\n", c->rule.family,
			 c->rule.invert, c->rule.priority, c->rule.mark, c->rule.table,
			 c->rule.suppress_prefix);
		break;
	}
}

static int parse_fields(const char *line, struct change *c)
{
	char name[32];
	int invert = 0, pid = 0;
	unsigned family = 0;

	if (sscanf(line, "child %d %" SCNu64, &pid, &c->started) == 2 && pid > 1) {
		c->kind = CHANGE_CHILD;
		c->pid = pid;
	} else if (sscanf(line, "interface %15s", c->interface) == 1) {
		c->kind = CHANGE_INTERFACE;
	} else if (sscanf(line, "nft %15s", c->interface) == 1) {
		c->kind = CHANGE_NFT;
	} else if (sscanf(line, "sysctl %31s %15s %d %d", name, c->interface, &c->before,
			  &c->after) == 4) {
		c->kind = CHANGE_SYSCTL;
		if (strcmp(c->interface, "*") == 0)
			c->interface[0] = '\0';
		return key_find(name, &c->key);
	} else if (sscanf(line, "rule %u %d %u %u %u %d", &family, &invert, &c->rule.priority,
			  &c->rule.mark, &c->rule.table, &c->rule.suppress_prefix) == 6) {
		c->kind = CHANGE_RULE;
		c->rule.family = (uint8_t)family;
		c->rule.invert = invert != 0;
	} else {
		return -EINVAL;
	}
	return 0;
}

int change_parse(const char *line, struct change *out)
{
	struct change c = {0};
	char again[CHANGE_LINE_MAX];
	size_t len = strlen(line);

	if (parse_fields(line, &c) || (c.interface[0] && !ifname_valid(c.interface)))
		return -EINVAL;
	change_format(&c, again);
	if (strncmp(again, line, len) != 0 || strcmp(again + len, "\n") != 0)
		return -EINVAL;
	*out = c;
	return 0;
}

static struct journal *journal_alloc(const char *path)
{
	struct journal *j = calloc(1, sizeof *j);

	if (!j)
		return NULL;
	snprintf(j->path, sizeof j->path, "%s", path);
	j->fd = -1;
	return j;
}

int journal_create(const char *path, struct journal **out)
{
	struct journal *j = journal_alloc(path);
	int err;

	if (!j)
		return -ENOMEM;
	j->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (j->fd < 0) {
		err = -errno;
		journal_close(j);
		return err;
	}
	*out = j;
	return 0;
}

int journal_load(const char *path, struct journal **out, size_t *damaged)
{
	char line[CHANGE_LINE_MAX];
	struct journal *j;
	size_t bad = 0;
	FILE *file = fopen(path, "re");

	if (!file)
		return -errno;
	j = journal_alloc(path);
	if (!j) {
		fclose(file);
		return -ENOMEM;
	}
	while (fgets(line, sizeof line, file)) {
		char *end = strchr(line, '\n');

		if (end)
			*end = '\0';
		if (end && j->count < JOURNAL_CHANGES_MAX &&
		    !change_parse(line, &j->change[j->count]))
			j->count++;
		else
			bad++;
	}
	fclose(file);
	*damaged = bad;
	*out = j;
	return 0;
}

/* One write, so that a line is there whole or cut at its end. */
static int append(int fd, const struct change *change)
{
	char line[CHANGE_LINE_MAX];
	ssize_t n;
	size_t len;

	change_format(change, line);
	len = strlen(line);
	n = write(fd, line, len);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -ENOSPC;
}

int journal_add(struct journal *j, const struct change *change)
{
	int err;

	if (j->count == JOURNAL_CHANGES_MAX)
		return -ENOSPC;
	err = append(j->fd, change);
	if (err)
		return err;
	j->change[j->count++] = *change;
	return 0;
}

/* Into a file beside it, which takes its place. */
static void write_anew(struct journal *j)
{
	char temporary[sizeof j->path + 8];
	int fd, err = 0;

	snprintf(temporary, sizeof temporary, "%s.new", j->path);
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
		  0600);
	if (fd < 0)
		return;
	for (size_t i = 0; i < j->count && !err; i++)
		err = append(fd, &j->change[i]);
	if (err || rename(temporary, j->path) != 0) {
		unlink(temporary);
		close(fd);
		return;
	}
	close(j->fd);
	j->fd = fd;
}

void journal_drop(struct journal *j, enum change_kind kind, pid_t pid)
{
	for (size_t i = j->count; i-- > 0;) {
		if (j->change[i].kind != kind || (kind == CHANGE_CHILD && j->change[i].pid != pid))
			continue;
		memmove(&j->change[i], &j->change[i + 1], (j->count - i - 1) * sizeof *j->change);
		j->count--;
		write_anew(j);
		return;
	}
}

size_t journal_count(const struct journal *j)
{
	return j->count;
}

const struct change *journal_at(const struct journal *j, size_t i)
{
	return &j->change[i];
}

void journal_close(struct journal *j)
{
	if (j && j->fd >= 0)
		close(j->fd);
	free(j);
}
