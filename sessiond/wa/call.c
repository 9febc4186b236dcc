/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Calls: what the server tells of them as events, and refusing one. Each stanza is acked once its event is stored.
 *
 *     <call from id t [offline]><offer call-id call-creator [caller_pn] [group-jid] [type="group"]>[<video/>]...</offer></call>
 *     <call from id t><terminate call-id call-creator [reason]/></call>
 *     <call id from=OWN to=CALLER><reject call-id call-creator count="0"/></call>   ->   <ack class="call" id/>
 *
 * Source: whatsmeow call.go, Baileys Socket/messages-recv.ts.
 */
#include "sessiond/wa/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/ask.h"
#include "sessiond/wa/job.h"
#include "sessiond/wa/lidmap.h"

struct call_job {
	struct stanza_job job; /* first member */
	struct jid from, creator, creator_other;
};

/* ---- offers that are remembered until the call is over ---- */

static struct call_memory *find_offer(struct wa_messaging *m, const char *id)
{
	for (size_t i = 0; i < CALLS_REMEMBERED; i++)
		if (m->calls[i].id[0] != '\0' && strcmp(m->calls[i].id, id) == 0)
			return &m->calls[i];
	return NULL;
}

static void remember_offer(struct wa_messaging *m, const struct wa_call *call)
{
	struct call_memory *memory = find_offer(m, call->id);

	if (memory == NULL)
		memory = &m->calls[m->next_call++ % CALLS_REMEMBERED];
	snprintf(memory->id, sizeof memory->id, "%s", call->id);
	memory->video = call->video;
	memory->group = call->group_call;
}

/* ---- reading ---- */

/* Names as Baileys gives them. */
static const char *status_of(const struct wa_node *action)
{
	static const struct {
		const char *tag, *status;
	} names[] = {
		{ "offer", "offer" },   { "offer_notice", "offer" },  { "accept", "accept" },       { "reject", "reject" },
		{ "preaccept", "preaccept" }, { "transport", "transport" }, { "relaylatency", "relaylatency" },
	};

	if (wa_node_is(action, "terminate"))
		return wa_node_get_is(action, "reason", "timeout") ? "timeout" : "terminate";
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (wa_node_is(action, names[i].tag))
			return names[i].status;
	return "ringing";
}

static bool is_over(const char *status)
{
	return strcmp(status, "accept") == 0 || strcmp(status, "reject") == 0 || strcmp(status, "timeout") == 0 || strcmp(status, "terminate") == 0;
}

static char *copy_of(const struct wa_node *node, const char *key)
{
	const char *text = wa_node_get(node, key);

	return text != NULL && text[0] ? xstrdup(text) : NULL;
}

static struct wa_call *read_call(struct wa_messaging *m, const struct wa_node *stanza, const struct wa_node *action)
{
	struct wa_call *call = xcalloc(1, sizeof *call);
	struct call_memory *memory;
	uint64_t t;

	call->id = xstrdup(wa_node_get_or_empty(action, "call-id"));
	call->status = status_of(action);
	call->reason = copy_of(action, "reason");
	call->offline = wa_node_get(stanza, "offline") != NULL;
	call->time_ms = wa_node_get_u64(stanza, "t", &t) && t < INT64_MAX / 1000 ? (int64_t)t * 1000 : wa_client_wall_ms(m->client);
	if (!wa_node_get_jid(action, "group-jid", &call->group) || !jid_is_group(&call->group))
		call->group = (struct jid){ .server = JID_SERVER_NONE };
	if (strcmp(call->status, "offer") == 0) {
		call->kind_known = true;
		call->video = wa_node_child(action, "video") != NULL || wa_node_get_is(action, "media", "video");
		call->group_call = !jid_is_none(&call->group) || wa_node_get_is(action, "type", "group");
		remember_offer(m, call);
	}
	memory = find_offer(m, call->id);
	if (memory != NULL) {
		call->kind_known = true;
		call->video = memory->video;
		call->group_call = memory->group;
		if (is_over(call->status))
			memory->id[0] = '\0';
	}
	return call;
}

