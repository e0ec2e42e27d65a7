/* SPDX-License-Identifier: ISC */
/*
 * mac1, mac2 and cookies (WireGuard paper sections 5.3, 5.4.4, 5.4.7). The checker is the receiving
 * node's side, the maker a sending peer's. Both work on initiations and responses, whose last 32
 * bytes are mac1 and mac2, in every suite: the suite byte is under mac1, and a cookie reply has the
 * suite of the message that it answers. One thread.
 */
#ifndef TUND_SESSION_COOKIE_H
#define TUND_SESSION_COOKIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/base/addr.h>
#include <tund/base/base64.h>
#include <tund/crypto/random.h>
#include <tund/wire/message.h>

#include "limits.h"

struct cookie_secret {
	uint8_t bytes[32];
	uint64_t birth_ns; /* TIME_NEVER: none yet */
};

/*
 * Cookies are given out with a secret for half of its life and accepted to its end, so that each
 * serves 60 s at least: an initiator uses it 5 s later, and must not find the secret just changed.
 */
struct cookie_checker {
	struct rng rng;
	uint8_t mac1_key[32], cookie_key[32];
	struct cookie_secret secrets[2]; /* of the cookies given out now, and of those before */
};

/* For the node with this public key. */
void cookie_checker_init(struct cookie_checker *checker, const uint8_t public_key[KEY_SIZE],
			 const struct rng *rng);
void cookie_checker_clear(struct cookie_checker *checker);

/* Whether the message (an initiation or response that passed the gate) has a valid mac1. */
bool cookie_mac1_is_valid(const struct cookie_checker *checker, const uint8_t *msg, size_t len);

/* Whether its mac2 is made with a cookie of this source and suite, and its secret not too old. */
bool cookie_mac2_is_valid(const struct cookie_checker *checker, uint64_t now_ns,
			  const uint8_t *msg, size_t len, const struct endpoint *from);

/* Makes the cookie reply to a message: receiver index and suite are taken from it. Renews the
 * secret where it is older than COOKIE_SECRET_RENEW_NS. */
void cookie_reply(struct cookie_checker *checker, uint64_t now_ns, const uint8_t *msg, size_t len,
		  const struct endpoint *from, uint8_t reply[COOKIE_SIZE]);

struct cookie_maker {
	uint8_t mac1_key[32], cookie_key[32]; /* of the peer's public key */
	uint8_t cookie[MAC_SIZE];
	uint64_t cookie_birth_ns;  /* TIME_NEVER: none */
	uint8_t cookie_suite;      /* it serves messages of this one only */
	uint8_t last_mac1[MAC_SIZE]; /* of the last message that was stamped */
	uint8_t last_suite;
	bool has_last;             /* it was not answered by a cookie yet */
	bool last_had_mac2;
};

void cookie_maker_init(struct cookie_maker *maker, const uint8_t peer_public_key[KEY_SIZE]);
void cookie_maker_clear(struct cookie_maker *maker);

/* Forgets the cookie: it is bound to an address and port that are used no more. */
void cookie_forget(struct cookie_maker *maker);

/* Writes mac1, and mac2 (zeros where no cookie of its suite is fresh), into a finished message. */
void cookie_stamp(struct cookie_maker *maker, uint64_t now_ns, uint8_t *msg, size_t len);

/* Takes a cookie reply. -EBADMSG: it answers nothing of ours (suite, mac1 or tag); unchanged. */
int cookie_consume(struct cookie_maker *maker, uint64_t now_ns, const uint8_t reply[COOKIE_SIZE]);

#endif
