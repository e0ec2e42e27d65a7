/* SPDX-License-Identifier: ISC */
/* Sealed memory files: what was written is what is read, for ever. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <tund/sys/memfd.h>

#include "tap.h"

START_TEST(cannot_be_changed)
{
	const void *data = NULL;
	size_t len = 0;
	int fd;

	ck_assert_int_eq(memfd_from("test", "data", 4, &fd), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 0);
	ck_assert_int_eq(write(fd, "x", 1), -1);
	ck_assert_int_eq(ftruncate(fd, 1), -1);
	ck_assert_int_eq(ftruncate(fd, 100), -1);
	ck_assert_ptr_eq(mmap(NULL, 4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	ck_assert_int_eq(memfd_map(fd, 3, &data, &len), -EFBIG);
	ck_assert_int_eq(memfd_map(fd, 4, &data, &len), 0);
	close(fd);
	ck_assert_uint_eq(len, 4);
	ck_assert_mem_eq(data, "data", 4);
	memfd_unmap(data, len);
}
END_TEST

START_TEST(is_refused_unsealed)
{
	const void *data = NULL;
	size_t len = 7;
	int fd, pipe_fd[2];

	ck_assert_int_eq(memfd_create_empty("test", &fd), 0);
	ck_assert_int_eq(write(fd, "data", 4), 4);
	ck_assert_int_eq(memfd_map(fd, 100, &data, &len), -EBADMSG);
	ck_assert_int_eq(memfd_seal(fd), 0);
	ck_assert_int_eq(memfd_map(fd, 100, &data, &len), 0);
	memfd_unmap(data, len);
	close(fd);
	ck_assert_int_eq(pipe(pipe_fd), 0);
	ck_assert_int_eq(memfd_map(pipe_fd[0], 100, &data, &len), -EBADMSG);
}
END_TEST

START_TEST(may_be_empty)
{
	const void *data = NULL;
	size_t len = 7;
	int fd;

	ck_assert_int_eq(memfd_from("test", "", 0, &fd), 0);
	ck_assert_int_eq(memfd_map(fd, 100, &data, &len), -ENODATA);
	ck_assert_uint_eq(len, 7);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("memfd");
	TCase *tc = tcase_create("memfd");

	tcase_add_test(tc, cannot_be_changed);
	tcase_add_test(tc, is_refused_unsealed);
	tcase_add_test(tc, may_be_empty);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