static void put_names(struct state_op *op, const struct jid *jid, struct jid *pn, struct jid *lid)
{
	struct jid other;

	*pn = *lid = (struct jid){ .server = JID_SERVER_NONE };
	if (jid_is_none(jid))
		return;
	*(wa_lidmap_is_lid(jid) ? lid : pn) = jid_bare(jid);
	if (wa_lidmap_other(op, jid, &other))
		*(wa_lidmap_is_lid(jid) ? pn : lid) = jid_bare(&other);
}

static void loaded(void *arg, bool ok)
{
	struct call_job *job = arg;
	const struct wa_node *stanza = wa_stanza_node(job->job.stanza);
	struct wa_event *event;

	if (!ok) {
		wa_job_done(&job->job);
		return;
	}
	if (!jid_is_none(&job->creator_other))
		wa_lidmap_learn(&job->job.op, &job->creator, &job->creator_other);
	event = wa_event_new(WA_EVENT_CALL);
	event->call = read_call(job->job.m, stanza, wa_node_first(stanza));
	event->call->chat = jid_bare(&job->from);
	event->call->from = job->creator;
	put_names(&job->job.op, &job->creator, &event->call->from_pn, &event->call->from_lid);
	state_op_event(&job->job.op, event);
	wa_job_commit_and_ack(&job->job);
}

void wa_on_call(struct wa_client *client, struct wa_stanza *stanza)
{
	const struct wa_node *node = wa_stanza_node(stanza);
	const struct wa_node *action = wa_node_first(node);
	const char *id = wa_node_get_or_empty(action, "call-id");
	struct state_keys keys = { 0 };
	struct call_job *job;
	struct jid from;

	/* Without these nobody could do anything with it. */
	if (id[0] == '\0' || strlen(id) > CALL_ID_MAX || !wa_node_get_jid(node, "from", &from)) {
		wa_stanza_ack(client, stanza, 0);
		wa_stanza_done(client, stanza);
		return;
	}
	job = wa_job_new(wa_client_messaging(client), stanza, sizeof *job);
	job->from = from;
	if (!wa_node_get_jid(action, "call-creator", &job->creator) || !jid_is_person(&job->creator))
		job->creator = job->from;
	if (wa_node_get_jid(action, "caller_pn", &from) && wa_lidmap_is_pn(&from) && wa_lidmap_is_lid(&job->creator))
		job->creator_other = jid_bare(&from);
	wa_lidmap_keys(&keys, &job->creator);
	if (!jid_is_none(&job->creator_other))
		wa_lidmap_keys(&keys, &job->creator_other);
	state_op_fetch(&job->job.op, keys.keys, keys.n, loaded, job);
	state_keys_free(&keys);
}

/* ---- refusing ---- */

struct reject_ask {
	wa_done *done;
	void *arg;
};

static void on_ack(struct wa_client *client, const struct wa_node *ack, void *arg)
{
	struct reject_ask *ask = arg;
	uint64_t error = 0;
	int code = 0;

	if (ack == NULL)
		code = wa_ask_code(client, NULL);
	else if (wa_node_get(ack, "error") != NULL)
		code = wa_node_get_u64(ack, "error", &error) && error > 0 && error < 1000 ? (int)error : ASK_STORAGE;
	ask->done(ask->arg, code);
	free(ask);
}

void wa_client_reject_call(struct wa_client *client, const char *call_id, const struct jid *creator, wa_done *done, void *arg)
{
	struct reject_ask *ask = xmalloc(sizeof *ask);
	struct wa_node *call, *reject;
	struct jid to = jid_bare(creator);
	struct jid own = wa_messaging_own(wa_client_messaging(client), &to);
	struct arena a;

	*ask = (struct reject_ask){ done, arg };
	arena_init(&a, 0);
	call = wa_node_new(&a, "call");
	wa_node_attr_jid(&a, call, "from", &own);
	wa_node_attr_jid(&a, call, "to", &to);
	reject = wa_node_add_new(&a, call, "reject");
	wa_node_attr(&a, reject, "call-id", call_id);
	wa_node_attr_jid(&a, reject, "call-creator", creator);
	wa_node_attr(&a, reject, "count", "0");
	wa_client_iq(client, &a, call, on_ack, ask);
	arena_free(&a);
}
