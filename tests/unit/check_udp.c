/* SPDX-License-Identifier: ISC */
/* Errors of the packet path that a healthy host does not show, injected through the ops. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>

#include <tund/sys/udp.h>

#include "tap.h"

/* What the next sends answer, and what they were asked. */
static int script[4];
static unsigned sends;
static bool had_source[4];

static ssize_t scripted_sendmsg(int fd, const struct msghdr *message)
{
	(void)fd;
	had_source[sends] = message->msg_controllen > 0;
	errno = script[sends++];
	return errno ? -1 : 4;
}

static int scripted_recvmmsg(int fd, struct mmsghdr *messages, unsigned count)
{
	struct sockaddr_in6 from = {.sin6_family = AF_INET6, .sin6_port = htons(4000)};
	unsigned i;

	(void)fd;
	if (script[0] && sends++ == 0) {
		errno = script[0];
		return -1;
	}
	memcpy(from.sin6_addr.s6_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\7", 16);
	for (i = 0; i < count; i++) {
		memcpy(messages[i].msg_hdr.msg_name, &from, sizeof from);
		messages[i].msg_hdr.msg_namelen = sizeof from;
		messages[i].msg_hdr.msg_controllen = 0;
		messages[i].msg_hdr.msg_flags = i == 1 ? MSG_TRUNC : 0;
		messages[i].msg_len = 10 + i;
	}
	return (int)count;
}

/* One call of many: as many as the script says, or its error where that is negative. */
static unsigned calls, messages_seen;
static size_t sizes_seen[UDP_TRAIN_MAX];

static int scripted_sendmmsg(int fd, struct mmsghdr *messages, unsigned count)
{
	int answer = script[1 + calls++];

	(void)fd;
	if (answer < 0) {
		errno = -answer;
		return -1;
	}
	if ((unsigned)answer > count)
		answer = (int)count;
	for (int i = 0; i < answer; i++) {
		had_source[0] = messages[i].msg_hdr.msg_controllen > 0;
		sizes_seen[messages_seen++] = messages[i].msg_hdr.msg_iov->iov_len;
	}
	return answer;
}

static const struct udp_ops scripted = {scripted_recvmmsg, scripted_sendmsg, scripted_sendmmsg};

static struct udp_socket socket_with(bool connected, int first, int second, int third)
{
	struct udp_socket s = {.fd = -1, .v6 = true, .connected = connected, .ops = &scripted};

	script[0] = first;
	script[1] = second;
	script[2] = third;
	sends = 0;
	return s;
}

static const struct {
	bool connected;
	int script[3], result;
	unsigned sends;
} send_cases[] = {
	{false, {0}, 0, 1},
	{false, {EINTR, 0}, 0, 2},
	{false, {EINVAL, 0}, 1, 2},
	{false, {ENETUNREACH, 0}, 1, 2},
	{false, {ENETUNREACH, ENETUNREACH}, -ENETUNREACH, 2},
	{false, {EAGAIN}, -EAGAIN, 1},
	{false, {EMSGSIZE}, -EMSGSIZE, 1},
	{false, {EPERM}, -EPERM, 1},
	{true, {0}, 0, 1},
	{true, {ECONNREFUSED, 0}, 0, 2},
	{true, {ECONNREFUSED, ECONNREFUSED}, -ECONNREFUSED, 2},
	{true, {ENETUNREACH}, -ENETUNREACH, 1},
};

START_TEST(sends_by_the_script)
{
	const int *s = send_cases[_i].script;
	struct udp_socket socket = socket_with(send_cases[_i].connected, s[0], s[1], s[2]);
	struct endpoint local, remote;

	ck_assert_int_eq(endpoint_parse("192.0.2.1:51820", &local), 0);
	ck_assert_int_eq(endpoint_parse("192.0.2.7:4000", &remote), 0);
	ck_assert_int_eq(udp_send(&socket, &local, &remote, "data", 4, 0), send_cases[_i].result);
	ck_assert_uint_eq(sends, send_cases[_i].sends);
	ck_assert_int_eq(had_source[0], !send_cases[_i].connected);
	if (send_cases[_i].result == 1)
		ck_assert(!had_source[1]);
}
END_TEST

START_TEST(sends_without_a_source)
{
	struct udp_socket socket = socket_with(false, ENETUNREACH, 0, 0);
	struct endpoint none = {0}, remote;

	ck_assert_int_eq(endpoint_parse("192.0.2.7:4000", &remote), 0);
	ck_assert_int_eq(udp_send(&socket, NULL, &remote, "data", 4, 0), -ENETUNREACH);
	ck_assert_int_eq(udp_send(&socket, &none, &remote, "data", 4, 0), 0);
	ck_assert(!had_source[0] && !had_source[1]);
}
END_TEST

START_TEST(receives)
{
	struct udp_socket socket = socket_with(false, EINTR, 0, 0);
	struct udp_datagram in[3];
	static uint8_t buffers[3 * 100];
	char text[ENDPOINT_STRLEN];

	ck_assert_int_eq(udp_receive(&socket, buffers, 100, in, 3), 3);
	ck_assert_str_eq(endpoint_format(&in[2].remote, text), "192.0.2.7:4000");
	ck_assert_uint_eq(in[2].local.addr.family, 0);
	ck_assert_ptr_eq(in[2].data, buffers + 200);
	ck_assert_uint_eq(in[0].len, 10);
	ck_assert_uint_eq(in[1].len, 0);
	ck_assert_uint_eq(in[2].len, 12);
	socket = socket_with(true, ECONNREFUSED, 0, 0);
	ck_assert_int_eq(udp_receive(&socket, buffers, 100, in, 3), -ECONNREFUSED);
}
END_TEST

/* A train of 5 of which the last is short: first in one call (script[0]), then by sendmmsg. */
static const struct {
	bool connected, gso;
	int script[4], result;
	unsigned sends, calls, messages;
	bool gso_after;
} train_cases[] = {
	{true, true, {0}, 0, 1, 0, 0, true},
	{true, true, {EIO, 64}, 0, 1, 1, 5, false},
	{false, true, {EIO, 64}, 0, 1, 1, 5, false},
	{true, true, {EINVAL, 64}, 0, 1, 1, 5, false},
	{true, true, {EINVAL, -EMSGSIZE}, -EMSGSIZE, 1, 1, 0, true},
	{true, true, {EIO, -ENOBUFS}, -ENOBUFS, 1, 1, 0, true},
	{true, true, {ENOBUFS}, -ENOBUFS, 1, 0, 0, true},
	{true, true, {EMSGSIZE}, -EMSGSIZE, 1, 0, 0, true},
	{true, false, {0, 64}, 0, 0, 1, 5, false},
	{true, false, {0, 2, 64}, 0, 0, 2, 5, false},
	{true, false, {0, 2, -EAGAIN}, -EAGAIN, 0, 2, 2, false},
	{true, false, {0, -EINTR, 64}, 0, 0, 2, 5, false},
	{true, false, {0, -ECONNREFUSED, 64}, 0, 0, 2, 5, false},
	{true, false, {0, -ECONNREFUSED, -ECONNREFUSED}, -ECONNREFUSED, 0, 2, 0, false},
	{false, false, {0, -ENETUNREACH, 64}, 1, 0, 2, 5, false},
	{false, false, {0, 3, -EINVAL, 64}, 1, 0, 3, 5, false},
	{false, false, {0, -EINVAL, -EINVAL}, -EINVAL, 0, 2, 0, false},
};

START_TEST(sends_trains)
{
	struct udp_socket socket = socket_with(train_cases[_i].connected, 0, 0, 0);
	static uint8_t data[450];
	struct endpoint local, remote;

	socket.gso = train_cases[_i].gso;
	memcpy(script, train_cases[_i].script, sizeof script);
	calls = messages_seen = 0;
	ck_assert_int_eq(endpoint_parse("192.0.2.1:51820", &local), 0);
	ck_assert_int_eq(endpoint_parse("192.0.2.7:4000", &remote), 0);
	ck_assert_int_eq(udp_send_train(&socket, &local, &remote, data, sizeof data, 100, 0),
			 train_cases[_i].result);
	ck_assert_uint_eq(sends, train_cases[_i].sends);
	ck_assert_uint_eq(calls, train_cases[_i].calls);
	ck_assert_uint_eq(messages_seen, train_cases[_i].messages);
	ck_assert_int_eq(socket.gso, train_cases[_i].gso_after);
	for (unsigned i = 0; i < messages_seen; i++)
		ck_assert_uint_eq(sizes_seen[i], i == 4 ? 50 : 100);
	if (messages_seen > 0)
		ck_assert_int_eq(had_source[0], !socket.connected && train_cases[_i].result == 0);
}
END_TEST

START_TEST(a_train_of_one_is_a_datagram)
{
	struct udp_socket socket = socket_with(true, 0, 0, 0);

	socket.gso = true;
	ck_assert_int_eq(udp_send_train(&socket, NULL, NULL, "data", 4, 4, 0), 0);
	ck_assert_uint_eq(sends, 1);
	ck_assert(!had_source[0]); /* no control message at all */
}
END_TEST

/* What the kernel says of a train: message 0 is one of 1000, message 1 a single datagram of which
 * it also says the size, message 2 says nothing. */
static int recvmmsg_trains(int fd, struct mmsghdr *messages, unsigned count)
{
	const int size[2] = {1000, 700};

	(void)fd;
	ck_assert_uint_eq(count, 3);
	for (unsigned i = 0; i < 3; i++) {
		struct msghdr *m = &messages[i].msg_hdr;
		struct cmsghdr *c = CMSG_FIRSTHDR(m);

		m->msg_namelen = 0;
		messages[i].msg_len = i == 0 ? 2500 : 700;
		m->msg_controllen = i < 2 ? CMSG_SPACE(sizeof(int)) : 0;
		if (i == 2)
			break;
		c->cmsg_level = SOL_UDP;
		c->cmsg_type = UDP_GRO;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &size[i], sizeof(int));
	}
	return 3;
}

