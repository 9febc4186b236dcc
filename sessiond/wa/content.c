/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a decrypted message says: own-device envelopes, messages for the library itself, and events for the host. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/addon.h"
#include "sessiond/wa/e2e.h"
#include "sessiond/wa/e2e_fields.h"
#include "sessiond/wa/lidmap.h"
#include "sessiond/wa/proto/e2e.pb-c.h"
#include "sessiond/wa/proto_scan.h"
#include "sessiond/wa/proto_walk.h"
#include "sessiond/wa/receive.h"
#include "sessiond/wa/secret.h"
#include "sessiond/wa/seen.h"
#include "sessiond/wa/signal_group.h"

enum { PROTOCOL_KEY_SHARE = 7, PROTOCOL_PEER_RESPONSE = 17 };

/* ---- events ---- */

static char *copy_or_null(const char *text)
{
	return text == NULL || text[0] == '\0' ? NULL : xstrdup(text);
}

static void set_forms(const struct jid *jid, const struct jid *other, struct jid *pn, struct jid *lid)
{
	const struct jid *forms[] = { jid, other };

	for (size_t i = 0; i < 2; i++) {
		if (jid_is_none(forms[i]))
			continue;
		if (wa_lidmap_is_pn(forms[i])) {
			*pn = jid_bare(forms[i]);
			pn->server = JID_SERVER_PN;
		} else if (wa_lidmap_is_lid(forms[i])) {
			*lid = jid_bare(forms[i]);
			lid->server = JID_SERVER_LID;
		}
	}
}

static char *verified_name(const struct wa_node *message)
{
	struct span certificate = wa_node_child_content(message, "verified_name");
	struct span details;
	struct span name;

	/* VerifiedNameCertificate details(1) -> Details verifiedName(4) */
	if (!proto_find(certificate, 1, &details) || !proto_find(details, 4, &name) || memchr(name.p, 0, name.n) != NULL)
		return NULL;
	return xstrndup((const char *)name.p, name.n);
}

struct wa_message *wa_receive_message(struct receive_job *job)
{
	const struct envelope *e = &job->envelope;
	struct wa_message *m = xcalloc(1, sizeof *m);

	m->id = xstrdup(e->id);
	m->chat = e->chat;
	m->sender = e->author;
	set_forms(&e->chat, &e->chat_other, &m->chat_pn, &m->chat_lid);
	set_forms(&e->author, &e->author_other, &m->sender_pn, &m->sender_lid);
	m->from_me = e->from_me;
	m->offline = e->offline;
	m->lid_addressed = wa_lidmap_is_lid(e->kind == ENVELOPE_PERSON ? &e->chat : &e->author);
	m->by_list = e->kind == ENVELOPE_BROADCAST;
	m->push_name = copy_or_null(e->push_name);
	m->type = copy_or_null(e->type);
	m->category = copy_or_null(e->category);
	m->edit = copy_or_null(e->edit);
	m->verified_name = verified_name(wa_stanza_node(job->job.stanza));
	m->time_ms = e->time_ms;
	return m;
}

void wa_receive_undecryptable(struct receive_job *job, int code, const char *text, unsigned count)
{
	struct wa_event *event = wa_event_new(WA_EVENT_UNDECRYPTABLE);

	event->code = code;
	event->number = count;
	event->text = xstrdup(text);
	event->message = wa_receive_message(job);
	state_op_event(&job->job.op, event);
}

/* Kept for quotes, and for what others add to it. Not what is itself about another message. */
static void keep(struct receive_job *job, struct span message)
{
	const struct envelope *e = &job->envelope;
	struct jid author = jid_bare(&e->author);
	struct buf value = { 0 };
	struct e2e_protocol protocol;
	char text[JID_TEXT_MAX];

	wa_secret_remember(&job->job.op, &e->chat, &author, e->id, message);
	if (message.n == 0 || e2e_protocol_message(message, &protocol))
		return;
	buf_printf(&value, "%s %" PRId64, jid_format(&author, text, sizeof text), e->time_ms);
	buf_u8(&value, 0);
	buf_append_text(&value, jid_format(&e->chat, text, sizeof text));
	buf_u8(&value, 0);
	buf_append_span(&value, message);
	state_op_put(&job->job.op, WA_RECORD_MESSAGE, e->id, buf_span(&value));
	buf_wipe(&value);
}

/* Without the sender key that came with it. */
static void put_without_key(struct buf *out, struct span message)
{
	struct reader r = reader_of(message.p, message.n);
	struct proto_field f;

	while (proto_next(&r, &f))
		if (f.number != E2E_KEY_DISTRIBUTION)
			buf_append_span(out, f.raw);
}

