/* SPDX-License-Identifier: ISC */
/* The first step of giving up: credentials, capabilities, files. */

#include <tund/sys/sandbox.h>

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sandbox_landlock.h"

#if defined(__SANITIZE_ADDRESS__)
#define WITH_LEAK_CHECK 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_LEAK_CHECK 1
#endif
#endif

#ifdef WITH_LEAK_CHECK
/* The leak check wants to trace the process, which the sandbox forbids; the core, which is not
 * sandboxed in its tests, has a check of its own. */
int __lsan_is_turned_off(void);

int __lsan_is_turned_off(void)
{
	return 1;
}
#endif

/* What name resolution reads: nsswitch.conf, resolv.conf and where it may point, hosts, and the
 * modules of the C library. Directories, because these files are replaced while we run. */
static const char *const resolver_paths[] = {
	"/etc",
	"/lib",
	"/lib64",
	"/usr/lib",
	"/usr/lib64",
	"/run/systemd/resolve",
	"/run/resolvconf",
	"/run/NetworkManager",
	"/run/connman",
};

bool sandbox_has_landlock(void)
{
	return landlock_version() > 0;
}

static int restrict_files(enum sandbox_kind kind)
{
	switch (kind) {
	case SANDBOX_CONTROL:
		return landlock_enter(resolver_paths,
				      sizeof resolver_paths / sizeof resolver_paths[0], true);
	case SANDBOX_ENGINE:
	case SANDBOX_LOADER:
		return landlock_enter(NULL, 0, false);
	}
	return -EINVAL;
}

static bool ids_are(const struct sandbox_user *user)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	return getresuid(&r, &e, &s) == 0 && getresgid(&rg, &eg, &sg) == 0 && r == user->uid &&
	       e == user->uid && s == user->uid && rg == user->gid && eg == user->gid &&
	       sg == user->gid;
}

static int change_ids(const struct sandbox_user *user)
{
	capng_clear(CAPNG_SELECT_BOTH);
	if (geteuid() != 0) {
		if (getgroups(0, NULL) > 0 || !ids_are(user))
			return -EPERM;
		return capng_apply(CAPNG_SELECT_CAPS) < 0 ? -EPERM : 0;
	}
	if (capng_change_id((int)user->uid, (int)user->gid,
			    CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING | CAPNG_CLEAR_AMBIENT) < 0)
		return -EPERM;
	return 0;
}

/* Not what was asked for, but what is there. */
static int verify(const struct sandbox_user *user)
{
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_get_caps_process() < 0 || capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE)
		return -EPERM;
	if (!ids_are(user) || getgroups(0, NULL) != 0 || setuid(0) == 0)
		return -EPERM;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : -EPERM;
}

static int protect_memory(void)
{
	struct rlimit none = {0, 0};

	/* Further arenas are trimmed with the help of a file in /proc, and cost memory. */
	mallopt(M_ARENA_MAX, 1);
	if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

int sandbox_drop(enum sandbox_kind kind, const struct sandbox_user *user, char why[WHY_MAX])
{
	int err;

	if (user->uid == 0 || user->gid == 0)
		return why_set(why, -EPERM, "refusing to run as root");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return why_set(why, -errno, "cannot set no_new_privs: %s", strerror(errno));
	err = restrict_files(kind);
	if (err < 0)
		return why_set(why, err, "cannot enter Landlock: %s", strerror(-err));
	err = change_ids(user);
	if (err == 0)
		err = verify(user);
	if (err < 0)
		return why_set(why, err, "cannot become uid %u, gid %u without capabilities",
			       (unsigned)user->uid, (unsigned)user->gid);
	err = protect_memory();
	if (err == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		err = -errno;
	if (err < 0)
		return why_set(why, err, "cannot protect the process: %s", strerror(-err));
	return 0;
}
