/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GraphQL over IQ, and the questions about channels. */
#include "sessiond/wa/query.h"

#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/mem.h"
#include "sessiond/wa/messaging.h"

#define POSTS_MAX 1000U
#define REACTIONS_MAX 200U
/* The terms that whoever makes a channel accepts. */
#define TERMS_ID "20601218"
#define TERMS_STAGE "5"

enum { CODE_UNREADABLE = 502, CODE_UNAVAILABLE = 503 };

struct wa_question {
	struct wa_question *next; /* list of the messaging */
	struct wa_messaging *m;   /* borrowed */
	enum wa_query_kind kind;
	wa_query_done *done;
	void *arg;
};

static void finish(struct wa_question *q, const struct wa_query_answer *answer)
{
	struct wa_question **at = &q->m->questions;

	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
	q->done(q->arg, answer);
	free(q);
}

/* ---- answers ---- */

static size_t read_reactions(const struct wa_node *reactions, struct arena *a, const struct wa_post_reaction **out)
{
	struct wa_post_reaction *list;
	size_t n = 0;

	if (reactions == NULL || reactions->nnodes == 0)
		return 0;
	list = arena_alloc(a, reactions->nnodes * sizeof *list);
	for (size_t i = 0; i < reactions->nnodes && n < REACTIONS_MAX; i++) {
		const char *code = wa_node_get(reactions->nodes[i], "code");
		uint64_t count = 0;

		if (code == NULL || !wa_node_is(reactions->nodes[i], "reaction"))
			continue;
		wa_node_get_u64(reactions->nodes[i], "count", &count);
		list[n++] = (struct wa_post_reaction){ .code = code, .count = count };
	}
	*out = list;
	return n;
}

static bool read_post(const struct wa_node *node, struct arena *a, struct wa_post *post)
{
	uint64_t number = 0;

	*post = (struct wa_post){ 0 };
	if (!wa_node_is(node, "message") || !wa_node_get_u64(node, "server_id", &post->server_id))
		return false;
	post->id = wa_node_get(node, "id");
	post->type = wa_node_get(node, "type");
	post->from_me = wa_node_get_is(node, "is_sender", "true");
	if (wa_node_get_u64(node, "t", &number) && number < INT64_MAX / 1000)
		post->time_ms = (int64_t)number * 1000;
	post->message = wa_node_child_content(node, "plaintext");
	post->has_views = wa_node_get_u64(wa_node_child(node, "views_count"), "count", &post->views);
	post->nreactions = read_reactions(wa_node_child(node, "reactions"), a, &post->reactions);
	return true;
}

size_t wa_posts_read(const struct wa_node *messages, struct arena *a, struct wa_post **out)
{
	size_t most = messages == NULL ? 0 : messages->nnodes < POSTS_MAX ? messages->nnodes : POSTS_MAX;
	size_t n = 0;

	*out = NULL;
	if (most == 0)
		return 0;
	*out = arena_alloc(a, most * sizeof **out);
	for (size_t i = 0; i < messages->nnodes && n < most; i++)
		n += read_post(messages->nodes[i], a, &(*out)[n]);
	return n;
}

static bool read_answer(const struct wa_question *q, const struct wa_node *iq, struct arena *a, struct wa_query_answer *answer)
{
	const struct wa_node *node;
	struct wa_post *posts = NULL;
	uint64_t duration = 0;

	switch (q->kind) {
	case WA_QUERY_MEX:
		node = wa_node_child(iq, "result");
		answer->json = node == NULL ? span_of(NULL, 0) : wa_node_content(node);
		/* Argo is for other kinds of clients. */
		return node != NULL && answer->json.n > 0 && wa_node_get(node, "format") == NULL;
	case WA_QUERY_POSTS:
		node = wa_node_child(iq, "messages");
		answer->nposts = wa_posts_read(node, a, &posts);
		answer->posts = posts;
		return node != NULL;
	case WA_QUERY_UPDATES:
		node = wa_node_child(iq, "message_updates");
		answer->nposts = wa_posts_read(wa_node_child(node, "messages"), a, &posts);
		answer->posts = posts;
		return node != NULL;
	case WA_QUERY_LIVE:
		wa_node_get_u64(wa_node_child(iq, "live_updates"), "duration", &duration);
		answer->duration_s = duration < UINT32_MAX ? (unsigned)duration : 0;
		return true;
	case WA_QUERY_TERMS:
		return true;
	}
	return false;
}

