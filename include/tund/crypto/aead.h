/* SPDX-License-Identifier: ISC */
/*
 * The AEADs of the handshake and the data path, each by several libraries ("providers") behind
 * one interface. A provider is chosen once, by aead_select(), and remembered in each key.
 *
 *   const struct aead *a = aead_select(AEAD_AES256GCM, NULL);
 *   aead_key_init(a, secret, &kp->sending);
 *   aead_seal(&kp->sending, counter, header, 16, packet, len, out);
 *   aead_key_clear(&kp->sending);
 *
 * One key may be used by any number of threads at once; key_init and key_clear by one, while
 * nobody uses it. Sealing and opening allocate nothing.
 */
#ifndef TUND_CRYPTO_AEAD_H
#define TUND_CRYPTO_AEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AEAD_SECRET_SIZE 32 /* bytes of key material, both kinds */
#define AEAD_NONCE_SIZE 12  /* bytes */
#define AEAD_TAG_SIZE 16    /* bytes, behind the ciphertext */
#define AEAD_KEY_SIZE 1024  /* bytes of an expanded key, the largest of all providers' */

enum aead_kind {
	AEAD_CHACHA20POLY1305, /* RFC 8439; nonce: 4 zero bytes, counter little-endian */
	AEAD_AES256GCM,        /* SP 800-38D; nonce: 4 zero bytes, counter big-endian (Noise 12.4) */
};

/* An expanded key. Embed it in locked memory (crypto/secret.h); all zero means "no key". */
struct aead_key {
	const struct aead *aead;
	_Alignas(64) uint8_t opaque[AEAD_KEY_SIZE];
};

/*
 * One kind by one provider. The functions work with a whole nonce, for the public test vectors
 * and the self-test; everyone else uses the functions below, which build it from a counter.
 */
struct aead {
	const char *name; /* "ipsec-mb", "libsodium" or "libcrypto" */
	enum aead_kind kind;
	size_t key_size; /* bytes used of aead_key.opaque */
	int (*key_init)(void *key, const uint8_t secret[AEAD_SECRET_SIZE]);
	void (*key_clear)(void *key); /* frees what key_init allocated; the caller wipes */
	int (*seal)(const void *key, const uint8_t nonce[AEAD_NONCE_SIZE], const void *ad,
		    size_t ad_len, const uint8_t *src, size_t len, uint8_t *dst);
	int (*open)(const void *key, const uint8_t nonce[AEAD_NONCE_SIZE], const void *ad,
		    size_t ad_len, const uint8_t *src, size_t len, uint8_t *dst);
};

/* Provider number `i` of a kind, fastest first, tested or not; NULL behind the last. */
const struct aead *aead_providers(enum aead_kind kind, size_t i);

/*
 * The known-answer test: seal, open, and refuse a changed tag. 0; -ENOTSUP: the CPU lacks what the
 * provider needs; -EIO: a wrong answer; -ENOMEM.
 */
int aead_self_test(const struct aead *a);

/*
 * The fastest provider of a kind that passes its self-test on this CPU, or, with `name`, that
 * provider only. NULL: none. After crypto_init(); takes some microseconds. In a build configured
 * with --enable-benchmark-null-aead and without `name`, one that copies and protects nothing.
 */
const struct aead *aead_select(enum aead_kind kind, const char *name);

/*
 * A thread that seals or opens many packets calls the first once before them, and the second when
 * it ends. In between, ChaCha20-Poly1305 by ipsec-mb is an eighth faster for it (small packets: a
 * third), by 200 KiB that belong to the thread alone and hold no secret; all else is the same
 * in every thread. Not reentrant with a packet; calling the first twice is harmless. After
 * crypto_init(). 0, also where nothing is to be gained; -ENOMEM or -EIO (a wrong answer in the
 * self-test): the thread goes on without.
 */
int aead_thread_start(void);
void aead_thread_end(void);

/*
 * Whether this kind has hardware (AES-NI or the like) on this CPU: an initiator offers suite 1
 * only then. Always true for ChaCha20-Poly1305.
 */
bool aead_in_hardware(enum aead_kind kind);

/*
 * Expands a secret; the caller keeps (and wipes) its copy of the secret. -ENOMEM or -ENOTSUP:
 * `key` is all zero. libcrypto keeps the expanded key in its own heap memory, the others in `key`.
 */
int aead_key_init(const struct aead *a, const uint8_t secret[AEAD_SECRET_SIZE],
		  struct aead_key *key);

/* Frees and wipes a key; harmless on one that is all zero. */
void aead_key_clear(struct aead_key *key);

/*
 * Seals `len` bytes with associated data (NULL if ad_len is 0) and writes len + AEAD_TAG_SIZE
 * bytes. dst may be src, or must not overlap. The caller never repeats a counter under a key.
 * -EIO: the library failed, dst is zeroed and must not be sent.
 */
int aead_seal(const struct aead_key *key, uint64_t counter, const void *ad, size_t ad_len,
	      const uint8_t *src, size_t len, uint8_t *dst);

/*
 * Opens `len` bytes, the tag included, and writes len - AEAD_TAG_SIZE bytes. dst may be src, or
 * must not overlap. The tag is compared in constant time. -EBADMSG: shorter than a tag (dst
 * untouched) or not authentic (dst zeroed).
 */
int aead_open(const struct aead_key *key, uint64_t counter, const void *ad, size_t ad_len,
	      const uint8_t *src, size_t len, uint8_t *dst);

#endif
