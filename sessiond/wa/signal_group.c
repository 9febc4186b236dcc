/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sender keys with libsignal-protocol-c's group cipher. Its store callbacks are in signal_store.c. */
#include "sessiond/wa/signal_group.h"

#include <stdio.h>
#include <string.h>

#include <signal/group_cipher.h>
#include <signal/group_session_builder.h>
#include <signal/protocol.h>

#include "sessiond/wa/proto_walk.h"
#include "sessiond/wa/signal_internal.h"

#define MESSAGE_SIGNATURE_BYTES 64U

enum { RECORD_STATE = 1 };
enum { STATE_KEY_ID = 1, STATE_CHAIN = 2, STATE_SIGNING = 3 };
enum { CHAIN_ITERATION = 1 };
enum { SIGNING_PUBLIC = 1 };
enum { MESSAGE_KEY_ID = 1, MESSAGE_ITERATION = 2, MESSAGE_SIGNING_KEY = 4 };

const char *wa_sender_key_name(const struct jid *chat, const struct jid *device, char *out)
{
	char text[JID_TEXT_MAX];
	char address[SIGNAL_NAME_MAX];
	struct jid bare = jid_bare(chat);

	snprintf(out, SENDER_KEY_NAME_MAX, "%s::%s", jid_format(&bare, text, sizeof text), wa_signal_record_name(device, address));
	return out;
}

void wa_sender_key_keys(struct state_keys *keys, const struct jid *chat, const struct jid *device)
{
	char name[SENDER_KEY_NAME_MAX];

	state_keys_add(keys, WA_RECORD_SENDER_KEY, wa_sender_key_name(chat, device, name));
}

void wa_sender_key_delete(struct state_op *op, const struct jid *chat, const struct jid *device)
{
	char name[SENDER_KEY_NAME_MAX];

	state_op_delete(op, WA_RECORD_SENDER_KEY, wa_sender_key_name(chat, device, name));
}

static bool load(struct state_op *op, const struct jid *chat, const struct jid *device, struct span *record)
{
	char name[SENDER_KEY_NAME_MAX];

	return state_op_get(op, WA_RECORD_SENDER_KEY, wa_sender_key_name(chat, device, name), record) && record->n > 0;
}

bool wa_sender_key_move(struct state_op *op, const struct jid *chat, const struct jid *from, const struct jid *to)
{
	char name[SENDER_KEY_NAME_MAX];
	struct span record;
	struct buf copy = { 0 };

	if (load(op, chat, to, &record) || !load(op, chat, from, &record))
		return false;
	buf_append_span(&copy, record);
	state_op_put(op, WA_RECORD_SENDER_KEY, wa_sender_key_name(chat, to, name), buf_span(&copy));
	wa_sender_key_delete(op, chat, from);
	buf_wipe(&copy);
	return true;
}

/* ---- reading records and messages without the library ---- */

static uint32_t number_of(struct span message, uint32_t number)
{
	struct reader r = reader_of(message.p, message.n);
	struct proto_field f;
	uint32_t value = 0;

	while (proto_next(&r, &f))
		if (f.number == number && f.wire == PROTO_VARINT)
			value = (uint32_t)f.value;
	return value;
}

/* The first state with this id; the newest one if id is NULL. */
static bool find_state(struct span record, const uint32_t *id, struct span *state)
{
	struct reader r = reader_of(record.p, record.n);
	struct proto_field f;

	while (proto_next(&r, &f)) {
		if (f.number != RECORD_STATE || f.wire != PROTO_BYTES || (id != NULL && number_of(f.bytes, STATE_KEY_ID) != *id))
			continue;
		*state = f.bytes;
		return true;
	}
	return false;
}

bool wa_sender_key_id(struct state_op *op, const struct jid *chat, const struct jid *device, uint32_t *id)
{
	struct span record;
	struct span state;

	if (!load(op, chat, device, &record) || !find_state(record, NULL, &state))
		return false;
	*id = number_of(state, STATE_KEY_ID);
	return true;
}

/* What stands between the version byte and the signature (of a message; a distribution has none). */
static struct span body_of(struct span bytes, size_t tail)
{
	return bytes.n > 1 + tail ? span_of(bytes.p + 1, bytes.n - 1 - tail) : span_of("", 0);
}

static bool have_key_of(struct state_op *op, const struct jid *chat, const struct jid *author, struct span ciphertext)
{
	uint32_t id = number_of(body_of(ciphertext, MESSAGE_SIGNATURE_BYTES), MESSAGE_KEY_ID);
	struct span record;
	struct span state;

	return load(op, chat, author, &record) && find_state(record, &id, &state);
}

