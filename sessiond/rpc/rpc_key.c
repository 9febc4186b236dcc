/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * key.*: API keys over REST, ctl.key.* for warestctl. Everybody has the keys of his own user, administrators
 * have all of them. A key's text is shown once, when it is made. Who holds a limited key can make, change and end only keys that are
 * limited at least as much, and never sees the new text of a stronger one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/audit.h"
#include "sessiond/rpc/ctl.h"
#include "sessiond/rpc/grant.h"

#define GRACE_MAX_S ((int64_t)30 * 24 * 3600)

struct key_job {
	struct rpc_request *request;
	struct arena arena;
	bool operator;            /* asked by warestctl */
	struct store_user user;   /* whose key is made */
	struct store_key key;     /* as it was before */
	struct store_key *rows;
	size_t n;
	int error;
	struct store_grant grant; /* as it will be */
	char text[STORE_KEY_TEXT];
	int64_t number, until_ms;
};

static void key_job_free(void *arg)
{
	struct key_job *job = arg;

	crypto_wipe(job->text, sizeof job->text);
	arena_free(&job->arena);
	free(job);
}

static struct key_job *key_job_new(struct rpc_request *request)
{
	struct key_job *job = xcalloc(1, sizeof *job);

	job->request = request;
	job->operator = strncmp(request->method->name, "ctl.", 4) == 0;
	arena_init(&job->arena, 0);
	request->work = job;
	request->work_free = key_job_free;
	return job;
}

static bool is_admin(const struct key_job *job)
{
	return job->operator || job->request->caller.admin;
}

static struct grant_powers powers_of(const struct key_job *job)
{
	const struct store_principal *caller = &job->request->caller;

	if (job->operator)
		return (struct grant_powers){ .scopes = SCOPE_ALL };
	return (struct grant_powers){ .scopes = caller->scopes, .reach = caller->reach, .expires_ms = caller->expires_ms };
}

static void read_failed(struct key_job *job)
{
	if (job->error == STORE_NOT_FOUND)
		rpc_answer(job->request, 404, 2600, "Key not found", NULL);
	else
		rpc_answer(job->request, 500, 8003, store_error_name(job->error), NULL);
}

static void too_much(struct key_job *job)
{
	rpc_answer(job->request, 403, 2205, "This key cannot give, change or end what it does not have itself", NULL);
}

/* ---- showing ---- */

static const char *const kinds[] = { [STORE_KEY_API] = "api", [STORE_KEY_FIXED] = "fixed", [STORE_KEY_UI] = "ui", [STORE_KEY_COOKIE] = "cookie" };

static void put_time_or_null(struct buf *out, const char *name, int64_t at_ms)
{
	if (at_ms > 0)
		json_put_time(out, name, at_ms);
	else
		json_put_raw(out, name, "null");
}

static void put_key(struct buf *out, const struct store_key *key, int64_t current, int64_t now_ms)
{
	json_put_int(out, "id", key->number);
	json_put_member(out, "username", key->username);
	json_put_member(out, "kind", kinds[key->kind]);
	grant_put(out, &key->grant, key->admin);
	json_put_bool(out, "expired", key->grant.expires_ms > 0 && key->grant.expires_ms <= now_ms);
	put_time_or_null(out, "createdAt", key->created_ms);
	json_put_member(out, "createdBy", key->grant.created_by);
	put_time_or_null(out, "lastUsedAt", key->used_ms);
	put_time_or_null(out, "previousValidUntil", key->old_until_ms > now_ms ? key->old_until_ms : 0);
	json_put_bool(out, "current", key->number == current);
}

static void answer_key(struct key_job *job, const char *message)
{
	struct buf out = { 0 };

	buf_u8(&out, '{');
	put_key(&out, &job->key, job->request->caller.key, timefmt_now_ms());
	if (job->operator)
		json_put_int(&out, "number", job->key.number);
	if (job->text[0])
		json_put_member(&out, "key", job->text);
	buf_u8(&out, '}');
	rpc_answer(job->request, 200, 1000, message, buf_text(&out));
	buf_wipe(&out);
}

/* ---- list, get ---- */

