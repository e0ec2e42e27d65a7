/* SPDX-License-Identifier: ISC */
/* What the parent needs before it starts. */

#include <tund/sys/privilege.h>

#include <cap-ng.h>
#include <errno.h>
#include <pwd.h>
#include <sys/resource.h>
#include <unistd.h>

int privilege_check(char why[WHY_MAX])
{
	if (geteuid() != 0)
		return why_set(why, -EPERM,
			       "not root: interfaces and routes cannot be set up. Run it as root, "
			       "or with sudo");
	capng_get_caps_process();
	if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN))
		return why_set(why, -EPERM,
			       "root without CAP_NET_ADMIN: interfaces and routes cannot be set "
			       "up. Give the container or unit this capability");
	return 0;
}

int privilege_find_user(const char *name, struct sandbox_user *out, char why[WHY_MAX])
{
	struct passwd *entry = getpwnam(name);

	if (!entry)
		return why_set(why, -ENOENT,
			       "there is no user \"%s\" to run as. Run \"systemd-sysusers\", or "
			       "\"useradd --system --user-group --shell /usr/sbin/nologin %s\"",
			       name, name);
	if (entry->pw_uid == 0 || entry->pw_gid == 0)
		return why_set(why, -EINVAL,
			       "user \"%s\" is root (uid %u, gid %u): it must be one of its own",
			       name, (unsigned)entry->pw_uid, (unsigned)entry->pw_gid);
	*out = (struct sandbox_user){.uid = entry->pw_uid, .gid = entry->pw_gid};
	return 0;
}

static uint64_t raise_limit(int resource, uint64_t value)
{
	struct rlimit old, wanted;

	if (getrlimit((__rlimit_resource_t)resource, &old) < 0)
		return 0;
	if (old.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	if (old.rlim_cur >= value)
		return old.rlim_cur;
	wanted.rlim_cur = value;
	wanted.rlim_max = old.rlim_max > value ? old.rlim_max : value;
	if (setrlimit((__rlimit_resource_t)resource, &wanted) == 0)
		return value;
	wanted = (struct rlimit){.rlim_cur = old.rlim_max, .rlim_max = old.rlim_max};
	return setrlimit((__rlimit_resource_t)resource, &wanted) == 0 ? old.rlim_max
								      : old.rlim_cur;
}

uint64_t privilege_raise_memlock(uint64_t bytes)
{
	return raise_limit(RLIMIT_MEMLOCK, bytes);
}

uint64_t privilege_raise_descriptors(uint64_t count)
{
	return raise_limit(RLIMIT_NOFILE, count);
}
