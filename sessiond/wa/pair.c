/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Linking this device to an account: the QR texts that wait to be scanned, and pair-success, with which every way of pairing ends.
 *
 *     pair-device (refs) -> QR 60 s, QR 20 s, ... -> pair-success -> checked -> stored -> pair-device-sign -> restart (515)
 *
 * Sources: whatsmeow pair.go, Baileys 7 validate-connection.ts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/wa/lidmap.h"
#include "sessiond/wa/pairing.h"
#include "sessiond/wa/payload.h"
#include "sessiond/wa/proto/pairing.pb-c.h"
#include "sessiond/wa/proto_scan.h"
#include "sessiond/wa/signal.h"

#define FIRST_REF_MS 60000
#define NEXT_REF_MS 20000
#define PAIR_DEVICE_TIMEOUT_MS 20000
#define RESTART_TIMEOUT_MS 20000
#define HOSTED 1

#define QR_URL "https://wa.me/settings/linked_devices#"

void pair_error(struct wa_client *client, int code, const char *text)
{
	struct wa_event event = { .kind = WA_EVENT_PAIR_ERROR, .code = code, .text = (char *)(uintptr_t)text };

	wa_client_event(client, &event);
}

struct pairing *pairing_of(struct wa_client *client)
{
	if (client->pairing == NULL)
		client->pairing = xcalloc(1, sizeof *client->pairing);
	return client->pairing;
}

void pair_started(struct wa_client *client)
{
	pairing_of(client);
}

void pair_not_needed(struct wa_client *client)
{
	if (client->pairing == NULL)
		return;
	pair_reset(client);
	pair_error(client, 409, "already linked");
}

void pair_reset(struct wa_client *client)
{
	struct pairing *pairing = client->pairing;

	if (pairing == NULL)
		return;
	client->pairing = NULL;
	wa_timer_stop(client, &pairing->qr_timer);
	paircode_reset(client, &pairing->code);
	passkey_reset(client, &pairing->passkey);
	for (size_t i = 0; i < pairing->nrefs; i++)
		free(pairing->refs[i]);
	buf_free(&pairing->reply);
	if (pairing->op_active)
		state_op_end(&pairing->op);
	free(pairing);
}

bool pair_succeeded(const struct wa_client *client)
{
	return client->pairing != NULL && client->pairing->succeeded;
}

/* ---- QR ---- */

static void append_base64(struct buf *out, const void *p, size_t n)
{
	char text[CRYPTO_BASE64_ROOM(CURVE_KEY_LEN)];

	crypto_base64(CRYPTO_BASE64, p, n, text);
	buf_append_text(out, text);
	crypto_wipe(text, sizeof text);
}

static void show_qr(struct wa_client *client, const char *ref, int64_t valid_ms)
{
	const struct wa_config *config = wa_client_config(client);
	struct wa_event event = { .kind = WA_EVENT_QR, .ms = valid_ms };
	struct buf text = { 0 };

	if (!config->classic_qr)
		buf_append_text(&text, QR_URL);
	buf_printf(&text, "%s,", ref);
	append_base64(&text, client->creds.noise.public_key, CURVE_KEY_LEN);
	buf_u8(&text, ',');
	append_base64(&text, client->creds.identity.public_key, CURVE_KEY_LEN);
	buf_u8(&text, ',');
	append_base64(&text, client->creds.adv_secret, sizeof client->creds.adv_secret);
	if (!config->classic_qr)
		buf_printf(&text, ",%c", payload_client_type(config->browser_name));
	event.text = (char *)(uintptr_t)buf_text(&text);
	wa_client_event(client, &event);
	buf_wipe(&text);
}

static void next_ref(struct wa_client *client, void *arg)
{
	struct pairing *pairing = client->pairing;
	int64_t valid_ms = pairing->next_ref == 0 ? FIRST_REF_MS : NEXT_REF_MS;
	struct wa_event expired = { .kind = WA_EVENT_QR_EXPIRED };

	(void)arg;
	if (pairing->next_ref < pairing->nrefs) {
		show_qr(client, pairing->refs[pairing->next_ref++], valid_ms);
		wa_timer_start(client, &pairing->qr_timer, wa_client_mono_ms(client) + valid_ms, next_ref, NULL);
	} else if (paircode_outstanding(&pairing->code) || passkey_outstanding(&pairing->passkey)) {
		/* The other way of pairing has its own time limit. */
		wa_timer_start(client, &pairing->qr_timer, wa_client_mono_ms(client) + NEXT_REF_MS, next_ref, NULL);
	} else {
		wa_client_event(client, &expired);
		client_close(client, WA_RECONNECT_BACKOFF, CODE_TIMED_OUT, "no QR code was scanned in time");
	}
}

