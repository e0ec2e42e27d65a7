/* SPDX-License-Identifier: ISC */
/* From what the user typed to a tunnel and its files. */
#include <tund/parent/tunnel.h>

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tund/sys/file.h>

#define CONF_SUFFIX ".conf"

bool tunnel_name_is_valid(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_-";
	size_t len = strlen(name);

	return len >= 1 && len <= TUNNEL_NAME_MAX && name[0] != '-' &&
	       strspn(name, allowed) == len;
}

static int fits(int printed, size_t size)
{
	return printed >= 0 && (size_t)printed < size;
}

/* The file's name without directory and suffix; -EINVAL where it has another suffix or is long. */
static int base_name(const char *path, char *name, size_t size)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	size_t len = strlen(base), suffix = strlen(CONF_SUFFIX);

	if (len <= suffix || strcmp(base + len - suffix, CONF_SUFFIX) != 0)
		return -EINVAL;
	return fits(snprintf(name, size, "%.*s", (int)(len - suffix), base), size) ? 0 : -EINVAL;
}

static int name_files(struct tunnel *t)
{
	size_t stem = strlen(t->conf) - strlen(CONF_SUFFIX);

	if (!fits(snprintf(t->policy, sizeof t->policy, "%.*s.policy", (int)stem, t->conf),
		  sizeof t->policy))
		return -EINVAL;
	snprintf(t->journal, sizeof t->journal, "%s/%s.state", TUND_RUNDIR, t->name);
	snprintf(t->lock, sizeof t->lock, "%s/%s.lock", TUND_RUNDIR, t->name);
	snprintf(t->store, sizeof t->store, "%s/%s.state", TUND_STATEDIR, t->name);
	return fits(snprintf(t->sock, sizeof t->sock, "%s/%s.sock", TUND_RUNDIR, t->name),
		    sizeof t->sock)
		       ? 0
		       : -EINVAL;
}

static int from_path(const char *path, struct tunnel *t, char *why, size_t size)
{
	char name[PATH_MAX];

	if (base_name(path, name, sizeof name)) {
		snprintf(why, size, "%.200s: a configuration is a file that ends in .conf", path);
		return -EINVAL;
	}
	if (!tunnel_name_is_valid(name)) {
		snprintf(why, size,
			 "%.200s: a tunnel's name is 1 to %d letters, digits, '_' and '-'; rename "
			 "the file",
			 path, TUNNEL_NAME_MAX);
		return -EINVAL;
	}
	strcpy(t->name, name); /* fits: verified */
	if (!fits(snprintf(t->conf, sizeof t->conf, "%s", path), sizeof t->conf) ||
	    name_files(t)) {
		snprintf(why, size, "the path is too long");
		return -EINVAL;
	}
	return 0;
}

static int from_name(const char *name, struct tunnel *t, char *why, size_t size)
{
	char path[PATH_MAX];

	if (!tunnel_name_is_valid(name)) {
		snprintf(why, size,
			 "\"%.64s\" is no tunnel's name: 1 to %d letters, digits, '_' and '-' for "
			 "%s/NAME.conf; for a file elsewhere give a path with a '/'",
			 name, TUNNEL_NAME_MAX, TUND_SYSCONFDIR);
		return -EINVAL;
	}
	snprintf(path, sizeof path, "%s/%s" CONF_SUFFIX, TUND_SYSCONFDIR, name);
	return from_path(path, t, why, size);
}

/* "Which one?", with the names that there are. */
static void list_names(const glob_t *found, char *why, size_t size)
{
	size_t used = (size_t)snprintf(why, size, "which tunnel? %s has several:",
				       TUND_SYSCONFDIR);
	char name[PATH_MAX];

	for (size_t i = 0; i < found->gl_pathc && used + 1 < size; i++)
		if (!base_name(found->gl_pathv[i], name, sizeof name))
			used += (size_t)snprintf(why + used, size - used, " %s", name);
}

static int find_only(struct tunnel *t, char *why, size_t size)
{
	glob_t found;
	int err = glob(TUND_SYSCONFDIR "/*" CONF_SUFFIX, 0, NULL, &found);

	if (err) {
		snprintf(why, size,
			 "there is no configuration in %s; write one (tund.conf(5)) or name a file",
			 TUND_SYSCONFDIR);
		return -EINVAL;
	}
	if (found.gl_pathc == 1) {
		err = from_path(found.gl_pathv[0], t, why, size);
	} else {
		list_names(&found, why, size);
		err = -EINVAL;
	}
	globfree(&found);
	return err;
}

int tunnel_find(const char *arg, struct tunnel *out, char *why, size_t size)
{
	struct tunnel t = {0};
	int err;

	if (!arg)
		err = find_only(&t, why, size);
	else if (strchr(arg, '/'))
		err = from_path(arg, &t, why, size);
	else
		err = from_name(arg, &t, why, size);
	if (!err)
		*out = t;
	return err;
}

int tunnel_make_absolute(struct tunnel *tunnel)
{
	char dir[PATH_MAX], conf[PATH_MAX];

	if (tunnel->conf[0] == '/')
		return 0;
	if (!getcwd(dir, sizeof dir))
		return -errno;
	if (!fits(snprintf(conf, sizeof conf, "%s/%s", dir, tunnel->conf), sizeof conf))
		return -ENAMETOOLONG;
	strcpy(tunnel->conf, conf);
	return name_files(tunnel);
}

bool tunnel_is_running(const struct tunnel *tunnel)
{
	int fd;

	if (access(tunnel->lock, F_OK) != 0)
		return false;
	switch (file_lock(tunnel->lock, &fd)) {
	case 0:
		close(fd);
		return false;
	case -EWOULDBLOCK:
		return true;
	}
	return false;
}

pid_t tunnel_parent(const struct tunnel *tunnel)
{
	char text[16];
	size_t len = 0;

	if (file_read(tunnel->lock, text, sizeof text - 1, &len))
		return 0;
	text[len] = '\0';
	return atoi(text);
}