void wa_receive_emit(struct receive_job *job, struct span message, const char *target, bool target_from_me)
{
	const struct envelope *e = &job->envelope;
	struct wa_event *event;

	wa_seen_add(&job->job.op, &job->ring, &e->author, e->id);
	if (wa_receive_expired(job))
		return;
	event = wa_event_new(WA_EVENT_MESSAGE);
	event->message = wa_receive_message(job);
	put_without_key(&event->message->plaintext, message);
	event->message->target = target == NULL ? NULL : xstrdup(target);
	event->message->target_from_me = target != NULL && target_from_me;
	event->message->text = e2e_text(message);
	event->message->content = e2e_content_name(message);
	state_op_event(&job->job.op, event);
	job->visible = true;
	keep(job, buf_span(&event->message->plaintext));
}

void wa_receive_refused(struct receive_job *job, const char *why)
{
	char jid[JID_TEXT_MAX];
	char *text = xasprintf("dropped a message of %s: %s", jid_format(&job->envelope.author, jid, sizeof jid), why);

	wa_client_warn(job->job.m->client, 0, text);
	free(text);
}

/* ---- messages for the library ---- */

static void on_key_share(struct receive_job *job, const E2e__ProtocolMessage *protocol, struct span bytes)
{
	struct span share;

	(void)protocol;
	if (proto_find(bytes, PROTOCOL_KEY_SHARE, &share) && wa_appstate_take_keys(job, share))
		job->new_keys = true;
}

static void learn_mapping(struct receive_job *job, const E2e__LIDMigrationMapping *mapping)
{
	uint64_t lid_number = mapping->has_latest_lid && mapping->latest_lid != 0 ? mapping->latest_lid : mapping->assigned_lid;
	char text[24];
	struct jid pn;
	struct jid lid;

	if (mapping->pn == 0 || lid_number == 0)
		return;
	snprintf(text, sizeof text, "%llu", (unsigned long long)mapping->pn);
	if (jid_make(&pn, text, strlen(text), JID_SERVER_PN, 0) != 0)
		return;
	snprintf(text, sizeof text, "%llu", (unsigned long long)lid_number);
	if (jid_make(&lid, text, strlen(text), JID_SERVER_LID, 0) == 0)
		wa_lidmap_learn(&job->job.op, &pn, &lid);
}

static void on_lid_mappings(struct receive_job *job, const E2e__ProtocolMessage *protocol, struct span bytes)
{
	const E2e__LIDMigrationMappingSyncMessage *sync = protocol->lid_migration_mapping_sync_message;
	const E2e__LIDMigrationMappingSyncPayload *payload;
	ProtobufCMessage *unpacked = NULL;
	struct arena a;

	(void)bytes;
	if (sync == NULL || !sync->has_encoded_mapping_payload)
		return;
	arena_init(&a, 0);
	if (proto_unpack(&a, &e2e__lidmigration_mapping_sync_payload__descriptor,
			 span_of(sync->encoded_mapping_payload.data, sync->encoded_mapping_payload.len), &unpacked) == PROTO_OK) {
		payload = (const E2e__LIDMigrationMappingSyncPayload *)unpacked;
		for (size_t i = 0; i < payload->n_pn_to_lid_mappings; i++)
			learn_mapping(job, payload->pn_to_lid_mappings[i]);
	}
	arena_free(&a);
}

static void on_key_request(struct receive_job *job, const E2e__ProtocolMessage *protocol, struct span bytes)
{
	(void)protocol;
	wa_appstate_answer_keys(job, bytes);
}

static void on_peer_data(struct receive_job *job, const E2e__ProtocolMessage *protocol, struct span bytes)
{
	struct span response;

	if (proto_find(bytes, PROTOCOL_PEER_RESPONSE, &response))
		wa_appstate_recovery(&job->job.m->appstate, response);
	if (protocol->has_peer_data_operation_request_response_message)
		wa_placeholder_take(job, proto_bytes(true, protocol->peer_data_operation_request_response_message));
}

/* By kind: what the library itself takes from a message between own devices. */
static const struct {
	uint32_t type;
	void (*handle)(struct receive_job *job, const E2e__ProtocolMessage *protocol, struct span bytes);
} OWN_HANDLERS[] = {
	{ E2E_PEER_DATA_RESPONSE, on_peer_data },
	{ E2E_APP_STATE_SYNC_KEY_SHARE, on_key_share },
	{ E2E_APP_STATE_SYNC_KEY_REQUEST, on_key_request },
	{ E2E_LID_MIGRATION_MAPPING_SYNC, on_lid_mappings },
};

