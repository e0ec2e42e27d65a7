/* SPDX-License-Identifier: ISC */
/*
 * A peer that has the right keys and seals whatever it likes: the MACs and tags of its initiations,
 * responses and data are right, what is in them comes from the input. The node must take exactly
 * what the protocol allows, and its own messages must open.
 *
 * Input: 1 byte, bits 0-1 the suite the peer is configured with (3: 1 or 2), bit 2 a preshared key.
 * Then steps, whose arguments are zeros where the input ends. Each begins with 1 byte number and 1
 * byte options, whose bit 7 leaves the last seal broken and bit 6 comes from another address.
 *
 *   0  initiation: 4 bytes header, differences from the right one; 4 bytes sender; options
 *      1: 32 bytes ephemeral key, 2: 32 bytes static key, 4: 12 bytes timestamp, 8: the last
 *      timestamp that was accepted; else keys of its own, and the clock's time
 *   1  data: 4 bytes header, as above; 8 bytes counter (options 1: added to the greatest one so
 *      far); 1 byte length, the payload
 *   2  time goes on: 2 bytes, in units of 10 ms
 *   3  the node begins a handshake; response: 4 bytes header, as above; 4 bytes sender; 4 bytes
 *      receiver, differences; options 1: 32 bytes ephemeral key, 2: a wrong preshared key
 */
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/crypto/x25519.h>
#include "session/cookie.h"
#include "session/noise.h"
#include "session/tai64n.h"

#include "nodes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define STEPS_MAX 64
#define WINDOW 8128
#define COUNTER_END (UINT64_MAX - 8192) /* REJECT_AFTER_MESSAGES */
#define DATA_FLAGS (DATA_FLAG_CONTROL | DATA_FLAG_CSUM | DATA_FLAG_NO_MOVE)

static struct world world;
static const uint8_t no_stamp[TAI64N_SIZE];

/* The last session that the node agreed to. */
struct session {
	bool exists;
	uint8_t suite;
	uint32_t index; /* the node's */
	uint64_t born_ns, greatest;
	struct aead_key send, receive;
	uint64_t accepted[STEPS_MAX];
	unsigned accepted_count;
};

struct attacker {
	struct side *node, *self; /* `self` has keys only */
	uint8_t suites;           /* bit mask of those that the node accepts from us */
	uint8_t psk[KEY_SIZE];
	struct cookie_maker maker;
	struct cookie_checker checker;
	uint64_t last_accepted_ns;
	uint8_t stamps[STEPS_MAX][TAI64N_SIZE]; /* accepted */
	unsigned stamp_count;
	uint32_t answered; /* index of the node's initiation that it took a response to */
	struct path active;
	struct session session;
};

static const struct aead *aead_of(uint8_t suite)
{
	return aead_select(suite == SUITE_AESGCM ? AEAD_AES256GCM : AEAD_CHACHA20POLY1305, NULL);
}

static void start_noise(struct noise *n, uint8_t suite, const uint8_t responder[KEY_SIZE])
{
	const char *name = suite == SUITE_AESGCM ? "Noise_IKpsk2_25519_AESGCM_BLAKE2s"
						 : "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
	const char *identifier = suite == SUITE_WIREGUARD ? "WireGuard v1 zx2c4 Jason@zx2c4.com"
							  : "tund v1";

	noise_start(n, aead_of(suite), name, identifier, strlen(identifier), responder);
}

static void mix_header(struct noise *n, const uint8_t *msg)
{
	if (msg[1] != SUITE_WIREGUARD)
		noise_mix_hash(n, msg, HEADER_SIZE);
}

static void mix_key(struct noise *n, const uint8_t key[KEY_SIZE])
{
	blake2s_hkdf(n->ck, key, KEY_SIZE, n->ck, n->k, NULL);
}

static void mix_e(struct noise *n, const uint8_t e[KEY_SIZE])
{
	noise_mix_hash(n, e, KEY_SIZE);
	mix_key(n, e);
}

/* False for a key of low order: then everybody knows the secret, all zeros. */
static bool mix_dh(struct noise *n, const uint8_t private_key[KEY_SIZE],
		   const uint8_t public_key[KEY_SIZE])
{
	uint8_t shared[KEY_SIZE] = {0};
	bool strong = x25519_dh(private_key, public_key, shared) == 0;

	mix_key(n, shared);
	return strong;
}

static void seal(struct noise *n, const uint8_t *plain, size_t len, uint8_t *out)
{
	struct aead_key key = {0};

	expect(aead_key_init(n->aead, n->k, &key) == 0);
	expect(aead_seal(&key, 0, n->h, sizeof n->h, plain, len, out) == 0);
	aead_key_clear(&key);
	noise_mix_hash(n, out, len + AEAD_TAG_SIZE);
}

