/* SPDX-License-Identifier: ISC */
/* Small files in a directory of our own: whole, or as they were. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

#include <tund/sys/file.h>

#include "tap.h"

static char dir[] = "/tmp/tund-check-file-XXXXXX";
static char path[sizeof dir + 16], temporary[sizeof path + 8];

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/state", dir);
	snprintf(temporary, sizeof temporary, "%s.new", path);
}

static void teardown(void)
{
	unlink(path);
	unlink(temporary);
	rmdir(path);
	rmdir(dir);
}

static void expect(const char *content)
{
	char buf[64];
	size_t len = 0;

	ck_assert_int_eq(file_read(path, buf, sizeof buf, &len), 0);
	ck_assert_uint_eq(len, strlen(content));
	ck_assert_mem_eq(buf, content, len);
}

START_TEST(stores_and_reads)
{
	struct stat st;
	char buf[4];
	size_t len = 77;

	ck_assert_int_eq(file_read(path, buf, sizeof buf, &len), -ENOENT);
	ck_assert_int_eq(file_store(path, "one", 3), 0);
	expect("one");
	ck_assert_int_eq(file_store(path, "", 0), 0);
	expect("");
	ck_assert_int_eq(file_store(path, "four", 4), 0);
	ck_assert_int_eq(file_read(path, buf, 4, &len), 0);
	ck_assert_int_eq(file_read(path, buf, 3, &len), -EFBIG);
	ck_assert_uint_eq(len, 4);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(access(temporary, F_OK), -1);
}
END_TEST

START_TEST(takes_over_what_a_crash_left)
{
	ck_assert_int_eq(symlink("/tmp/elsewhere", temporary), 0);
	ck_assert_int_eq(file_store(path, "new", 3), 0);
	expect("new");
	ck_assert_int_eq(access("/tmp/elsewhere", F_OK), -1);
}
END_TEST

/* A limit on file sizes fails a write in the middle, as a full disk does. */
START_TEST(keeps_the_old_one_on_a_full_disk)
{
	static const char data[2048];
	struct rlimit limit = {.rlim_cur = 1000, .rlim_max = RLIM_INFINITY};

	ck_assert_int_eq(file_store(path, "old", 3), 0);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = 1000;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_eq(file_store(path, data, sizeof data), -EFBIG);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
	expect("old");
	ck_assert_int_eq(access(temporary, F_OK), -1);
}
END_TEST

START_TEST(has_a_limit)
{
	static const char data[FILE_STORE_MAX + 1];

	ck_assert_int_eq(file_store(path, data, FILE_STORE_MAX + 1), -EFBIG);
	ck_assert_int_eq(file_store(path, data, FILE_STORE_MAX), 0);
	ck_assert_int_eq(file_store("/nowhere/at/all", data, 1), -ENOENT);
}
END_TEST

START_TEST(removes)
{
	ck_assert_int_eq(file_remove(path), 0);
	ck_assert_int_eq(file_store(path, "x", 1), 0);
	ck_assert_int_eq(file_remove(path), 0);
	ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

START_TEST(makes_a_directory)
{
	struct stat st;

	ck_assert_int_eq(file_make_dir(path, 0750, getuid(), getgid()), 0);
	ck_assert_int_eq(file_make_dir(path, 0711, getuid(), getgid()), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0711);
	rmdir(path);
	ck_assert_int_eq(symlink("/tmp", path), 0);
	ck_assert_int_eq(file_make_dir(path, 0700, getuid(), getgid()), -ENOTDIR);
}
END_TEST

START_TEST(opens_a_configuration)
{
	bool world = true;
	int fd;

	ck_assert_int_eq(file_open_config(path, &fd, &world), -ENOENT);
	ck_assert_int_eq(file_store(path, "x", 1), 0);
	ck_assert_int_eq(file_open_config(path, &fd, &world), 0);
	ck_assert(!world);
	close(fd);
	chmod(path, 0644);
	ck_assert_int_eq(file_open_config(path, &fd, &world), 0);
	ck_assert(world);
	close(fd);
	unlink(path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(file_open_config(path, &fd, &world), -EINVAL);
	ck_assert_int_eq(file_open_config(dir, &fd, &world), -EINVAL);
}
END_TEST

START_TEST(locks)
{
	int first, second;

	ck_assert_int_eq(file_lock(path, &first), 0);
	ck_assert_int_eq(file_lock(path, &second), -EWOULDBLOCK);
	close(first);
	ck_assert_int_eq(file_lock(path, &second), 0);
	unlink(path);
	ck_assert_int_eq(file_lock(path, &first), 0);
	close(first);
	close(second);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("file");
	TCase *tc = tcase_create("file");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, stores_and_reads);
	tcase_add_test(tc, takes_over_what_a_crash_left);
	tcase_add_test(tc, keeps_the_old_one_on_a_full_disk);
	tcase_add_test(tc, has_a_limit);
	tcase_add_test(tc, removes);
	tcase_add_test(tc, makes_a_directory);
	tcase_add_test(tc, opens_a_configuration);
	tcase_add_test(tc, locks);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
