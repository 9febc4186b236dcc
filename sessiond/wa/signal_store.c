/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libsignal-protocol-c's store callbacks over the records of the current operation. Everything they read was fetched before. */
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <signal/session_pre_key.h>

#include "sessiond/wa/signal_group.h"
#include "sessiond/wa/signal_internal.h"
#include "sessiond/wa/signal_record.h"

#define ADDRESS_NAME_MAX SIGNAL_NAME_MAX

static bool address_name(const signal_protocol_address *address, char *out)
{
	int n = snprintf(out, ADDRESS_NAME_MAX, "%.*s.%d", (int)address->name_len, address->name, (int)address->device_id);

	return n > 0 && (size_t)n < ADDRESS_NAME_MAX;
}

/* ---- sessions ---- */

static int load_session(signal_buffer **record, signal_buffer **user_record, const signal_protocol_address *address, void *user_data)
{
	struct signal_env *env = user_data;
	char name[ADDRESS_NAME_MAX];
	struct span value;

	(void)user_record;
	if (!address_name(address, name))
		return SG_ERR_INVAL;
	if (!state_op_get(env->call->op, WA_RECORD_SESSION, name, &value) || value.n == 0)
		return 0;
	*record = signal_buffer_create(value.p, value.n);
	return *record != NULL ? 1 : SG_ERR_NOMEM;
}

static int sub_device_sessions(signal_int_list **sessions, const char *name, size_t name_len, void *user_data)
{
	/* The library asks for this nowhere; devices are known from device lists, not from sessions. */
	(void)name;
	(void)name_len;
	(void)user_data;
	*sessions = signal_int_list_alloc();
	return *sessions != NULL ? 0 : SG_ERR_NOMEM;
}

static int store_session(const signal_protocol_address *address, uint8_t *record, size_t record_len, uint8_t *user_record,
			 size_t user_record_len, void *user_data)
{
	struct signal_env *env = user_data;
	char name[ADDRESS_NAME_MAX];
	struct buf pruned = { 0 };
	int rc;

	(void)user_record;
	(void)user_record_len;
	if (!address_name(address, name))
		return SG_ERR_INVAL;
	rc = wa_signal_record_prune(span_of(record, record_len), &pruned);
	if (rc >= 0)
		state_op_put(env->call->op, WA_RECORD_SESSION, name, rc == 0 ? buf_span(&pruned) : span_of(record, record_len));
	buf_wipe(&pruned);
	return rc >= 0 ? 0 : SG_ERR_UNKNOWN;
}

static int contains_session(const signal_protocol_address *address, void *user_data)
{
	struct signal_env *env = user_data;
	char name[ADDRESS_NAME_MAX];
	struct span value;

	return address_name(address, name) && state_op_get(env->call->op, WA_RECORD_SESSION, name, &value) && value.n > 0;
}

static int delete_session(const signal_protocol_address *address, void *user_data)
{
	struct signal_env *env = user_data;
	char name[ADDRESS_NAME_MAX];

	if (!address_name(address, name))
		return SG_ERR_INVAL;
	if (!contains_session(address, user_data))
		return 0;
	state_op_delete(env->call->op, WA_RECORD_SESSION, name);
	return 1;
}

static int delete_all_sessions(const char *name, size_t name_len, void *user_data)
{
	(void)name;
	(void)name_len;
	(void)user_data;
	return SG_ERR_INVAL;
}

/* ---- prekeys ---- */

static int decode_pair(struct signal_env *env, const uint8_t *record, ec_key_pair **pair)
{
	uint8_t typed[SIGNAL_IDENTITY_BYTES] = { 0x05 };
	ec_private_key *private_key = NULL;
	ec_public_key *public_key = NULL;
	int rc;

	memcpy(typed + 1, record + SIGNAL_KEY_BYTES, SIGNAL_KEY_BYTES);
	rc = curve_decode_private_point(&private_key, record, SIGNAL_KEY_BYTES, env->context);
	if (rc == 0)
		rc = curve_decode_point(&public_key, typed, sizeof typed, env->context);
	if (rc == 0)
		rc = ec_key_pair_create(pair, public_key, private_key);
	SIGNAL_UNREF(private_key);
	SIGNAL_UNREF(public_key);
	return rc;
}

