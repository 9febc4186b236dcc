/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sessiond/rpc/audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/rpc/access.h"
#include "sessiond/rpc/request.h"

enum {
	ONLY_NEW = 1,  /* a session that is there already is only looked at */
	LOGIN = 2,     /* without a key: who fails is named by what he typed */
	DONE_ONLY = 4  /* a refusal says nothing about anybody */
};

struct audit_rule {
	const char *method; /* also the entry's action, without "ctl." */
	unsigned flags;
	const char *target; /* parameter; NULL: the session, or what audit_target() said */
};

static const struct audit_rule rules[] = {
	{ "auth.login", LOGIN, "username" },
	{ "auth.logout", DONE_ONLY, NULL },
	{ "key.create", 0, NULL },
	{ "key.change", 0, "keyId" },
	{ "key.rotate", 0, "keyId" },
	{ "key.revoke", 0, "keyId" },
	{ "user.create", 0, "username" },
	{ "user.change", 0, "username" },
	{ "user.delete", 0, "username" },
	{ "user.password", 0, NULL },
	{ "session.create", ONLY_NEW, NULL },
	{ "session.pair_code", 0, NULL },
	{ "session.logout", 0, NULL },
	{ "session.reconnect", 0, NULL },
	{ "session.config", 0, NULL },
	{ "session.delete", 0, NULL },
	{ "session.queue.put", 0, NULL },
	{ "session.passkey.response", 0, NULL },
	{ "session.passkey.confirm", 0, NULL },
	{ "proxy.session.set", 0, "sessionId" },
	{ "server.restart", 0, NULL },
	{ "server.restart_scheduled", 0, NULL },
	{ "webhook.create", 0, NULL },
	{ "webhook.update", 0, "webhookId" },
	{ "webhook.delete", 0, "webhookId" },
	{ "webhook.pause", 0, "webhookId" },
	{ "webhook.resume", 0, "webhookId" },
	{ "webhook.rotate", 0, "webhookId" },
	{ "webhooks.create", 0, NULL },
	{ "webhooks.update", 0, "webhookId" },
	{ "webhooks.delete", 0, "webhookId" },
	{ "webhooks.pause", 0, "webhookId" },
	{ "webhooks.resume", 0, "webhookId" },
	{ "webhooks.rotate", 0, "webhookId" },
	{ "webhook.replay", 0, "webhookId" },
	{ "webhook.letters.replay", 0, "webhookId" },
	{ "campaigns.create", 0, NULL },
	{ "campaigns.change", 0, "campaignId" },
	{ "campaigns.remove", 0, "campaignId" },
	{ "campaigns.recipients.add", 0, "campaignId" },
	{ "campaigns.start", 0, "campaignId" },
	{ "campaigns.pause", 0, "campaignId" },
	{ "campaigns.resume", 0, "campaignId" },
	{ "campaigns.cancel", 0, "campaignId" },
	{ "ctl.session.create", 0, "id" },
	{ "ctl.session.import", 0, "id" },
	{ "ctl.session.logout", 0, "id" },
	{ "ctl.session.delete", 0, "id" },
	{ "ctl.session.reconnect", 0, "id" },
	{ "ctl.session.confirm", 0, "id" },
	{ "ctl.webhook.replay", 0, "id" },
	{ "ctl.webhook.resume", 0, "id" },
	{ "ctl.key.create", 0, NULL },
	{ "ctl.key.rotate", 0, "number" },
	{ "ctl.key.revoke", 0, "number" },
	{ "ctl.user.add", 0, "username" },
	{ "ctl.user.change", 0, "username" },
	{ "ctl.user.import", 0, "username" },
	{ "ctl.user.delete", 0, "username" },
	{ "ctl.storage.rotate", 0, NULL },
	{ "ctl.storage.delete", 0, "key" },
};

enum { RULES = sizeof rules / sizeof *rules };

/* Failed log-ins of one minute that are written; strangers must not fill the disk. */
enum { FAILURES_A_MINUTE = 120, MINUTE_MS = 60000 };

const struct audit_rule *audit_rule_of(const char *method)
{
	for (size_t i = 0; i < RULES; i++) {
		if (strcmp(rules[i].method, method) == 0)
			return &rules[i];
	}
	return NULL;
}

const char *audit_method(size_t i)
{
	return i < RULES ? rules[i].method : NULL;
}

