/* SPDX-License-Identifier: ISC */
/* The journal: lines there and back, damage, dropping; in a directory of its own. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parent/journal.h"

#include "tap.h"

static const char *const lines[] = {
	"child 4711 192732",
	"interface tund0",
	"nft tund0",
	"sysctl ip4.forwarding eth0 0 1",
	"sysctl ip6.all_forwarding * 0 1",
	"sysctl ip6.accept_ra eth0.7 1 2",
	"rule 4 1 7417 29556 7416 -1",
	"rule 6 0 7416 0 254 0",
};

static const char *const wrong_lines[] = {
	"",
	"child",
	"child 1 5",
	"child -4 5",
	"child 4711 192732 ",
	"child 4711 192732x",
	" child 4711 192732",
	"child 04711 192732",
	"interface",
	"interface tund0 x",
	"interface ../../x",
	"interface a/b",
	"interface 12345678901234567",
	"nft tund0;",
	"sysctl ip4.other eth0 0 1",
	"sysctl ip4.forwarding ../x 0 1",
	"sysctl ip4.forwarding eth0 0",
	"rule 4 1 7417 29556 7416",
	"rule 4 2 7417 29556 7416 -1",
	"file /etc/passwd",
};

START_TEST(there_and_back)
{
	char again[CHANGE_LINE_MAX];
	struct change change;

	ck_assert_int_eq(change_parse(lines[_i], &change), 0);
	change_format(&change, again);
	ck_assert_int_eq(again[strlen(again) - 1], '\n');
	again[strlen(again) - 1] = '\0';
	ck_assert_str_eq(again, lines[_i]);
}
END_TEST

START_TEST(wrong_line)
{
	struct change change = {.pid = 99};

	ck_assert_msg(change_parse(wrong_lines[_i], &change) == -EINVAL, "\"%s\"",
		      wrong_lines[_i]);
	ck_assert_int_eq(change.pid, 99);
}
END_TEST

static char path[64];

static void make_path(void)
{
	char dir[] = "/tmp/check_journal.XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/x.state", dir);
}

static void remove_path(void)
{
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
}

static void add(struct journal *j, const char *line)
{
	struct change change;

	ck_assert_int_eq(change_parse(line, &change), 0);
	ck_assert_int_eq(journal_add(j, &change), 0);
}

START_TEST(survives)
{
	struct journal *j;
	size_t damaged;
	int fd;

	ck_assert_int_eq(journal_load(path, &j, &damaged), -ENOENT);
	ck_assert_int_eq(journal_create(path, &j), 0);
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		add(j, lines[i]);
	journal_close(j);
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	ck_assert_int_eq(write(fd, "nonsense\nnft tun", 16), 16); /* cut by a crash */
	close(fd);

	ck_assert_int_eq(journal_load(path, &j, &damaged), 0);
	ck_assert_uint_eq(damaged, 2);
	ck_assert_uint_eq(journal_count(j), sizeof lines / sizeof *lines);
	ck_assert_int_eq(journal_at(j, 0)->pid, 4711);
	ck_assert_int_eq(journal_at(j, 3)->key, SYSCTL_IP4_FORWARDING);
	ck_assert_int_eq(journal_at(j, 6)->rule.suppress_prefix, -1);
	journal_close(j);
}
END_TEST

START_TEST(dropped)
{
	struct journal *j;
	size_t damaged;

	ck_assert_int_eq(journal_create(path, &j), 0);
	add(j, "interface tund0");
	add(j, "child 10 1");
	add(j, "child 11 1");
	journal_drop(j, CHANGE_CHILD, 10);
	journal_drop(j, CHANGE_CHILD, 12); /* not there */
	add(j, "nft tund0");               /* into the file that took the other's place */
	journal_close(j);

	ck_assert_int_eq(journal_load(path, &j, &damaged), 0);
	ck_assert_uint_eq(damaged, 0);
	ck_assert_uint_eq(journal_count(j), 3);
	ck_assert_int_eq(journal_at(j, 1)->pid, 11);
	ck_assert_int_eq(journal_at(j, 2)->kind, CHANGE_NFT);
	journal_close(j);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

int main(void)
{
	Suite *suite = suite_create("journal");
	TCase *tc = tcase_create("lines"), *files = tcase_create("files");

	tcase_add_loop_test(tc, there_and_back, 0, COUNT(lines));
	tcase_add_loop_test(tc, wrong_line, 0, COUNT(wrong_lines));
	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(files, make_path, remove_path);
	tcase_add_test(files, survives);
	tcase_add_test(files, dropped);
	suite_add_tcase(suite, files);
	return tap_run(suite);
}