/* A header as it should be, and the input's differences. */
static void put_header(struct reader *r, uint8_t *msg, uint8_t type, uint8_t suite)
{
	uint8_t differences[HEADER_SIZE];

	read_copy(r, differences, sizeof differences);
	memcpy(msg, (uint8_t[HEADER_SIZE]){type, suite}, HEADER_SIZE);
	for (size_t i = 0; i < HEADER_SIZE; i++)
		msg[i] ^= differences[i];
}

static const struct path *path_by(const struct attacker *a, uint8_t options)
{
	static const struct path elsewhere = {
		.remote = {.addr = {.family = 6, .bytes = {0x20, 1, 0x0d, 0xb8}}, .port = 9},
	};

	return options & 0x40 ? &elsewhere : &a->self->path;
}

static uint8_t preferred_suite(const struct attacker *a)
{
	return a->suites & 1 ? SUITE_WIREGUARD : a->suites & 2 ? SUITE_AESGCM : SUITE_CHACHAPOLY;
}

static bool suite_is_ours(const struct attacker *a, uint8_t suite)
{
	return suite < SUITE_COUNT && (a->suites >> suite & 1);
}

static void end_session(struct session *s)
{
	aead_key_clear(&s->send);
	aead_key_clear(&s->receive);
	*s = (struct session){0};
}

static void begin_session(struct attacker *a, const struct noise *n, uint8_t suite, bool initiator,
			  uint32_t index)
{
	struct session *s = &a->session;
	uint8_t first[KEY_SIZE], second[KEY_SIZE];

	end_session(s);
	noise_split(n, first, second);
	s->exists = true;
	s->suite = suite;
	s->index = index;
	s->born_ns = world.now_ns;
	expect(aead_key_init(n->aead, initiator ? first : second, &s->send) == 0);
	expect(aead_key_init(n->aead, initiator ? second : first, &s->receive) == 0);
}

/* A stamp above all accepted is surely new, one of them surely not. */
static bool stamp_above_all(const struct attacker *a, const uint8_t *stamp)
{
	for (unsigned i = 0; i < a->stamp_count; i++)
		if (memcmp(stamp, a->stamps[i], TAI64N_SIZE) <= 0)
			return false;
	return memcmp(stamp, no_stamp, TAI64N_SIZE) > 0;
}

static bool stamp_used(const struct attacker *a, const uint8_t *stamp)
{
	for (unsigned i = 0; i < a->stamp_count; i++)
		if (memcmp(stamp, a->stamps[i], TAI64N_SIZE) == 0)
			return true;
	return false;
}

struct initiation {
	uint8_t msg[INITIATION_SIZE], stamp[TAI64N_SIZE];
	uint8_t ephemeral[KEY_SIZE]; /* private, if it is our own */
	struct noise noise;
	bool strong, own_ephemeral, own_static;
};

static void choose_stamp(const struct attacker *a, struct reader *r, uint8_t options,
			 uint8_t stamp[TAI64N_SIZE])
{
	const uint8_t *last = a->stamp_count ? a->stamps[a->stamp_count - 1] : no_stamp;

	if (options & 4)
		read_copy(r, stamp, TAI64N_SIZE);
	else if (options & 8)
		memcpy(stamp, last, TAI64N_SIZE);
	else
		tai64n_next(world.now_ns - START_NS + START_WALL_NS, last, stamp);
}

static void make_initiation(struct attacker *a, struct reader *r, uint8_t options,
			    struct initiation *i)
{
	uint8_t e[KEY_SIZE], s[KEY_SIZE];

	put_header(r, i->msg, MESSAGE_INITIATION, preferred_suite(a));
	put_le32(i->msg + INITIATION_SENDER, read_u32(r));
	x25519_generate(&(struct rng){prng_fill, &a->self->prng}, i->ephemeral);
	x25519_public(i->ephemeral, e);
	memcpy(s, a->self->public_key, KEY_SIZE);
	if (options & 1)
		read_copy(r, e, KEY_SIZE);
	if (options & 2)
		read_copy(r, s, KEY_SIZE);
	choose_stamp(a, r, options, i->stamp);
	i->own_ephemeral = !(options & 1);
	i->own_static = memcmp(s, a->self->public_key, KEY_SIZE) == 0;

