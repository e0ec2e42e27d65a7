/* SPDX-License-Identifier: ISC */
/* Landlock (Documentation/userspace-api/landlock.rst). */

#include "sandbox_landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What newer versions of the kernel's headers have. */
#define FS_V1 ((UINT64_C(1) << 13) - 1) /* everything up to MAKE_SYM */
#define FS_REFER (UINT64_C(1) << 13)
#define FS_TRUNCATE (UINT64_C(1) << 14)
#define FS_IOCTL_DEV (UINT64_C(1) << 15)
#define NET_BIND_TCP (UINT64_C(1) << 0)
#define NET_CONNECT_TCP (UINT64_C(1) << 1)
#define SCOPE_ALL UINT64_C(3) /* abstract Unix sockets, signals */

struct ruleset {
	uint64_t handled_access_fs;
	uint64_t handled_access_net; /* version 4 */
	uint64_t scoped;             /* version 6 */
};

int landlock_version(void)
{
	long v = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return v > 0 ? (int)v : 0;
}

/* The structure grows; an older kernel takes a longer one only if the rest is zero. */
static struct ruleset ruleset_for(int version, bool may_connect)
{
	struct ruleset r = {.handled_access_fs = FS_V1};

	if (version >= 2)
		r.handled_access_fs |= FS_REFER;
	if (version >= 3)
		r.handled_access_fs |= FS_TRUNCATE;
	if (version >= 4)
		r.handled_access_net = may_connect ? NET_BIND_TCP : NET_BIND_TCP | NET_CONNECT_TCP;
	if (version >= 5)
		r.handled_access_fs |= FS_IOCTL_DEV;
	if (version >= 6)
		r.scoped = SCOPE_ALL;
	return r;
}

static int allow_reading(int ruleset, const char *path)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
		.parent_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC),
	};
	long r;

	if (rule.parent_fd < 0)
		return 0; /* not on this host */
	r = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	if (r < 0)
		r = -errno;
	close(rule.parent_fd);
	return (int)r;
}

int landlock_enter(const char *const *paths, size_t count, bool may_connect)
{
	int version = landlock_version();
	struct ruleset r = ruleset_for(version, may_connect);
	int err = 0;
	size_t i;
	int fd;

	if (version == 0)
		return 0;
	fd = (int)syscall(SYS_landlock_create_ruleset, &r, sizeof r, 0);
	if (fd < 0)
		return -errno;
	for (i = 0; i < count && err == 0; i++)
		err = allow_reading(fd, paths[i]);
	if (err == 0 && syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		err = -errno;
	close(fd);
	return err;
}
