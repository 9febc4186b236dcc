/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sessions, encryption and decryption with libsignal-protocol-c. Its store callbacks are in signal_store.c. */
#include "sessiond/wa/signal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <signal/protocol.h>
#include <signal/session_builder.h>
#include <signal/session_cipher.h>
#include <signal/session_state.h>

#include "common/mem.h"
#include "sessiond/wa/signal_internal.h"

#define KEY_TYPE_DJB 0x05

struct signal_env *wa_signal_env_new(void)
{
	struct signal_env *env = xcalloc(1, sizeof *env);

	env->provider = wa_signal_provider_new();
	if (env->provider == NULL || signal_context_create(&env->context, env) != 0 ||
	    wa_signal_provider_install(env->provider, env->context) != 0 || wa_signal_store_install(env) != 0) {
		wa_signal_env_free(env);
		return NULL;
	}
	return env;
}

void wa_signal_env_free(struct signal_env *env)
{
	if (env == NULL)
		return;
	if (env->store != NULL)
		signal_protocol_store_context_destroy(env->store);
	if (env->context != NULL)
		signal_context_destroy(env->context);
	wa_signal_provider_free(env->provider);
	free(env);
}

const char *wa_signal_record_name(const struct jid *device, char *out)
{
	char name[JID_SIGNAL_NAME_MAX];

	snprintf(out, SIGNAL_NAME_MAX, "%s.%u", jid_signal_name(device, name, sizeof name), (unsigned)device->device);
	return out;
}

void wa_signal_keys_for_device(struct state_keys *keys, const struct jid *device)
{
	char name[SIGNAL_NAME_MAX];

	wa_signal_record_name(device, name);
	state_keys_add(keys, WA_RECORD_SESSION, name);
	state_keys_add(keys, WA_RECORD_IDENTITY, name);
}

void wa_signal_keys_for_prekeys(struct state_keys *keys, const struct signal_prekey_info *info)
{
	char id[12];

	snprintf(id, sizeof id, "%u", (unsigned)info->signed_prekey_id);
	state_keys_add(keys, WA_RECORD_SIGNED_PREKEY, id);
	if (!info->has_prekey_id)
		return;
	snprintf(id, sizeof id, "%u", (unsigned)info->prekey_id);
	state_keys_add(keys, WA_RECORD_PREKEY, id);
}

/* ---- errors ---- */

static const struct {
	int library;
	int ours;
} ERRORS[] = {
	{ SG_SUCCESS, SIGNAL_OK },
	{ SG_ERR_DUPLICATE_MESSAGE, SIGNAL_DUPLICATE },
	{ SG_ERR_NO_SESSION, SIGNAL_NO_SESSION },
	{ SG_ERR_INVALID_KEY, SIGNAL_INVALID_KEY },
	{ SG_ERR_UNTRUSTED_IDENTITY, SIGNAL_INVALID_KEY },
	{ SG_ERR_INVALID_KEY_ID, SIGNAL_INVALID_KEY_ID },
	{ SG_ERR_INVALID_MAC, SIGNAL_INVALID_MESSAGE },
	{ SG_ERR_INVALID_MESSAGE, SIGNAL_INVALID_MESSAGE },
	{ SG_ERR_INVALID_PROTO_BUF, SIGNAL_INVALID_MESSAGE },
	{ SG_ERR_INVALID_VERSION, SIGNAL_VERSION },
	{ SG_ERR_LEGACY_MESSAGE, SIGNAL_VERSION },
};

int wa_signal_error_of(int library)
{
	for (size_t i = 0; i < sizeof ERRORS / sizeof ERRORS[0]; i++)
		if (ERRORS[i].library == library)
			return ERRORS[i].ours;
	/* The library answers 1 and more where it means success with a remark. */
	return library > 0 ? SIGNAL_OK : SIGNAL_INTERNAL;
}

