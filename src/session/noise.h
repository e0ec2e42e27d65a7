/* SPDX-License-Identifier: ISC */
/*
 * Noise_IKpsk2_25519_*_BLAKE2s (Noise revision 34, sections 5 and 9; WireGuard paper section 5.4),
 * token by token and without any idea of message layouts: what precedes and follows the tokens
 * belongs to the caller. The handshake hash and chaining key are secrets: wipe with noise_wipe().
 * Any thread; nothing allocates.
 *
 *   <- s
 *   ...
 *   -> e, es, s, ss, payload
 *   <- e, ee, se, psk, payload
 */
#ifndef TUND_SESSION_NOISE_H
#define TUND_SESSION_NOISE_H

#include <stddef.h>
#include <stdint.h>

#include <tund/base/base64.h>
#include <tund/crypto/aead.h>
#include <tund/crypto/blake2s.h>

#define NOISE_FIRST_OVERHEAD (KEY_SIZE + KEY_SIZE + AEAD_TAG_SIZE + AEAD_TAG_SIZE)
#define NOISE_SECOND_OVERHEAD (KEY_SIZE + AEAD_TAG_SIZE)

/* Noise's SymmetricState. */
struct noise {
	const struct aead *aead;
	uint8_t ck[BLAKE2S_SIZE], h[BLAKE2S_SIZE], k[BLAKE2S_SIZE];
};

/* Initialize(protocol_name, prologue), then MixHash of the responder's static public key. */
void noise_start(struct noise *noise, const struct aead *aead, const char *protocol_name,
		 const void *prologue, size_t prologue_len,
		 const uint8_t responder_public[KEY_SIZE]);

void noise_mix_hash(struct noise *noise, const void *data, size_t len);

/*
 * -> e, es, s, ss, payload: writes NOISE_FIRST_OVERHEAD + len bytes. `ephemeral` and
 * `own_private` are private keys; `static_static` is DH(own static, responder's static).
 * -EINVAL: the responder's key is of low order.
 */
int noise_write_first(struct noise *noise, const uint8_t ephemeral[KEY_SIZE],
		      const uint8_t own_public[KEY_SIZE],
		      const uint8_t responder_public[KEY_SIZE],
		      const uint8_t static_static[KEY_SIZE], const uint8_t *payload, size_t len,
		      uint8_t *out);

/*
 * <- e, es, s of a first message: learns who it claims to come from. -EBADMSG: not authentic;
 * -EINVAL: a low-order key.
 */
int noise_read_static(struct noise *noise, const uint8_t own_private[KEY_SIZE],
		      const uint8_t *message, uint8_t initiator_public[KEY_SIZE]);

/* <- ss, payload, the rest of it: `len` bytes of payload (without tag). -EBADMSG. */
int noise_read_first(struct noise *noise, const uint8_t static_static[KEY_SIZE],
		     const uint8_t *message, size_t len, uint8_t *payload);

/* -> e, ee, se, psk, payload: writes NOISE_SECOND_OVERHEAD + len bytes. -EINVAL: low order. */
int noise_write_second(struct noise *noise, const uint8_t ephemeral[KEY_SIZE],
		       const uint8_t initiator_ephemeral[KEY_SIZE],
		       const uint8_t initiator_public[KEY_SIZE], const uint8_t psk[KEY_SIZE],
		       const uint8_t *payload, size_t len, uint8_t *out);

/* <- e, ee, se, psk, payload. -EBADMSG, -EINVAL as above. */
int noise_read_second(struct noise *noise, const uint8_t ephemeral[KEY_SIZE],
		      const uint8_t own_private[KEY_SIZE], const uint8_t psk[KEY_SIZE],
		      const uint8_t *message, size_t len, uint8_t *payload);

/* Split(): the initiator's sending key and its receiving key. */
void noise_split(const struct noise *noise, uint8_t initiator_sends[KEY_SIZE],
		 uint8_t responder_sends[KEY_SIZE]);

void noise_wipe(struct noise *noise);

#endif
