/* SPDX-License-Identifier: ISC */
/* Sealed memory files. */

#include <tund/sys/memfd.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Linux 6.3; Debian 12's headers lack it, and its kernel refuses it. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

int memfd_create_empty(const char *name, int *fd)
{
	int f = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	if (f < 0 && errno == EINVAL)
		f = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (f < 0)
		return -errno;
	*fd = f;
	return 0;
}

int memfd_seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS, SEALS) < 0 ? -errno : 0;
}

static int write_all(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

int memfd_from(const char *name, const void *data, size_t len, int *fd)
{
	int f, err;

	err = memfd_create_empty(name, &f);
	if (err < 0)
		return err;
	err = write_all(f, data, len);
	if (err == 0 && lseek(f, 0, SEEK_SET) < 0)
		err = -errno;
	if (err == 0)
		err = memfd_seal(f);
	if (err < 0) {
		close(f);
		return err;
	}
	*fd = f;
	return 0;
}

int memfd_map(int fd, size_t max, const void **data, size_t *len)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	void *p;

	if (seals < 0 || (seals & SEALS) != SEALS)
		return -EBADMSG;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size == 0)
		return -ENODATA;
	if ((uintmax_t)st.st_size > max)
		return -EFBIG;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	*data = p;
	*len = (size_t)st.st_size;
	return 0;
}

void memfd_unmap(const void *data, size_t len)
{
	munmap((void *)(uintptr_t)data, len);
}
