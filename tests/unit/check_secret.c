/* SPDX-License-Identifier: ISC */
/* Memory for secrets: unreadable when closed, wiped, locked, absent from cores and children. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tund/crypto/random.h>
#include <tund/crypto/secret.h>

#include "tap.h"

#define KEY_BYTES "0123456789abcdef0123456789ABCDEF"
#define MANY 20000 /* objects, more than sodium_malloc() can give */

#ifdef TUND_SANITIZE
#define REAL_MLOCK false /* the sanitizers' mlock() does nothing and succeeds */
#else
#define REAL_MLOCK true
#endif

/* Runs `fn` in a child; its wait status. */
static int in_child(void (*fn)(void *arg), void *arg)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct rlimit none = {0, 0};

		setrlimit(RLIMIT_CORE, &none);
		signal(SIGSEGV, SIG_DFL);
		fn(arg);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static void read_byte(void *arg)
{
	volatile const uint8_t *p = arg;

	(void)*p;
}

static void write_byte(void *arg)
{
	volatile uint8_t *p = arg;

	*p = 1;
}

static bool faults(void (*fn)(void *arg), const void *arg)
{
	int status = in_child(fn, (void *)(uintptr_t)arg);

	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

START_TEST(secret_unreadable_when_closed)
{
	struct secret *s = secret_new(KEY_BYTES, 32);
	const uint8_t *p;

	ck_assert_ptr_nonnull(s);
	for (int round = 0; round < 2; round++) {
		p = secret_open(s);
		ck_assert_ptr_nonnull(p);
		ck_assert_mem_eq(p, KEY_BYTES, 32);
		ck_assert(!faults(read_byte, p));
		ck_assert(faults(write_byte, p));
		ck_assert_ptr_eq(secret_open(s), p);
		secret_close(s);
		ck_assert(!faults(read_byte, p));
		secret_close(s);
		ck_assert(faults(read_byte, p));
	}
	secret_free(s);
	secret_free(NULL);
}
END_TEST

START_TEST(comparing)
{
	uint8_t a[40] = {0}, b[40] = {0};

	ck_assert(secret_equal(a, b, sizeof a) && secret_is_zero(a, sizeof a));
	for (size_t i = 0; i < sizeof a; i++) {
		a[i] = 0x80;
		ck_assert(!secret_equal(a, b, sizeof a) && !secret_is_zero(a, sizeof a));
		ck_assert(secret_equal(a, b, i) && secret_is_zero(a, i));
		secret_wipe(a, sizeof a);
		ck_assert(secret_is_zero(a, sizeof a));
	}
}
END_TEST

START_TEST(slab_objects)
{
	struct secret_slab *slab = secret_slab_new(100, 64);
	static uint8_t *objects[MANY];

	ck_assert_ptr_nonnull(slab);
	for (size_t i = 0; i < MANY; i++) {
		objects[i] = secret_slab_alloc(slab);
		ck_assert_ptr_nonnull(objects[i]);
		ck_assert_uint_eq((uintptr_t)objects[i] % 64, 0);
		ck_assert(secret_is_zero(objects[i], 100));
		memset(objects[i], (int)(i % 255) + 1, 100);
	}
	for (size_t i = 0; i < MANY; i++) {
		uint8_t expected[100];

		memset(expected, (int)(i % 255) + 1, sizeof expected);
		ck_assert_mem_eq(objects[i], expected, sizeof expected);
	}
	secret_slab_destroy(slab);
	secret_slab_destroy(NULL);
}
END_TEST

START_TEST(slab_wipes_and_reuses)
{
	struct secret_slab *slab = secret_slab_new(200, 2);
	uint8_t *a = secret_slab_alloc(slab), *b = secret_slab_alloc(slab), *again;

	memset(a, 0xee, 200);
	memset(b, 0xee, 200);
	secret_slab_free(slab, a);
	/* The first bytes of a free object are its link. */
	ck_assert(secret_is_zero(a + sizeof(void *), 256 - sizeof(void *)));
	ck_assert_uint_eq(b[199], 0xee);
	again = secret_slab_alloc(slab);
	ck_assert_ptr_eq(again, a);
	ck_assert(secret_is_zero(again, 200));
	secret_slab_free(slab, NULL);
	secret_slab_destroy(slab);
}
END_TEST

START_TEST(slab_refuses_nonsense)
{
	ck_assert_ptr_null(secret_slab_new(0, 10));
	ck_assert_ptr_null(secret_slab_new(SIZE_MAX, 10));
	ck_assert_ptr_null(secret_slab_new(1024, SIZE_MAX / 512));
}
END_TEST

/* The flags of the mapping that holds `p` (proc(5), smaps). */
static void mapping_flags(const void *p, char out[256])
{
	FILE *f = fopen("/proc/self/smaps", "r");
	uintptr_t low, high;
	bool inside = false;
	char line[256];

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof line, f)) {
		if (sscanf(line, "%lx-%lx ", &low, &high) == 2)
			inside = (uintptr_t)p >= low && (uintptr_t)p < high;
		else if (inside && strncmp(line, "VmFlags:", 8) == 0)
			memcpy(out, line, sizeof line);
	}
	fclose(f);
}

START_TEST(slab_pages_are_protected)
{
	struct secret_slab *slab = secret_slab_new(2048, 4);
	uint8_t *p = secret_slab_alloc(slab);
	char flags[256] = "";

	mapping_flags(p, flags);
	ck_assert_msg(strstr(flags, " dd") != NULL, "in core files: %s", flags);
	ck_assert_msg(strstr(flags, " wf") != NULL, "in children: %s", flags);
	if (REAL_MLOCK)
		ck_assert_int_eq(strstr(flags, " lo") != NULL, secret_slab_locked(slab));
	secret_slab_destroy(slab);
}
END_TEST

START_TEST(slab_reports_unlocked)
{
	struct rlimit none = {0, 0};
	struct secret_slab *slab = secret_slab_new(64, 1);

	/* Root is not bound by the limit, so become someone else. */
	ck_assert_int_eq(setrlimit(RLIMIT_MEMLOCK, &none), 0);
	if (getuid() == 0)
		ck_assert_int_eq(setuid(65534), 0);
	ck_assert_ptr_nonnull(secret_slab_alloc(slab));
	ck_assert(!secret_slab_locked(slab));
	secret_slab_destroy(slab);
}
END_TEST

static void expect_zero(void *arg)
{
	if (!secret_is_zero(arg, 64))
		_exit(1);
}

START_TEST(slab_empty_in_child)
{
	struct secret_slab *slab = secret_slab_new(64, 1);
	uint8_t *p = secret_slab_alloc(slab);

	memset(p, 0xaa, 64);
	ck_assert_int_eq(in_child(expect_zero, p), 0);
	ck_assert_uint_eq(p[63], 0xaa);
	secret_slab_destroy(slab);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("secret");
	TCase *tc = tcase_create("secret");

	if (crypto_init() != 0)
		return EXIT_FAILURE;
	tcase_add_test(tc, secret_unreadable_when_closed);
	tcase_add_test(tc, comparing);
	tcase_add_test(tc, slab_objects);
	tcase_add_test(tc, slab_wipes_and_reuses);
	tcase_add_test(tc, slab_refuses_nonsense);
	tcase_add_test(tc, slab_pages_are_protected);
	if (REAL_MLOCK)
		tcase_add_test(tc, slab_reports_unlocked);
	tcase_add_test(tc, slab_empty_in_child);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
