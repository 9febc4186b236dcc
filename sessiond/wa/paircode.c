/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pairing by a code that the user types on the phone.
 *
 *     key of the code (PBKDF2, other thread) -> companion_hello -> ref -> code shown
 *     -> primary_hello -> key again -> shared secrets, new ADV secret stored -> companion_finish -> pair-success (pair.c)
 *
 * Sources: whatsmeow pair-code.go; limits (180 s, 3 tries, 60 s) whatsapp-rust.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/wa/pairing.h"
#include "sessiond/wa/payload.h"

#define ITERATIONS 131072U
#define SALT_LEN 32
#define IV_LEN 16
#define WRAPPED_LEN (SALT_LEN + IV_LEN + CURVE_KEY_LEN)
#define CODE_VALID_MS 180000
#define SUCCESS_WAIT_MS 60000
#define HELLOS_MAX 3U
#define BUNDLE_INFO "link_code_pairing_key_bundle_encryption_key"
#define SECRET_INFO "adv_secret"

/* The slow derivation: lives on its own, because the client may be gone when it ends. */
struct paircode_job {
	struct wa_client *client; /* NULL: nobody waits any more */
	void (*derived)(struct wa_client *client, struct paircode_job *job);
	char code[PAIRING_CODE_LEN + 1];
	uint8_t salt[SALT_LEN];
	uint8_t key[32];
	int result;
	/* of primary_hello */
	uint8_t wrapped[WRAPPED_LEN];
	uint8_t primary_identity[CURVE_KEY_LEN];
};

void pairing_base32(const uint8_t bytes[5], char out[PAIRING_CODE_LEN + 1])
{
	static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTVWXYZ";
	uint64_t bits = 0;

	for (unsigned i = 0; i < 5; i++)
		bits = bits << 8 | bytes[i];
	for (unsigned i = 0; i < PAIRING_CODE_LEN; i++)
		out[i] = alphabet[bits >> (35 - 5 * i) & 31U];
	out[PAIRING_CODE_LEN] = '\0';
}

static void derive(void *arg)
{
	struct paircode_job *job = arg;

	job->result = crypto_pbkdf2_sha256(job->code, PAIRING_CODE_LEN, job->salt, sizeof job->salt, ITERATIONS, job->key, sizeof job->key);
}

static void derived(void *arg)
{
	struct paircode_job *job = arg;
	struct wa_client *client = job->client;

	if (client != NULL) {
		client_enter(client);
		client->pairing->code.job = NULL;
		job->derived(client, job);
		client_leave(client);
	}
	crypto_wipe(job, sizeof *job);
	free(job);
}

static struct paircode_job *job_new(struct wa_client *client, const struct paircode *code, const uint8_t salt[SALT_LEN])
{
	struct paircode_job *job = xcalloc(1, sizeof *job);

	job->client = client;
	memcpy(job->code, code->code, sizeof job->code);
	memcpy(job->salt, salt, SALT_LEN);
	return job;
}

static void job_start(struct wa_client *client, struct paircode_job *job)
{
	client->pairing->code.job = job;
	client->host->offload(client->ctx, derive, derived, job);
}

bool paircode_outstanding(const struct paircode *code)
{
	return code->step != PAIRCODE_NONE;
}

bool paircode_accepted(const struct paircode *code)
{
	return code->step >= PAIRCODE_ACCEPTED;
}

void paircode_reset(struct wa_client *client, struct paircode *code)
{
	if (code->job != NULL)
		code->job->client = NULL;
	wa_timer_stop(client, &code->timer);
	buf_free(&code->ref);
	buf_wipe(&code->bundle);
	crypto_wipe(code, sizeof *code);
	*code = (struct paircode){ 0 };
}

static void fail(struct wa_client *client, int number, const char *text)
{
	bool accepted = paircode_accepted(&client->pairing->code);

	paircode_reset(client, &client->pairing->code);
	pair_error(client, number, text);
	/* The secret may have changed: the QR text that is shown would not fit it. */
	if (accepted)
		pair_show_again(client);
}

static void expired(struct wa_client *client, void *arg)
{
	fail(client, CODE_TIMED_OUT, arg);
}

static void limit(struct wa_client *client, int64_t ms, const char *text)
{
	wa_timer_start(client, &client->pairing->code.timer, wa_client_mono_ms(client) + ms, expired, (void *)(uintptr_t)text);
}

