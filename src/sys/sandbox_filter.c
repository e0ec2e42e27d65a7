/* SPDX-License-Identifier: ISC */
/* The second step of giving up: system calls. */

#include <tund/sys/sandbox.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__)
#define WITH_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WITH_TSAN 1
#endif
#endif

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* Memory, time, threads that exist, signals, and descriptors that exist. */
static const int base_calls[] = {
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev),
	SCMP_SYS(close), SCMP_SYS(fcntl), SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(sendmsg),
	SCMP_SYS(sendto), SCMP_SYS(recvmsg), SCMP_SYS(recvfrom), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(mlock),
	SCMP_SYS(mlock2), SCMP_SYS(munlock), SCMP_SYS(getrandom), SCMP_SYS(futex),
	SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(membarrier), SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall), SCMP_SYS(getpid), SCMP_SYS(getppid),
	SCMP_SYS(gettid), SCMP_SYS(exit), SCMP_SYS(exit_group),
	SCMP_SYS(sysinfo), /* qsort(3), before it allocates for a large array */
};

/* An event loop over sockets that were handed in. */
static const int loop_calls[] = {
	SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(eventfd2),
	SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime), SCMP_SYS(accept4),
	SCMP_SYS(shutdown), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(getsockname),
	SCMP_SYS(getpeername), SCMP_SYS(sendmmsg), SCMP_SYS(recvmmsg),
};

/* What getaddrinfo(3) does with its modules. */
static const int resolver_calls[] = {
	SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(stat),
	SCMP_SYS(lstat), SCMP_SYS(fstatfs), SCMP_SYS(access), SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getdents64),
	SCMP_SYS(uname), SCMP_SYS(getuid), SCMP_SYS(geteuid),
	SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(pipe2),
};

static const int loader_calls[] = {
	SCMP_SYS(memfd_create), SCMP_SYS(ftruncate), SCMP_SYS(pwrite64),
};

#ifdef TUND_SANITIZE
/* What the sanitizers' run time does to report, and to keep its shadow. */
static const int sanitizer_calls[] = {
	SCMP_SYS(mmap), SCMP_SYS(mprotect), SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(readlink),
	SCMP_SYS(readlinkat), SCMP_SYS(newfstatat), SCMP_SYS(stat), SCMP_SYS(prctl),
	SCMP_SYS(prlimit64), SCMP_SYS(getrusage), SCMP_SYS(getuid), SCMP_SYS(geteuid),
	SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(uname), SCMP_SYS(ioctl), SCMP_SYS(pipe),
	SCMP_SYS(process_vm_readv), SCMP_SYS(set_tid_address), SCMP_SYS(arch_prctl),
};
#endif

static struct scmp_arg_cmp equals(unsigned arg, scmp_datum_t value)
{
	return (struct scmp_arg_cmp){.arg = arg, .op = SCMP_CMP_EQ, .datum_a = value};
}

/* The bits of `mask` are those of `value`. */
static struct scmp_arg_cmp masked(unsigned arg, scmp_datum_t mask, scmp_datum_t value)
{
	return (struct scmp_arg_cmp){.arg = arg, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask,
				     .datum_b = value};
}

static int allow(scmp_filter_ctx ctx, const int *calls, size_t count)
{
	int err = 0;
	size_t i;

	for (i = 0; i < count && err == 0; i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
	return err;
}

static int allow_if(scmp_filter_ctx ctx, int call, struct scmp_arg_cmp condition)
{
	return seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, call, 1, &condition);
}

/* fstat(2) is newfstatat() with an empty path in some versions of glibc: on a descriptor the
 * kernel needs no path, which a filter cannot see; the flag is what it can. */
static int allow_base(scmp_filter_ctx ctx)
{
	int err = allow(ctx, base_calls, COUNT(base_calls));

	if (err == 0)
		err = allow_if(ctx, SCMP_SYS(newfstatat),
			       equals(3, AT_EMPTY_PATH));
	if (err == 0) /* abort(3); our other processes have the same uid */
		err = allow_if(ctx, SCMP_SYS(tgkill), equals(0, (unsigned)getpid()));
	if (err == 0) /* stdio asks whether its output is a terminal */
		err = allow_if(ctx, SCMP_SYS(ioctl), equals(1, TCGETS));
	if (err == 0)
		err = allow_if(ctx, SCMP_SYS(mprotect), masked(2, PROT_EXEC, 0));
	return err;
}

