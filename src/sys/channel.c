/* SPDX-License-Identifier: ISC */
/* Messages between our processes. */

#include <tund/sys/channel.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define KIND_SIZE sizeof(uint32_t)

/* The kernel counts its own overhead, too, and doubles what is asked: room for a few of the
 * largest messages. */
#define CHANNEL_BUFFER (4 * CHANNEL_BODY_MAX)

/* As many as the kernel lets one message carry (SCM_MAX_FD), to find and close the surplus. */
#define RECEIVED_FDS_MAX 253

union fd_control {
	char buf[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

static int set_buffers(int fd)
{
	int size = CHANNEL_BUFFER;

	/* Past net.core.wmem_max only with CAP_NET_ADMIN, which the parent has. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) == 0)
		return 0;
	return setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0 ? 0 : -errno;
}

int channel_pair(int fds[2])
{
	int pair[2], err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	err = set_buffers(pair[0]);
	if (err == 0)
		err = set_buffers(pair[1]);
	if (err < 0) {
		close(pair[0]);
		close(pair[1]);
		return err;
	}
	fds[0] = pair[0];
	fds[1] = pair[1];
	return 0;
}

static void attach_fd(struct msghdr *msg, union fd_control *control, int fd)
{
	struct cmsghdr *c;

	memset(control, 0, sizeof *control);
	msg->msg_control = control->buf;
	msg->msg_controllen = sizeof control->buf;
	c = CMSG_FIRSTHDR(msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
}

int channel_send_parts(int channel, uint32_t kind, const struct iovec *part, unsigned count, int fd)
{
	union fd_control control;
	struct iovec iov[1 + CHANNEL_PARTS_MAX] = {{.iov_base = &kind, .iov_len = sizeof kind}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 1 + count};
	size_t len = 0;
	ssize_t n;

	if (count > CHANNEL_PARTS_MAX)
		return -EINVAL;
	for (unsigned i = 0; i < count; i++) {
		iov[1 + i] = part[i];
		len += part[i].iov_len;
	}
	if (len > CHANNEL_BODY_MAX)
		return -EMSGSIZE;
	if (fd >= 0)
		attach_fd(&msg, &control, fd);
	do
		n = sendmsg(channel, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return 0;
	return errno == ECONNRESET ? -EPIPE : -errno;
}

int channel_send(int channel, uint32_t kind, const void *body, size_t len, int fd)
{
	struct iovec part = {.iov_base = (void *)(uintptr_t)body, .iov_len = len};

	return channel_send_parts(channel, kind, &part, 1, fd);
}

/* Takes the descriptors out of a message: the first is kept, the others are closed. Returns how
 * many there were. */
static size_t take_fds(struct msghdr *msg, int *kept)
{
	struct cmsghdr *c;
	size_t seen = 0;
	int fd;

	*kept = -1;
	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t count, i;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof fd;
		for (i = 0; i < count; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (seen++ == 0)
				*kept = fd;
			else
				close(fd);
		}
	}
	return seen;
}

int channel_receive(int channel, void *buf, size_t size, struct channel_message *out)
{
	union {
		char buf[CMSG_SPACE(RECEIVED_FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	uint32_t kind;
	struct iovec iov[2] = {
		{.iov_base = &kind, .iov_len = sizeof kind},
		{.iov_base = buf, .iov_len = size},
	};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2, .msg_control = control.buf,
			     .msg_controllen = sizeof control.buf};
	size_t fds;
	ssize_t n;
	int fd;

	do
		n = recvmsg(channel, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	fds = take_fds(&msg, &fd);
	/* A message of no bytes at all looks like the end; ours always have a kind. */
	if (n == 0 && fds == 0)
		return 0;
	if ((size_t)n < KIND_SIZE || fds > 1 || msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		if (fd >= 0)
			close(fd);
		return -EBADMSG;
	}
	*out = (struct channel_message){.kind = kind, .len = (size_t)n - KIND_SIZE, .fd = fd,
					.body = buf};
	return 1;
}
