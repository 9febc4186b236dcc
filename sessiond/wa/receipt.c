/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Delivery and read receipts, both directions. Source: whatsmeow receipt.go, Baileys messages-recv.ts. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/lidmap.h"
#include "sessiond/wa/receive.h"
#include "sessiond/wa/retry.h"

/* Ids in one read receipt. Source: whatsapp-rust. */
#define READ_IDS_MAX 256U
/* Ids taken from one incoming receipt. */
#define RECEIPT_IDS_MAX 1024U
/* People taken from one receipt for a group: more than a group has members. */
#define RECEIPT_PEOPLE_MAX 2048U

/* ---- out ---- */

static void write_receipt(struct receive_job *job, const char *type, bool recipient)
{
	const struct wa_node *message = wa_stanza_node(job->job.stanza);
	struct wa_node *receipt;
	struct arena a;

	arena_init(&a, 0);
	receipt = wa_node_new(&a, "receipt");
	wa_node_attr(&a, receipt, "id", job->envelope.id);
	wa_node_attr_jid(&a, receipt, "to", &job->envelope.from);
	wa_node_attr_copy(&a, receipt, "participant", message, "participant");
	if (recipient)
		wa_node_attr_jid(&a, receipt, "recipient", &job->envelope.recipient);
	wa_node_attr(&a, receipt, "type", type);
	wa_client_write(job->job.m->client, receipt);
	arena_free(&a);
}

void wa_receipt_delivered(struct receive_job *job)
{
	const struct envelope *e = &job->envelope;

	if (e->peer)
		write_receipt(job, "peer_msg", false);
	else if (e->from_me && !jid_is_none(&e->recipient))
		write_receipt(job, "sender", true);
	else if (e->from_me && e->kind != ENVELOPE_PERSON)
		write_receipt(job, "sender", false);
	else if (wa_messaging_is_own(job->job.m, &e->from))
		wa_stanza_ack(job->job.m->client, job->job.stanza, 0);
	else
		write_receipt(job, job->job.m->available ? NULL : "inactive", false);
}

static void write_read(struct wa_messaging *m, const struct jid *chat, const struct jid *participant, const char *const *ids, size_t n,
		       const char *type)
{
	struct wa_node *receipt;
	struct wa_node *list;
	struct arena a;

	arena_init(&a, 0);
	receipt = wa_node_new(&a, "receipt");
	wa_node_attr(&a, receipt, "id", ids[0]);
	wa_node_attr_jid(&a, receipt, "to", chat);
	if (participant != NULL && !jid_is_person(chat) && chat->server != JID_SERVER_NEWSLETTER) {
		struct jid bare = jid_bare(participant);

		wa_node_attr_jid(&a, receipt, "participant", &bare);
	}
	wa_node_attr(&a, receipt, "type", type);
	wa_node_attr_u64(&a, receipt, "t", (uint64_t)(wa_client_wall_ms(m->client) / 1000));
	if (n > 1) {
		list = wa_node_add_new(&a, receipt, "list");
		for (size_t i = 1; i < n; i++)
			wa_node_attr(&a, wa_node_add_new(&a, list, "item"), "id", ids[i]);
	}
	wa_client_write(m->client, receipt);
	arena_free(&a);
}

/* Own devices learn it in any case; others do not where the account's privacy says so (that voice notes were played, WhatsApp always
 * tells). In channels nobody waits for it. */
static const char *read_type(const struct wa_messaging *m, const struct jid *chat, bool played)
{
	if (played)
		return "played";
	return m->hides_reading || chat->server == JID_SERVER_NEWSLETTER ? "read-self" : "read";
}

void wa_client_mark_read(struct wa_client *client, const struct jid *chat, const struct jid *participant, const char *const *ids,
			 size_t n, bool played)
{
	struct wa_messaging *m = wa_client_messaging(client);
	struct jid bare = jid_bare(chat);

	if (!m->open)
		return;
	for (size_t at = 0; at < n; at += READ_IDS_MAX)
		write_read(m, &bare, participant, ids + at, n - at < READ_IDS_MAX ? n - at : READ_IDS_MAX, read_type(m, &bare, played));
}

/* ---- in ---- */

struct receipt_job {
	struct stanza_job job;   /* first member */
	struct wa_event **events; /* owned, n of them, and each until it is in the operation; one per person */
	size_t n;
};

