/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Posts of channels (newsletters), in plaintext: as messages, and inside notifications about updates. They are acked, never receipted.
 *
 *     <message from=channel id server_id t type><plaintext>Message</plaintext></message>
 *     <notification from=channel type="newsletter"><live_updates><messages><message .../>...          or <message .../> directly
 *
 * Source: whatsmeow message.go, notification.go, newsletter.go; Baileys messages-recv.ts.
 */
#include "sessiond/wa/channel.h"

#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/e2e.h"
#include "sessiond/wa/job.h"
#include "sessiond/wa/query.h"
#include "sessiond/wa/receive.h"
#include "sessiond/wa/seen.h"

#define POSTS_MAX 100U

static bool post_event(struct state_op *op, const struct jid *channel, const struct wa_node *node, bool offline)
{
	struct span message = wa_node_child_content(node, "plaintext");
	const char *id = wa_node_get(node, "id");
	struct wa_event *event;
	struct wa_message *m;
	uint64_t number;

	if (message.n == 0 || !e2e_acceptable(message))
		return false;
	if (id == NULL || id[0] == '\0')
		id = wa_node_get(node, "server_id");
	if (id == NULL || id[0] == '\0' || strlen(id) > ENVELOPE_ID_MAX)
		return false;
	if (wa_seen(op, channel, channel, id))
		return true;
	wa_seen_add(op, channel, channel, id);
	event = wa_event_new(WA_EVENT_MESSAGE);
	event->message = m = xcalloc(1, sizeof *m);
	m->id = xstrdup(id);
	m->chat = m->sender = jid_bare(channel);
	m->from_me = wa_node_get_is(node, "is_sender", "true");
	m->offline = offline;
	m->type = wa_node_get(node, "type") == NULL ? NULL : xstrdup(wa_node_get(node, "type"));
	m->edit = wa_node_get(node, "edit") == NULL ? NULL : xstrdup(wa_node_get(node, "edit"));
	if (wa_node_get_u64(node, "t", &number) && number < INT64_MAX / 1000)
		m->time_ms = (int64_t)number * 1000;
	if (wa_node_get_u64(node, "server_id", &number) && number < INT64_MAX)
		m->server_id = (int64_t)number;
	buf_append_span(&m->plaintext, message);
	m->text = e2e_text(message);
	m->content = e2e_content_name(message);
	state_op_event(op, event);
	return true;
}

/* ---- messages ---- */

static void post_loaded(void *arg, bool ok)
{
	struct receive_job *job = arg;

	if (!ok) {
		wa_job_done(&job->job);
		return;
	}
	job->outcome = RECEIVE_ACK;
	/* Something else than a post (a reaction's count, a deletion): settled. */
	post_event(&job->job.op, &job->envelope.chat, wa_stanza_node(job->job.stanza), job->envelope.offline);
	wa_receive_store(job);
}

void wa_receive_post(struct receive_job *job)
{
	struct state_keys keys = { 0 };

	wa_seen_keys(&keys, &job->envelope.chat);
	state_op_fetch(&job->job.op, keys.keys, keys.n, post_loaded, job);
	state_keys_free(&keys);
}

/* ---- notifications ---- */

struct channel_job {
	struct stanza_job job; /* first member */
	struct jid channel;
};

/* New counters of a post. */
static void counters_event(struct channel_job *job, const struct wa_post *post)
{
	struct wa_event *event;

	if (!post->has_views && post->nreactions == 0)
		return;
	event = wa_event_new(WA_EVENT_POST);
	event->jid = jid_bare(&job->channel);
	event->number = (int64_t)post->server_id;
	event->ms = post->has_views ? (int64_t)post->views : -1;
	for (size_t i = 0; i < post->nreactions; i++) {
		size_t n = strlen(post->reactions[i].code);

		if (n > UINT8_MAX)
			continue;
		buf_be64(&event->bytes, post->reactions[i].count);
		buf_u8(&event->bytes, (uint8_t)n);
		buf_append(&event->bytes, post->reactions[i].code, n);
	}
	state_op_event(&job->job.op, event);
}

static void take_counters(struct channel_job *job, const struct wa_node *list)
{
	struct wa_post *posts;
	struct arena a;
	size_t n;

	arena_init(&a, 0);
	n = wa_posts_read(list, &a, &posts);
	for (size_t i = 0; i < n && i < POSTS_MAX; i++)
		counters_event(job, &posts[i]);
	arena_free(&a);
}

static size_t take_posts(struct channel_job *job, const struct wa_node *list, size_t taken)
{
	bool offline = wa_node_get(wa_stanza_node(job->job.stanza), "offline") != NULL;

	for (size_t i = 0; i < list->nnodes && taken < POSTS_MAX; i++)
		if (wa_node_is(list->nodes[i], "message"))
			taken += post_event(&job->job.op, &job->channel, list->nodes[i], offline);
	return taken;
}

static void updates_loaded(void *arg, bool ok)
{
	struct channel_job *job = arg;
	const struct wa_node *notification = wa_stanza_node(job->job.stanza);
	const struct wa_node *updates = wa_node_child(notification, "live_updates");
	size_t taken;

	if (!ok) {
		wa_job_done(&job->job);
		return;
	}
	taken = take_posts(job, notification, 0);
	for (size_t i = 0; updates != NULL && i < updates->nnodes; i++) {
		if (!wa_node_is(updates->nodes[i], "messages"))
			continue;
		taken = take_posts(job, updates->nodes[i], taken);
		take_counters(job, updates->nodes[i]);
	}
	wa_job_commit_and_ack(&job->job);
}

void wa_on_channel(struct wa_client *client, struct wa_stanza *stanza)
{
	struct channel_job *job = wa_job_new(wa_client_messaging(client), stanza, sizeof *job);
	struct state_keys keys = { 0 };

	if (!wa_node_get_jid(wa_stanza_node(stanza), "from", &job->channel) || job->channel.server != JID_SERVER_NEWSLETTER) {
		wa_stanza_ack(client, stanza, 0);
		wa_job_done(&job->job);
		return;
	}
	wa_seen_keys(&keys, &job->channel);
	state_op_fetch(&job->job.op, keys.keys, keys.n, updates_loaded, job);
	state_keys_free(&keys);
}
