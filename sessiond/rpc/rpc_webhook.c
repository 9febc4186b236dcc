/* SPDX-License-Identifier: GPL-3.0-or-later */
/* session.config and webhooks.preflight (rest-a 5.2, 6, D6, D16). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/json_text.h"
#include "sessiond/loop.h"
#include "sessiond/net/http.h"
#include "sessiond/rpc/request.h"
#include "sessiond/rpc/url_check.h"
#include "sessiond/session/session.h"
#include "sessiond/webhook/webhook.h"

enum { MAX_TARGETS = 16 };

/* ---- preflight of one or more targets ---- */

struct preflight {
	struct rpc_request *request;
	char *targets[MAX_TARGETS]; /* owned */
	size_t n, at;
	char *secret;               /* owned */
	char *username;             /* owned */
	struct buf results;         /* "[{...},...]" without the last bracket */
	bool all_good;
	struct arena arena;
	struct store_user owner;
	int error;
	/* Called when every target was tried. */
	void (*done)(struct preflight *p);
	/* session.config only */
	char *url;                  /* owned: what is to be stored */
	struct url_check check;
};

static void preflight_free(void *arg)
{
	struct preflight *p = arg;

	for (size_t i = 0; i < p->n; i++)
		free(p->targets[i]);
	if (p->secret)
		crypto_wipe(p->secret, strlen(p->secret));
	free(p->secret);
	free(p->username);
	free(p->url);
	buf_free(&p->results);
	arena_free(&p->arena);
	free(p);
}

static struct preflight *preflight_new(struct rpc_request *request)
{
	struct preflight *p = xcalloc(1, sizeof *p);

	p->request = request;
	p->all_good = true;
	arena_init(&p->arena, 0);
	request->work = p;
	request->work_free = preflight_free;
	return p;
}

static void try_next(struct preflight *p);

static void tried(void *arg, const struct webhook_preflight *result)
{
	struct preflight *p = arg;
	struct buf *out = &p->results;

	buf_append_text(out, p->at ? ",{" : "[{");
	json_put_member(out, "target", p->targets[p->at]);
	json_put_bool(out, "ok", result->ok);
	if (result->error)
		json_put_member(out, "error", result->error);
	else
		json_put_int(out, "status", result->status);
	json_put_int(out, "roundTripMs", result->round_trip_ms);
	buf_u8(out, '}');
	p->all_good = p->all_good && result->ok;
	p->at++;
	try_next(p);
}

static void try_next(struct preflight *p)
{
	struct daemon *daemon = p->request->context->daemon;
	struct session_entry *entry = sessions_find(daemon->sessions, p->request->session_id);
	struct webhook_subject subject = { .username = p->username };

	if (p->at == p->n) {
		buf_append_text(&p->results, p->n ? "]" : "[]");
		p->done(p);
		return;
	}
	subject.id = p->request->session_id;
	subject.label = entry ? entry->label : NULL;
	subject.registry = entry ? entry->registry : NULL;
	webhooks_preflight(daemon->webhooks, &subject, &(struct webhook_trial){ .url = p->targets[p->at], .secret = p->secret }, tried, p);
}

static void owner_read(struct store_reader *reader, void *arg)
{
	struct preflight *p = arg;

	p->error = store_user_by_registry(reader, &p->arena, p->request->caller.registry, &p->owner);
}

static void owner_done(void *arg)
{
	struct preflight *p = arg;

	p->username = p->error ? NULL : xstrdup(p->owner.username);
	try_next(p);
}

/* The receiver builds its key with the owner's name, which may not be the caller's (C2). */
static void run_preflight(struct preflight *p)
{
	const struct daemon *daemon = p->request->context->daemon;

	async_read(daemon->loop, daemon->store, owner_read, owner_done, p);
}

/* ---- webhooks.preflight ---- */

static void preflight_done(struct preflight *p)
{
	struct buf bare = { 0 };

	buf_append_text(&bare, "{\"ok\":true,\"results\":");
	buf_append_span(&bare, buf_span(&p->results));
	buf_u8(&bare, '}');
	rpc_answer_bare(p->request, 200, buf_text(&bare), NULL);
	buf_free(&bare);
}

static void add_target(struct preflight *p, struct json_object *value)
{
	const char *text = json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;

	if (text && text[0] && p->n < MAX_TARGETS)
		p->targets[p->n++] = xstrdup(text);
}