static void read_list(struct store_reader *reader, void *arg)
{
	struct key_job *job = arg;
	const char *wanted = rpc_param_text(job->request, "username");
	int64_t user = is_admin(job) ? 0 : job->request->caller.user;

	if (wanted && is_admin(job)) {
		job->error = store_user_by_name(reader, &job->arena, wanted, &job->user);
		if (job->error)
			return;
		user = job->user.number;
	}
	job->error = store_key_list(reader, &job->arena, user, &job->rows, &job->n);
}

/* "read send", "all": as warestctl shows it, with a word for each list. */
static void put_for_operator(struct buf *out, const struct store_key *key)
{
	char may[64] = "";

	for (unsigned scope = 1; scope <= SCOPE_ADMIN && key->grant.scopes != SCOPE_ALL; scope <<= 1) {
		if (key->grant.scopes & scope)
			snprintf(may + strlen(may), sizeof may - strlen(may), "%s%s", may[0] ? " " : "", scope_name(scope));
	}
	json_put_int(out, "number", key->number);
	json_put_member(out, "username", key->username);
	json_put_member(out, "kind", kinds[key->kind]);
	json_put_member(out, "label", key->grant.label);
	json_put_int(out, "created", key->created_ms);
	json_put_int(out, "used", key->used_ms);
	json_put_int(out, "expires", key->grant.expires_ms);
	json_put_member(out, "may", may[0] ? may : "all");
	json_put_member(out, "sessions", key->grant.sessions);
	json_put_member(out, "networks", key->grant.networks);
}

static void answer_list(void *arg)
{
	struct key_job *job = arg;
	struct buf out = { 0 };
	int64_t now_ms = timefmt_now_ms();

	if (job->error == STORE_NOT_FOUND) {
		rpc_answer(job->request, 404, 2602, "User not found", NULL);
		return;
	}
	if (job->error) {
		read_failed(job);
		return;
	}
	buf_append_text(&out, job->operator ? "[" : "{\"items\":[");
	for (size_t i = 0; i < job->n; i++) {
		if (job->rows[i].kind == STORE_KEY_COOKIE && !job->operator)
			continue;
		buf_append_text(&out, out.data[out.len - 1] == '[' ? "{" : ",{");
		if (job->operator)
			put_for_operator(&out, &job->rows[i]);
		else
			put_key(&out, &job->rows[i], job->request->caller.key, now_ms);
		buf_u8(&out, '}');
	}
	buf_append_text(&out, job->operator ? "]" : "]}");
	rpc_answer(job->request, 200, 1000, job->operator ? "Keys" : "OK", buf_text(&out));
	buf_free(&out);
}

static void do_list(struct rpc_request *request)
{
	const struct daemon *daemon = request->context->daemon;

	async_read(daemon->loop, daemon->store, read_list, answer_list, key_job_new(request));
}

void ctl_key_list(struct rpc_request *request)
{
	do_list(request);
}

/* The key of parameter "keyId", if it is one that the caller has. */
static void read_key(struct store_reader *reader, void *arg)
{
	struct key_job *job = arg;
	const char *name = job->operator ? "number" : "keyId";
	int64_t number = json_object_get_int64(json_object_object_get(job->request->p, name));

	job->error = store_key_get(reader, &job->arena, number, &job->key);
	if (!job->error && (job->key.kind == STORE_KEY_COOKIE || (!is_admin(job) && job->key.user != job->request->caller.user)))
		job->error = STORE_NOT_FOUND;
}

/* The key was changed: shown as it is now. */
static void read_again(struct store_reader *reader, void *arg)
{
	struct key_job *job = arg;

	job->error = store_key_get(reader, &job->arena, job->number, &job->key);
}

static void answer_got(void *arg)
{
	struct key_job *job = arg;

	if (job->error)
		read_failed(job);
	else
		answer_key(job, "OK");
}

static void do_get(struct rpc_request *request)
{
	const struct daemon *daemon = request->context->daemon;

	async_read(daemon->loop, daemon->store, read_key, answer_got, key_job_new(request));
}

static void read_current(struct store_reader *reader, void *arg)
{
	struct key_job *job = arg;

	job->error = store_key_get(reader, &job->arena, job->request->caller.key, &job->key);
}

