/* SPDX-License-Identifier: ISC */
/* The command socket's server by itself: what its owner is told, and what clients get. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tund/sys/unixsock.h>

#include "control/command.h"

#include "tap.h"

static struct ev_loop *loop;
static struct commands commands;
static char path[64];

/* What the owner was told. */
static struct {
	struct client *client;
	char line[COMMAND_MAX + 1];
} asked[2];
static unsigned requests, gone_count;

static void request(void *ctx, struct client *client, const char *line, size_t len)
{
	ck_assert_ptr_eq(ctx, &commands);
	ck_assert_uint_lt(requests, 2);
	asked[requests].client = client;
	memcpy(asked[requests].line, line, len);
	asked[requests++].line[len] = '\0';
}

static void gone(void *ctx, const struct client *client)
{
	ck_assert_ptr_eq(ctx, &commands);
	ck_assert_ptr_nonnull(client);
	gone_count++;
}

static void setup(void)
{
	static const struct commands_ops ops = {.request = request, .gone = gone};
	int fd;

	requests = gone_count = 0;
	snprintf(path, sizeof path, "/tmp/check_command.%d.sock", getpid());
	ck_assert_int_eq(unixsock_listen(path, 0600, &fd), 0);
	loop = ev_loop_new(EVFLAG_NOENV);
	commands_init(&commands, loop, &ops, &commands);
	commands_open(&commands, fd);
}

static void teardown(void)
{
	commands_close(&commands);
	ev_loop_destroy(loop);
	unlink(path);
}

static int say(const char *text)
{
	int fd;

	ck_assert_int_eq(unixsock_connect(path, &fd), 0);
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (int)strlen(text));
	return fd;
}

/* One event; the socket is ready, so it does not wait. */
static void turn(void)
{
	ev_run(loop, EVRUN_ONCE);
}

static void turn_until_requests(unsigned count)
{
	while (requests < count)
		turn();
}

static void expect(int fd, const char *text)
{
	char buf[200];
	ssize_t n = recv(fd, buf, sizeof buf - 1, MSG_WAITALL);

	ck_assert_int_ge(n, 0);
	buf[n] = '\0';
	ck_assert_str_eq(buf, text);
	close(fd);
}

START_TEST(one_line_one_answer)
{
	int fd = say("sta");

	turn(); /* it is accepted */
	ck_assert_int_eq(send(fd, "tus\tjson\nmore", 13, MSG_NOSIGNAL), 13);
	turn_until_requests(1);
	ck_assert_str_eq(asked[0].line, "status\tjson");
	client_answer(asked[0].client, EXIT_NO, "down\n", 5);
	expect(fd, "EXIT 1\ndown\n");
	ck_assert_uint_eq(gone_count, 1);
}
END_TEST

START_TEST(who_waits_for_what)
{
	int first = say("wait\n"), second = say("down\n");

	turn_until_requests(2);
	client_wait(asked[0].client, CLIENT_WAITS);
	client_wait(asked[1].client, CLIENT_WAITS_DOWN);
	ck_assert(commands_someone_waits(&commands, CLIENT_WAITS));
	ck_assert(commands_someone_waits(&commands, CLIENT_WAITS_DOWN));
	ck_assert(!commands_someone_waits(&commands, CLIENT_WAITS_RELOAD));
	commands_answer(&commands, CLIENT_WAITS_RELOAD, EXIT_SYSTEM, "");
	commands_answer(&commands, CLIENT_WAITS_DOWN, EXIT_DONE, "");
	ck_assert(!commands_someone_waits(&commands, CLIENT_WAITS_DOWN));
	ck_assert(commands_someone_waits(&commands, CLIENT_WAITS));
	commands_answer(&commands, CLIENT_WAITS, EXIT_AGAIN, "not yet\n");
	/* whichever was heard first */
	expect(strcmp(asked[1].line, "down") == 0 ? second : first, "EXIT 0\n");
	expect(strcmp(asked[1].line, "down") == 0 ? first : second, "EXIT 75\nnot yet\n");
}
END_TEST

START_TEST(a_line_that_does_not_end)
{
	char line[COMMAND_MAX + 1];
	int fd;

	memset(line, 'a', COMMAND_MAX);
	line[COMMAND_MAX] = '\0';
	fd = say(line);
	while (gone_count == 0)
		turn();
	ck_assert_uint_eq(requests, 0);
	expect(fd, "EXIT 64\nthe request line is too long\n");
}
END_TEST

START_TEST(the_owner_is_told_who_is_gone)
{
	int fd = say("status\n");

	turn_until_requests(1);
	close(fd);
	while (gone_count == 0)
		turn();
	ck_assert_uint_eq(commands.count, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("command");
	TCase *tc = tcase_create("command");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, one_line_one_answer);
	tcase_add_test(tc, who_waits_for_what);
	tcase_add_test(tc, a_line_that_does_not_end);
	tcase_add_test(tc, the_owner_is_told_who_is_gone);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
