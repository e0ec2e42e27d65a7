/* SPDX-License-Identifier: ISC */
/* Errors of the packet path that a healthy host does not show, injected through the ops. */
#include <errno.h>
#include <netinet/in.h>
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

static const struct udp_ops scripted = {scripted_recvmmsg, scripted_sendmsg};

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

int main(void)
{
	Suite *suite = suite_create("udp");
	TCase *tc = tcase_create("udp");

	tcase_add_loop_test(tc, sends_by_the_script, 0, sizeof send_cases / sizeof send_cases[0]);
	tcase_add_test(tc, sends_without_a_source);
	tcase_add_test(tc, receives);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
