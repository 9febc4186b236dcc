/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pairing of accounts that demand a passkey (2026).
 *
 *     passkey_prologue_request -> options to the host -> assertion of the user's browser -> <ref/> -> passkey_prologue
 *     -> crsc_continuation (the phone's ephemeral identity) -> companion_nonce -> code to compare -> confirmed
 *     -> new ADV secret stored -> encrypted_pairing_request -> pair-success (pair.c)
 *
 * Sources: whatsmeow pair-passkey.go, whatsapp-rust wacore/src/shortcake.rs.
 */
#include <stdio.h>
#include <string.h>

#include "sessiond/crypto/crypto.h"
#include "sessiond/wa/pairing.h"
#include "sessiond/wa/payload.h"
#include "sessiond/wa/proto/pairing.pb-c.h"
#include "sessiond/wa/proto_scan.h"

#define HANDOFF_INFO "shortcake-passkey-handoff-v1"
#define HANDOFF_VALID_MS (5 * 60000)
/* From the request to pair-success. */
#define PASSKEY_VALID_MS (10 * 60000)
#define ENCRYPTION_INFO "Pairing Information Encryption Key"

bool passkey_outstanding(const struct passkey *passkey)
{
	return passkey->step != PASSKEY_NONE;
}

void passkey_reset(struct wa_client *client, struct passkey *passkey)
{
	wa_timer_stop(client, &passkey->timer);
	buf_wipe(&passkey->credential_id);
	buf_wipe(&passkey->assertion);
	buf_free(&passkey->ref);
	crypto_wipe(passkey, sizeof *passkey);
	*passkey = (struct passkey){ 0 };
}

static struct passkey *passkey_of(struct wa_client *client)
{
	return client->pairing != NULL && !client->pairing->succeeded ? &client->pairing->passkey : NULL;
}

static void fail(struct wa_client *client, int code, const char *text)
{
	passkey_reset(client, &client->pairing->passkey);
	pair_error(client, code, text);
}

/* One step of the exchange: an IQ with one child. */
static void step_iq(struct wa_client *client, const char *type, struct wa_node *(*build)(struct arena *a, struct wa_node *iq, const void *arg),
                    const void *arg, wa_iq_done *done)
{
	struct wa_node *iq;
	struct arena arena;

	arena_init(&arena, 0);
	iq = wa_iq_new(&arena, type, "md");
	build(&arena, iq, arg);
	wa_client_iq(client, &arena, iq, done, NULL);
	arena_free(&arena);
}

/* The passkey state if it is at this step and the answer is good; otherwise NULL, after reporting. */
static struct passkey *next_step(struct wa_client *client, const struct wa_node *answer, enum passkey_step step, const char *what)
{
	struct passkey *passkey = passkey_of(client);
	char text[160];
	const char *error;
	int code;

	if (passkey == NULL || passkey->step != step)
		return NULL;
	if (wa_iq_ok(answer, &code, &error))
		return passkey;
	snprintf(text, sizeof text, "passkey pairing: %s failed: %s (%d)", what, error, code);
	fail(client, code, text);
	return NULL;
}

static void expired(struct wa_client *client, void *arg)
{
	(void)arg;
	fail(client, CODE_TIMED_OUT, "the passkey was not used in time");
}

/* ---- the request ---- */

static void offer(struct wa_client *client, struct span options)
{
	struct passkey *passkey = passkey_of(client);
	struct wa_event event = { .kind = WA_EVENT_PASSKEY_REQUEST };
	struct buf text = { 0 };

	if (options.n > LIMIT_WA_PAIRING_TEXT) {
		fail(client, CODE_BAD_SESSION, "the server's passkey options are too long");
		return;
	}
	passkey_reset(client, passkey);
	/* Proves to the phone that the device whose QR code it scanned is the one that now shows a passkey. */
	if (crypto_hkdf_sha256(client->creds.adv_secret, sizeof client->creds.adv_secret, NULL, 0, HANDOFF_INFO, strlen(HANDOFF_INFO),
	                       passkey->handoff_key, sizeof passkey->handoff_key) == 0)
		passkey->handoff_ms = wa_client_mono_ms(client);
	passkey->step = PASSKEY_REQUESTED;
	wa_timer_start(client, &passkey->timer, wa_client_mono_ms(client) + PASSKEY_VALID_MS, expired, NULL);
	buf_append_span(&text, options);
	event.text = (char *)(uintptr_t)buf_text(&text);
	wa_client_event(client, &event);
	buf_free(&text);
}

static struct wa_node *build_options(struct arena *a, struct wa_node *iq, const void *arg)
{
	(void)arg;
	return wa_node_add_new(a, iq, "passkey_request_options");
}

static void options_answered(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	struct span options = wa_node_child_content(answer, "passkey_request_options");

	(void)arg;
	if (passkey_of(client) == NULL)
		return;
	if (options.n == 0)
		fail(client, CODE_BAD_SESSION, "the account demands a passkey, but the server gave no options for it");
	else
		offer(client, options);
}

void passkey_on_request(struct wa_client *client, struct wa_stanza *stanza)
{
	struct span options = wa_node_child_content(wa_stanza_node(stanza), "passkey_request_options");

	wa_stanza_ack(client, stanza, 0);
	if (passkey_of(client) != NULL) {
		if (options.n > 0)
			offer(client, options);
		else
			step_iq(client, "get", build_options, NULL, options_answered);
	}
	wa_stanza_done(client, stanza);
}

/* ---- the assertion ---- */

static void prologue_answered(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	struct passkey *passkey = next_step(client, answer, PASSKEY_PROLOGUE, "the passkey's answer");

	(void)arg;
	if (passkey != NULL)
		passkey->step = PASSKEY_WAITING;
}

struct prologue {
	const struct passkey *passkey;
	struct span payload;
	const uint8_t *proof; /* 32 bytes, or NULL */
};

static struct wa_node *build_prologue(struct arena *a, struct wa_node *iq, const void *arg)
{
	const struct prologue *prologue = arg;
	struct wa_node *node = wa_node_add_new(a, iq, "passkey_prologue");

	wa_node_add_bytes(a, node, "credential_id", buf_span(&prologue->passkey->credential_id));
	wa_node_add_bytes(a, node, "webauthn_assertion", buf_span(&prologue->passkey->assertion));
	wa_node_add_bytes(a, node, "prologue_payload", prologue->payload);
	if (prologue->proof != NULL)
		wa_node_add_bytes(a, node, "pairing_handoff_proof", span_of(prologue->proof, 32));
	return node;
}

/* Our ephemeral identity and a commitment to the nonce that is shown later. */
static int write_prologue(struct wa_client *client, struct passkey *passkey, struct buf *out)
{
	Wa__CompanionEphemeralIdentity identity = WA__COMPANION_EPHEMERAL_IDENTITY__INIT;
	Wa__CompanionCommitment commitment = WA__COMPANION_COMMITMENT__INIT;
	Wa__ProloguePayload payload = WA__PROLOGUE_PAYLOAD__INIT;
	struct buf packed = { 0 }, committed = { 0 };
	uint8_t random[CURVE_KEY_LEN], hash[CRYPTO_SHA256_LEN];
	int result;

	wa_client_random(client, random, sizeof random);
	wa_client_random(client, passkey->nonce, sizeof passkey->nonce);
	wa_client_random(client, passkey->adv_secret, sizeof passkey->adv_secret);
	result = curve_pair_from_random(random, &passkey->ephemeral);
	identity.has_public_key = identity.has_device_type = 1;
	identity.public_key = proto_data(span_of(passkey->ephemeral.public_key, CURVE_KEY_LEN));
	identity.device_type = payload_platform_type(wa_client_config(client)->browser_name);
	identity.ref = (char *)(uintptr_t)buf_text(&passkey->ref);
	proto_pack(&packed, &identity.base);
	buf_append_span(&committed, buf_span(&packed));
	buf_append(&committed, passkey->nonce, sizeof passkey->nonce);
	if (result == 0)
		result = crypto_sha256(committed.data, committed.len, hash);
	commitment.has_hash = 1;
	commitment.hash = proto_data(span_of(hash, sizeof hash));
	payload.has_companion_ephemeral_identity = 1;
	payload.companion_ephemeral_identity = proto_data(buf_span(&packed));
	payload.commitment = &commitment;
	proto_pack(out, &payload.base);
	crypto_wipe(random, sizeof random);
	buf_free(&packed);
	buf_wipe(&committed);
	return result;
}

static void ref_answered(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	struct passkey *passkey = next_step(client, answer, PASSKEY_REF, "asking for a reference");
	struct span ref = wa_node_child_content(answer, "ref");
	struct buf payload = { 0 };
	struct prologue prologue = { .passkey = passkey };
	uint8_t proof[CRYPTO_SHA256_LEN];

	(void)arg;
	if (passkey == NULL)
		return;
	if (ref.n == 0 || ref.n > PAIRING_REF_MAX || memchr(ref.p, 0, ref.n) != NULL) {
		fail(client, CODE_BAD_SESSION, "passkey pairing: the server's answer has no reference");
		return;
	}
	buf_clear(&passkey->ref);
	buf_append_span(&passkey->ref, ref);
	if (write_prologue(client, passkey, &payload) != 0) {
		fail(client, CODE_BAD_SESSION, "passkey pairing: keys could not be made");
	} else {
		prologue.payload = buf_span(&payload);
		passkey->handoff = passkey->handoff_ms != 0 && wa_client_mono_ms(client) - passkey->handoff_ms < HANDOFF_VALID_MS &&
		                   crypto_hmac(CRYPTO_SHA256, passkey->handoff_key, sizeof passkey->handoff_key, payload.data, payload.len,
		                               proof) == 0;
		prologue.proof = passkey->handoff ? proof : NULL;
		passkey->step = PASSKEY_PROLOGUE;
		step_iq(client, "set", build_prologue, &prologue, prologue_answered);
	}
	buf_free(&payload);
}

static struct wa_node *build_ref(struct arena *a, struct wa_node *iq, const void *arg)
{
	(void)arg;
	return wa_node_add_new(a, iq, "ref");
}

int wa_client_passkey_response(struct wa_client *client, struct span credential_id, const char *assertion_json)
{
	struct passkey *passkey = passkey_of(client);

	if (passkey == NULL || passkey->step != PASSKEY_REQUESTED || client->closing || credential_id.n == 0)
		return -1;
	client_enter(client);
	buf_clear(&passkey->credential_id);
	buf_append_span(&passkey->credential_id, credential_id);
	buf_clear(&passkey->assertion);
	buf_append_text(&passkey->assertion, assertion_json);
	passkey->step = PASSKEY_REF;
	step_iq(client, "get", build_ref, NULL, ref_answered);
	client_leave(client);
	return 0;
}

/* ---- the phone's part, and the code ---- */

static void nonce_answered(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	struct passkey *passkey = next_step(client, answer, PASSKEY_NONCE, "showing the nonce");
	struct wa_event event = { .kind = WA_EVENT_PASSKEY_CODE };

	(void)arg;
	if (passkey == NULL)
		return;
	passkey->step = PASSKEY_CODE;
	event.text = passkey->code;
	/* The phone skips the comparison: the host may do so too. */
	event.code = passkey->handoff ? 1 : 0;
	wa_client_event(client, &event);
}

static struct wa_node *build_nonce(struct arena *a, struct wa_node *iq, const void *arg)
{
	const struct passkey *passkey = arg;

	return wa_node_add_bytes(a, iq, "companion_nonce", span_of(passkey->nonce, sizeof passkey->nonce));
}

/* Encryption key and code out of both sides' ephemeral keys and nonces. */
static int derive(struct wa_client *client, struct passkey *passkey, const uint8_t *phone_key, const uint8_t *phone_nonce)
{
	uint8_t shared[32], digest[CRYPTO_SHA256_LEN], bytes[5];
	struct buf salt = { 0 }, hashed = { 0 };
	char code[PAIRING_CODE_LEN + 1];
	int result = -1;

	buf_printf(&salt, "Companion Pairing %d with ref %s", payload_platform_type(wa_client_config(client)->browser_name),
	           buf_text(&passkey->ref));
	buf_append(&hashed, passkey->nonce, sizeof passkey->nonce);
	buf_append(&hashed, phone_key, CURVE_KEY_LEN);
	if (curve_agree(passkey->ephemeral.private_key, phone_key, shared) == 0 &&
	    crypto_hkdf_sha256(shared, sizeof shared, salt.data, salt.len, ENCRYPTION_INFO, strlen(ENCRYPTION_INFO), passkey->encryption_key,
	                       sizeof passkey->encryption_key) == 0 &&
	    crypto_sha256(hashed.data, hashed.len, digest) == 0) {
		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = phone_nonce[i] ^ digest[i];
		pairing_base32(bytes, code);
		snprintf(passkey->code, sizeof passkey->code, "%.4s-%.4s", code, code + 4);
		result = 0;
	}
	crypto_wipe(shared, sizeof shared);
	buf_free(&salt);
	buf_wipe(&hashed);
	return result;
}

static void take_identity(struct wa_client *client, struct passkey *passkey, struct span bytes)
{
	const Wa__PrimaryEphemeralIdentity *identity;
	ProtobufCMessage *message;
	struct arena arena;

	arena_init(&arena, 0);
	if (proto_unpack(&arena, &wa__primary_ephemeral_identity__descriptor, bytes, &message) == 0) {
		identity = (const Wa__PrimaryEphemeralIdentity *)message;
		if (identity->has_public_key && identity->public_key.len == CURVE_KEY_LEN && identity->has_nonce && identity->nonce.len == 32 &&
		    derive(client, passkey, identity->public_key.data, identity->nonce.data) == 0)
			passkey->step = PASSKEY_NONCE;
	}
	arena_free(&arena);
	if (passkey->step == PASSKEY_NONCE)
		step_iq(client, "set", build_nonce, passkey, nonce_answered);
	else
		fail(client, CODE_BAD_SESSION, "passkey pairing: the phone's keys cannot be used");
}

void passkey_on_continuation(struct wa_client *client, struct wa_stanza *stanza)
{
	struct passkey *passkey = passkey_of(client);
	struct span identity = wa_node_child_content(wa_stanza_node(stanza), "primary_ephemeral_identity");

	wa_stanza_ack(client, stanza, 0);
	/* It can overtake the answer to our prologue. */
	if (passkey != NULL && (passkey->step == PASSKEY_WAITING || passkey->step == PASSKEY_PROLOGUE))
		take_identity(client, passkey, identity);
	wa_stanza_done(client, stanza);
}

/* ---- confirmed by the user ---- */

static void request_answered(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	(void)arg;
	/* Success shows itself as pair-success. After a failure the old QR text holds a secret that is no longer ours. */
	if (passkey_of(client) != NULL && next_step(client, answer, PASSKEY_CONFIRMED, "the pairing request") == NULL)
		pair_show_again(client);
}

static struct wa_node *build_request(struct arena *a, struct wa_node *iq, const void *arg)
{
	const struct buf *request = arg;

	return wa_node_add_bytes(a, iq, "encrypted_pairing_request", buf_span(request));
}

/* Our keys and the new secret, encrypted for the phone. */
static int write_request(struct wa_client *client, const struct passkey *passkey, struct buf *out)
{
	Wa__PairingRequest request = WA__PAIRING_REQUEST__INIT;
	Wa__EncryptedPairingRequest encrypted = WA__ENCRYPTED_PAIRING_REQUEST__INIT;
	uint8_t iv[CRYPTO_GCM_IV_LEN];
	struct buf plain = { 0 }, sealed = { 0 };
	size_t n;
	int result;

	request.has_companion_public_key = request.has_companion_identity_key = request.has_adv_secret = 1;
	request.companion_public_key = proto_data(span_of(client->creds.noise.public_key, CURVE_KEY_LEN));
	request.companion_identity_key = proto_data(span_of(client->creds.identity.public_key, CURVE_KEY_LEN));
	request.adv_secret = proto_data(span_of(client->creds.adv_secret, sizeof client->creds.adv_secret));
	proto_pack(&plain, &request.base);
	wa_client_random(client, iv, sizeof iv);
	n = plain.len + CRYPTO_GCM_TAG_LEN;
	result = crypto_aes_gcm_seal(passkey->encryption_key, iv, NULL, 0, plain.data, plain.len, buf_reserve(&sealed, n));
	if (result == 0) {
		buf_commit(&sealed, n);
		encrypted.has_encrypted_payload = encrypted.has_iv = 1;
		encrypted.encrypted_payload = proto_data(buf_span(&sealed));
		encrypted.iv = proto_data(span_of(iv, sizeof iv));
		proto_pack(out, &encrypted.base);
	}
	buf_wipe(&plain);
	buf_free(&sealed);
	return result;
}

static void confirmed_stored(void *arg, bool ok)
{
	struct wa_client *client = arg;
	struct passkey *passkey = passkey_of(client);
	struct buf request = { 0 };

	if (!ok || passkey == NULL || passkey->step != PASSKEY_CONFIRMED)
		return;
	if (write_request(client, passkey, &request) == 0)
		step_iq(client, "set", build_request, &request, request_answered);
	else
		fail(client, CODE_BAD_SESSION, "passkey pairing: the request could not be encrypted");
	buf_free(&request);
}

int wa_client_passkey_confirm(struct wa_client *client)
{
	struct passkey *passkey = passkey_of(client);
	struct state_op op;

	if (passkey == NULL || passkey->step != PASSKEY_CODE || client->closing)
		return -1;
	client_enter(client);
	passkey->step = PASSKEY_CONFIRMED;
	memcpy(client->creds.adv_secret, passkey->adv_secret, sizeof passkey->adv_secret);
	state_op_init(&op, client->state);
	client_put_creds(client, &op);
	state_op_commit(&op, confirmed_stored, client);
	state_op_end(&op);
	client_leave(client);
	return 0;
}