void pair_show_again(struct wa_client *client)
{
	struct pairing *pairing = client->pairing;
	int64_t left_ms;

	if (pairing == NULL || pairing->next_ref == 0 || pairing->succeeded)
		return;
	left_ms = pairing->qr_timer.at_ms - wa_client_mono_ms(client);
	show_qr(client, pairing->refs[pairing->next_ref - 1], left_ms > 0 ? left_ms : 0);
}

static void answer_result(struct wa_client *client, const struct wa_node *iq)
{
	struct wa_node *result;
	struct arena arena;

	arena_init(&arena, 0);
	result = wa_node_new(&arena, "iq");
	wa_node_attr_server(&arena, result, "to");
	wa_node_attr(&arena, result, "type", "result");
	wa_node_attr_copy(&arena, result, "id", iq, "id");
	wa_client_write(client, result);
	arena_free(&arena);
}

void pair_on_device(struct wa_client *client, const struct wa_node *iq)
{
	const struct wa_node *device = wa_node_child(iq, "pair-device");
	struct pairing *pairing = pairing_of(client);

	answer_result(client, iq);
	for (size_t i = 0; i < pairing->nrefs; i++)
		free(pairing->refs[i]);
	pairing->nrefs = pairing->next_ref = 0;
	for (size_t i = 0; i < device->nnodes && pairing->nrefs < LIMIT_WA_PAIRING_REFS; i++) {
		struct span ref = wa_node_content(device->nodes[i]);

		if (wa_node_is(device->nodes[i], "ref") && ref.n > 0 && ref.n <= PAIRING_REF_MAX)
			pairing->refs[pairing->nrefs++] = xstrndup((const char *)ref.p, ref.n);
	}
	wa_timer_stop(client, &client->step_timer);
	pairing->offered = true;
	next_ref(client, NULL);
	paircode_ready(client);
}

static void refreshed(void *arg, bool ok)
{
	struct wa_client *client = arg;

	if (ok)
		pair_show_again(client);
}

void pair_new_secret(struct wa_client *client)
{
	struct state_op op;

	wa_client_random(client, client->creds.adv_secret, sizeof client->creds.adv_secret);
	state_op_init(&op, client->state);
	client_put_creds(client, &op);
	state_op_commit(&op, refreshed, client);
	state_op_end(&op);
}

void pair_on_refresh(struct wa_client *client, struct wa_stanza *stanza)
{
	struct pairing *pairing = client->pairing;

	wa_stanza_ack(client, stanza, 0);
	/* The secret of a code or passkey that the phone has accepted already must stay. */
	if (pairing != NULL && !pairing->succeeded && !paircode_accepted(&pairing->code) && !passkey_outstanding(&pairing->passkey))
		pair_new_secret(client);
	wa_stanza_done(client, stanza);
}

/* ---- pair-success ---- */

/* What the server's answer proved to be. Everything points into the arena of the call. */
struct proof {
	struct arena arena;
	struct buf signed_text; /* scratch for what is signed */
	const Wa__SignedDeviceIdentityHmac *container;
	Wa__SignedDeviceIdentity *identity;
	const Wa__DeviceIdentity *device;
	uint8_t device_signature[CURVE_SIGNATURE_LEN];
};

enum proof_error { PROOF_OK = 0, PROOF_HMAC, PROOF_SIGNATURE, PROOF_INTERNAL };

static bool check_hmac(struct proof *proof, const uint8_t secret[32])
{
	static const uint8_t hosted_prefix[] = { 6, 5 };
	struct span details = proto_bytes(proof->container->has_details, proof->container->details);
	struct span hmac = proto_bytes(proof->container->has_hmac, proof->container->hmac);
	uint8_t own[CRYPTO_SHA256_LEN];

	buf_clear(&proof->signed_text);
	if (proof->container->account_type == HOSTED)
		buf_append(&proof->signed_text, hosted_prefix, sizeof hosted_prefix);
	buf_append_span(&proof->signed_text, details);
	return crypto_hmac(CRYPTO_SHA256, secret, 32, proof->signed_text.data, proof->signed_text.len, own) == 0 &&
	       hmac.n == sizeof own && crypto_equal(hmac.p, own, sizeof own);
}

