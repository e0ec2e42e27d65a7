/* SPDX-License-Identifier: ISC */
/*
 * What a sandboxed process can still do, and what kills it. Each case is a child that enters a
 * sandbox and does one thing. TAP; root (it changes ids); run by sys.sh.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tund/sys/memfd.h>
#include <tund/sys/sandbox.h>
#include <tund/sys/tcp.h>
#include <tund/sys/udp.h>

#include "sys_tap.h"

static const struct sandbox_user nobody = {.uid = 65534, .gid = 65534};

static int do_nothing(void)
{
	return 0;
}

static int do_socket(void)
{
	return socket(AF_INET, SOCK_DGRAM, 0) < 0;
}

static int do_packet_socket(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0) < 0;
}

static int do_open(void)
{
	return open("/etc/hostname", O_RDONLY) < 0;
}

static int do_open_write(void)
{
	return open("/tmp/tund-sandbox", O_RDWR | O_CREAT, 0600) < 0;
}

static int do_exec(void)
{
	execl("/bin/true", "true", (char *)NULL);
	return 1;
}

static int do_fork(void)
{
	return fork() < 0;
}

static int do_ptrace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0;
}

static int do_kill(void)
{
	return kill(getppid(), 0) < 0;
}

static int do_tgkill(void)
{
	return syscall(SYS_tgkill, getppid(), getppid(), 0) < 0;
}

static int do_setuid(void)
{
	return setuid(0) < 0;
}

static int do_map_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0) == MAP_FAILED;
}

static int do_connect(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};

	return connect(0, (const struct sockaddr *)&sin, sizeof sin) < 0;
}

/* What an engine lives of. */
static int do_engine_work(void)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	char *p = malloc(1 << 20), *locked = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
						  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fds[2] = {-1, -1};
	struct epoll_event event;

	if (epoll < 0 || !p || locked == MAP_FAILED || epoll_wait(epoll, &event, 1, 0) != 0)
		return 2;
	memset(p, 1, 1 << 20);
	free(p);
	if (mlock(locked, 4096) < 0 && errno != ENOMEM && errno != EPERM)
		return 3;
	if (mprotect(locked, 4096, PROT_NONE) < 0 || madvise(locked, 4096, MADV_DONTDUMP) < 0)
		return 4;
	fprintf(stderr, "# a line on standard error\n");
	return fds[0] == -1 ? 0 : 5;
}

/* Fails or not, as the host has it; what counts is that it lives. */
static int do_resolve(void)
{
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG};
	struct addrinfo *result = NULL;
	int r = getaddrinfo("edge.invalid", "51820", &hints, &result);

	if (r == 0)
		freeaddrinfo(result);
	r = getaddrinfo("localhost", "51820", &hints, &result);
	if (r == 0)
		freeaddrinfo(result);
	return r == 0 || r == EAI_NONAME || r == EAI_AGAIN || r == EAI_ADDRFAMILY ? 0 : 2;
}

static void *resolve_thread(void *arg)
{
	*(int *)arg = do_resolve();
	return NULL;
}

static int do_resolve_in_thread(void)
{
	pthread_t thread;
	int result = 3;

	if (pthread_create(&thread, NULL, resolve_thread, &result) != 0)
		return 4;
	pthread_join(thread, NULL);
	return result;
}

static int do_loader_work(void)
{
	static const char text[] = "key = value\n";
	const void *data;
	char line[32];
	size_t len;
	FILE *f = fmemopen((void *)(uintptr_t)text, sizeof text - 1, "r");
	int fd;

	if (!f || !fgets(line, sizeof line, f))
		return 2;
	fclose(f);
	if (memfd_from("test", line, strlen(line), &fd) < 0)
		return 3;
	if (memfd_map(fd, 4096, &data, &len) < 0 || len != sizeof text - 1)
		return 4;
	memfd_unmap(data, len);
	printf("# a line on standard output\n");
	fflush(stdout);
	return 0;
}

enum outcome {
	LIVES,
	DIES, /* by SIGSYS */
	DIES_UNLESS_SANITIZED,
};

