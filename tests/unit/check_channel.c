/* SPDX-License-Identifier: ISC */
/* Messages and descriptors between two ends: whole, and whatever a wrong sender may send. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tund/sys/channel.h>

#include "tap.h"

static int pair[2];
static _Alignas(8) uint8_t buffer[CHANNEL_BODY_MAX];

static void setup(void)
{
	ck_assert_int_eq(channel_pair(pair), 0);
}

static void teardown(void)
{
	close(pair[0]);
	close(pair[1]);
}

/* Descriptors that are open now: the lowest free number tells of a leak. */
static int next_fd(void)
{
	int fd = dup(pair[0]);

	close(fd);
	return fd;
}

START_TEST(carries_a_message)
{
	struct channel_message m = {0};

	ck_assert_int_eq(channel_receive(pair[1], buffer, sizeof buffer, &m), -EAGAIN);
	ck_assert_int_eq(channel_send(pair[0], 7, "hello", 5, -1), 0);
	ck_assert_int_eq(channel_receive(pair[1], buffer, sizeof buffer, &m), 1);
	ck_assert_uint_eq(m.kind, 7);
	ck_assert_uint_eq(m.len, 5);
	ck_assert_int_eq(m.fd, -1);
	ck_assert_mem_eq(m.body, "hello", 5);
}
END_TEST

START_TEST(carries_no_body)
{
	struct channel_message m = {0};

	ck_assert_int_eq(channel_send(pair[0], 0, NULL, 0, -1), 0);
	ck_assert_int_eq(channel_receive(pair[1], buffer, sizeof buffer, &m), 1);
	ck_assert_uint_eq(m.len, 0);
}
END_TEST

START_TEST(carries_the_largest)
{
	static uint8_t body[CHANNEL_BODY_MAX + 1];
	struct channel_message m = {0};

	memset(body, 0xa5, sizeof body);
	ck_assert_int_eq(channel_send(pair[0], 1, body, CHANNEL_BODY_MAX + 1, -1), -EMSGSIZE);
	ck_assert_int_eq(channel_send(pair[0], 1, body, CHANNEL_BODY_MAX, -1), 0);
	ck_assert_int_eq(channel_receive(pair[1], buffer, sizeof buffer, &m), 1);
	ck_assert_uint_eq(m.len, CHANNEL_BODY_MAX);
	ck_assert_mem_eq(m.body, body, CHANNEL_BODY_MAX);
}
END_TEST

START_TEST(carries_a_descriptor)
{
	struct channel_message m = {0};
	int pipe_fd[2];
	char byte = 0;

	ck_assert_int_eq(pipe(pipe_fd), 0);
	ck_assert_int_eq(channel_send(pair[0], 3, "x", 1, pipe_fd[1]), 0);
	close(pipe_fd[1]);
	ck_assert_int_eq(channel_receive(pair[1], buffer, sizeof buffer, &m), 1);
	ck_assert_int_ge(m.fd, 0);
	ck_assert_int_ne(fcntl(m.fd, F_GETFD) & FD_CLOEXEC, 0);
	ck_assert_int_eq(write(m.fd, "y", 1), 1);
	ck_assert_int_eq(read(pipe_fd[0], &byte, 1), 1);
	ck_assert_int_eq(byte, 'y');
	close(m.fd);
	close(pipe_fd[0]);
}
END_TEST

START_TEST(tells_of_a_full_queue_and_of_the_end)
{
	struct channel_message m = {0};
	int sent = 0, err;

	while ((err = channel_send(pair[0], 1, buffer, 1000, -1)) == 0)
		sent++;
	ck_assert_int_eq(err, -EAGAIN);
	ck_assert_int_gt(sent, 10);
	while (sent-- > 0)
		ck_assert_int_eq(channel_receive(pair[1], buffer, sizeof buffer, &m), 1);
	ck_assert_int_eq(channel_receive(pair[1], buffer, sizeof buffer, &m), -EAGAIN);
	shutdown(pair[0], SHUT_WR);
	ck_assert_int_eq(channel_receive(pair[1], buffer, sizeof buffer, &m), 0);
	close(pair[1]);
	ck_assert_int_eq(channel_send(pair[0], 1, buffer, 8, -1), -EPIPE);
	pair[1] = dup(pair[0]);
}
END_TEST

START_TEST(tells_of_the_end_with_unread_messages)
{
	struct channel_message m = {0};

	ck_assert_int_eq(channel_send(pair[0], 1, "a", 1, -1), 0);
	ck_assert_int_eq(channel_send(pair[1], 1, "b", 1, -1), 0);
	close(pair[0]);
	ck_assert_int_eq(channel_receive(pair[1], buffer, sizeof buffer, &m), 0);
	pair[0] = dup(pair[1]);
}
END_TEST

static void send_raw(const void *data, size_t len, const int *fds, size_t count)
{
	union {
		char buf[CMSG_SPACE(8 * sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)data, .iov_len = len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c;

	if (count > 0) {
		msg.msg_control = control.buf;
		msg.msg_controllen = CMSG_SPACE(count * sizeof *fds);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(count * sizeof *fds);
		memcpy(CMSG_DATA(c), fds, count * sizeof *fds);
	}
	ck_assert_int_eq(sendmsg(pair[0], &msg, 0), (ssize_t)len);
}

START_TEST(refuses_a_message_without_a_kind)
{
	struct channel_message m = {.kind = 99, .fd = -7};
	int fds[1] = {pair[0]};
	int before = next_fd();

	send_raw("abc", 3, fds, 1);
	ck_assert_int_eq(channel_receive(pair[1], buffer, sizeof buffer, &m), -EBADMSG);
	ck_assert_int_eq(next_fd(), before);
	ck_assert_uint_eq(m.kind, 99);
	ck_assert_int_eq(m.fd, -7);
}
END_TEST

START_TEST(refuses_surplus_descriptors_and_closes_them)
{
	struct channel_message m = {0};
	int fds[8], before = next_fd();

	for (int i = 0; i < 8; i++)
		fds[i] = pair[0];
	send_raw("kindbody", 8, fds, 8);
	ck_assert_int_eq(channel_receive(pair[1], buffer, sizeof buffer, &m), -EBADMSG);
	send_raw("kindbody", 8, fds, 2);
	ck_assert_int_eq(channel_receive(pair[1], buffer, sizeof buffer, &m), -EBADMSG);
	ck_assert_int_eq(next_fd(), before);
}
END_TEST

START_TEST(refuses_what_does_not_fit)
{
	struct channel_message m = {0};
	int before = next_fd();

	ck_assert_int_eq(channel_send(pair[0], 1, buffer, 100, pair[0]), 0);
	ck_assert_int_eq(channel_send(pair[0], 2, buffer, 50, -1), 0);
	ck_assert_int_eq(channel_receive(pair[1], buffer, 99, &m), -EBADMSG);
	ck_assert_int_eq(next_fd(), before);
	ck_assert_int_eq(channel_receive(pair[1], buffer, 99, &m), 1);
	ck_assert_uint_eq(m.kind, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("channel");
	TCase *tc = tcase_create("channel");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, carries_a_message);
	tcase_add_test(tc, carries_no_body);
	tcase_add_test(tc, carries_the_largest);
	tcase_add_test(tc, carries_a_descriptor);
	tcase_add_test(tc, tells_of_a_full_queue_and_of_the_end);
	tcase_add_test(tc, tells_of_the_end_with_unread_messages);
	tcase_add_test(tc, refuses_a_message_without_a_kind);
	tcase_add_test(tc, refuses_surplus_descriptors_and_closes_them);
	tcase_add_test(tc, refuses_what_does_not_fit);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