static bool unpack(struct arena *arena, const ProtobufCMessageDescriptor *descriptor, struct span bytes, ProtobufCMessage **out)
{
	return proto_unpack(arena, descriptor, bytes, out) == 0;
}

/* Whose signature over what: prefix, details, our identity key, and for our own also the account's key. */
static struct span signed_text(struct proof *proof, uint8_t prefix, const struct wa_creds *creds, bool account_key)
{
	buf_clear(&proof->signed_text);
	buf_u8(&proof->signed_text, 6);
	buf_u8(&proof->signed_text, prefix);
	buf_append_span(&proof->signed_text, proto_bytes(1, proof->identity->details));
	buf_append(&proof->signed_text, creds->identity.public_key, CURVE_KEY_LEN);
	if (account_key)
		buf_append_span(&proof->signed_text, proto_bytes(1, proof->identity->account_signature_key));
	return buf_span(&proof->signed_text);
}

static int prove(struct proof *proof, struct wa_client *client, struct span container)
{
	ProtobufCMessage *message;
	const struct wa_creds *creds = &client->creds;

	if (!unpack(&proof->arena, &wa__signed_device_identity_hmac__descriptor, container, &message))
		return PROOF_INTERNAL;
	proof->container = (const Wa__SignedDeviceIdentityHmac *)message;
	if (!check_hmac(proof, creds->adv_secret))
		return PROOF_HMAC;
	if (!unpack(&proof->arena, &wa__signed_device_identity__descriptor, proto_bytes(1, proof->container->details), &message))
		return PROOF_INTERNAL;
	proof->identity = (Wa__SignedDeviceIdentity *)message;
	if (!proof->identity->has_details || !unpack(&proof->arena, &wa__device_identity__descriptor,
	                                             proto_bytes(1, proof->identity->details), &message))
		return PROOF_INTERNAL;
	proof->device = (const Wa__DeviceIdentity *)message;
	if (!proof->identity->has_account_signature_key || proof->identity->account_signature_key.len != CURVE_KEY_LEN ||
	    !proof->identity->has_account_signature ||
	    !curve_verify(proof->identity->account_signature_key.data,
	                  signed_text(proof, proof->device->device_type == HOSTED ? 5 : 0, creds, false),
	                  proto_bytes(1, proof->identity->account_signature)))
		return PROOF_SIGNATURE;
	if (curve_sign(client->loop->signer, creds->identity.private_key, signed_text(proof, 1, creds, true),
	               proof->device_signature) != 0)
		return PROOF_INTERNAL;
	proof->identity->has_device_signature = 1;
	proof->identity->device_signature = proto_data(span_of(proof->device_signature, CURVE_SIGNATURE_LEN));
	return PROOF_OK;
}

static void refuse(struct wa_client *client, const struct wa_node *iq, int error)
{
	static const struct {
		unsigned code;
		const char *text;
	} refusals[] = {
		[PROOF_HMAC] = { 401, "hmac-mismatch" },
		[PROOF_SIGNATURE] = { 401, "signature-mismatch" },
		[PROOF_INTERNAL] = { 500, "internal-error" },
	};
	struct wa_node *answer, *child;
	struct arena arena;
	char reason[80];

	arena_init(&arena, 0);
	answer = wa_node_new(&arena, "iq");
	wa_node_attr_server(&arena, answer, "to");
	wa_node_attr(&arena, answer, "type", "error");
	wa_node_attr_copy(&arena, answer, "id", iq, "id");
	child = wa_node_add_new(&arena, answer, "error");
	wa_node_attr_u64(&arena, child, "code", refusals[error].code);
	wa_node_attr(&arena, child, "text", refusals[error].text);
	wa_client_write(client, answer);
	arena_free(&arena);
	snprintf(reason, sizeof reason, "pairing refused: %s", refusals[error].text);
	pair_error(client, (int)refusals[error].code, refusals[error].text);
	client_close(client, WA_RECONNECT_BACKOFF, CODE_BAD_SESSION, reason);
}

/* The reply, kept until everything is stored: the device identity without the account's key. */
static void keep_reply(struct pairing *pairing, const struct wa_node *iq, struct proof *proof)
{
	struct wa_node *reply, *identity;
	struct buf packed = { 0 };
	struct arena arena;

	arena_init(&arena, 0);
	reply = wa_node_new(&arena, "iq");
	wa_node_attr_server(&arena, reply, "to");
	wa_node_attr(&arena, reply, "type", "result");
	wa_node_attr_copy(&arena, reply, "id", iq, "id");
	proof->identity->has_account_signature_key = 0;
	proto_pack(&packed, &proof->identity->base);
	proof->identity->has_account_signature_key = 1;
	identity = wa_node_add_bytes(&arena, wa_node_add_new(&arena, reply, "pair-device-sign"), "device-identity", buf_span(&packed));
	wa_node_attr_u64(&arena, identity, "key-index", proof->device->key_index);
	buf_clear(&pairing->reply);
	wa_node_encode(&pairing->reply, reply);
	buf_free(&packed);
	arena_free(&arena);
}

