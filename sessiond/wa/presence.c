/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Being seen and seeing others: presence and chat states. None of it is stored or acked. Source: whatsmeow presence.go. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/job.h"
#include "sessiond/wa/lidmap.h"

/* ---- out ---- */

void wa_client_presence(struct wa_client *client, bool available)
{
	struct wa_messaging *m = wa_client_messaging(client);
	const char *name = wa_client_creds(client)->push_name;
	struct wa_node *presence;
	struct arena a;

	if (!m->open)
		return;
	arena_init(&a, 0);
	presence = wa_node_new(&a, "presence");
	wa_node_attr(&a, presence, "type", available ? "available" : "unavailable");
	wa_node_attr(&a, presence, "name", name);
	if (wa_client_write(client, presence))
		m->available = available;
	arena_free(&a);
}

struct chatstate_job {
	struct wa_client *client;
	struct state_op op;
	struct jid to;
	enum wa_chatstate state;
};

static void write_chatstate(struct wa_client *client, const struct jid *to, enum wa_chatstate state)
{
	struct wa_node *chatstate;
	struct wa_node *child;
	struct arena a;

	arena_init(&a, 0);
	chatstate = wa_node_new(&a, "chatstate");
	wa_node_attr_jid(&a, chatstate, "to", to);
	child = wa_node_add_new(&a, chatstate, state == WA_PAUSED ? "paused" : "composing");
	if (state == WA_RECORDING)
		wa_node_attr(&a, child, "media", "audio");
	wa_client_write(client, chatstate);
	arena_free(&a);
}

static void chatstate_name_loaded(void *arg, bool ok)
{
	struct chatstate_job *job = arg;
	struct jid lid;

	/* The chat's address on the wire, as messages use it. */
	if (ok && wa_lidmap_is_pn(&job->to) && !jid_is_none(wa_client_own_lid(job->client)) && wa_lidmap_other(&job->op, &job->to, &lid))
		job->to = lid;
	write_chatstate(job->client, &job->to, job->state);
	state_op_end(&job->op);
	free(job);
}

void wa_client_chatstate(struct wa_client *client, const struct jid *to, enum wa_chatstate state)
{
	struct chatstate_job *job;
	struct state_keys keys = { 0 };

	if (!wa_client_messaging(client)->open)
		return;
	job = xcalloc(1, sizeof *job);
	job->client = client;
	job->to = jid_bare(to);
	job->state = state;
	state_op_init(&job->op, wa_client_state(client));
	wa_lidmap_keys(&keys, &job->to);
	state_op_fetch(&job->op, keys.keys, keys.n, chatstate_name_loaded, job);
	state_keys_free(&keys);
}

void wa_client_subscribe_presence(struct wa_client *client, const struct jid *to)
{
	struct jid bare = jid_bare(to);
	struct wa_node *presence;
	struct arena a;

	if (!wa_client_messaging(client)->open)
		return;
	arena_init(&a, 0);
	presence = wa_node_new(&a, "presence");
	wa_node_attr(&a, presence, "type", "subscribe");
	wa_node_attr_jid(&a, presence, "to", &bare);
	wa_client_write(client, presence);
	arena_free(&a);
}

/* ---- in ---- */

static void emit(struct wa_client *client, const struct wa_node *node, const char *state, int64_t last_seen_ms)
{
	struct wa_event *event = wa_event_new(WA_EVENT_PRESENCE);

	if (wa_node_get_jid(node, "from", &event->jid)) {
		wa_node_get_jid(node, "participant", &event->other);
		event->text = xstrdup(state);
		event->ms = last_seen_ms;
		wa_client_event(client, event);
	}
	wa_event_free(event);
}

void wa_on_presence(struct wa_client *client, struct wa_stanza *stanza)
{
	const struct wa_node *presence = wa_stanza_node(stanza);
	uint64_t last = 0;
	bool unavailable = wa_node_get_is(presence, "type", "unavailable");

	/* A last that is no number ("deny") is hidden: 0. */
	if (!wa_node_get_u64(presence, "last", &last) || last > INT64_MAX / 1000)
		last = 0;
	if (unavailable || wa_node_get(presence, "type") == NULL || wa_node_get_is(presence, "type", "available"))
		emit(client, presence, unavailable ? "unavailable" : "available", (int64_t)last * 1000);
	wa_stanza_done(client, stanza);
}

void wa_on_chatstate(struct wa_client *client, struct wa_stanza *stanza)
{
	const struct wa_node *chatstate = wa_stanza_node(stanza);
	const struct wa_node *composing = wa_node_child(chatstate, "composing");

	if (composing != NULL)
		emit(client, chatstate, wa_node_get_is(composing, "media", "audio") ? "recording" : "composing", 0);
	else if (wa_node_child(chatstate, "paused") != NULL)
		emit(client, chatstate, "paused", 0);
	wa_stanza_done(client, stanza);
}
