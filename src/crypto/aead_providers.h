/* SPDX-License-Identifier: ISC */
/* The providers behind aead.c; each file sees the headers of one library only (they clash). */
#ifndef TUND_CRYPTO_AEAD_PROVIDERS_H
#define TUND_CRYPTO_AEAD_PROVIDERS_H

#include <tund/crypto/aead.h>

extern const struct aead aead_ipsec_mb_chacha, aead_ipsec_mb_aes; /* with HAVE_IPSEC_MB */
int aead_ipsec_mb_thread_start(void); /* see aead_thread_start() */
void aead_ipsec_mb_thread_end(void);
extern const struct aead aead_sodium_chacha, aead_sodium_aes;
extern const struct aead aead_crypto_chacha, aead_crypto_aes;
extern const struct aead aead_null_chacha, aead_null_aes; /* with TUND_BENCHMARK_NULL_AEAD */

#endif
