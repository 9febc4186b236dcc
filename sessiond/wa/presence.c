/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Being seen and seeing others: presence and chat states. None of it is stored or acked. Source: whatsmeow presence.go. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/job.h"
#include "sessiond/wa/lidmap.h"
#include "sessiond/wa/tctoken.h"

/* ---- out ---- */

/* The server takes no name with '@'. */
static const char *without_at(struct arena *a, const char *name)
{
	char *copy = arena_strdup(a, name);
	size_t n = 0;

	for (size_t i = 0; name[i] != '\0'; i++)
		if (name[i] != '@')
			copy[n++] = name[i];
	copy[n] = '\0';
	return copy;
}

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
	wa_node_attr(&a, presence, "name", without_at(&a, name != NULL ? name : ""));
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

struct subscription {
	struct wa_client *client;
	struct state_op op;
	struct jid to, token_user;
};

static void subscribe_now(void *arg, bool ok)
{
	static const struct jid none = { .server = JID_SERVER_NONE };
	struct subscription *s = arg;
	struct wa_node *presence;
	struct arena a;

	arena_init(&a, 0);
	presence = wa_node_new(&a, "presence");
	wa_node_attr(&a, presence, "type", "subscribe");
	wa_node_attr_jid(&a, presence, "to", &s->to);
	if (ok && !jid_is_none(&s->token_user))
		wa_tctoken_attach(&s->op, &a, presence, &s->token_user, &none, wa_client_wall_ms(s->client) / 1000);
	if (ok)
		wa_client_write(s->client, presence);
	arena_free(&a);
	state_op_end(&s->op);
	free(s);
}

/* The token that lets us see somebody is kept under the LID where that is known. */
static void subscription_named(void *arg, bool ok)
{
	struct subscription *s = arg;
	struct state_keys keys = { 0 };
	struct jid lid;

	if (!ok) {
		subscribe_now(s, false);
		return;
	}
	s->token_user = s->to;
	if (wa_lidmap_is_pn(&s->to) && wa_lidmap_other(&s->op, &s->to, &lid))
		s->token_user = jid_bare(&lid);
	wa_tctoken_keys(&keys, &s->token_user);
	state_op_fetch(&s->op, keys.keys, keys.n, subscribe_now, s);
	state_keys_free(&keys);
}

static void write_subscription(struct wa_client *client, const struct jid *to)
{
	struct subscription *s = xcalloc(1, sizeof *s);
	struct state_keys keys = { 0 };

	s->client = client;
	s->to = *to;
	state_op_init(&s->op, wa_client_state(client));
	if (!jid_is_person(to) || wa_messaging_is_own(wa_client_messaging(client), to)) {
		subscribe_now(s, true);
		return;
	}
	wa_lidmap_keys(&keys, to);
	state_op_fetch(&s->op, keys.keys, keys.n, subscription_named, s);
	state_keys_free(&keys);
}

void wa_client_subscribe_presence(struct wa_client *client, const struct jid *to)
{
	struct wa_messaging *m = wa_client_messaging(client);
	struct jid bare = jid_bare(to);
	size_t i = 0;

	if (!m->open)
		return;
	while (i < m->nwatched && !jid_same_user(&m->watched[i], &bare))
		i++;
	/* The newest are kept: they are asked for again on the next connection. */
	if (i == m->nwatched && m->nwatched == PRESENCES_WATCHED)
		memmove(&m->watched[0], &m->watched[1], --m->nwatched * sizeof m->watched[0]);
	if (i >= m->nwatched)
		m->watched[m->nwatched++] = bare;
	write_subscription(client, &bare);
}

void wa_presence_opened(struct wa_messaging *m)
{
	for (size_t i = 0; i < m->nwatched; i++)
		write_subscription(m->client, &m->watched[i]);
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