static void linked(void *arg, bool ok)
{
	struct wa_client *client = arg;
	struct pairing *pairing = client->pairing;

	/* Not stored: the failure hook has closed the connection, and the phone will see no device. */
	if (!ok || pairing == NULL || !pairing->op_active)
		return;
	state_op_end(&pairing->op);
	pairing->op_active = false;
	pairing->succeeded = true;
	wa_timer_stop(client, &pairing->qr_timer);
	wa_client_write_bytes(client, buf_span(&pairing->reply));
	login_unified_session(client);
	pair_wait_restart(client);
}

static void restart_late(struct wa_client *client, void *arg)
{
	(void)arg;
	client_close(client, WA_RECONNECT_NOW, CODE_RESTART, "restart after pairing");
}

void pair_wait_restart(struct wa_client *client)
{
	wa_timer_start(client, &client->step_timer, wa_client_mono_ms(client) + RESTART_TIMEOUT_MS, restart_late, NULL);
}

/* Everything that pairing gave, in one batch. */
static void store_link(struct wa_client *client, const struct wa_node *success, const struct proof *proof, const struct jid *pn,
                       const struct jid *lid)
{
	struct pairing *pairing = client->pairing;
	struct wa_creds *creds = &client->creds;
	struct wa_event *event = wa_event_new(WA_EVENT_PAIRED);
	struct jid phone = jid_with_device(jid_is_none(lid) ? pn : lid, 0);
	uint8_t identity[1 + CURVE_KEY_LEN] = { CURVE_TYPE };
	char name[SIGNAL_NAME_MAX];

	creds->pn = *pn;
	creds->lid = *lid;
	creds_set_text(&creds->platform, wa_node_get(wa_node_child(success, "platform"), "name"));
	creds_set_text(&creds->business_name, wa_node_get(wa_node_child(success, "biz"), "name"));
	buf_clear(&creds->account);
	proto_pack(&creds->account, &proof->identity->base);
	event->jid = *pn;
	event->other = *lid;
	event->text = creds->platform != NULL ? xstrdup(creds->platform) : NULL;
	event->text2 = creds->business_name != NULL ? xstrdup(creds->business_name) : NULL;
	memcpy(identity + 1, proof->identity->account_signature_key.data, CURVE_KEY_LEN);
	pairing->op_active = true;
	state_op_init(&pairing->op, client->state);
	client_put_creds(client, &pairing->op);
	state_op_put(&pairing->op, WA_RECORD_IDENTITY, wa_signal_record_name(&phone, name), span_of(identity, sizeof identity));
	if (!jid_is_none(lid))
		wa_lidmap_learn(&pairing->op, pn, lid);
	state_op_event(&pairing->op, event);
	state_op_commit(&pairing->op, linked, client);
}

void pair_on_success(struct wa_client *client, const struct wa_node *iq)
{
	const struct wa_node *success = wa_node_child(iq, "pair-success");
	const struct wa_node *device = wa_node_child(success, "device");
	struct pairing *pairing = pairing_of(client);
	struct proof proof = { 0 };
	struct jid pn, lid = { 0 };
	int error;

	/* Once: a repeated one must not change what is being stored. */
	if (pairing->op_active || pairing->succeeded)
		return;
	arena_init(&proof.arena, 0);
	error = prove(&proof, client, wa_node_child_content(success, "device-identity"));
	if (error == PROOF_OK && (!wa_node_get_jid(device, "jid", &pn) || !jid_is_pn(&pn) || pn.user[0] == '\0' || pn.device == 0))
		error = PROOF_INTERNAL;
	if (error == PROOF_OK && wa_node_get(device, "lid") != NULL && (!wa_node_get_jid(device, "lid", &lid) || !jid_is_lid(&lid)))
		error = PROOF_INTERNAL;
	if (error == PROOF_OK) {
		keep_reply(pairing, iq, &proof);
		store_link(client, success, &proof, &pn, &lid);
	} else {
		refuse(client, iq, error);
	}
	buf_free(&proof.signed_text);
	arena_free(&proof.arena);
}