unsigned wa_signal_retry_reason(int error)
{
	static const unsigned REASONS[] = { 0, 0, 1, 2, 3, 4, 4, 0 };
	size_t i = (size_t)-(long)error;

	return error <= 0 && i < sizeof REASONS / sizeof REASONS[0] ? REASONS[i] : 0;
}

const char *wa_signal_error_text(int error)
{
	static const char *const TEXTS[] = {
		"no error",
		"the message was decrypted before",
		"there is no session with the sender's device",
		"an invalid or untrusted key",
		"a prekey that is not (or no longer) stored",
		"the message is malformed, damaged or too far ahead",
		"an unsupported version of the encryption",
		"an internal error of the encryption",
	};
	size_t i = (size_t)-(long)error;

	return error <= 0 && i < sizeof TEXTS / sizeof TEXTS[0] ? TEXTS[i] : "unknown error";
}

/* ---- keys ---- */

static int decode_public(struct signal_env *env, const uint8_t key[SIGNAL_KEY_BYTES], ec_public_key **out)
{
	uint8_t typed[SIGNAL_IDENTITY_BYTES] = { KEY_TYPE_DJB };

	memcpy(typed + 1, key, SIGNAL_KEY_BYTES);
	return curve_decode_point(out, typed, sizeof typed, env->context);
}

/* ---- sessions ---- */

bool wa_signal_has_session(struct signal_call *call, const struct jid *device)
{
	char name[SIGNAL_NAME_MAX];
	struct span record;

	return state_op_get(call->op, WA_RECORD_SESSION, wa_signal_record_name(device, name), &record) && record.n > 0;
}

static session_record *load_record(struct signal_call *call, const struct jid *device)
{
	char name[SIGNAL_NAME_MAX];
	struct span bytes;
	session_record *record = NULL;

	if (!state_op_get(call->op, WA_RECORD_SESSION, wa_signal_record_name(device, name), &bytes) || bytes.n == 0)
		return NULL;
	if (session_record_deserialize(&record, bytes.p, bytes.n, call->env->context) != 0)
		return NULL;
	return record;
}

uint32_t wa_signal_remote_registration(struct signal_call *call, const struct jid *device)
{
	session_record *record = load_record(call, device);
	uint32_t id;

	if (record == NULL)
		return 0;
	id = session_state_get_remote_registration_id(session_record_get_state(record));
	SIGNAL_UNREF(record);
	return id;
}

bool wa_signal_base_key(struct signal_call *call, const struct jid *device, uint8_t out[SIGNAL_IDENTITY_BYTES])
{
	session_record *record = load_record(call, device);
	signal_buffer *bytes = NULL;
	ec_public_key *key;
	bool found = false;

	if (record == NULL)
		return false;
	key = session_state_get_alice_base_key(session_record_get_state(record));
	if (key != NULL && ec_public_key_serialize(&bytes, key) == 0 && signal_buffer_len(bytes) == SIGNAL_IDENTITY_BYTES) {
		memcpy(out, signal_buffer_data(bytes), SIGNAL_IDENTITY_BYTES);
		found = true;
	}
	signal_buffer_free(bytes);
	SIGNAL_UNREF(record);
	return found;
}

void wa_signal_delete_session(struct state_op *op, const struct jid *device)
{
	char name[SIGNAL_NAME_MAX];

	state_op_delete(op, WA_RECORD_SESSION, wa_signal_record_name(device, name));
}

void wa_signal_delete_identity(struct state_op *op, const struct jid *device)
{
	char name[SIGNAL_NAME_MAX];

	state_op_delete(op, WA_RECORD_IDENTITY, wa_signal_record_name(device, name));
}

static void move_record(struct state_op *op, enum wa_record_kind kind, const char *from, const char *to)
{
	struct span value;
	struct buf copy = { 0 };

	if (!state_op_get(op, kind, from, &value))
		return;
	buf_append_span(&copy, value);
	state_op_put(op, kind, to, buf_span(&copy));
	state_op_delete(op, kind, from);
	buf_wipe(&copy);
}