static const struct {
	const char *type;
	enum wa_receipt_kind kind;
} KINDS[] = {
	{ "", WA_RECEIPT_DELIVERED },          { "delivery", WA_RECEIPT_DELIVERED }, { "inactive", WA_RECEIPT_INACTIVE },
	{ "sender", WA_RECEIPT_SENDER },       { "read", WA_RECEIPT_READ },          { "read-self", WA_RECEIPT_READ_SELF },
	{ "played", WA_RECEIPT_PLAYED },       { "played-self", WA_RECEIPT_READ_SELF },
	{ "server-error", WA_RECEIPT_SERVER_ERROR },
};

static enum wa_receipt_kind kind_of(const char *type)
{
	for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++)
		if (strcmp(KINDS[i].type, type) == 0)
			return KINDS[i].kind;
	return WA_RECEIPT_OTHER;
}

static void add_id(struct wa_receipt *r, const char *id)
{
	if (id == NULL || id[0] == '\0' || r->n >= RECEIPT_IDS_MAX)
		return;
	r->ids = xrealloc(r->ids, (r->n + 1) * sizeof(char *));
	r->ids[r->n++] = xstrdup(id);
}

static void read_ids(const struct wa_node *receipt, struct wa_receipt *out)
{
	const struct wa_node *list = wa_node_child(receipt, "list");

	add_id(out, wa_node_get(receipt, "id"));
	for (size_t i = 0; list != NULL && i < list->nnodes; i++)
		if (wa_node_is(list->nodes[i], "item"))
			add_id(out, wa_node_get(list->nodes[i], "id"));
}

static int64_t time_of(const struct wa_node *node, int64_t otherwise_ms)
{
	uint64_t seconds;

	return wa_node_get_u64(node, "t", &seconds) && seconds < INT64_MAX / 1000 ? (int64_t)seconds * 1000 : otherwise_ms;
}

static struct wa_event *add_event(struct receipt_job *job)
{
	struct wa_event *event = wa_event_new(WA_EVENT_RECEIPT);

	event->receipt = xcalloc(1, sizeof *event->receipt);
	job->events = xrealloc(job->events, (job->n + 1) * sizeof(struct wa_event *));
	job->events[job->n++] = event;
	return event;
}

/* <error reason="lid" type="feature-incapable"/>: that device can do nothing with the message and never got it. Source: whatsapp-rust receipt.rs. */
static bool is_incapable(const struct wa_node *receipt)
{
	const struct wa_node *error = wa_node_child(receipt, "error");

	return wa_node_get_is(error, "reason", "lid") && wa_node_get_is(error, "type", "feature-incapable");
}

/* Read on another own device: our reading, not the peer's. */
static enum wa_receipt_kind kind_by(const struct wa_messaging *m, const struct wa_node *receipt, const struct jid *device, const char *type)
{
	enum wa_receipt_kind kind = kind_of(type);

	if (kind == WA_RECEIPT_DELIVERED && is_incapable(receipt))
		return WA_RECEIPT_OTHER;
	return wa_messaging_is_own(m, device) && (kind == WA_RECEIPT_READ || kind == WA_RECEIPT_PLAYED) ? WA_RECEIPT_READ_SELF : kind;
}

/* One person's receipt for one or more messages. */
static void read_single(struct receipt_job *job, const struct wa_messaging *m, const struct wa_node *receipt, const struct jid *from)
{
	struct wa_receipt *out = add_event(job)->receipt;
	struct jid recipient;

	out->chat = jid_bare(from);
	out->device = *from;
	if (!jid_is_person(from))
		wa_node_get_jid(receipt, "participant", &out->device);
	else if (wa_messaging_is_own(m, from) && wa_node_get_jid(receipt, "recipient", &recipient))
		out->chat = jid_bare(&recipient);
	out->kind = kind_by(m, receipt, &out->device, wa_node_get_or_empty(receipt, "type"));
	out->time_ms = time_of(receipt, wa_client_wall_ms(m->client));
	read_ids(receipt, out);
}

/*
 * What several members of a group said of one message. Source: whatsmeow receipt.go (key, one list per message), whatsapp-rust
 * (message_id, a type per user).
 *
 *     <receipt from=group id= t= [type=]>
 *       <participants key=ID | message_id=ID>
 *         <user jid= [t=] [type=]/>
 *       </participants>
 *     </receipt>
 */
