/* SPDX-License-Identifier: ISC */
/* Wycheproof's vectors for X25519, XChaCha20-Poly1305 and every AEAD provider. */
#include <errno.h>
#include <string.h>

#include <tund/crypto/aead.h>
#include <tund/crypto/random.h>
#include <tund/crypto/secret.h>
#include <tund/crypto/x25519.h>
#include <tund/crypto/xaead.h>

#include "tap.h"
#include "vectors.h"

#define X25519_FILE "wycheproof/x25519_test.json"
#define CHACHA_FILE "wycheproof/chacha20_poly1305_test.json"
#define XCHACHA_FILE "wycheproof/xchacha20_poly1305_test.json"
#define AES_FILE "wycheproof/aes_gcm_test.json"

/* One case of an AEAD file; `sealed` is the ciphertext and the tag. */
struct aead_case {
	int id;
	bool valid;
	struct vector_bytes key, nonce, ad, text, sealed;
};

static bool is_valid(const json_t *test)
{
	return strcmp(json_string_value(json_object_get(test, "result")), "valid") == 0;
}

static void read_case(const json_t *test, struct aead_case *c)
{
	struct vector_bytes tag;

	c->id = (int)json_integer_value(json_object_get(test, "tcId"));
	c->valid = is_valid(test);
	vector_get(test, "key", &c->key);
	vector_get(test, "iv", &c->nonce);
	vector_get(test, "aad", &c->ad);
	vector_get(test, "msg", &c->text);
	vector_get(test, "ct", &c->sealed);
	vector_get(test, "tag", &tag);
	memcpy(c->sealed.data + c->sealed.len, tag.data, tag.len);
	c->sealed.len += tag.len;
}

static bool sizes_are(const json_t *group, int key_bits, int nonce_bits)
{
	return json_integer_value(json_object_get(group, "keySize")) == key_bits &&
	       json_integer_value(json_object_get(group, "ivSize")) == nonce_bits &&
	       json_integer_value(json_object_get(group, "tagSize")) == 128;
}

/* Calls `fn` for each case with these sizes and returns how many there were. */
static int each_case(const char *file, int nonce_bits,
		     void (*fn)(const struct aead_case *c, const void *arg), const void *arg)
{
	static struct aead_case c;
	json_t *root = vectors_load(file), *group, *test;
	size_t i, j;
	int n = 0;

	json_array_foreach(json_object_get(root, "testGroups"), i, group) {
		if (!sizes_are(group, 256, nonce_bits))
			continue;
		json_array_foreach(json_object_get(group, "tests"), j, test) {
			read_case(test, &c);
			fn(&c, arg);
			n++;
		}
	}
	json_decref(root);
	return n;
}

static void run_provider(const struct aead_case *c, const void *arg)
{
	const struct aead *a = arg;
	static uint8_t out[VECTOR_MAX];
	static struct aead_key key;
	int r;

	ck_assert_int_eq(aead_key_init(a, c->key.data, &key), 0);
	if (c->valid) {
		r = a->seal(key.opaque, c->nonce.data, c->ad.data, c->ad.len, c->text.data,
			    c->text.len, out);
		ck_assert_int_eq(r, 0);
		ck_assert_msg(memcmp(out, c->sealed.data, c->sealed.len) == 0, "%s: seal %d",
			      a->name, c->id);
	}
	r = a->open(key.opaque, c->nonce.data, c->ad.data, c->ad.len, c->sealed.data,
		    c->sealed.len, out);
	ck_assert_msg(r == (c->valid ? 0 : -EBADMSG), "%s: open %d", a->name, c->id);
	if (c->valid)
		ck_assert_mem_eq(out, c->text.data, c->text.len);
	else
		ck_assert(secret_is_zero(out, c->sealed.len - AEAD_TAG_SIZE));
	aead_key_clear(&key);
}

/* Runs a file through every provider that works here; `expected` guards against an empty run. */
static void run_kind(enum aead_kind kind, const char *file, int expected)
{
	const struct aead *a;

	for (size_t i = 0; (a = aead_providers(kind, i)) != NULL; i++) {
		if (aead_self_test(a) == 0)
			ck_assert_int_eq(each_case(file, 96, run_provider, a), expected);
	}
}

START_TEST(chacha20_poly1305)
{
	run_kind(AEAD_CHACHA20POLY1305, CHACHA_FILE, 316);
}
END_TEST

START_TEST(aes_256_gcm)
{
	run_kind(AEAD_AES256GCM, AES_FILE, 66);
}
END_TEST

static void run_xaead(const struct aead_case *c, const void *arg)
{
	static uint8_t out[VECTOR_MAX];
	int r;

	(void)arg;
	if (c->valid) {
		xaead_seal(c->key.data, c->nonce.data, c->ad.data, c->ad.len, c->text.data,
			   c->text.len, out);
		ck_assert_mem_eq(out, c->sealed.data, c->sealed.len);
	}
	r = xaead_open(c->key.data, c->nonce.data, c->ad.data, c->ad.len, c->sealed.data,
		       c->sealed.len, out);
	ck_assert_msg(r == (c->valid ? 0 : -EBADMSG), "open %d", c->id);
	if (c->valid)
		ck_assert_mem_eq(out, c->text.data, c->text.len);
}

START_TEST(xchacha20_poly1305)
{
	ck_assert_int_eq(each_case(XCHACHA_FILE, 192, run_xaead, NULL), 306);
}
END_TEST

/* Returns whether the shared secret is all zero. */
static bool run_x25519(const json_t *test)
{
	static struct vector_bytes public_key, private_key, shared;
	uint8_t out[X25519_SIZE], untouched[X25519_SIZE];
	bool zero;

	vector_get(test, "public", &public_key);
	vector_get(test, "private", &private_key);
	vector_get(test, "shared", &shared);
	zero = secret_is_zero(shared.data, shared.len);
	memset(out, 0xa5, sizeof out);
	memset(untouched, 0xa5, sizeof untouched);
	ck_assert_int_eq(x25519_dh(private_key.data, public_key.data, out), zero ? -EINVAL : 0);
	ck_assert_mem_eq(out, zero ? untouched : shared.data, sizeof out);
	return zero;
}

START_TEST(x25519)
{
	json_t *root = vectors_load(X25519_FILE), *group, *test;
	size_t i, j;
	int n = 0, zero = 0;

	json_array_foreach(json_object_get(root, "testGroups"), i, group) {
		json_array_foreach(json_object_get(group, "tests"), j, test) {
			zero += run_x25519(test);
			n++;
		}
	}
	json_decref(root);
	ck_assert_int_eq(n, 518);
	ck_assert_int_eq(zero, 31);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wycheproof");
	TCase *tc = tcase_create("wycheproof");

	if (!vectors_exist(X25519_FILE) || !vectors_exist(CHACHA_FILE) ||
	    !vectors_exist(XCHACHA_FILE) || !vectors_exist(AES_FILE))
		return tap_skip("no Wycheproof vectors in $TUND_VECTORS (default ../shared/vectors)");
	if (crypto_init() != 0)
		return EXIT_FAILURE;
	tcase_add_test(tc, chacha20_poly1305);
	tcase_add_test(tc, aes_256_gcm);
	tcase_add_test(tc, xchacha20_poly1305);
	tcase_add_test(tc, x25519);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