bool wa_signal_move_session(struct signal_call *call, const struct jid *from, const struct jid *to)
{
	char old_name[SIGNAL_NAME_MAX];
	char new_name[SIGNAL_NAME_MAX];

	if (!wa_signal_has_session(call, from) || wa_signal_has_session(call, to))
		return false;
	wa_signal_record_name(from, old_name);
	wa_signal_record_name(to, new_name);
	move_record(call->op, WA_RECORD_SESSION, old_name, new_name);
	move_record(call->op, WA_RECORD_IDENTITY, old_name, new_name);
	return true;
}

/* ---- calls into the library ---- */

static void call_begin(struct signal_call *call)
{
	call->env->call = call;
	call->env->have_new_identity = false;
}

static int call_end(struct signal_call *call, const struct jid *device, int rc)
{
	char name[SIGNAL_NAME_MAX];
	struct signal_env *env = call->env;
	struct span known;

	env->call = NULL;
	if (rc != 0 || !env->have_new_identity)
		return wa_signal_error_of(rc);
	/* The library saves an identity before it knows whether the message is genuine: taken over only now. */
	wa_signal_record_name(device, name);
	if (!state_op_get(call->op, WA_RECORD_IDENTITY, name, &known) ||
	    !span_equal(known, span_of(env->new_identity, sizeof env->new_identity))) {
		if (known.n > 0)
			call->identity_changed = true;
		state_op_put(call->op, WA_RECORD_IDENTITY, name, span_of(env->new_identity, sizeof env->new_identity));
	}
	return SIGNAL_OK;
}

static signal_protocol_address address_of(const struct jid *device, char *name, size_t cap)
{
	jid_signal_name(device, name, cap);
	return (signal_protocol_address){ .name = name, .name_len = strlen(name), .device_id = device->device };
}

static int make_bundle(struct signal_env *env, const struct jid *device, const struct signal_bundle *in, session_pre_key_bundle **out)
{
	ec_public_key *prekey = NULL;
	ec_public_key *signed_prekey = NULL;
	ec_public_key *identity = NULL;
	int rc = 0;

	if (in->has_prekey)
		rc = decode_public(env, in->prekey, &prekey);
	if (rc == 0)
		rc = decode_public(env, in->signed_prekey, &signed_prekey);
	if (rc == 0)
		rc = decode_public(env, in->identity, &identity);
	if (rc == 0)
		rc = session_pre_key_bundle_create(out, in->registration_id, device->device, in->prekey_id, prekey,
						   in->signed_prekey_id, signed_prekey, in->signature, sizeof in->signature,
						   identity);
	SIGNAL_UNREF(prekey);
	SIGNAL_UNREF(signed_prekey);
	SIGNAL_UNREF(identity);
	return rc;
}

int wa_signal_start_session(struct signal_call *call, const struct jid *device, const struct signal_bundle *bundle)
{
	char name[JID_SIGNAL_NAME_MAX];
	signal_protocol_address address = address_of(device, name, sizeof name);
	session_pre_key_bundle *made = NULL;
	session_builder *builder = NULL;
	int rc = make_bundle(call->env, device, bundle, &made);

	call_begin(call);
	if (rc == 0)
		rc = session_builder_create(&builder, call->env->store, &address, call->env->context);
	if (rc == 0)
		rc = session_builder_process_pre_key_bundle(builder, made);
	if (builder != NULL)
		session_builder_free(builder);
	SIGNAL_UNREF(made);
	return call_end(call, device, rc);
}