static struct wa_node *new_stage(struct arena *a, const struct paircode *code, const char *stage, struct wa_node **iq)
{
	struct jid phone;
	struct wa_node *reg;

	*iq = wa_iq_new(a, "set", "md");
	reg = wa_node_add_new(a, *iq, "link_code_companion_reg");
	if (jid_make(&phone, code->phone, strlen(code->phone), JID_SERVER_PN, 0) == 0)
		wa_node_attr_jid(a, reg, "jid", &phone);
	wa_node_attr(a, reg, "stage", stage);
	return reg;
}

/* ---- stage 1 ---- */

static void hello_answered(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	struct pairing *pairing = client->pairing;
	struct wa_event event = { .kind = WA_EVENT_PAIR_CODE };
	struct span ref = wa_node_child_content(wa_node_child(answer, "link_code_companion_reg"), "link_code_pairing_ref");
	const char *text;
	int code;

	(void)arg;
	if (pairing == NULL || pairing->code.step != PAIRCODE_HELLO)
		return;
	if (!wa_iq_ok(answer, &code, &text)) {
		fail(client, code, text[0] != '\0' ? text : "the server refused a pairing code");
		return;
	}
	if (ref.n == 0 || ref.n > PAIRING_REF_MAX) {
		fail(client, CODE_BAD_SESSION, "the server's answer to a pairing code has no reference");
		return;
	}
	buf_clear(&pairing->code.ref);
	buf_append_span(&pairing->code.ref, ref);
	pairing->code.step = PAIRCODE_SHOWN;
	event.text = pairing->code.code;
	event.ms = CODE_VALID_MS;
	wa_client_event(client, &event);
	limit(client, CODE_VALID_MS, "the pairing code was not used in time");
}

static void send_hello(struct wa_client *client, struct paircode_job *job)
{
	struct paircode *code = &client->pairing->code;
	static const uint8_t nonce = 0;
	struct buf display = { 0 };
	struct wa_node *iq, *reg;
	struct arena arena;
	char type = payload_client_type(wa_client_config(client)->browser_name);

	memcpy(code->wrapped, job->salt, SALT_LEN);
	wa_client_random(client, code->wrapped + SALT_LEN, IV_LEN);
	if (job->result != 0 || crypto_aes_ctr(job->key, sizeof job->key, code->wrapped + SALT_LEN, code->ephemeral.public_key,
	                                       CURVE_KEY_LEN, code->wrapped + SALT_LEN + IV_LEN) != 0) {
		fail(client, CODE_BAD_SESSION, "the pairing code could not be made");
		return;
	}
	arena_init(&arena, 0);
	reg = new_stage(&arena, code, "companion_hello", &iq);
	wa_node_attr(&arena, reg, "should_show_push_notification", "true");
	wa_node_add_bytes(&arena, reg, "link_code_pairing_wrapped_companion_ephemeral_pub", span_of(code->wrapped, WRAPPED_LEN));
	wa_node_add_bytes(&arena, reg, "companion_server_auth_key_pub", span_of(client->creds.noise.public_key, CURVE_KEY_LEN));
	wa_node_add_bytes(&arena, reg, "companion_platform_id", span_of(&type, 1));
	payload_platform_display(wa_client_config(client), &display);
	wa_node_add_bytes(&arena, reg, "companion_platform_display", buf_span(&display));
	wa_node_add_bytes(&arena, reg, "link_code_pairing_nonce", span_of(&nonce, 1));
	code->step = PAIRCODE_HELLO;
	wa_client_iq(client, &arena, iq, hello_answered, NULL);
	buf_free(&display);
	arena_free(&arena);
}

static void make_code(struct wa_client *client)
{
	struct paircode *code = &client->pairing->code;
	struct paircode_job *job;
	uint8_t random[CURVE_KEY_LEN];
	uint8_t salt[SALT_LEN];

	wa_client_random(client, random, sizeof random);
	if (!code->custom)
		pairing_base32(random, code->code);
	wa_client_random(client, random, sizeof random);
	if (curve_pair_from_random(random, &code->ephemeral) != 0) {
		fail(client, CODE_BAD_SESSION, "the pairing code could not be made");
		return;
	}
	crypto_wipe(random, sizeof random);
	wa_client_random(client, salt, sizeof salt);
	job = job_new(client, code, salt);
	job->derived = send_hello;
	code->step = PAIRCODE_DERIVING;
	code->hellos = 0;
	job_start(client, job);
}