static void handle_protocol(struct receive_job *job, const struct e2e_protocol *p)
{
	ProtobufCMessage *unpacked = NULL;
	struct arena a;

	arena_init(&a, 0);
	for (size_t i = 0; i < sizeof OWN_HANDLERS / sizeof OWN_HANDLERS[0]; i++)
		if (OWN_HANDLERS[i].type == p->type &&
		    proto_unpack(&a, &e2e__protocol_message__descriptor, p->bytes, &unpacked) == PROTO_OK)
			OWN_HANDLERS[i].handle(job, (const E2e__ProtocolMessage *)unpacked, p->bytes);
	arena_free(&a);
}

/* False: this sender may not send such a message. */
static bool protocol_allowed(const struct receive_job *job, const struct e2e_protocol *p)
{
	if (!e2e_protocol_self_only(p->type))
		return true;
	if (!wa_messaging_is_own(job->job.m, &job->envelope.author))
		return false;
	return p->type != E2E_PEER_DATA_RESPONSE || job->envelope.author.device == 0;
}

/* ---- sender keys ---- */

enum { DISTRIBUTION_GROUP = 1, DISTRIBUTION_KEY = 2 };

void wa_receive_sender_key(struct receive_job *job, struct span message)
{
	struct jid chat = jid_bare(&job->envelope.from);
	struct signal_call call;
	struct span distribution;
	struct span group;
	struct span key;
	struct jid named;

	if (!proto_find(message, E2E_KEY_DISTRIBUTION, &distribution) || !proto_find(distribution, DISTRIBUTION_KEY, &key))
		return;
	/* Only for the chat that it comes in: else anybody could replace the keys of another group. */
	if (job->envelope.kind == ENVELOPE_PERSON || !proto_find(distribution, DISTRIBUTION_GROUP, &group) ||
	    jid_parse(&named, (const char *)group.p, group.n) != 0 || !jid_same_user(&named, &chat)) {
		wa_receive_refused(job, "it brings a sender key for another chat");
		return;
	}
	call = wa_messaging_call(job->job.m, &job->job.op);
	if (wa_sender_key_take(&call, &chat, &job->address, key) != SIGNAL_OK)
		wa_receive_refused(job, "its sender key cannot be used");
}

bool wa_receive_expired(const struct receive_job *job)
{
	const struct envelope *e = &job->envelope;

	return e->kind == ENVELOPE_STATUS && e->time_ms > 0 &&
	       wa_client_wall_ms(job->job.m->client) - e->time_ms > RECEIVE_STATUS_MAX_AGE_MS;
}

/* ---- the content ---- */

static void handle_message(struct receive_job *job, struct span message)
{
	struct e2e_protocol protocol;

	if (e2e_protocol_message(message, &protocol)) {
		if (!protocol_allowed(job, &protocol)) {
			wa_receive_refused(job, "only an own device may send such a message");
			return;
		}
		if (protocol.type == E2E_HISTORY_SYNC_NOTIFICATION) {
			wa_history_noticed(job, protocol.bytes);
			return;
		}
		if (wa_messaging_is_own(job->job.m, &job->envelope.author))
			handle_protocol(job, &protocol);
	}
	if (!e2e_only_key_distribution(message) && !wa_addon_note(job, message))
		wa_receive_emit(job, message, NULL, false);
}

/* The envelope of an own device names the chat; without that right it is an attempt to put words into our mouth. */
static void handle_device_sent(struct receive_job *job, struct span chat, struct span message)
{
	struct jid destination;

	if (!wa_messaging_is_own(job->job.m, &job->envelope.author)) {
		wa_receive_refused(job, "it pretends to come from an own device");
		return;
	}
	if (chat.n > 0 && jid_parse(&destination, (const char *)chat.p, chat.n) == 0 && jid_is_none(&job->envelope.recipient)) {
		job->envelope.chat = jid_bare(&destination);
		if (!wa_lidmap_is_pn(&job->envelope.chat_other) == !wa_lidmap_is_pn(&destination))
			job->envelope.chat_other = (struct jid){ 0 };
	}
	job->envelope.from_me = true;
	handle_message(job, message);
}

void wa_receive_content(struct receive_job *job, struct span message)
{
	const struct envelope *e = &job->envelope;
	struct buf inner = { 0 };
	struct span chat;

	bool wrapped = e2e_unwrap_device_sent(message, &chat, &inner);

	wa_receive_sender_key(job, wrapped ? buf_span(&inner) : message);
	/* The same message in another ciphertext: a resend. */
	if (wa_seen(&job->job.op, &job->ring, &e->author, e->id)) {
		buf_wipe(&inner);
		return;
	}
	if (wrapped)
		handle_device_sent(job, chat, buf_span(&inner));
	else
		handle_message(job, message);
	buf_wipe(&inner);
}