static const struct {
	const char *name;
	enum sandbox_kind kind;
	int (*act)(void);
	enum outcome outcome;
} cases[] = {
	{"engine: nothing", SANDBOX_ENGINE, do_nothing, LIVES},
	{"engine: its work", SANDBOX_ENGINE, do_engine_work, LIVES},
	{"engine: socket()", SANDBOX_ENGINE, do_socket, DIES},
	{"engine: connect()", SANDBOX_ENGINE, do_connect, DIES},
	{"engine: open()", SANDBOX_ENGINE, do_open, DIES_UNLESS_SANITIZED},
	{"engine: execve()", SANDBOX_ENGINE, do_exec, DIES},
	{"engine: fork()", SANDBOX_ENGINE, do_fork, DIES},
	{"engine: ptrace()", SANDBOX_ENGINE, do_ptrace, DIES},
	{"engine: kill()", SANDBOX_ENGINE, do_kill, DIES},
	{"engine: tgkill() of another process", SANDBOX_ENGINE, do_tgkill, DIES},
	{"control: tgkill() of another process", SANDBOX_CONTROL, do_tgkill, DIES},
	{"engine: setuid()", SANDBOX_ENGINE, do_setuid, DIES},
	{"engine: executable memory", SANDBOX_ENGINE, do_map_code, DIES_UNLESS_SANITIZED},
	{"control: name resolution", SANDBOX_CONTROL, do_resolve, LIVES},
	{"control: name resolution in a thread", SANDBOX_CONTROL, do_resolve_in_thread, LIVES},
	{"control: reading /etc", SANDBOX_CONTROL, do_open, LIVES},
	{"control: a UDP socket", SANDBOX_CONTROL, do_socket, LIVES},
	{"control: a packet socket", SANDBOX_CONTROL, do_packet_socket, DIES},
	{"control: opening to write", SANDBOX_CONTROL, do_open_write, DIES_UNLESS_SANITIZED},
	{"control: execve()", SANDBOX_CONTROL, do_exec, DIES},
	{"control: fork()", SANDBOX_CONTROL, do_fork, DIES},
	{"control: setuid()", SANDBOX_CONTROL, do_setuid, DIES},
	{"loader: its work", SANDBOX_LOADER, do_loader_work, LIVES},
	{"loader: open()", SANDBOX_LOADER, do_open, DIES_UNLESS_SANITIZED},
	{"loader: socket()", SANDBOX_LOADER, do_socket, DIES},
	{"loader: execve()", SANDBOX_LOADER, do_exec, DIES},
};

static void enter(enum sandbox_kind kind)
{
	char why[WHY_MAX];

	if (sandbox_drop(kind, &nobody, why) < 0 || sandbox_filter(kind, why) < 0) {
		fprintf(stderr, "# %s\n", why);
		_exit(99);
	}
}

static int run_case(enum sandbox_kind kind, int (*act)(void))
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		enter(kind);
		_exit(act());
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static bool is_as_expected(int status, enum outcome outcome)
{
	bool lived = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	bool died = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;

	switch (outcome) {
	case LIVES:
		return lived;
	case DIES:
		return died;
	case DIES_UNLESS_SANITIZED:
#ifdef TUND_SANITIZE
		return died || lived || (WIFEXITED(status) && WEXITSTATUS(status) == 1);
#else
		return died;
#endif
	}
	return false;
}

static void test_cases(struct tap *t)
{
	static const char *const words[] = {
		[LIVES] = "lives", [DIES] = "is killed", [DIES_UNLESS_SANITIZED] = "is killed",
	};
	size_t i;

	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int status = run_case(cases[i].kind, cases[i].act);

		if (!tap_ok(t, is_as_expected(status, cases[i].outcome), "%s %s", cases[i].name,
			    words[cases[i].outcome]))
			printf("# wait status 0x%x\n", (unsigned)status);
	}
}

/* A filter that is set while a second thread runs holds for that thread, too. */
static void *wait_then_socket(void *arg)
{
	char byte;

	(void)!read(*(int *)arg, &byte, 1);
	_exit(do_socket() ? 1 : 0);
}

