/* SPDX-License-Identifier: ISC */
/*
 * What the engine's workers live of, in its sandbox: threads that are started between the two steps
 * and work behind the filter. Each has a network namespace of its own:
 *
 *     [ lo: a UDP socket that talks to itself ]  [ tund0 ]
 *
 * TAP; root; run by sys.sh.
 */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <tund/sys/sandbox.h>
#include <tund/sys/tun.h>
#include <tund/sys/udp.h>

#include "sys_tap.h"

#define WORKERS 2

static const struct sandbox_user nobody = {.uid = 65534, .gid = 65534};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool confined;

static void wait_for_the_filter(void)
{
	struct timespec until;

	pthread_mutex_lock(&lock);
	while (!confined) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += 1;
		pthread_cond_timedwait(&changed, &lock, &until);
	}
	pthread_mutex_unlock(&lock);
}

static int trains_work(const struct udp_socket *s)
{
	static _Thread_local uint8_t data[3000], in[UDP_GRO_ROOM];
	struct udp_socket from = *s;
	struct udp_datagram d;

	if (!udp_set_gro(s) || udp_send_train(&from, NULL, NULL, data, 3000, 1000, 0) != 0)
		return 3;
	from.gso = false;
	if (udp_send_train(&from, NULL, NULL, data, 3000, 1000, 0) != 0)
		return 4;
	return udp_receive(s, in, sizeof in, &d, 1) == 1 ? 0 : 5;
}

static int tun_works(int tun)
{
	uint8_t packet[100] = {0};
	struct iovec pieces[2] = {{packet, 10}, {packet + 10, 40}};

	if (tun_read(&tun_kernel, tun, packet, sizeof packet) != -EAGAIN)
		return 6;
	return tun_write(&tun_kernel, tun, pieces, 2) < 0 ? 0 : 7; /* no packet at all */
}

struct work {
	struct udp_socket udp;
	int tun, result;
};

static void *worker(void *arg)
{
	struct work *work = arg;
	int epoll, wake;
	uint64_t one = 1;
	struct epoll_event event = {.events = EPOLLIN};

	wait_for_the_filter();
	epoll = epoll_create1(EPOLL_CLOEXEC);
	wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (epoll < 0 || wake < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, wake, &event) < 0 ||
	    write(wake, &one, sizeof one) < 0 || epoll_wait(epoll, &event, 1, 1000) != 1)
		work->result = 2;
	if (work->result == 0)
		work->result = trains_work(&work->udp);
	if (work->result == 0)
		work->result = tun_works(work->tun);
	return NULL;
}

/* A socket that talks to itself, and a TUN. */
static bool make_work(struct work *work)
{
	const struct tun_options options = {.owner = nobody.uid, .queues = 1, .vnet_hdr = true};
	const struct socket_options plain = {0};
	struct sockaddr_in6 self;
	socklen_t len = sizeof self;
	struct tun_features features;
	char why[WHY_MAX];
	int fd;

	if (unshare(CLONE_NEWNET) < 0 || system("ip link set lo up") != 0 ||
	    tun_open(&tun_kernel, "tund0", &options, &features, &work->tun, why) < 0 ||
	    udp_open_bound(0, 1, &plain, &fd, why) < 0 ||
	    getsockname(fd, (struct sockaddr *)&self, &len) < 0)
		return false;
	self.sin6_addr = in6addr_loopback;
	return connect(fd, (const struct sockaddr *)&self, len) == 0 &&
	       udp_socket_init(&work->udp, fd, &udp_kernel) == 0;
}

/* In a process of its own. Returns what the first worker has that failed; 0. */
static int run(void)
{
	struct work works[WORKERS] = {0};
	pthread_t threads[WORKERS];
	char why[WHY_MAX];
	int result = 0;

	for (int i = 0; i < WORKERS; i++)
		if (!make_work(&works[i]))
			return 20;
	if (sandbox_drop(SANDBOX_ENGINE, &nobody, why) < 0)
		return 21;
	for (int i = 0; i < WORKERS; i++)
		if (pthread_create(&threads[i], NULL, worker, &works[i]) != 0)
			return 22;
	if (sandbox_filter(SANDBOX_ENGINE, why) < 0)
		return 23;
	pthread_mutex_lock(&lock);
	confined = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < WORKERS; i++) {
		pthread_join(threads[i], NULL);
		result = result ? result : works[i].result;
	}
	return result;
}

int main(void)
{
	struct tap t = {0};
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(run());
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	tap_ok(&t, status == 0, "workers do their work in the sandbox: wait status 0x%x",
	       (unsigned)status);
	return tap_end(&t);
}