	start_noise(&i->noise, i->msg[1], a->node->public_key);
	mix_header(&i->noise, i->msg);
	memcpy(i->msg + INITIATION_EPHEMERAL, e, KEY_SIZE);
	mix_e(&i->noise, e);
	i->strong = mix_dh(&i->noise, a->node->private_key, e);
	seal(&i->noise, s, KEY_SIZE, i->msg + INITIATION_STATIC);
	mix_dh(&i->noise, a->node->private_key, s);
	seal(&i->noise, i->stamp, TAI64N_SIZE, i->msg + INITIATION_TIMESTAMP);
	cookie_stamp(&a->maker, world.now_ns, i->msg, INITIATION_SIZE);
	i->msg[INITIATION_MAC1] ^= options >> 7;
}

/* The response must be a right one, and if we can, we go on with it. */
static void take_response(struct attacker *a, struct initiation *i)
{
	const struct message *m = &a->node->sent[(a->node->sent_count - 1) % SENT_MAX];
	uint8_t header[HEADER_SIZE] = {MESSAGE_RESPONSE, i->msg[1]}, nothing[1];

	expect(m->len == RESPONSE_SIZE && memcmp(m->bytes, header, HEADER_SIZE) == 0);
	expect(memcmp(m->bytes + RESPONSE_RECEIVER, i->msg + INITIATION_SENDER, 4) == 0);
	expect(cookie_mac1_is_valid(&a->checker, m->bytes, m->len));
	end_session(&a->session);
	if (!i->own_ephemeral)
		return;
	mix_header(&i->noise, m->bytes);
	expect(noise_read_second(&i->noise, i->ephemeral, a->self->private_key, a->psk,
				 m->bytes + RESPONSE_EPHEMERAL, 0, nothing) == 0);
	begin_session(a, &i->noise, i->msg[1], true, get_le32(m->bytes + RESPONSE_SENDER));
}

static void step_initiation(struct attacker *a, struct reader *r, uint8_t options)
{
	struct initiation i;
	struct received received;
	uint8_t packet[2048];
	size_t sent = a->node->sent_count;
	bool right, accepted, in_time;

	make_initiation(a, r, options, &i);
	side_receive(a->node, path_by(a, options), i.msg, sizeof i.msg, &received, packet);
	accepted = a->node->sent_count != sent;
	in_time = !a->stamp_count || world.now_ns - a->last_accepted_ns >= 20 * NS_PER_MS;
	right = i.msg[0] == MESSAGE_INITIATION && suite_is_ours(a, i.msg[1]) && i.msg[2] == 0 &&
		i.msg[3] == 0 && i.strong && i.own_static && !(options & 0x80) && in_time;
	expect(!accepted || (right && !stamp_used(a, i.stamp)));
	expect(accepted || !right || !stamp_above_all(a, i.stamp));
	if (accepted) {
		expect(a->node->sent_count == sent + 1);
		memcpy(a->stamps[a->stamp_count++], i.stamp, TAI64N_SIZE);
		a->last_accepted_ns = world.now_ns;
		a->active = *path_by(a, options);
		take_response(a, &i);
	}
}

static bool counter_is_new(const struct session *s, uint64_t counter)
{
	if (counter >= COUNTER_END ||
	    (s->accepted_count && s->greatest >= WINDOW && counter <= s->greatest - WINDOW))
		return false;
	for (unsigned i = 0; i < s->accepted_count; i++)
		if (s->accepted[i] == counter)
			return false;
	return true;
}

static void note_counter(struct attacker *a, uint64_t counter, uint8_t flags,
			 const struct path *from)
{
	struct session *s = &a->session;
	bool newest = s->accepted_count == 0 || counter > s->greatest;

	s->accepted[s->accepted_count++] = counter;
	if (newest)
		s->greatest = counter;
	if (s->suite == SUITE_WIREGUARD || (newest && !(flags & DATA_FLAG_NO_MOVE)))
		a->active = *from;
}

/* A data message of the session into msg[DATA_OVERHEAD + 255]; returns its length. */
static size_t make_data(struct session *s, struct reader *r, uint8_t options, uint8_t *msg,
			uint8_t *payload, size_t *payload_len)
{
	uint64_t counter;

	put_header(r, msg, MESSAGE_DATA, s->suite);
	counter = read_u64(r);
	if (options & 1)
		counter += s->greatest;
	*payload_len = read_u8(r);
	read_copy(r, payload, *payload_len);
	put_le32(msg + DATA_RECEIVER, s->index);
	put_le64(msg + DATA_COUNTER, counter);
	expect(aead_seal(&s->send, counter, msg, s->suite == SUITE_WIREGUARD ? 0 : DATA_PAYLOAD,
			 payload, *payload_len, msg + DATA_PAYLOAD) == 0);
	msg[DATA_PAYLOAD + *payload_len] ^= options >> 7;
	return DATA_OVERHEAD + *payload_len;
}