START_TEST(receives_trains)
{
	const struct udp_ops ops = {.recvmmsg = recvmmsg_trains};
	struct udp_socket socket = {.fd = -1, .ops = &ops};
	static uint8_t buffers[3 * 4000];
	struct udp_datagram in[3];

	ck_assert_int_eq(udp_receive(&socket, buffers, 4000, in, 3), 3);
	ck_assert_uint_eq(in[0].segment, 1000);
	ck_assert_uint_eq(in[0].len, 2500);
	ck_assert_uint_eq(in[1].segment, 0);
	ck_assert_uint_eq(in[1].len, 700);
	ck_assert_uint_eq(in[2].segment, 0);
}
END_TEST

START_TEST(has_no_gro)
{
	struct udp_socket none = {.fd = -1, .ops = &scripted};

	ck_assert(!udp_set_gro(&none));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("udp");
	TCase *tc = tcase_create("udp");

	tcase_add_loop_test(tc, sends_by_the_script, 0, sizeof send_cases / sizeof send_cases[0]);
	tcase_add_test(tc, sends_without_a_source);
	tcase_add_test(tc, receives);
	tcase_add_loop_test(tc, sends_trains, 0, sizeof train_cases / sizeof train_cases[0]);
	tcase_add_test(tc, a_train_of_one_is_a_datagram);
	tcase_add_test(tc, receives_trains);
	tcase_add_test(tc, has_no_gro);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