static void do_current(struct rpc_request *request)
{
	const struct daemon *daemon = request->context->daemon;

	async_read(daemon->loop, daemon->store, read_current, answer_got, key_job_new(request));
}

/* ---- create ---- */

static void answer_created(void *arg)
{
	struct key_job *job = arg;

	if (job->error)
		read_failed(job);
	else
		answer_key(job, "Key created; it is not shown again");
}

static void created(void *arg, int error)
{
	struct key_job *job = arg;
	const struct daemon *daemon = job->request->context->daemon;

	job->error = error;
	if (error) {
		read_failed(job);
		return;
	}
	audit_target_number(job->request, job->number, job->user.username);
	async_read(daemon->loop, daemon->store, read_again, answer_created, job);
}

static void make_key(void *arg)
{
	struct key_job *job = arg;
	struct rpc_request *request = job->request;
	const struct daemon *daemon = request->context->daemon;
	const char *label = rpc_param_text(request, "label");
	struct grant_powers powers = powers_of(job);
	struct store_tx *tx;
	char why[200];

	if (job->error) {
		rpc_answer(request, job->error == STORE_NOT_FOUND ? 404 : 500, job->error == STORE_NOT_FOUND ? 2602 : 8003,
			job->error == STORE_NOT_FOUND ? "User not found" : store_error_name(job->error), NULL);
		return;
	}
	job->grant = (struct store_grant){ .label = label, .scopes = powers.scopes, .created_by = job->operator ? "warestctl" : request->caller.username };
	if (grant_read(request->p, &job->arena, job->user.admin, timefmt_now_ms(), &job->grant, why, sizeof why)) {
		rpc_answer(request, 400, 2002, why, NULL);
	} else if (!grant_is_within(&job->grant, &powers)) {
		too_much(job);
	} else if (store_key_make(daemon->store, job->user.admin, job->text)) {
		rpc_answer(request, 500, 8000, "No key could be made", NULL);
	} else {
		tx = store_tx_new(daemon->store);
		store_tx_key_grant(tx, job->user.number, job->text, &job->grant, &job->number);
		async_commit(daemon->loop, daemon->store, tx, created, job);
	}
}

static void read_owner(struct store_reader *reader, void *arg)
{
	struct key_job *job = arg;
	const char *wanted = rpc_param_text(job->request, "username");

	if (!wanted && !job->operator)
		wanted = job->request->caller.username;
	job->error = wanted ? store_user_by_name(reader, &job->arena, wanted, &job->user) : STORE_NOT_FOUND;
}

static void do_create(struct rpc_request *request)
{
	const struct daemon *daemon = request->context->daemon;
	const char *wanted = rpc_param_text(request, "username");
	struct key_job *job = key_job_new(request);

	if (wanted && !is_admin(job) && strcmp(wanted, request->caller.username) != 0)
		rpc_answer(request, 403, 2201, "Only an administrator makes keys for others", NULL);
	else
		async_read(daemon->loop, daemon->store, read_owner, make_key, job);
}

void ctl_key_create(struct rpc_request *request)
{
	do_create(request);
}

/* ---- change, rotate, revoke ---- */

/* The key that was read may be touched; false: answered. */
static bool may_touch(struct key_job *job)
{
	struct grant_powers powers = powers_of(job);
	struct store_grant held = job->key.grant;

	if (job->error) {
		read_failed(job);
		return false;
	}
	if (job->key.kind == STORE_KEY_FIXED) {
		rpc_answer(job->request, 409, 2003, "This key stands in the configuration (WAREST_ADMIN_APIKEY)", NULL);
		return false;
	}
	if (!job->key.admin)
		held.scopes &= ~(unsigned)SCOPE_ADMIN;
	if (!grant_is_within(&held, &powers)) {
		too_much(job);
		return false;
	}
	audit_target_number(job->request, job->key.number, job->key.username);
	job->number = job->key.number;
	return true;
}

static void answer_changed(void *arg)
{
	struct key_job *job = arg;

	if (job->error)
		read_failed(job);
	else
		answer_key(job, job->text[0] ? "Key rotated; it is not shown again" : "Key changed");
}

