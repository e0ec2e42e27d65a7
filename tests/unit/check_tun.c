/* SPDX-License-Identifier: ISC */
/* Errors of a TUN, and older kernels, injected through the ops. A real one: tests/system/sys.sh. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <tund/sys/tun.h>

#include "tap.h"

static int script[2];
static unsigned calls;

static ssize_t answer(void)
{
	errno = script[calls++];
	return errno ? -1 : 40;
}

static ssize_t scripted_read(int fd, void *buf, size_t len)
{
	(void)fd;
	(void)buf;
	(void)len;
	return answer();
}

static ssize_t scripted_writev(int fd, const struct iovec *iov, int n)
{
	(void)fd;
	(void)iov;
	ck_assert_int_eq(n, 2);
	return answer();
}

static const struct tun_ops scripted = {.read = scripted_read, .writev = scripted_writev};

static const struct {
	int script[2];
	int result; /* of a write; a read has a length where this is 0 */
	unsigned calls;
} cases[] = {
	{{0}, 0, 1},
	{{EINTR, 0}, 0, 2},
	{{EAGAIN}, -EAGAIN, 1},
	{{EIO}, -EIO, 1},
	{{EINVAL}, -EINVAL, 1},
	{{EBADFD}, -ENODEV, 1},
	{{ENOBUFS}, -ENOBUFS, 1},
};

START_TEST(sorts_errors)
{
	char packet[40] = {0};
	const struct iovec pieces[2] = {{packet, 10}, {packet + 10, 30}};
	int expected = cases[_i].result;

	script[0] = cases[_i].script[0];
	script[1] = cases[_i].script[1];
	calls = 0;
	ck_assert_int_eq(tun_write(&scripted, -1, pieces, 2), expected);
	ck_assert_uint_eq(calls, cases[_i].calls);
	calls = 0;
	ck_assert_int_eq(tun_read(&scripted, -1, packet, sizeof packet), expected ? expected : 40);
	ck_assert_uint_eq(calls, cases[_i].calls);
}
END_TEST

/* A kernel as the tests want it, and what was asked of it. */
#define OFFLOADS (TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN)
#define USO 0x60 /* TUN_F_USO4 and 6, which older headers do not have */

static struct {
	unsigned features; /* of TUNGETFEATURES; 0: the call fails */
	unsigned offloads; /* that are known */
	unsigned fail_at;  /* which TUNSETIFF fails; 0: none */
	int fail_with;
} kernel;

static unsigned opened, attached, offloads_set;
static int fds_opened[4], header_size;
static unsigned short flags[4];
static unsigned long owner_set;

static int played_open(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	fds_opened[opened++] = fd;
	return fd;
}

static int refuse(int error)
{
	errno = error;
	return -1;
}

static int set_iff(const struct ifreq *request)
{
	ck_assert_str_eq(request->ifr_name, "tund7");
	flags[attached++] = (unsigned short)request->ifr_flags;
	return attached == kernel.fail_at ? refuse(kernel.fail_with) : 0;
}

static int set_offload(unsigned wanted)
{
	if (wanted & ~kernel.offloads)
		return refuse(EINVAL);
	offloads_set = wanted;
	return 0;
}

static int played_ioctl(int fd, unsigned long request, void *arg)
{
	(void)fd;
	if (request == TUNSETIFF)
		return set_iff(arg);
	if (request == TUNSETOFFLOAD)
		return set_offload((unsigned)(uintptr_t)arg);
	if (request == TUNGETFEATURES)
		memcpy(arg, &kernel.features, sizeof kernel.features);
	else if (request == TUNSETVNETHDRSZ)
		memcpy(&header_size, arg, sizeof header_size);
	else if (request == TUNSETOWNER)
		owner_set = (unsigned long)(uintptr_t)arg;
	return request == TUNGETFEATURES && !kernel.features ? refuse(EINVAL) : 0;
}

static const struct tun_ops played = {.open = played_open, .ioctl = played_ioctl};