static void step_data(struct attacker *a, struct reader *r, uint8_t options)
{
	uint8_t msg[DATA_OVERHEAD + 255], payload[255], packet[2048];
	struct session *s = &a->session;
	struct received received;
	enum received_kind kind;
	size_t payload_len, len;
	uint64_t counter;
	bool right;

	if (!s->exists)
		return;
	len = make_data(s, r, options, msg, payload, &payload_len);
	counter = get_le64(msg + DATA_COUNTER);
	kind = side_receive(a->node, path_by(a, options), msg, len, &received, packet);
	right = msg[0] == MESSAGE_DATA && msg[1] == s->suite && msg[3] == 0 &&
		(msg[2] & ~(s->suite == SUITE_WIREGUARD ? 0 : DATA_FLAGS)) == 0 &&
		!(options & 0x80) && world.now_ns - s->born_ns < 180 * NS_PER_SEC &&
		counter_is_new(s, counter);
	expect((received.peer != NULL) == right);
	if (!right) {
		expect(kind == RECEIVED_NOTHING && received.reason != SESSION_OK);
		return;
	}
	note_counter(a, counter, msg[2], path_by(a, options));
	if (payload_len == 0 || msg[2] & DATA_FLAG_CONTROL) {
		expect(kind == RECEIVED_NOTHING);
		return;
	}
	expect(kind == RECEIVED_PACKET && received.flags == msg[2]);
	expect(received.len == payload_len && memcmp(packet, payload, payload_len) == 0);
}

static const uint8_t *last_initiation(const struct side *side)
{
	for (size_t i = 0; i < SENT_MAX && i < side->sent_count; i++) {
		const struct message *m = &side->sent[(side->sent_count - 1 - i) % SENT_MAX];

		if (m->len == INITIATION_SIZE)
			return m->bytes;
	}
	return NULL;
}

/* Reads the node's initiation, which must be right. */
static void read_initiation(struct attacker *a, const uint8_t *msg, struct noise *n)
{
	uint8_t claimed[KEY_SIZE], shared[KEY_SIZE], stamp[TAI64N_SIZE];

	expect(suite_is_ours(a, msg[1]) && cookie_mac1_is_valid(&a->checker, msg, INITIATION_SIZE));
	start_noise(n, msg[1], a->self->public_key);
	mix_header(n, msg);
	expect(noise_read_static(n, a->self->private_key, msg + INITIATION_EPHEMERAL, claimed) == 0);
	expect(memcmp(claimed, a->node->public_key, KEY_SIZE) == 0);
	expect(x25519_dh(a->self->private_key, claimed, shared) == 0);
	expect(noise_read_first(n, shared, msg + INITIATION_EPHEMERAL, TAI64N_SIZE, stamp) == 0);
}

/* What follows our response: a keepalive with counter 0, under the key that we have, too. */
static void take_keepalive(struct attacker *a, size_t sent)
{
	const struct message *m = &a->node->sent[sent % SENT_MAX];
	struct session *s = &a->session;
	uint8_t nothing[1];

	expect(a->node->sent_count > sent && m->len == DATA_MIN_SIZE && m->bytes[1] == s->suite);
	expect(get_le64(m->bytes + DATA_COUNTER) == 0);
	expect(aead_open(&s->receive, 0, m->bytes, s->suite == SUITE_WIREGUARD ? 0 : DATA_PAYLOAD,
			 m->bytes + DATA_PAYLOAD, TAG_SIZE, nothing) == 0);
}

/* Returns whether the ephemeral key is our own. One from the input can only be of use if it is of
 * low order, when the secrets are zeros for everybody. */
static bool seal_response(struct attacker *a, struct reader *r, uint8_t options, struct noise *n,
			  const uint8_t *initiation, uint8_t msg[RESPONSE_SIZE])
{
	uint8_t private_key[KEY_SIZE], e[KEY_SIZE], psk[KEY_SIZE], temp[KEY_SIZE], zeros[KEY_SIZE] = {0};

	x25519_generate(&(struct rng){prng_fill, &a->self->prng}, private_key);
	x25519_public(private_key, e);
	memcpy(psk, a->psk, KEY_SIZE);
	psk[0] ^= options >> 1 & 1;
	if (options & 1)
		read_copy(r, e, KEY_SIZE);
	mix_header(n, msg);
	memcpy(msg + RESPONSE_EPHEMERAL, e, KEY_SIZE);
	mix_e(n, e);
	if (options & 1) {
		mix_key(n, zeros);
		mix_key(n, zeros);
	} else {
		mix_dh(n, private_key, initiation + INITIATION_EPHEMERAL);
		mix_dh(n, private_key, a->node->public_key);
	}
	blake2s_hkdf(n->ck, psk, KEY_SIZE, n->ck, temp, n->k);
	noise_mix_hash(n, temp, KEY_SIZE);
	seal(n, NULL, 0, msg + RESPONSE_EMPTY);
	cookie_stamp(&a->maker, world.now_ns, msg, RESPONSE_SIZE);
	msg[RESPONSE_MAC1] ^= options >> 7;
	return !(options & 1);
}

