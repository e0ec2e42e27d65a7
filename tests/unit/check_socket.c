/* SPDX-License-Identifier: ISC */
/* A host without IPv6, played through the ops. Real traffic: tests/system/sys.sh. */
#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include <tund/sys/socket.h>

#include "tap.h"

static const struct socket_options plain;

static int no_v6_socket(int domain, int type, int protocol)
{
	if (domain == AF_INET6) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	return socket(domain, type, protocol);
}

static int no_v6_bind(int fd, const struct sockaddr *sa, socklen_t len)
{
	if (sa->sa_family == AF_INET6) {
		errno = EADDRNOTAVAIL;
		return -1;
	}
	return bind(fd, sa, len);
}

static int taken(int fd, const struct sockaddr *sa, socklen_t len)
{
	(void)fd;
	(void)sa;
	(void)len;
	errno = EADDRINUSE;
	return -1;
}

static int no_descriptors(int domain, int type, int protocol)
{
	(void)domain;
	(void)type;
	(void)protocol;
	errno = EMFILE;
	return -1;
}

static const struct {
	struct socket_ops ops;
	int result, family;
} cases[] = {
	{{no_v6_socket, bind}, 0, AF_INET},
	{{socket, no_v6_bind}, 0, AF_INET},
	{{socket, taken}, -EADDRINUSE, 0},
	{{no_descriptors, bind}, -EMFILE, 0},
};

START_TEST(falls_back_to_ipv4)
{
	int type = _i % 2 ? SOCK_STREAM : SOCK_DGRAM;
	int fd = -1;

	_i /= 2;
	ck_assert_int_eq(socket_open_bound(&cases[_i].ops, type, 0, &plain, &fd), cases[_i].result);
	if (cases[_i].result == 0) {
		struct endpoint local = {0};

		ck_assert_int_eq(socket_family(fd), cases[_i].family);
		ck_assert_int_eq(socket_local(fd, &local), 0);
		ck_assert_uint_ne(local.port, 0);
		close(fd);
	} else {
		ck_assert_int_eq(fd, -1);
	}
}
END_TEST

START_TEST(tells_harmless_errors)
{
	ck_assert(socket_error_is_harmless(-ECONNREFUSED));
	ck_assert(socket_error_is_harmless(EAGAIN));
	ck_assert(socket_error_is_harmless(-EMSGSIZE));
	ck_assert(!socket_error_is_harmless(-EBADF));
	ck_assert(!socket_error_is_harmless(-EFAULT));
	ck_assert(!socket_error_is_harmless(-EPIPE));
	ck_assert(!socket_error_is_harmless(0));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("socket");
	TCase *tc = tcase_create("socket");

	tcase_add_loop_test(tc, falls_back_to_ipv4, 0, 2 * sizeof cases / sizeof cases[0]);
	tcase_add_test(tc, tells_harmless_errors);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