static void do_preflight(struct rpc_request *request)
{
	struct json_object *url = json_object_object_get(request->p, "url");
	struct json_object *secret = json_object_object_get(request->p, "secret");
	struct preflight *p = preflight_new(request);

	if (json_object_is_type(secret, json_type_array))
		secret = json_object_array_get_idx(secret, 0);
	for (size_t i = 0; json_object_is_type(url, json_type_array) && i < json_object_array_length(url); i++)
		add_target(p, json_object_array_get_idx(url, i));
	add_target(p, url);
	if (json_object_is_type(secret, json_type_string) && json_object_get_string_len(secret) > 0)
		p->secret = xstrdup(json_object_get_string(secret));
	if (!p->n || !p->secret) {
		rpc_answer_error(request, 400, "url and secret required");
		return;
	}
	p->done = preflight_done;
	run_preflight(p);
}

/* ---- session.config ---- */

static void answer_config(struct rpc_request *request)
{
	struct session_entry *entry = rpc_session(request);
	struct buf result = { 0 };

	if (!entry)
		return;
	buf_u8(&result, '{');
	json_put_member(&result, "registryUser", entry->registry);
	json_put_member(&result, "sessionId", entry->id);
	json_put_member(&result, "webhookUrl", entry->webhook_url);
	json_put_member(&result, "webhookSecret", entry->webhook_secret);
	buf_u8(&result, '}');
	rpc_answer(request, 200, 1000, "Config updated", buf_text(&result));
	buf_free(&result);
}

static void stored(void *arg, int error)
{
	struct preflight *p = arg;

	if (error)
		rpc_answer(p->request, 500, 8000, "Internal error", NULL);
	else
		answer_config(p->request);
}

static void store_config(struct preflight *p)
{
	struct session_entry *entry = rpc_session(p->request);

	if (entry)
		sessions_set_webhook(p->request->context->daemon->sessions, entry, p->url, p->secret, stored, p);
}

static void config_tried(struct preflight *p)
{
	struct buf result = { 0 };

	if (p->all_good) {
		store_config(p);
		return;
	}
	buf_append_text(&result, "{\"results\":");
	buf_append_span(&result, buf_span(&p->results));
	buf_u8(&result, '}');
	rpc_answer(p->request, 400, 2000, "Webhook preflight failed", buf_text(&result));
	buf_free(&result);
}

static void after_guard(struct preflight *p)
{
	if (!rpc_param_bool(p->request, "preflight") || !p->url[0] || !p->secret[0]) {
		store_config(p);
		return;
	}
	p->targets[p->n++] = xstrdup(p->url);
	p->done = config_tried;
	run_preflight(p);
}

static void judged(void *arg, bool refused)
{
	struct preflight *p = arg;

	if (refused)
		rpc_answer(p->request, 400, 1201, URL_CHECK_REFUSED, NULL);
	else
		after_guard(p);
}

static void check_guard(struct preflight *p)
{
	if (p->url[0])
		url_check(&p->check, p->request->context->daemon, p->url, judged, p);
	else
		after_guard(p);
}

static char *trimmed(const char *text)
{
	size_t len;

	text += strspn(text, " \t\r\n");
	len = strlen(text);
	while (len > 0 && strchr(" \t\r\n", text[len - 1]))
		len--;
	return xstrndup(text, len);
}

/* A stored secret stays when only the URL changes (D16); generated ones have 32 characters. */
static char *choose_secret(const struct session_entry *entry, const char *given, bool url_given)
{
	char made[WEBHOOK_SECRET_ROOM];
	bool usable = strlen(entry->webhook_secret) >= WEBHOOK_SECRET_MIN;

	if (given && given[0])
		return xstrdup(given);
	if (usable || !url_given || webhook_secret_make(made))
		return xstrdup(entry->webhook_secret);
	return xstrdup(made);
}

static void do_config(struct rpc_request *request)
{
	struct session_entry *entry = rpc_session(request);
	struct json_object *url_value = NULL;
	bool url_given = json_object_object_get_ex(request->p, "webhookUrl", &url_value);
	const char *url = rpc_param_text(request, "webhookUrl");
	const char *secret = rpc_param_text(request, "webhookSecret");
	struct preflight *p;
	char *given;

	if (!entry)
		return;
	p = preflight_new(request);
	p->url = url_given ? trimmed(url ? url : "") : xstrdup(entry->webhook_url);
	given = trimmed(secret ? secret : "");
	p->secret = choose_secret(entry, given, url_given);
	if (given[0] && strlen(given) < WEBHOOK_SECRET_MIN)
		rpc_answer(request, 400, 2002, "webhookSecret must have at least 6 characters", NULL);
	else if (p->url[0] && !http_url_is_valid(p->url))
		rpc_answer(request, 400, 1201, "Invalid webhook URL", NULL);
	else if (!url_given && !given[0])
		answer_config(request);
	else
		check_guard(p);
	free(given);
}

const struct rpc_method rpc_webhook_methods[] = {
	{ "session.config", do_config },
	{ "webhooks.preflight", do_preflight },
	{ NULL, NULL },
};
