/* SPDX-License-Identifier: ISC */
/* The command socket: who finds it, who is found behind it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tund/sys/file.h>
#include <tund/sys/unixsock.h>

#include "tap.h"

static char dir[] = "/tmp/tund-check-unix-XXXXXX";
static char path[sizeof dir + 16];

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/sock", dir);
}

static void teardown(void)
{
	unlink(path);
	rmdir(dir);
}

START_TEST(connects)
{
	int listener, client, server;
	struct stat st;
	uid_t uid = 99;
	pid_t pid = 0;

	umask(077);
	ck_assert_int_eq(unixsock_connect(path, &client), -ENOENT);
	ck_assert_int_eq(unixsock_listen(path, 0620, &listener), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0620);
	ck_assert_int_eq(unixsock_accept(listener, &server), -EAGAIN);
	ck_assert_int_eq(unixsock_connect(path, &client), 0);
	ck_assert_int_eq(unixsock_accept(listener, &server), 0);
	ck_assert_int_eq(unixsock_peer(server, &pid, &uid), 0);
	ck_assert_uint_eq(uid, getuid());
	ck_assert_int_eq(pid, getpid());
	close(client);
	close(server);
	close(listener);
}
END_TEST

START_TEST(replaces_a_stale_one_only)
{
	int first, second;

	ck_assert_int_eq(unixsock_listen(path, 0600, &first), 0);
	ck_assert_int_eq(unixsock_listen(path, 0600, &second), -EADDRINUSE);
	close(first);
	ck_assert_int_eq(unixsock_connect(path, &second), -ECONNREFUSED);
	ck_assert_int_eq(unixsock_listen(path, 0600, &second), 0);
	close(second);
	unlink(path);
	ck_assert_int_eq(file_store(path, "a file", 6), 0);
	ck_assert_int_eq(unixsock_listen(path, 0600, &second), -EADDRINUSE);
}
END_TEST

START_TEST(refuses_paths)
{
	char longest[200];
	int fd;

	memset(longest, 'a', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	ck_assert_int_eq(unixsock_listen(longest, 0600, &fd), -ENAMETOOLONG);
	ck_assert_int_eq(unixsock_connect("", &fd), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("unixsock");
	TCase *tc = tcase_create("unixsock");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, connects);
	tcase_add_test(tc, replaces_a_stale_one_only);
	tcase_add_test(tc, refuses_paths);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