static void changed(void *arg, int error)
{
	struct key_job *job = arg;
	const struct daemon *daemon = job->request->context->daemon;

	job->error = error;
	if (error)
		read_failed(job);
	else
		async_read(daemon->loop, daemon->store, read_again, answer_changed, job);
}

static void change_key(void *arg)
{
	struct key_job *job = arg;
	struct rpc_request *request = job->request;
	const struct daemon *daemon = request->context->daemon;
	struct grant_powers powers = powers_of(job);
	struct store_tx *tx;
	char why[200];

	if (!may_touch(job))
		return;
	job->grant = job->key.grant;
	if (job->key.kind != STORE_KEY_API) {
		rpc_answer(request, 409, 2003, "The key of a login cannot be changed, only revoked", NULL);
	} else if (grant_read(request->p, &job->arena, job->key.admin, timefmt_now_ms(), &job->grant, why, sizeof why)) {
		rpc_answer(request, 400, 2002, why, NULL);
	} else if (!grant_is_within(&job->grant, &powers)) {
		too_much(job);
	} else {
		tx = store_tx_new(daemon->store);
		store_tx_key_change(tx, job->number, &job->grant);
		async_commit(daemon->loop, daemon->store, tx, changed, job);
	}
}

static void do_change(struct rpc_request *request)
{
	const struct daemon *daemon = request->context->daemon;

	async_read(daemon->loop, daemon->store, read_key, change_key, key_job_new(request));
}

static void rotate_key(void *arg)
{
	struct key_job *job = arg;
	struct rpc_request *request = job->request;
	const struct daemon *daemon = request->context->daemon;
	struct json_object *given = json_object_object_get(request->p, "graceSeconds");
	int64_t grace_s = json_object_get_int64(given);
	struct store_tx *tx;

	if (!may_touch(job))
		return;
	if (job->key.kind != STORE_KEY_API) {
		rpc_answer(request, 409, 2003, "The key of a login cannot be changed, only revoked", NULL);
	} else if (given && (!json_object_is_type(given, json_type_int) || grace_s < 0 || grace_s > GRACE_MAX_S)) {
		rpc_answer(request, 400, 2002, "graceSeconds must be 0 to 2592000", NULL);
	} else if (store_key_make(daemon->store, job->key.admin, job->text)) {
		rpc_answer(request, 500, 8000, "No key could be made", NULL);
	} else {
		tx = store_tx_new(daemon->store);
		store_tx_key_rotate(tx, job->number, job->text, grace_s > 0 ? timefmt_now_ms() + grace_s * 1000 : 0);
		async_commit(daemon->loop, daemon->store, tx, changed, job);
	}
}

static void do_rotate(struct rpc_request *request)
{
	const struct daemon *daemon = request->context->daemon;

	async_read(daemon->loop, daemon->store, read_key, rotate_key, key_job_new(request));
}

void ctl_key_rotate(struct rpc_request *request)
{
	do_rotate(request);
}

static void revoked(void *arg, int error)
{
	struct key_job *job = arg;

	job->error = error;
	if (error)
		read_failed(job);
	else
		rpc_answer(job->request, 200, 1000, "Key revoked", NULL);
}

static void revoke_key(void *arg)
{
	struct key_job *job = arg;
	const struct daemon *daemon = job->request->context->daemon;
	struct store_tx *tx;

	if (!may_touch(job))
		return;
	tx = store_tx_new(daemon->store);
	store_tx_key_revoke(tx, job->number);
	async_commit(daemon->loop, daemon->store, tx, revoked, job);
}

static void do_revoke(struct rpc_request *request)
{
	const struct daemon *daemon = request->context->daemon;

	async_read(daemon->loop, daemon->store, read_key, revoke_key, key_job_new(request));
}

void ctl_key_revoke(struct rpc_request *request)
{
	do_revoke(request);
}

const struct rpc_method rpc_key_methods[] = {
	{ "key.list", do_list },
	{ "key.current", do_current },
	{ "key.get", do_get },
	{ "key.create", do_create },
	{ "key.change", do_change },
	{ "key.rotate", do_rotate },
	{ "key.revoke", do_revoke },
	{ NULL, NULL },
};