static void step_response(struct attacker *a, struct reader *r, uint8_t options)
{
	uint8_t msg[RESPONSE_SIZE], packet[2048];
	const uint8_t *initiation;
	struct received received;
	struct noise n;
	uint32_t pending, receiver;
	size_t sent = a->node->sent_count;
	bool right, just_sent;

	peer_handshake(a->node->peer, world.now_ns);
	just_sent = a->node->sent_count != sent;
	initiation = last_initiation(a->node);
	if (!initiation)
		return;
	pending = get_le32(initiation + INITIATION_SENDER);
	read_initiation(a, initiation, &n);
	put_header(r, msg, MESSAGE_RESPONSE, initiation[1]);
	put_le32(msg + RESPONSE_SENDER, read_u32(r));
	receiver = pending ^ read_u32(r);
	put_le32(msg + RESPONSE_RECEIVER, receiver);
	right = msg[0] == MESSAGE_RESPONSE && msg[1] == initiation[1] && msg[2] == 0 &&
		msg[3] == 0 && receiver == pending && !(options & 0x82) && pending != a->answered;
	right &= seal_response(a, r, options, &n, initiation, msg);
	sent = a->node->sent_count;
	side_receive(a->node, path_by(a, options), msg, sizeof msg, &received, packet);
	expect(right || a->node->sent_count == sent);
	expect(!right || !just_sent || a->node->sent_count != sent);
	if (a->node->sent_count == sent)
		return; /* an old one may have been given up */
	a->answered = pending;
	a->active = *path_by(a, options);
	begin_session(a, &n, initiation[1], false, pending);
	take_keepalive(a, sent);
}

static void step(struct attacker *a, struct reader *r)
{
	uint8_t number = read_u8(r), options = read_u8(r);
	struct path path;

	switch (number % 4) {
	case 0:
		step_initiation(a, r, options);
		break;
	case 1:
		step_data(a, r, options);
		break;
	case 2:
		world.now_ns += read_u16(r) * 10 * NS_PER_MS;
		node_tick(a->node->node, world.now_ns);
		expect(node_next_deadline(a->node->node) > world.now_ns);
		break;
	case 3:
		step_response(a, r, options);
		break;
	}
	expect(peer_path(a->node->peer, &path) && path_equal(&path, &a->active));
}

static void set_up(struct attacker *a, uint8_t kind)
{
	struct peer_config config = {
		.wireguard = (kind & 3) == SUITE_WIREGUARD,
		.pinned_suite = (kind & 3) == 1 || (kind & 3) == 2 ? kind & 3 : -1,
	};
	struct rng rng;

	memset(&world, 0, sizeof world);
	world.now_ns = START_NS;
	*a = (struct attacker){
		.node = &world.sides[0],
		.self = &world.sides[1],
		.suites = (uint8_t[]){1, 2, 4, 6}[kind & 3],
	};
	a->self->prng.state = 2;
	a->self->path.remote = (struct endpoint){.addr = {.family = 4, .bytes = {192, 0, 2, 2}}};
	side_make_keys(a->self, 2);
	memset(a->psk, kind & 4 ? 0x55 : 0, KEY_SIZE);
	memcpy(config.preshared_key, a->psk, KEY_SIZE);
	side_start(&world, a->node, 1, 64);
	side_add_peer(a->node, a->self->public_key, config);
	peer_path_use(a->node->peer, world.now_ns, &a->self->path);
	a->active = a->self->path;
	rng = prng_rng(&a->self->prng);
	cookie_maker_init(&a->maker, a->node->public_key);
	cookie_checker_init(&a->checker, a->self->public_key, &rng);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct attacker attacker;
	struct reader r = reader_init(data, len);

	expect(crypto_init() == 0);
	set_up(&attacker, read_u8(&r));
	for (unsigned i = 0; i < STEPS_MAX && r.pos < r.len && !r.failed; i++)
		step(&attacker, &r);
	end_session(&attacker.session);
	world_free(&world);
	return 0;
}