static int open_played(uint32_t queues, bool vnet_hdr, struct tun_features *features, int *fds)
{
	struct tun_options options = {.owner = 991, .queues = queues, .vnet_hdr = vnet_hdr};
	char why[WHY_MAX];

	opened = attached = offloads_set = 0;
	owner_set = 0;
	header_size = 0;
	return tun_open(&played, "tund7", &options, features, fds, why);
}

static const struct {
	unsigned features, offloads;
	bool wanted, vnet_hdr, uso;
	unsigned set;
} feature_cases[] = {
	{IFF_VNET_HDR, OFFLOADS | USO, true, true, true, OFFLOADS | USO},
	{IFF_VNET_HDR, OFFLOADS | USO, false, false, false, 0},
	{IFF_VNET_HDR, OFFLOADS, true, true, false, OFFLOADS},
	{IFF_VNET_HDR, OFFLOADS | 0x20, true, true, false, OFFLOADS},
	{IFF_VNET_HDR, 0, true, true, false, 0},
	{IFF_MULTI_QUEUE, OFFLOADS | USO, true, false, false, 0},
	{0, OFFLOADS | USO, true, false, false, 0},
};

START_TEST(takes_what_the_kernel_has)
{
	struct tun_features got;
	unsigned expected = IFF_TUN | IFF_NO_PI | IFF_TUN_EXCL;
	int fd;

	memset(&kernel, 0, sizeof kernel);
	kernel.features = feature_cases[_i].features;
	kernel.offloads = feature_cases[_i].offloads;
	ck_assert_int_eq(open_played(1, feature_cases[_i].wanted, &got, &fd), 0);
	ck_assert_int_eq(got.vnet_hdr, feature_cases[_i].vnet_hdr);
	ck_assert_int_eq(got.uso, feature_cases[_i].uso);
	ck_assert_uint_eq(offloads_set, feature_cases[_i].set);
	ck_assert_int_eq(header_size, got.vnet_hdr ? TUN_VNET_HEADER : 0);
	ck_assert_uint_eq(owner_set, 991);
	if (got.vnet_hdr)
		expected |= IFF_VNET_HDR;
	ck_assert_uint_eq(flags[0], expected);
	ck_assert_uint_eq(attached, 1);
	close(fd);
}
END_TEST

START_TEST(opens_queues)
{
	const unsigned queue = IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE | IFF_VNET_HDR;
	struct tun_features got;
	int fds[3];

	memset(&kernel, 0, sizeof kernel);
	kernel.features = IFF_VNET_HDR;
	ck_assert_int_eq(open_played(3, true, &got, fds), 0);
	ck_assert_uint_eq(flags[0], queue | IFF_TUN_EXCL);
	ck_assert_uint_eq(flags[1], queue);
	ck_assert_uint_eq(flags[2], queue);
	ck_assert_mem_eq(fds, fds_opened, sizeof fds);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	ck_assert_int_eq(open_played(0, true, &got, fds), -EINVAL);
	ck_assert_int_eq(open_played(TUN_QUEUES_MAX + 1, true, &got, fds), -EINVAL);
	ck_assert_uint_eq(opened, 0);
}
END_TEST

START_TEST(leaves_nothing_behind)
{
	struct tun_features got = {.uso = true};
	int fds[3] = {-7, -7, -7};

	memset(&kernel, 0, sizeof kernel);
	kernel.fail_at = (unsigned)_i;
	kernel.fail_with = _i == 1 ? EBUSY : E2BIG;
	ck_assert_int_eq(open_played(3, true, &got, fds), -kernel.fail_with);
	ck_assert_uint_eq(opened, (unsigned)_i);
	for (unsigned i = 0; i < opened; i++)
		ck_assert_int_eq(fcntl(fds_opened[i], F_GETFD), -1);
	ck_assert_int_eq(fds[0], -7);
	ck_assert(got.uso);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tun");
	TCase *tc = tcase_create("tun");

	tcase_add_loop_test(tc, sorts_errors, 0, sizeof cases / sizeof cases[0]);
	tcase_add_loop_test(tc, takes_what_the_kernel_has, 0,
			    sizeof feature_cases / sizeof feature_cases[0]);
	tcase_add_test(tc, opens_queues);
	tcase_add_loop_test(tc, leaves_nothing_behind, 1, 4);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
