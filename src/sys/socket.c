/* SPDX-License-Identifier: ISC */
/* What UDP and TCP sockets have in common. */

#include <tund/sys/socket.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct socket_ops socket_kernel = {.socket = socket, .bind = bind};

/* Past net.core.{r,w}mem_max where allowed, else as far as they go; not an error, the caller
 * looks at what became of it. */
static void set_buffers(int fd, int bytes)
{
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

static int apply_options(int fd, const struct socket_options *options)
{
	if (options->buffer_bytes > 0)
		set_buffers(fd, options->buffer_bytes);
	if (options->mark != 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_MARK, &options->mark, sizeof options->mark) < 0)
		return -errno;
	return 0;
}

static int open_socket(const struct socket_ops *ops, int domain, int type,
		       const struct socket_options *options, int *out)
{
	int fd = ops->socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	err = apply_options(fd, options);
	if (err < 0) {
		close(fd);
		return err;
	}
	*out = fd;
	return 0;
}

int socket_share_port(int fd)
{
	int on = 1;

	return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0 ? -errno : 0;
}

static int set_bind_options(int fd, int domain, int type, bool share_port)
{
	int on = 1, off = 0;

	if (domain == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) < 0)
		return -errno;
	if (share_port && socket_share_port(fd) < 0)
		return -errno;
	/* For TCP it only permits a restart while old connections linger; for UDP it would let
	 * another process of the user share the port. */
	if (type == SOCK_STREAM &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
		return -errno;
	return 0;
}

static int open_any(const struct socket_ops *ops, int domain, int type, uint16_t port,
		    const struct socket_options *options, int *out)
{
	struct endpoint any = {.addr.family = domain == AF_INET6 ? 6 : 4, .port = port};
	struct sockaddr_storage sa;
	socklen_t len = endpoint_to_sockaddr(&any, domain == AF_INET6, &sa);
	int fd, err;

	err = open_socket(ops, domain, type, options, &fd);
	if (err < 0)
		return err;
	err = set_bind_options(fd, domain, type, options->share_port);
	if (err == 0 && ops->bind(fd, (const struct sockaddr *)&sa, len) < 0)
		err = -errno;
	if (err < 0) {
		close(fd);
		return err;
	}
	*out = fd;
	return 0;
}

int socket_open_bound(const struct socket_ops *ops, int type, uint16_t port,
		      const struct socket_options *options, int *fd)
{
	int err = open_any(ops, AF_INET6, type, port, options, fd);

	/* No IPv6 at all, or ipv6.disable=1 (which fails in bind). */
	if (err == -EAFNOSUPPORT || err == -EADDRNOTAVAIL)
		err = open_any(ops, AF_INET, type, port, options, fd);
	return err;
}

int socket_open_for(const struct endpoint *remote, int type, const struct socket_options *options,
		    int *fd)
{
	return open_socket(&socket_kernel, remote->addr.family == 6 ? AF_INET6 : AF_INET, type,
			   options, fd);
}

static int get_int(int fd, int option, int *value)
{
	socklen_t len = sizeof *value;

	return getsockopt(fd, SOL_SOCKET, option, value, &len) < 0 ? -errno : 0;
}

int socket_set_mark(int fd, uint32_t mark)
{
	return setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) < 0 ? -errno : 0;
}

int socket_receive_buffer(int fd)
{
	int value = 0;
	int err = get_int(fd, SO_RCVBUF, &value);

	return err < 0 ? err : value;
}

int socket_family(int fd)
{
	int value = 0;
	int err = get_int(fd, SO_DOMAIN, &value);

	if (err < 0)
		return err;
	return value == AF_INET || value == AF_INET6 ? value : -EAFNOSUPPORT;
}

int socket_local(int fd, struct endpoint *out)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof sa;

	if (getsockname(fd, (struct sockaddr *)&sa, &len) < 0)
		return -errno;
	return endpoint_from_sockaddr((const struct sockaddr *)&sa, out);
}

int socket_remote(int fd, struct endpoint *out)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof sa;

	if (getpeername(fd, (struct sockaddr *)&sa, &len) < 0)
		return -errno;
	return endpoint_from_sockaddr((const struct sockaddr *)&sa, out);
}

int socket_error(int fd)
{
	int value = 0;
	int err = get_int(fd, SO_ERROR, &value);

	return err < 0 ? err : -value;
}

bool socket_error_is_harmless(int error)
{
	switch (abs(error)) {
	case EAGAIN:
	case EINTR:
	case ENOBUFS:
	case ENOMEM:
	case ECONNREFUSED:
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EHOSTDOWN:
	case ENONET:
	case ENOPROTOOPT: /* ICMP protocol unreachable */
	case EPROTO:      /* ICMP parameter problem */
	case EOPNOTSUPP:  /* ICMP source route failed */
	case EMSGSIZE:
	case EACCES:      /* ICMP administratively prohibited; an nft rule that rejects */
	case EPERM:       /* an nft rule that drops */
	case EADDRNOTAVAIL:
	case EINVAL:      /* a source address that has gone */
		return true;
	}
	return false;
}