int wa_signal_encrypt(struct signal_call *call, const struct jid *device, struct span padded, struct buf *out, bool *prekey)
{
	char name[JID_SIGNAL_NAME_MAX];
	signal_protocol_address address = address_of(device, name, sizeof name);
	session_cipher *cipher = NULL;
	ciphertext_message *message = NULL;
	int rc;

	if (!wa_signal_has_session(call, device))
		return SIGNAL_NO_SESSION;
	call_begin(call);
	rc = session_cipher_create(&cipher, call->env->store, &address, call->env->context);
	if (rc == 0)
		rc = session_cipher_encrypt(cipher, padded.p, padded.n, &message);
	if (rc == 0) {
		signal_buffer *bytes = ciphertext_message_get_serialized(message);

		buf_append(out, signal_buffer_data(bytes), signal_buffer_len(bytes));
		*prekey = ciphertext_message_get_type(message) == CIPHERTEXT_PREKEY_TYPE;
	}
	SIGNAL_UNREF(message);
	if (cipher != NULL)
		session_cipher_free(cipher);
	return call_end(call, device, rc);
}

static int decrypt_prekey_message(session_cipher *cipher, signal_context *context, struct span ciphertext, signal_buffer **plain)
{
	pre_key_signal_message *message = NULL;
	int rc = pre_key_signal_message_deserialize(&message, ciphertext.p, ciphertext.n, context);

	if (rc == 0)
		rc = session_cipher_decrypt_pre_key_signal_message(cipher, message, NULL, plain);
	SIGNAL_UNREF(message);
	return rc;
}

static int decrypt_message(session_cipher *cipher, signal_context *context, struct span ciphertext, signal_buffer **plain)
{
	signal_message *message = NULL;
	int rc = signal_message_deserialize(&message, ciphertext.p, ciphertext.n, context);

	if (rc == 0)
		rc = session_cipher_decrypt_signal_message(cipher, message, NULL, plain);
	SIGNAL_UNREF(message);
	return rc;
}

int wa_signal_decrypt(struct signal_call *call, const struct jid *device, bool prekey, struct span ciphertext, struct buf *out)
{
	char name[JID_SIGNAL_NAME_MAX];
	signal_protocol_address address = address_of(device, name, sizeof name);
	session_cipher *cipher = NULL;
	signal_buffer *plain = NULL;
	int rc;

	if (!prekey && !wa_signal_has_session(call, device))
		return SIGNAL_NO_SESSION;
	call_begin(call);
	rc = session_cipher_create(&cipher, call->env->store, &address, call->env->context);
	if (rc == 0)
		rc = prekey ? decrypt_prekey_message(cipher, call->env->context, ciphertext, &plain) :
			      decrypt_message(cipher, call->env->context, ciphertext, &plain);
	if (rc == 0)
		buf_append(out, signal_buffer_data(plain), signal_buffer_len(plain));
	signal_buffer_bzero_free(plain);
	if (cipher != NULL)
		session_cipher_free(cipher);
	return call_end(call, device, rc);
}

int wa_signal_prekey_info(struct signal_env *env, struct span pkmsg, struct signal_prekey_info *info)
{
	pre_key_signal_message *message = NULL;
	signal_buffer *identity = NULL;
	int rc = pre_key_signal_message_deserialize(&message, pkmsg.p, pkmsg.n, env->context);

	*info = (struct signal_prekey_info){ 0 };
	if (rc == 0)
		rc = ec_public_key_serialize(&identity, pre_key_signal_message_get_identity_key(message));
	if (rc == 0 && signal_buffer_len(identity) != SIGNAL_IDENTITY_BYTES)
		rc = SG_ERR_INVALID_KEY;
	if (rc == 0) {
		info->has_prekey_id = pre_key_signal_message_has_pre_key_id(message) != 0;
		if (info->has_prekey_id)
			info->prekey_id = pre_key_signal_message_get_pre_key_id(message);
		info->signed_prekey_id = pre_key_signal_message_get_signed_pre_key_id(message);
		info->registration_id = pre_key_signal_message_get_registration_id(message);
		memcpy(info->identity, signal_buffer_data(identity) + 1, SIGNAL_KEY_BYTES);
	}
	signal_buffer_free(identity);
	SIGNAL_UNREF(message);
	return wa_signal_error_of(rc);
}