static bool prekey_record(struct signal_env *env, enum wa_record_kind kind, uint32_t id, size_t size, struct span *value)
{
	char name[12];

	snprintf(name, sizeof name, "%u", (unsigned)id);
	return state_op_get(env->call->op, kind, name, value) && value->n == size;
}

static int load_pre_key(signal_buffer **record, uint32_t id, void *user_data)
{
	struct signal_env *env = user_data;
	session_pre_key *key = NULL;
	ec_key_pair *pair = NULL;
	struct span value;
	int rc;

	if (!prekey_record(env, WA_RECORD_PREKEY, id, SIGNAL_PREKEY_RECORD_BYTES, &value))
		return SG_ERR_INVALID_KEY_ID;
	rc = decode_pair(env, value.p, &pair);
	if (rc == 0)
		rc = session_pre_key_create(&key, id, pair);
	if (rc == 0)
		rc = session_pre_key_serialize(record, key);
	SIGNAL_UNREF(key);
	SIGNAL_UNREF(pair);
	return rc;
}

static int store_pre_key(uint32_t id, uint8_t *record, size_t record_len, void *user_data)
{
	/* Own prekeys are made and stored by the prekey upload, never by the library. */
	(void)id;
	(void)record;
	(void)record_len;
	(void)user_data;
	return SG_ERR_INVAL;
}

static int contains_pre_key(uint32_t id, void *user_data)
{
	struct span value;

	return prekey_record(user_data, WA_RECORD_PREKEY, id, SIGNAL_PREKEY_RECORD_BYTES, &value);
}

static int remove_pre_key(uint32_t id, void *user_data)
{
	struct signal_env *env = user_data;
	char name[12];

	snprintf(name, sizeof name, "%u", (unsigned)id);
	state_op_delete(env->call->op, WA_RECORD_PREKEY, name);
	return 0;
}

static int load_signed_pre_key(signal_buffer **record, uint32_t id, void *user_data)
{
	struct signal_env *env = user_data;
	session_signed_pre_key *key = NULL;
	ec_key_pair *pair = NULL;
	struct span value;
	struct reader created;
	int rc;

	if (!prekey_record(env, WA_RECORD_SIGNED_PREKEY, id, SIGNAL_SIGNED_PREKEY_RECORD_BYTES, &value))
		return SG_ERR_INVALID_KEY_ID;
	created = reader_of(value.p + 2 * SIGNAL_KEY_BYTES + SIGNAL_SIGNATURE_BYTES, 8);
	rc = decode_pair(env, value.p, &pair);
	if (rc == 0)
		rc = session_signed_pre_key_create(&key, id, read_be64(&created), pair, value.p + 2 * SIGNAL_KEY_BYTES,
						   SIGNAL_SIGNATURE_BYTES);
	if (rc == 0)
		rc = session_signed_pre_key_serialize(record, key);
	SIGNAL_UNREF(key);
	SIGNAL_UNREF(pair);
	return rc;
}

static int contains_signed_pre_key(uint32_t id, void *user_data)
{
	struct span value;

	return prekey_record(user_data, WA_RECORD_SIGNED_PREKEY, id, SIGNAL_SIGNED_PREKEY_RECORD_BYTES, &value);
}

static int remove_signed_pre_key(uint32_t id, void *user_data)
{
	/* Rotation decides how long an old signed prekey stays, not the library. */
	(void)id;
	(void)user_data;
	return SG_ERR_INVAL;
}

/* ---- identities ---- */

static int own_identity(signal_buffer **public_data, signal_buffer **private_data, void *user_data)
{
	struct signal_env *env = user_data;
	uint8_t typed[SIGNAL_IDENTITY_BYTES] = { 0x05 };

	memcpy(typed + 1, env->call->account->identity_public, SIGNAL_KEY_BYTES);
	*public_data = signal_buffer_create(typed, sizeof typed);
	*private_data = signal_buffer_create(env->call->account->identity_private, SIGNAL_KEY_BYTES);
	if (*public_data != NULL && *private_data != NULL)
		return 0;
	signal_buffer_free(*public_data);
	signal_buffer_bzero_free(*private_data);
	*public_data = *private_data = NULL;
	return SG_ERR_NOMEM;
}

static int own_registration_id(void *user_data, uint32_t *registration_id)
{
	struct signal_env *env = user_data;

	*registration_id = env->call->account->registration_id;
	return 0;
}