/* True if the record holds this very key and has not gone beyond the iteration that the distribution starts with. */
static bool have_distributed(struct state_op *op, const struct jid *chat, const struct jid *author, struct span distribution)
{
	struct span body = body_of(distribution, 0);
	uint32_t id = number_of(body, MESSAGE_KEY_ID);
	struct span chain = { 0 };
	struct span signing = { 0 };
	struct span known = { 0 };
	struct span given = { 0 };
	struct span record;
	struct span state;

	if (!load(op, chat, author, &record) || !find_state(record, &id, &state) || !proto_find(state, STATE_CHAIN, &chain) ||
	    !proto_find(state, STATE_SIGNING, &signing) || !proto_find(signing, SIGNING_PUBLIC, &known) ||
	    !proto_find(body, MESSAGE_SIGNING_KEY, &given))
		return false;
	return span_equal(known, given) && number_of(chain, CHAIN_ITERATION) <= number_of(body, MESSAGE_ITERATION);
}

/* ---- calls into the library ---- */

/* The library's name of a key; the texts live in the struct. */
struct key_name {
	char chat[JID_TEXT_MAX];
	char user[JID_SIGNAL_NAME_MAX];
	signal_protocol_sender_key_name name;
};

static const signal_protocol_sender_key_name *name_of(struct key_name *n, const struct jid *chat, const struct jid *device)
{
	struct jid bare = jid_bare(chat);

	jid_format(&bare, n->chat, sizeof n->chat);
	jid_signal_name(device, n->user, sizeof n->user);
	n->name.group_id = n->chat;
	n->name.group_id_len = strlen(n->chat);
	n->name.sender = (signal_protocol_address){ .name = n->user, .name_len = strlen(n->user), .device_id = device->device };
	return &n->name;
}

static int end(struct signal_call *call, int rc)
{
	call->env->call = NULL;
	return wa_signal_error_of(rc);
}

int wa_sender_key_distribution(struct signal_call *call, const struct jid *chat, const struct jid *own, struct buf *out)
{
	group_session_builder *builder = NULL;
	sender_key_distribution_message *message = NULL;
	struct key_name name;
	int rc;

	call->env->call = call;
	rc = group_session_builder_create(&builder, call->env->store, call->env->context);
	if (rc == 0)
		rc = group_session_builder_create_session(builder, &message, name_of(&name, chat, own));
	if (rc == 0) {
		signal_buffer *bytes = ciphertext_message_get_serialized((ciphertext_message *)message);

		buf_append(out, signal_buffer_data(bytes), signal_buffer_len(bytes));
	}
	SIGNAL_UNREF(message);
	if (builder != NULL)
		group_session_builder_free(builder);
	return end(call, rc);
}

int wa_sender_key_encrypt(struct signal_call *call, const struct jid *chat, const struct jid *own, struct span padded, struct buf *out)
{
	group_cipher *cipher = NULL;
	ciphertext_message *message = NULL;
	struct key_name name;
	struct span record;
	int rc;

	if (!load(call->op, chat, own, &record))
		return SIGNAL_NO_SESSION;
	call->env->call = call;
	rc = group_cipher_create(&cipher, call->env->store, name_of(&name, chat, own), call->env->context);
	if (rc == 0)
		rc = group_cipher_encrypt(cipher, padded.p, padded.n, &message);
	if (rc == 0) {
		signal_buffer *bytes = ciphertext_message_get_serialized(message);

		buf_append(out, signal_buffer_data(bytes), signal_buffer_len(bytes));
	}
	SIGNAL_UNREF(message);
	if (cipher != NULL)
		group_cipher_free(cipher);
	return end(call, rc);
}

int wa_sender_key_take(struct signal_call *call, const struct jid *chat, const struct jid *author, struct span distribution)
{
	group_session_builder *builder = NULL;
	sender_key_distribution_message *message = NULL;
	struct key_name name;
	int rc;

	if (have_distributed(call->op, chat, author, distribution))
		return SIGNAL_OK;
	call->env->call = call;
	rc = sender_key_distribution_message_deserialize(&message, distribution.p, distribution.n, call->env->context);
	if (rc == 0)
		rc = group_session_builder_create(&builder, call->env->store, call->env->context);
	if (rc == 0)
		rc = group_session_builder_process_session(builder, name_of(&name, chat, author), message);
	SIGNAL_UNREF(message);
	if (builder != NULL)
		group_session_builder_free(builder);
	return end(call, rc);
}

int wa_sender_key_decrypt(struct signal_call *call, const struct jid *chat, const struct jid *author, struct span ciphertext,
			  struct buf *out)
{
	group_cipher *cipher = NULL;
	sender_key_message *message = NULL;
	signal_buffer *plain = NULL;
	struct key_name name;
	int rc;

	/* The library reports an unknown key as a malformed message. */
	if (!have_key_of(call->op, chat, author, ciphertext))
		return SIGNAL_NO_SESSION;
	call->env->call = call;
	rc = sender_key_message_deserialize(&message, ciphertext.p, ciphertext.n, call->env->context);
	if (rc == 0)
		rc = group_cipher_create(&cipher, call->env->store, name_of(&name, chat, author), call->env->context);
	if (rc == 0)
		rc = group_cipher_decrypt(cipher, message, NULL, &plain);
	if (rc == 0)
		buf_append(out, signal_buffer_data(plain), signal_buffer_len(plain));
	signal_buffer_bzero_free(plain);
	SIGNAL_UNREF(message);
	if (cipher != NULL)
		group_cipher_free(cipher);
	return end(call, rc);
}