static void read_people(struct receipt_job *job, const struct wa_messaging *m, const struct wa_node *receipt, const struct wa_node *people,
			const struct jid *from)
{
	const char *id = wa_node_get(people, "message_id");
	int64_t time_ms = time_of(receipt, wa_client_wall_ms(m->client));

	if (id == NULL)
		id = wa_node_get(people, "key");
	if (id == NULL)
		id = wa_node_get(receipt, "id");
	for (size_t i = 0; i < people->nnodes && job->n < RECEIPT_PEOPLE_MAX; i++) {
		const struct wa_node *user = people->nodes[i];
		const char *type = wa_node_get(user, "type");
		struct wa_receipt *out;
		struct jid device;

		if (!wa_node_is(user, "user") || !wa_node_get_jid(user, "jid", &device))
			continue;
		out = add_event(job)->receipt;
		out->chat = jid_bare(from);
		out->device = device;
		out->kind = kind_by(m, receipt, &device, type != NULL ? type : wa_node_get_or_empty(receipt, "type"));
		out->time_ms = time_of(user, time_ms);
		add_id(out, id);
	}
}

/* Takes out what nobody wants to know: hist_sync, peer_msg, deliveries that were none, and what names no message. */
static void drop_unwanted(struct receipt_job *job)
{
	size_t kept = 0;

	for (size_t i = 0; i < job->n; i++) {
		const struct wa_receipt *r = job->events[i]->receipt;

		if (r->kind == WA_RECEIPT_OTHER || r->n == 0)
			wa_event_free(job->events[i]);
		else
			job->events[kept++] = job->events[i];
	}
	job->n = kept;
}

static void read_receipt(struct receipt_job *job, const struct wa_messaging *m, const struct wa_node *receipt)
{
	bool grouped = false;
	struct jid from;

	if (!wa_node_get_jid(receipt, "from", &from))
		return;
	for (size_t i = 0; !jid_is_person(&from) && i < receipt->nnodes; i++) {
		if (!wa_node_is(receipt->nodes[i], "participants"))
			continue;
		grouped = true;
		read_people(job, m, receipt, receipt->nodes[i], &from);
	}
	if (!grouped)
		read_single(job, m, receipt, &from);
	drop_unwanted(job);
}

static void set_form(struct wa_receipt *r, const struct jid *jid)
{
	if (wa_lidmap_is_pn(jid))
		r->pn = jid_bare(jid);
	else if (wa_lidmap_is_lid(jid))
		r->lid = jid_bare(jid);
}

static void receipt_clear(struct stanza_job *job)
{
	struct receipt_job *receipts = (struct receipt_job *)job;

	for (size_t i = 0; i < receipts->n; i++)
		wa_event_free(receipts->events[i]);
	free(receipts->events);
}

static void receipt_names_loaded(void *arg, bool ok)
{
	struct receipt_job *job = arg;

	if (!ok) {
		wa_job_done(&job->job);
		return;
	}
	for (size_t i = 0; i < job->n; i++) {
		struct wa_receipt *r = job->events[i]->receipt;
		struct jid other;

		set_form(r, &r->device);
		if (wa_lidmap_other(&job->job.op, &r->device, &other))
			set_form(r, &other);
		state_op_event(&job->job.op, job->events[i]);
		job->events[i] = NULL;
	}
	wa_job_commit_and_ack(&job->job);
}

void wa_on_receipt(struct wa_client *client, struct wa_stanza *stanza)
{
	const struct wa_node *receipt = wa_stanza_node(stanza);
	const char *type = wa_node_get_or_empty(receipt, "type");
	struct state_keys keys = { 0 };
	struct receipt_job *job;

	if (strcmp(type, "retry") == 0 || strcmp(type, "enc_rekey_retry") == 0) {
		wa_on_retry(client, stanza);
		return;
	}
	job = wa_job_new(wa_client_messaging(client), stanza, sizeof *job);
	job->job.clear = receipt_clear;
	read_receipt(job, wa_client_messaging(client), receipt);
	if (job->n == 0) {
		/* Settled. */
		wa_stanza_ack(client, stanza, 0);
		wa_job_done(&job->job);
		return;
	}
	for (size_t i = 0; i < job->n; i++)
		wa_lidmap_keys(&keys, &job->events[i]->receipt->device);
	state_op_fetch(&job->job.op, keys.keys, keys.n, receipt_names_loaded, job);
	state_keys_free(&keys);
}
