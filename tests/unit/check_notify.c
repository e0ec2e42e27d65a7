/* SPDX-License-Identifier: ISC */
/* Service notification, to a service manager of our own. */
#include <errno.h>
#include <stdio.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <tund/sys/notify.h>

#include "tap.h"

START_TEST(says_nothing_to_nobody)
{
	unsetenv("NOTIFY_SOCKET");
	ck_assert_int_eq(notify_send("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "", 1);
	ck_assert_int_eq(notify_send("READY=1"), 0);
}
END_TEST

START_TEST(knows_addresses)
{
	char text[200] = "/";

	setenv("NOTIFY_SOCKET", "relative", 1);
	ck_assert_int_eq(notify_send("READY=1"), -EINVAL);
	setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
	ck_assert_int_eq(notify_send("READY=1"), -ENOENT);
	memset(text + 1, 'x', sizeof text - 2);
	setenv("NOTIFY_SOCKET", text, 1);
	ck_assert_int_eq(notify_send("READY=1"), -EINVAL);
}
END_TEST

START_TEST(sends_to_an_abstract_name)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	char name[64], buf[64];
	ssize_t n;
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	snprintf(name, sizeof name, "@tund-check-notify-%d", (int)getpid());
	memcpy(sun.sun_path + 1, name + 1, strlen(name) - 1);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&sun,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
			 0);
	setenv("NOTIFY_SOCKET", name, 1);
	ck_assert_int_eq(notify_send("READY=1\nSTATUS=works"), 1);
	n = recv(fd, buf, sizeof buf, MSG_DONTWAIT);
	ck_assert_int_eq(n, 20);
	ck_assert_mem_eq(buf, "READY=1\nSTATUS=works", 20);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notify");
	TCase *tc = tcase_create("notify");

	tcase_add_test(tc, says_nothing_to_nobody);
	tcase_add_test(tc, knows_addresses);
	tcase_add_test(tc, sends_to_an_abstract_name);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