static int save_identity(const signal_protocol_address *address, uint8_t *key_data, size_t key_len, void *user_data)
{
	struct signal_env *env = user_data;

	(void)address;
	if (key_data == NULL || key_len != SIGNAL_IDENTITY_BYTES)
		return SG_ERR_INVALID_KEY;
	memcpy(env->new_identity, key_data, key_len);
	env->have_new_identity = true;
	return 0;
}

static int is_trusted_identity(const signal_protocol_address *address, uint8_t *key_data, size_t key_len, void *user_data)
{
	/* Trust on every use, as all clients of the service do; a change is reported as an event. */
	(void)address;
	(void)key_data;
	(void)user_data;
	return key_len == SIGNAL_IDENTITY_BYTES;
}

/* ---- sender keys ---- */

static bool sender_key_name(const signal_protocol_sender_key_name *name, char *out)
{
	int n = snprintf(out, SENDER_KEY_NAME_MAX, "%.*s::%.*s.%d", (int)name->group_id_len, name->group_id,
			 (int)name->sender.name_len, name->sender.name, (int)name->sender.device_id);

	return n > 0 && (size_t)n < SENDER_KEY_NAME_MAX;
}

static int store_sender_key(const signal_protocol_sender_key_name *sender, uint8_t *record, size_t record_len, uint8_t *user_record,
			    size_t user_record_len, void *user_data)
{
	struct signal_env *env = user_data;
	char name[SENDER_KEY_NAME_MAX];
	struct buf pruned = { 0 };
	int rc;

	(void)user_record;
	(void)user_record_len;
	if (!sender_key_name(sender, name))
		return SG_ERR_INVAL;
	rc = wa_sender_key_record_prune(span_of(record, record_len), &pruned);
	if (rc >= 0)
		state_op_put(env->call->op, WA_RECORD_SENDER_KEY, name, rc == 0 ? buf_span(&pruned) : span_of(record, record_len));
	buf_wipe(&pruned);
	return rc >= 0 ? 0 : SG_ERR_UNKNOWN;
}

static int load_sender_key(signal_buffer **record, signal_buffer **user_record, const signal_protocol_sender_key_name *sender,
			   void *user_data)
{
	struct signal_env *env = user_data;
	char name[SENDER_KEY_NAME_MAX];
	struct span value;

	(void)user_record;
	if (!sender_key_name(sender, name))
		return SG_ERR_INVAL;
	if (!state_op_get(env->call->op, WA_RECORD_SENDER_KEY, name, &value) || value.n == 0)
		return 0;
	*record = signal_buffer_create(value.p, value.n);
	return *record != NULL ? 1 : SG_ERR_NOMEM;
}

int wa_signal_store_install(struct signal_env *env)
{
	const signal_protocol_session_store sessions = {
		load_session, sub_device_sessions, store_session, contains_session, delete_session, delete_all_sessions, NULL, env,
	};
	const signal_protocol_pre_key_store prekeys = {
		load_pre_key, store_pre_key, contains_pre_key, remove_pre_key, NULL, env,
	};
	const signal_protocol_signed_pre_key_store signed_prekeys = {
		.load_signed_pre_key = load_signed_pre_key,
		.contains_signed_pre_key = contains_signed_pre_key,
		.remove_signed_pre_key = remove_signed_pre_key,
		.user_data = env,
	};
	const signal_protocol_identity_key_store identities = {
		own_identity, own_registration_id, save_identity, is_trusted_identity, NULL, env,
	};
	const signal_protocol_sender_key_store sender_keys = { store_sender_key, load_sender_key, NULL, env };
	int rc = signal_protocol_store_context_create(&env->store, env->context);

	if (rc == 0)
		rc = signal_protocol_store_context_set_session_store(env->store, &sessions);
	if (rc == 0)
		rc = signal_protocol_store_context_set_pre_key_store(env->store, &prekeys);
	if (rc == 0)
		rc = signal_protocol_store_context_set_signed_pre_key_store(env->store, &signed_prekeys);
	if (rc == 0)
		rc = signal_protocol_store_context_set_identity_key_store(env->store, &identities);
	if (rc == 0)
		rc = signal_protocol_store_context_set_sender_key_store(env->store, &sender_keys);
	return rc;
}