void audit_target(struct rpc_request *request, const char *target)
{
	if (!request->audit)
		return;
	free(request->audit_target);
	request->audit_target = xstrdup(target);
}

void audit_target_number(struct rpc_request *request, int64_t number, const char *name)
{
	char *text = xasprintf("%" PRId64 " of %s", number, name ? name : "");

	audit_target(request, text);
	free(text);
}

void audit_actor(struct rpc_request *request, int64_t user, const char *username)
{
	request->caller.user = user;
	snprintf(request->caller.username, sizeof request->caller.username, "%s", username);
}

static bool too_many_failures(struct rpc_context *context)
{
	int64_t now_ms = timefmt_monotonic_ms();

	if (now_ms - context->audit_minute_ms >= MINUTE_MS) {
		context->audit_minute_ms = now_ms;
		context->audit_failures = 0;
	}
	return ++context->audit_failures > FAILURES_A_MINUTE;
}

/* Mistakes that changed nothing, and callers that nobody knows, are not written. */
static bool is_of_interest(struct rpc_request *request, int status)
{
	const struct audit_rule *rule = request->audit;
	bool done = status >= 200 && status < 300;

	if (rule->flags & LOGIN)
		return done || ((status == 401 || status == 429) && !too_many_failures(request->context));
	if (status == 400 || status == 404 || status == 429 || status == 503)
		return false;
	if (rule->flags & DONE_ONLY)
		return done && (request->caller.user > 0 || request->operator);
	if (rule->flags & ONLY_NEW && request->session_number > 0)
		return false;
	return request->caller.user > 0 || strncmp(rule->method, "ctl.", 4) == 0;
}

/* Names of the parameters, blank-separated. */
static void put_names(struct buf *out, struct json_object *p, const char *except)
{
	json_object_object_foreach(p, name, value)
	{
		(void)value;
		if (except && strcmp(name, except) == 0)
			continue;
		if (out->len)
			buf_u8(out, ' ');
		buf_append_text(out, name);
	}
}

/* "<parameter> of <session>", or what there is of it; NULL: nothing. Of what strangers send only so much. */
static const char *put_target(const struct rpc_request *request, char *out, size_t room)
{
	const struct audit_rule *rule = request->audit;
	const char *given = rule->target ? json_object_get_string(json_object_object_get(request->p, rule->target)) : NULL;
	const char *session = request->session_id;

	if (request->audit_target)
		snprintf(out, room, "%s", request->audit_target);
	else if (given && session && strcmp(given, session) != 0)
		snprintf(out, room, "%.80s of %s", given, session);
	else if (given || session)
		snprintf(out, room, "%s", given ? given : session);
	else
		return NULL;
	return out;
}

static const char *bounded(const char *text, char *out, size_t room)
{
	if (text)
		snprintf(out, room, "%s", text);
	return text ? out : NULL;
}

static void stored(void *arg, int error)
{
	struct rpc_request *request = arg;

	/* the act itself is done: whoever asked is told so, and the operator that nobody will be able to look it up */
	if (error)
		log_error(&request->context->log, "an entry of the audit log could not be stored", LOG_STR("action", request->method->name),
			LOG_STR("reason", store_error_name(error)));
	rpc_request_resume(request);
}

bool audit_holds(struct rpc_request *request, int status)
{
	const struct daemon *daemon = request->context->daemon;
	const struct audit_rule *rule = request->audit;
	bool by_operator = rule && strncmp(rule->method, "ctl.", 4) == 0;
	struct buf names = { 0 };
	struct store_tx *tx;
	char address[64], target[160], named[256];

	if (!rule || !is_of_interest(request, status))
		return false;
	if (!(rule->flags & LOGIN))
		put_names(&names, request->p, rule->target);
	tx = store_tx_new(daemon->store);
	store_tx_audit_add(tx, &(struct store_audit){
		.at_ms = timefmt_now_ms(),
		.user = request->caller.user,
		.username = by_operator ? "warestctl" : request->caller.username,
		.key = request->caller.key,
		.address = by_operator ? "local" : bounded(access_address(request), address, sizeof address),
		.action = by_operator ? rule->method + 4 : rule->method,
		.target = put_target(request, target, sizeof target),
		.status = status,
		.detail = names.len ? bounded(buf_text(&names), named, sizeof named) : NULL,
	});
	buf_free(&names);
	request->audit = NULL;
	async_commit(daemon->loop, daemon->store, tx, stored, request);
	return true;
}