void paircode_ready(struct wa_client *client)
{
	if (client->pairing->code.step == PAIRCODE_WANTED)
		make_code(client);
}

static bool valid_phone(const char *phone)
{
	size_t n = strlen(phone);

	return n > 6 && n <= PAIRING_PHONE_MAX && phone[0] != '0' && strspn(phone, "0123456789") == n;
}

static bool valid_custom(const char *custom)
{
	return custom == NULL ||
	       (strlen(custom) == PAIRING_CODE_LEN && strspn(custom, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == PAIRING_CODE_LEN);
}

static void begin(struct wa_client *client, const char *phone, const char *custom)
{
	struct pairing *pairing = pairing_of(client);
	struct paircode *code = &pairing->code;

	/* An older code would fail on the phone without a sign here: the server routes by number. */
	paircode_reset(client, code);
	snprintf(code->phone, sizeof code->phone, "%s", phone);
	code->custom = custom != NULL;
	if (custom != NULL)
		snprintf(code->code, sizeof code->code, "%s", custom);
	code->step = PAIRCODE_WANTED;
	if (pairing->offered)
		make_code(client);
}

void wa_client_pair_code(struct wa_client *client, const char *phone, const char *custom)
{
	client_enter(client);
	if (client->phase == PHASE_CLOSED || client->closing)
		pair_error(client, CODE_CLOSED, "not connected");
	else if (client->phase > PHASE_UNLINKED || (client->creds_loaded && creds_linked(&client->creds)))
		pair_error(client, 409, "already linked");
	else if (!valid_phone(phone))
		pair_error(client, 400, "the phone number is not in international form");
	else if (!valid_custom(custom))
		pair_error(client, 400, "a pairing code has 8 letters or digits");
	else if (client->pairing != NULL && (client->pairing->succeeded || paircode_accepted(&client->pairing->code)))
		pair_error(client, 409, "pairing is under way");
	else
		begin(client, phone, custom);
	client_leave(client);
}

/* ---- stages 2 and 3 ---- */

static void finish_answered(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	const char *text;
	int code;

	(void)arg;
	if (client->pairing == NULL || client->pairing->code.step != PAIRCODE_FINISHED || client->pairing->succeeded)
		return;
	if (!wa_iq_ok(answer, &code, &text))
		fail(client, code, text[0] != '\0' ? text : "the server refused to finish pairing");
}

static void secret_stored(void *arg, bool ok)
{
	struct wa_client *client = arg;
	struct paircode *code;
	struct wa_node *iq, *reg;
	struct arena arena;

	if (!ok || client->pairing == NULL || client->pairing->code.bundle.len == 0)
		return;
	code = &client->pairing->code;
	arena_init(&arena, 0);
	reg = new_stage(&arena, code, "companion_finish", &iq);
	wa_node_add_bytes(&arena, reg, "link_code_pairing_wrapped_key_bundle", buf_span(&code->bundle));
	wa_node_add_bytes(&arena, reg, "companion_identity_public", span_of(client->creds.identity.public_key, CURVE_KEY_LEN));
	wa_node_add_bytes(&arena, reg, "link_code_pairing_ref", buf_span(&code->ref));
	code->step = PAIRCODE_FINISHED;
	wa_client_iq(client, &arena, iq, finish_answered, NULL);
	arena_free(&arena);
	buf_wipe(&code->bundle);
	limit(client, SUCCESS_WAIT_MS, "the phone did not finish pairing in time");
}

/* Key bundle for the phone and the secret that both sides derive. 0 or -1. */
static int make_bundle(struct wa_client *client, const uint8_t shared[32], const uint8_t primary_identity[32], struct buf *out,
                       uint8_t secret[32])
{
	uint8_t salt[SALT_LEN], iv[CRYPTO_GCM_IV_LEN], key[32], random[32], identity_shared[32];
	struct buf plain = { 0 }, all = { 0 };
	int result = -1;
	size_t sealed;

	wa_client_random(client, salt, sizeof salt);
	wa_client_random(client, iv, sizeof iv);
	wa_client_random(client, random, sizeof random);
	if (curve_agree(client->creds.identity.private_key, primary_identity, identity_shared) != 0 ||
	    crypto_hkdf_sha256(shared, 32, salt, sizeof salt, BUNDLE_INFO, strlen(BUNDLE_INFO), key, sizeof key) != 0)
		goto out;
	buf_append(&plain, client->creds.identity.public_key, CURVE_KEY_LEN);
	buf_append(&plain, primary_identity, CURVE_KEY_LEN);
	buf_append(&plain, random, sizeof random);
	buf_append(out, salt, sizeof salt);
	buf_append(out, iv, sizeof iv);
	sealed = plain.len + CRYPTO_GCM_TAG_LEN;
	if (crypto_aes_gcm_seal(key, iv, NULL, 0, plain.data, plain.len, buf_reserve(out, sealed)) != 0)
		goto out;
	buf_commit(out, sealed);
	buf_append(&all, shared, 32);
	buf_append(&all, identity_shared, 32);
	buf_append(&all, random, sizeof random);
	result = crypto_hkdf_sha256(all.data, all.len, NULL, 0, SECRET_INFO, strlen(SECRET_INFO), secret, 32);
out:
	buf_wipe(&plain);
	buf_wipe(&all);
	crypto_wipe(key, sizeof key);
	crypto_wipe(random, sizeof random);
	crypto_wipe(identity_shared, sizeof identity_shared);
	return result;
}

static void answer_primary(struct wa_client *client, struct paircode_job *job)
{
	struct paircode *code = &client->pairing->code;
	uint8_t primary[CURVE_KEY_LEN], shared[32], secret[32];
	struct state_op op;

	buf_clear(&code->bundle);
	if (job->result != 0 ||
	    crypto_aes_ctr(job->key, sizeof job->key, job->wrapped + SALT_LEN, job->wrapped + SALT_LEN + IV_LEN, CURVE_KEY_LEN, primary) != 0 ||
	    curve_agree(code->ephemeral.private_key, primary, shared) != 0 ||
	    make_bundle(client, shared, job->primary_identity, &code->bundle, secret) != 0) {
		fail(client, CODE_BAD_SESSION, "the phone's keys cannot be used");
	} else {
		memcpy(client->creds.adv_secret, secret, sizeof secret);
		state_op_init(&op, client->state);
		client_put_creds(client, &op);
		state_op_commit(&op, secret_stored, client);
		state_op_end(&op);
	}
	crypto_wipe(primary, sizeof primary);
	crypto_wipe(shared, sizeof shared);
	crypto_wipe(secret, sizeof secret);
}

static void primary_hello(struct wa_client *client, const struct wa_node *reg)
{
	struct paircode *code = &client->pairing->code;
	struct span ref = wa_node_child_content(reg, "link_code_pairing_ref");
	struct span wrapped = wa_node_child_content(reg, "link_code_pairing_wrapped_primary_ephemeral_pub");
	struct span identity = wa_node_child_content(reg, "primary_identity_pub");
	struct paircode_job *job;

	if (code->step != PAIRCODE_SHOWN || !span_equal(ref, buf_span(&code->ref))) {
		wa_client_warn(client, CODE_BAD_SESSION, "a phone answered a pairing code that is not ours");
		return;
	}
	if (++code->hellos > HELLOS_MAX || wrapped.n != WRAPPED_LEN || identity.n != CURVE_KEY_LEN) {
		fail(client, CODE_BAD_SESSION, "the phone's answer to the pairing code cannot be used");
		return;
	}
	job = job_new(client, code, wrapped.p);
	memcpy(job->wrapped, wrapped.p, WRAPPED_LEN);
	memcpy(job->primary_identity, identity.p, CURVE_KEY_LEN);
	job->derived = answer_primary;
	code->step = PAIRCODE_ACCEPTED;
	limit(client, SUCCESS_WAIT_MS, "the phone did not finish pairing in time");
	job_start(client, job);
}

void paircode_on_notification(struct wa_client *client, struct wa_stanza *stanza)
{
	const struct wa_node *reg = wa_node_child(wa_stanza_node(stanza), "link_code_companion_reg");

	/* The derivation takes long: the server hears at once that we have it. */
	wa_stanza_ack(client, stanza, 0);
	if (client->pairing != NULL && !client->pairing->succeeded) {
		if (wa_node_get_is(reg, "stage", "primary_hello"))
			primary_hello(client, reg);
		else if (wa_node_get_is(reg, "stage", "refresh_code") && client->pairing->code.step == PAIRCODE_SHOWN)
			make_code(client);
	}
	wa_stanza_done(client, stanza);
}