static int allow_data_maps(scmp_filter_ctx ctx)
{
	return allow_if(ctx, SCMP_SYS(mmap), masked(2, PROT_EXEC, 0));
}

static int allow_engine(scmp_filter_ctx ctx)
{
	int err = allow(ctx, loop_calls, COUNT(loop_calls));

	if (err == 0)
		err = allow_data_maps(ctx);
	if (err == 0)
		err = allow_if(ctx, SCMP_SYS(ioctl), equals(1, TUNGETIFF));
	return err;
}

static int allow_resolver_sockets(scmp_filter_ctx ctx)
{
	static const int families[] = {AF_INET, AF_INET6, AF_UNIX};
	struct scmp_arg_cmp netlink[] = {
		equals(0, AF_NETLINK),
		equals(2, NETLINK_ROUTE), /* which addresses there are */
	};
	int err = 0;
	size_t i;

	for (i = 0; i < COUNT(families) && err == 0; i++)
		err = allow_if(ctx, SCMP_SYS(socket), equals(0, (unsigned)families[i]));
	if (err == 0)
		err = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), COUNT(netlink),
					     netlink);
	return err;
}

/* Reading only; glibc's modules are mapped to be executed. */
static int allow_resolver_files(scmp_filter_ctx ctx)
{
	const scmp_datum_t changing = O_ACCMODE | O_CREAT | O_TRUNC;
	int err = allow_if(ctx, SCMP_SYS(open), masked(1, changing, O_RDONLY));

	if (err == 0)
		err = allow_if(ctx, SCMP_SYS(openat),
			       masked(2, changing, O_RDONLY));
	if (err == 0)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 0);
	return err;
}

/* A thread, never a process. clone3() hides its flags behind a pointer: without it, glibc uses
 * clone(). */
static int allow_threads(scmp_filter_ctx ctx)
{
	const scmp_datum_t thread = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND;
	int err = allow_if(ctx, SCMP_SYS(clone), masked(0, thread, thread));

	if (err == 0)
		err = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	return err;
}

static int allow_control(scmp_filter_ctx ctx)
{
	int err = allow(ctx, loop_calls, COUNT(loop_calls));

	if (err == 0)
		err = allow(ctx, resolver_calls, COUNT(resolver_calls));
	if (err == 0)
		err = allow_resolver_sockets(ctx);
	if (err == 0)
		err = allow_resolver_files(ctx);
	if (err == 0)
		err = allow_if(ctx, SCMP_SYS(ioctl), equals(1, FIONREAD));
	if (err == 0)
		err = allow_threads(ctx);
	return err;
}

static int allow_loader(scmp_filter_ctx ctx)
{
	int err = allow(ctx, loader_calls, COUNT(loader_calls));

	return err < 0 ? err : allow_data_maps(ctx);
}

static int allow_kind(scmp_filter_ctx ctx, enum sandbox_kind kind)
{
	switch (kind) {
	case SANDBOX_ENGINE:
		return allow_engine(ctx);
	case SANDBOX_CONTROL:
		return allow_control(ctx);
	case SANDBOX_LOADER:
		return allow_loader(ctx);
	}
	return -EINVAL;
}

static int build(scmp_filter_ctx ctx, enum sandbox_kind kind)
{
	int err = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);

	if (err == 0)
		err = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (err == 0) /* a binary tree: packets cost several calls each */
		err = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (err == 0)
		err = allow_base(ctx);
	if (err == 0)
		err = allow_kind(ctx, kind);
#ifdef TUND_SANITIZE
	if (err == 0)
		err = allow(ctx, sanitizer_calls, COUNT(sanitizer_calls));
#endif
	return err;
}

int sandbox_filter(enum sandbox_kind kind, char why[WHY_MAX])
{
#ifdef WITH_TSAN
	const uint32_t otherwise = SCMP_ACT_ERRNO(EPERM);
#else
	const uint32_t otherwise = SCMP_ACT_KILL_PROCESS;
#endif
	scmp_filter_ctx ctx = seccomp_init(otherwise);
	int err;

	if (!ctx)
		return why_set(why, -ENOMEM, "cannot make a system call filter");
	err = build(ctx, kind);
	if (err == 0)
		err = seccomp_load(ctx);
	seccomp_release(ctx);
	if (err < 0)
		return why_set(why, err, "cannot load the system call filter: %s",
			       strerror(-err));
	return 0;
}
