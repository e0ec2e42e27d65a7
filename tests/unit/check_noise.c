/* SPDX-License-Identifier: ISC */
/*
 * The Noise handshake against cacophony's vectors and against ones made by an independent
 * implementation (tests/vectors/noise_dissononce.py): both messages written and read, the hash, and
 * the transport messages under the keys of Split().
 */
#include <string.h>

#include <tund/crypto/random.h>
#include <tund/crypto/x25519.h>
#include "session/noise.h"

#include "tap.h"
#include "vectors.h"

#define CACOPHONY "cacophony/ikpsk2_25519_blake2s.json"

/* One vector's inputs, and both sides' states. */
struct run {
	const json_t *vector;
	const struct aead *aead;
	struct vector_bytes prologue, psk, init_static, init_ephemeral, resp_static,
		resp_ephemeral, resp_public;
	uint8_t init_public[KEY_SIZE], static_static[KEY_SIZE];
	struct noise init, resp;
};

static void get_psk(const json_t *vector, struct vector_bytes *out)
{
	json_t *object = json_pack("{s:O}", "psk",
				   json_array_get(json_object_get(vector, "init_psks"), 0));

	vector_get(object, "psk", out);
	json_decref(object);
}

static void begin(struct run *r, const json_t *vector)
{
	const char *name = json_string_value(json_object_get(vector, "protocol_name"));

	r->vector = vector;
	r->aead = aead_select(strstr(name, "AESGCM") ? AEAD_AES256GCM : AEAD_CHACHA20POLY1305,
			      NULL);
	vector_get(vector, "init_prologue", &r->prologue);
	get_psk(vector, &r->psk);
	vector_get(vector, "init_static", &r->init_static);
	vector_get(vector, "init_ephemeral", &r->init_ephemeral);
	vector_get(vector, "resp_static", &r->resp_static);
	vector_get(vector, "resp_ephemeral", &r->resp_ephemeral);
	vector_get(vector, "init_remote_static", &r->resp_public);
	x25519_public(r->init_static.data, r->init_public);
	ck_assert_int_eq(
		x25519_dh(r->init_static.data, r->resp_public.data, r->static_static), 0);
	noise_start(&r->init, r->aead, name, r->prologue.data, r->prologue.len,
		    r->resp_public.data);
	r->resp = r->init;
}

static void get_message(const struct run *r, size_t i, struct vector_bytes *payload,
			struct vector_bytes *ciphertext)
{
	const json_t *message = json_array_get(json_object_get(r->vector, "messages"), i);

	vector_get(message, "payload", payload);
	vector_get(message, "ciphertext", ciphertext);
}

static void first_message(struct run *r)
{
	static struct vector_bytes payload, ciphertext;
	uint8_t out[VECTOR_MAX], who[KEY_SIZE];

	get_message(r, 0, &payload, &ciphertext);
	ck_assert_uint_eq(ciphertext.len, payload.len + NOISE_FIRST_OVERHEAD);
	ck_assert_int_eq(noise_write_first(&r->init, r->init_ephemeral.data, r->init_public,
					   r->resp_public.data, r->static_static, payload.data,
					   payload.len, out), 0);
	ck_assert_mem_eq(out, ciphertext.data, ciphertext.len);
	ck_assert_int_eq(noise_read_static(&r->resp, r->resp_static.data, ciphertext.data, who),
			 0);
	ck_assert_mem_eq(who, r->init_public, KEY_SIZE);
	ck_assert_int_eq(noise_read_first(&r->resp, r->static_static, ciphertext.data,
					  payload.len, out), 0);
	ck_assert_mem_eq(out, payload.data, payload.len);
}

static void second_message(struct run *r)
{
	static struct vector_bytes payload, ciphertext;
	uint8_t out[VECTOR_MAX], e[KEY_SIZE];

	get_message(r, 1, &payload, &ciphertext);
	x25519_public(r->init_ephemeral.data, e);
	ck_assert_int_eq(noise_write_second(&r->resp, r->resp_ephemeral.data, e, r->init_public,
					    r->psk.data, payload.data, payload.len, out), 0);
	ck_assert_mem_eq(out, ciphertext.data, ciphertext.len);
	ck_assert_int_eq(noise_read_second(&r->init, r->init_ephemeral.data, r->init_static.data,
					   r->psk.data, ciphertext.data, payload.len, out), 0);
	ck_assert_mem_eq(out, payload.data, payload.len);
	ck_assert_mem_eq(r->init.h, r->resp.h, sizeof r->init.h);
}

/* The messages behind the handshake go by turns, the initiator's first. */
static void transport_messages(struct run *r)
{
	static struct vector_bytes payload, ciphertext;
	uint8_t secrets[2][KEY_SIZE], out[VECTOR_MAX];
	struct aead_key keys[2] = {0};
	uint64_t counters[2] = {0};

	noise_split(&r->init, secrets[0], secrets[1]);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(aead_key_init(r->aead, secrets[i], &keys[i]), 0);
	for (size_t i = 2; i < json_array_size(json_object_get(r->vector, "messages")); i++) {
		get_message(r, i, &payload, &ciphertext);
		ck_assert_int_eq(aead_seal(&keys[i % 2], counters[i % 2]++, NULL, 0,
					   payload.data, payload.len, out), 0);
		ck_assert_mem_eq(out, ciphertext.data, ciphertext.len);
	}
	aead_key_clear(&keys[0]);
	aead_key_clear(&keys[1]);
}

static void check_hash(const struct run *r)
{
	static struct vector_bytes hash;

	if (!json_object_get(r->vector, "handshake_hash"))
		return;
	vector_get(r->vector, "handshake_hash", &hash);
	ck_assert_mem_eq(r->init.h, hash.data, sizeof r->init.h);
}

static void run_file(json_t *file)
{
	static struct run r;
	const json_t *vectors = json_object_get(file, "vectors");

	ck_assert_uint_gt(json_array_size(vectors), 1);
	for (size_t i = 0; i < json_array_size(vectors); i++) {
		begin(&r, json_array_get(vectors, i));
		first_message(&r);
		second_message(&r);
		check_hash(&r);
		transport_messages(&r);
	}
	json_decref(file);
}

START_TEST(independent_vectors)
{
	run_file(vectors_load_own("ikpsk2_dissononce.json"));
}
END_TEST

START_TEST(cacophony_vectors)
{
	run_file(vectors_load(CACOPHONY));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("noise");
	TCase *tc = tcase_create("noise");

	if (crypto_init() < 0)
		return EXIT_FAILURE;
	if (!vectors_exist(CACOPHONY))
		return tap_skip("no " CACOPHONY " in $TUND_VECTORS");
	tcase_add_test(tc, independent_vectors);
	tcase_add_test(tc, cacophony_vectors);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