static void test_threads(struct tap *t)
{
	int status = 0, gate[2];
	char why[WHY_MAX];
	pthread_t thread;
	pid_t pid;

	if (pipe(gate) < 0)
		return;
	pid = fork();
	if (pid == 0) {
		if (sandbox_drop(SANDBOX_ENGINE, &nobody, why) < 0 ||
		    pthread_create(&thread, NULL, wait_then_socket, &gate[0]) != 0 ||
		    sandbox_filter(SANDBOX_ENGINE, why) < 0)
			_exit(99);
		(void)!write(gate[1], "", 1);
		pthread_join(thread, NULL);
		_exit(98);
	}
	waitpid(pid, &status, 0);
	close(gate[0]);
	close(gate[1]);
	tap_ok(t, is_as_expected(status, DIES), "the filter holds for a thread started before");
}

static bool status_has(pid_t pid, const char *line)
{
	char path[64], text[8192];
	size_t n;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	if (!f)
		return false;
	n = fread(text, 1, sizeof text - 1, f);
	fclose(f);
	text[n] = '\0';
	return strstr(text, line) != NULL;
}

static void test_status(struct tap *t, enum sandbox_kind kind, const char *name)
{
	static const char *const lines[] = {
		"\nUid:\t65534\t65534\t65534\t65534\n", "\nGid:\t65534\t65534\t65534\t65534\n",
		"\nGroups:\t \n", "\nCapInh:\t0000000000000000\n", "\nCapPrm:\t0000000000000000\n",
		"\nCapEff:\t0000000000000000\n", "\nCapBnd:\t0000000000000000\n",
		"\nCapAmb:\t0000000000000000\n", "\nNoNewPrivs:\t1\n", "\nSeccomp:\t2\n",
	};
	int gate[2], ready[2];
	char byte;
	pid_t pid;
	size_t i;

	if (pipe(gate) < 0 || pipe(ready) < 0)
		return;
	pid = fork();
	if (pid == 0) {
		enter(kind);
		(void)!write(ready[1], "", 1);
		(void)!read(gate[0], &byte, 1);
		_exit(0);
	}
	(void)!read(ready[0], &byte, 1);
	for (i = 0; i < sizeof lines / sizeof lines[0]; i++)
		tap_ok(t, status_has(pid, lines[i]), "%s: /proc/PID/status says %.*s as it should",
		       name, (int)strcspn(lines[i] + 1, ":"), lines[i] + 1);
	(void)!write(gate[1], "", 1);
	waitpid(pid, NULL, 0);
	close(gate[0]);
	close(gate[1]);
	close(ready[0]);
	close(ready[1]);
}

/* The parent's death kills a child that has changed its ids since. */
static void test_parent_death(struct tap *t)
{
	int pipe_fd[2], status;
	ssize_t n;
	char byte;
	pid_t pid;

	if (pipe(pipe_fd) < 0)
		return;
	pid = fork();
	if (pid == 0) {
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			enter(SANDBOX_ENGINE);
			(void)!write(pipe_fd[1], "", 1);
			for (;;)
				pause(); /* not allowed, if it comes to that: also the end */
		}
		(void)!read(pipe_fd[0], &byte, 1);
		_exit(0);
	}
	close(pipe_fd[1]);
	waitpid(pid, &status, 0);
	alarm(5);
	n = read(pipe_fd[0], &byte, 1); /* the end once nobody holds the other side */
	alarm(0);
	close(pipe_fd[0]);
	tap_ok(t, n == 0, "a child dies with its parent");
}

int main(void)
{
	struct tap t = {0};

	test_cases(&t);
	test_threads(&t);
	test_status(&t, SANDBOX_ENGINE, "engine");
	test_status(&t, SANDBOX_CONTROL, "control");
	test_parent_death(&t);
	printf("# Landlock: %s\n", sandbox_has_landlock() ? "yes" : "not in this kernel");
	return tap_end(&t);
}
