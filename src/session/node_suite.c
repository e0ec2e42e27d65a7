/* SPDX-License-Identifier: ISC */
/* The suites. */
#include "node_suite.h"

const struct suite_rules suite_rules[SUITE_COUNT] = {
	[SUITE_WIREGUARD] = {"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s",
			     "WireGuard v1 zx2c4 Jason@zx2c4.com", AEAD_CHACHA20POLY1305, false,
			     UINT64_C(1) << 60},
	[SUITE_AESGCM] = {"Noise_IKpsk2_25519_AESGCM_BLAKE2s", "tund v1", AEAD_AES256GCM, true,
			  UINT64_C(1) << 32},
	[SUITE_CHACHAPOLY] = {"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s", "tund v1",
			      AEAD_CHACHA20POLY1305, true, UINT64_C(1) << 60},
};
