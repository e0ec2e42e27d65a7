/* SPDX-License-Identifier: ISC */
/* One secret in unreadable pages (libsodium's guarded memory), wiping and comparing. */
#include <tund/crypto/secret.h>

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define SECRET_MAX 4096 /* bytes: one page is plenty for keys */

struct secret {
	uint8_t *bytes;  /* from sodium_malloc(): guard pages, locked, not dumped */
	unsigned opened; /* so many more times than closed */
};

bool secret_is_zero(const void *p, size_t n)
{
	return sodium_is_zero(p, n) == 1;
}

struct secret *secret_new(const void *bytes, size_t n)
{
	struct secret *s = calloc(1, sizeof *s);

	assert(n > 0 && n <= SECRET_MAX);
	if (!s)
		return NULL;
	s->bytes = sodium_malloc(n);
	if (!s->bytes)
		goto fail;
	memcpy(s->bytes, bytes, n);
	if (sodium_mprotect_noaccess(s->bytes) != 0)
		goto fail;
	return s;
fail:
	secret_free(s);
	return NULL;
}

const uint8_t *secret_open(struct secret *s)
{
	if (s->opened == 0 && sodium_mprotect_readonly(s->bytes) != 0)
		return NULL;
	s->opened++;
	return s->bytes;
}

void secret_close(struct secret *s)
{
	assert(s->opened > 0);
	if (--s->opened > 0)
		return;
	/* Only lifting a protection can fail, for want of memory; never taking rights away. */
	(void)sodium_mprotect_noaccess(s->bytes);
}

void secret_free(struct secret *s)
{
	if (!s)
		return;
	sodium_free(s->bytes);
	free(s);
}