static void answered(struct wa_client *client, const struct wa_node *iq, void *arg)
{
	struct wa_question *q = arg;
	struct wa_query_answer answer = { .text = "" };
	struct arena a;

	(void)client;
	arena_init(&a, 0);
	if (!wa_iq_ok(iq, &answer.code, &answer.text)) {
		if (answer.code == 0)
			answer.code = CODE_UNREADABLE;
		if (iq == NULL && !q->m->open)
			answer.code = CODE_UNAVAILABLE;
	} else if (!read_answer(q, iq, &a, &answer)) {
		answer.code = CODE_UNREADABLE;
		answer.text = "the answer cannot be read";
	}
	finish(q, &answer);
	arena_free(&a);
}

/* ---- questions ---- */

static struct wa_node *mex(struct arena *a, const struct wa_query *query)
{
	struct wa_node *iq = wa_iq_new(a, "get", "w:mex");
	struct buf text = { 0 };

	buf_printf(&text, "{\"variables\":%s}", query->variables);
	wa_node_attr(a, wa_node_add_bytes(a, iq, "query", buf_span(&text)), "query_id", query->id);
	buf_free(&text);
	return iq;
}

static struct wa_node *to_channel(struct arena *a, const char *type, const struct jid *channel)
{
	struct wa_node *iq = wa_node_new(a, "iq");

	wa_node_attr_jid(a, iq, "to", channel);
	wa_node_attr(a, iq, "type", type);
	wa_node_attr(a, iq, "xmlns", "newsletter");
	return iq;
}

static struct wa_node *posts(struct arena *a, const struct wa_query *query)
{
	struct wa_node *iq = wa_iq_new(a, "get", "newsletter");
	struct wa_node *messages = wa_node_add_new(a, iq, "messages");

	wa_node_attr(a, messages, "type", "jid");
	wa_node_attr_jid(a, messages, "jid", &query->channel);
	wa_node_attr_u64(a, messages, "count", query->count);
	if (query->before != 0)
		wa_node_attr_u64(a, messages, "before", query->before);
	return iq;
}

static struct wa_node *updates(struct arena *a, const struct wa_query *query)
{
	struct wa_node *iq = to_channel(a, "get", &query->channel);
	struct wa_node *wanted = wa_node_add_new(a, iq, "message_updates");

	wa_node_attr_u64(a, wanted, "count", query->count);
	if (query->since_s > 0)
		wa_node_attr_u64(a, wanted, "since", (uint64_t)query->since_s);
	if (query->after != 0)
		wa_node_attr_u64(a, wanted, "after", query->after);
	return iq;
}

static struct wa_node *terms(struct arena *a)
{
	struct wa_node *iq = wa_iq_new(a, "set", "tos");
	struct wa_node *notice = wa_node_add_new(a, iq, "notice");

	wa_node_attr(a, notice, "id", TERMS_ID);
	wa_node_attr(a, notice, "stage", TERMS_STAGE);
	return iq;
}

static struct wa_node *question(struct arena *a, const struct wa_query *query)
{
	struct wa_node *iq;

	switch (query->kind) {
	case WA_QUERY_MEX:
		return mex(a, query);
	case WA_QUERY_POSTS:
		return posts(a, query);
	case WA_QUERY_UPDATES:
		return updates(a, query);
	case WA_QUERY_LIVE:
		iq = to_channel(a, "set", &query->channel);
		wa_node_add_new(a, iq, "live_updates");
		return iq;
	case WA_QUERY_TERMS:
		break;
	}
	return terms(a);
}

void wa_client_query(struct wa_client *client, const struct wa_query *query, wa_query_done *done, void *arg)
{
	struct wa_messaging *m = wa_client_messaging(client);
	struct wa_question *q = xcalloc(1, sizeof *q);
	struct arena a;

	*q = (struct wa_question){ .next = m->questions, .m = m, .kind = query->kind, .done = done, .arg = arg };
	m->questions = q;
	arena_init(&a, 0);
	wa_client_iq(client, &a, question(&a, query), answered, q);
	arena_free(&a);
}

void wa_queries_free(struct wa_messaging *m)
{
	static const struct wa_query_answer gone = { .code = CODE_UNAVAILABLE, .text = "the session has gone" };

	while (m->questions != NULL) {
		struct wa_question *q = m->questions;

		m->questions = q->next;
		q->done(q->arg, &gone);
		free(q);
	}
}
