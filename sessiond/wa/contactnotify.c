/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Notifications about what people show of themselves, and about our own account's lists changed by another device. Acked once stored.
 *
 *     picture            <set id [author]/> | <delete/> | nothing        from: whose
 *     status             <set>text</set>
 *     disappearing_mode  <disappearing_mode duration t/>
 *     contacts           <modify old new [old_lid new_lid]/>             somebody's number has changed
 *     account_sync       <blocklist action><item jid action [pn_jid]/>..</blocklist> <picture/> <disappearing_mode/> <privacy/> ..
 *
 * Source: whatsmeow notification.go, Baileys Socket/messages-recv.ts.
 */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/job.h"
#include "sessiond/wa/lidmap.h"

#define ITEMS_MAX 1024U

struct change_job {
	struct stanza_job job; /* first member */
	void (*tell)(struct change_job *job, const struct wa_node *node);
};

static struct wa_event *new_event(struct change_job *job, enum wa_event_kind kind, const struct jid *whom)
{
	struct wa_event *event = wa_event_new(kind);
	uint64_t t;

	event->jid = jid_bare(whom);
	if (!wa_lidmap_other(&job->job.op, &event->jid, &event->other))
		event->other = (struct jid){ .server = JID_SERVER_NONE };
	event->ms = wa_node_get_u64(wa_stanza_node(job->job.stanza), "t", &t) && t < INT64_MAX / 1000 ? (int64_t)t * 1000 : 0;
	return event;
}

static void emit(struct change_job *job, struct wa_event *event)
{
	state_op_event(&job->job.op, event);
}

/* ---- others ---- */

static void tell_picture(struct change_job *job, const struct wa_node *node, const struct jid *whom)
{
	const struct wa_node *set = wa_node_child(node, "set");
	struct wa_event *event;

	/* Requests of the server, avatars: nothing has changed that anybody could look at. */
	if (node->nnodes > 0 && set == NULL && wa_node_child(node, "delete") == NULL)
		return;
	event = new_event(job, WA_EVENT_CONTACT, whom);
	event->text = xstrdup("picture");
	if (wa_node_get(set, "id") != NULL)
		event->text2 = xstrdup(wa_node_get(set, "id"));
	event->code = set == NULL;
	emit(job, event);
}

static void tell_about(struct change_job *job, const struct wa_node *node, const struct jid *whom)
{
	struct span text = wa_node_child_content(node, "set");
	struct wa_event *event;

	if (wa_node_child(node, "set") == NULL)
		return;
	event = new_event(job, WA_EVENT_CONTACT, whom);
	event->text = xstrdup("about");
	event->text2 = xstrndup((const char *)text.p, text.n);
	emit(job, event);
}

static void tell_timer(struct change_job *job, const struct wa_node *node, const struct jid *whom)
{
	const struct wa_node *mode = wa_node_child(node, "disappearing_mode");
	struct wa_event *event;
	uint64_t seconds = 0;

	if (mode == NULL)
		return;
	event = new_event(job, WA_EVENT_CONTACT, whom);
	event->text = xstrdup("timer");
	event->number = wa_node_get_u64(mode, "duration", &seconds) && seconds <= UINT32_MAX ? (int64_t)seconds : 0;
	emit(job, event);
}

static void tell_number(struct change_job *job, const struct wa_node *node)
{
	const struct wa_node *modify = wa_node_child(node, "modify");
	char text[JID_TEXT_MAX];
	struct wa_event *event;
	struct jid old, new;

	if (!wa_node_get_jid(modify, "old", &old) || !wa_node_get_jid(modify, "new", &new) || !jid_is_person(&old) || !jid_is_person(&new))
		return;
	event = new_event(job, WA_EVENT_CONTACT, &old);
	event->text = xstrdup("number");
	new = jid_bare(&new);
	event->text2 = xstrdup(jid_format(&new, text, sizeof text));
	emit(job, event);
}

static void tell_contact(struct change_job *job, const struct wa_node *node)
{
	struct jid from;

	if (wa_node_get_is(node, "type", "contacts"))
		tell_number(job, node);
	else if (!wa_node_get_jid(node, "from", &from) || !jid_is_person(&from))
		return;
	else if (wa_node_get_is(node, "type", "picture"))
		tell_picture(job, node, &from);
	else if (wa_node_get_is(node, "type", "status"))
		tell_about(job, node, &from);
	else
		tell_timer(job, node, &from);
}

/* ---- the own account ---- */

static void tell_blocklist(struct change_job *job, const struct wa_node *list)
{
	struct wa_event *event;
	struct jid whom;

	for (size_t i = 0; i < list->nnodes && i < ITEMS_MAX; i++) {
		const struct wa_node *item = list->nodes[i];

		if (!wa_node_is(item, "item") || !wa_node_get_jid(item, "jid", &whom) || !jid_is_person(&whom))
			continue;
		event = new_event(job, WA_EVENT_BLOCKLIST, &whom);
		if (jid_is_none(&event->other) && wa_node_get_jid(item, "pn_jid", &whom))
			event->other = jid_bare(&whom);
		event->code = wa_node_get_is(item, "action", "block");
		emit(job, event);
	}
	if (list->nnodes > 0)
		return;
	event = wa_event_new(WA_EVENT_BLOCKLIST);
	event->code = -1;
	emit(job, event);
}

static void tell_account(struct change_job *job, const struct wa_node *node)
{
	const struct jid *own = wa_client_own_pn(job->job.m->client);
	const struct wa_node *list = wa_node_child(node, "blocklist");

	if (list != NULL)
		tell_blocklist(job, list);
	if (!jid_is_none(own))
		tell_timer(job, node, own);
}

/* ---- names first ---- */

static void loaded(void *arg, bool ok)
{
	struct change_job *job = arg;

	if (!ok) {
		wa_job_done(&job->job);
		return;
	}
	job->tell(job, wa_stanza_node(job->job.stanza));
	wa_job_commit_and_ack(&job->job);
}

static void add_keys(struct state_keys *keys, const struct wa_node *node, const char *key)
{
	struct jid jid;

	if (wa_node_get_jid(node, key, &jid) && jid_is_person(&jid))
		wa_lidmap_keys(keys, &jid);
}

static void start(struct wa_client *client, struct wa_stanza *stanza, void (*tell)(struct change_job *job, const struct wa_node *node))
{
	const struct wa_node *node = wa_stanza_node(stanza);
	const struct wa_node *list = wa_node_child(node, "blocklist");
	struct change_job *job = wa_job_new(wa_client_messaging(client), stanza, sizeof *job);
	struct state_keys keys = { 0 };

	job->tell = tell;
	add_keys(&keys, node, "from");
	add_keys(&keys, wa_node_child(node, "modify"), "old");
	if (!jid_is_none(wa_client_own_pn(client)))
		wa_lidmap_keys(&keys, wa_client_own_pn(client));
	for (size_t i = 0; list != NULL && i < list->nnodes && i < ITEMS_MAX; i++)
		add_keys(&keys, list->nodes[i], "jid");
	state_op_fetch(&job->job.op, keys.keys, keys.n, loaded, job);
	state_keys_free(&keys);
}

void wa_on_contact_change(struct wa_client *client, struct wa_stanza *stanza)
{
	start(client, stanza, tell_contact);
}

void wa_on_account_sync(struct wa_client *client, struct wa_stanza *stanza)
{
	start(client, stanza, tell_account);
}
