/* SPDX-License-Identifier: ISC */
/* TCP sockets. */

#include <tund/sys/tcp.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECES_MAX 16

/* Probes: after 10 s of silence, every 5 s, until TCP_DEAD_AFTER_MS is over. */
#define KEEPALIVE_IDLE_S 10
#define KEEPALIVE_INTERVAL_S 5
#define KEEPALIVE_COUNT 4

static int tune(int fd)
{
	static const struct {
		int level, option, value;
	} table[] = {
		{IPPROTO_TCP, TCP_NODELAY, 1},
		{IPPROTO_TCP, TCP_USER_TIMEOUT, TCP_DEAD_AFTER_MS},
		{IPPROTO_TCP, TCP_NOTSENT_LOWAT, TCP_UNSENT_BYTES},
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S},
		{IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S},
		{IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT},
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++)
		if (setsockopt(fd, table[i].level, table[i].option, &table[i].value,
			       sizeof table[i].value) < 0)
			return -errno;
	return 0;
}

int tcp_listen(uint16_t port, const struct socket_options *options, int *fd, char why[WHY_MAX])
{
	int s, err;

	err = socket_open_bound(&socket_kernel, SOCK_STREAM, port, options, &s);
	if (err == 0 && listen(s, TCP_BACKLOG) < 0) {
		err = -errno;
		close(s);
	}
	if (err == -EADDRINUSE)
		return why_set(why, err,
			       "TCP port %u is in use: another program has it (see \"ss -ltnp "
			       "sport = %u\"). Stop it or choose another port", port, port);
	if (err < 0)
		return why_set(why, err, "cannot listen on TCP port %u: %s", port,
			       strerror(-err));
	*fd = s;
	return 0;
}

static int begin_connect(int fd, const struct endpoint *remote)
{
	struct sockaddr_storage sa;
	socklen_t len = endpoint_to_sockaddr(remote, remote->addr.family == 6, &sa);
	int err = tune(fd);

	if (err < 0)
		return err;
	if (connect(fd, (const struct sockaddr *)&sa, len) < 0 && errno != EINPROGRESS)
		return -errno;
	return 0;
}

int tcp_connect(const struct endpoint *remote, const struct socket_options *options, int *fd,
		char why[WHY_MAX])
{
	char text[ENDPOINT_STRLEN];
	int s, err;

	err = socket_open_for(remote, SOCK_STREAM, options, &s);
	if (err == 0) {
		err = begin_connect(s, remote);
		if (err == 0) {
			*fd = s;
			return 0;
		}
		close(s);
	}
	return why_set(why, err, "cannot open a TCP connection to %s: %s",
		       endpoint_format(remote, text), strerror(-err));
}

/* accept(2): errors already pending on the new connection, to be treated like none waiting. */
static int accept_error(int error)
{
	switch (error) {
	case ENETDOWN:
	case EPROTO:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case EOPNOTSUPP:
	case ENETUNREACH:
	case EINTR:
		return -ECONNABORTED;
	}
	return -error;
}

int tcp_accept(int listener, int *fd, struct endpoint *remote, struct endpoint *local)
{
	struct endpoint there, here;
	int s = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (s < 0)
		return accept_error(errno);
	/* The other side may be gone already, which shows here first. */
	if (tune(s) < 0 || socket_remote(s, &there) < 0 || socket_local(s, &here) < 0) {
		close(s);
		return -ECONNABORTED;
	}
	*fd = s;
	*remote = there;
	*local = here;
	return 0;
}

ssize_t tcp_read(int fd, void *buf, size_t len)
{
	ssize_t n;

	do
		n = recv(fd, buf, len, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

ssize_t tcp_write(int fd, const struct iovec *pieces, size_t count)
{
	struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)pieces, .msg_iovlen = count};
	ssize_t n;

	if (count > PIECES_MAX)
		return -EINVAL;
	do
		n = sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}
