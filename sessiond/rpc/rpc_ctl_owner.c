/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ctl.user.import {registry, username, password?, key?, admin?}: an owner of the original becomes a user here, with the password (as it is
 * stored) and the API key (SHA-256, or plain) of before, so that who calls the REST interface notices nothing. An owner who is here already
 * keeps everything and gets the key besides.
 */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/rpc/ctl.h"

enum { NAME_MOST = 64, KEY_MOST = 256 };

struct owner_job {
	struct rpc_request *request;
	struct arena arena;
	struct store_user user; /* the one with this owner code; number 0: none */
	bool name_taken;        /* by somebody else */
	bool added;
	int error;
	int64_t number;
};

static void owner_job_free(void *arg)
{
	struct owner_job *job = arg;

	arena_free(&job->arena);
	free(job);
}

static void read_owner(struct store_reader *reader, void *arg)
{
	struct owner_job *job = arg;
	struct store_user named = { 0 };
	int rc = store_user_by_registry(reader, &job->arena, rpc_param_text(job->request, "registry"), &job->user);

	if (rc == STORE_NOT_FOUND) {
		job->user.number = 0;
		rc = store_user_by_name(reader, &job->arena, rpc_param_text(job->request, "username"), &named);
		job->name_taken = rc == STORE_OK;
	}
	job->error = rc == STORE_NOT_FOUND ? STORE_OK : rc;
}

/* STORE_CONSTRAINT: that key is known. */
static void key_stored(void *arg, int error)
{
	struct owner_job *job = arg;

	if (error && error != STORE_CONSTRAINT)
		rpc_answer(job->request, 500, 8003, "The user is here, but not the key", NULL);
	else if (job->added)
		rpc_answer(job->request, 200, 1000, "User imported", NULL);
	else
		rpc_answer(job->request, 200, 1000, error ? "User and key are here already" : "The user is here already; the key was added", NULL);
}

static void store_key(struct owner_job *job)
{
	struct store *store = job->request->context->daemon->store;
	const char *key = rpc_param_text(job->request, "key");
	struct store_tx *tx;

	if (!key || !key[0]) {
		rpc_answer(job->request, 200, 1000, job->added ? "User imported" : "The user is here already", NULL);
		return;
	}
	tx = store_tx_new(store);
	store_tx_key_import(tx, job->number, key, "imported");
	async_commit(job->request->context->daemon->loop, store, tx, key_stored, job);
}

static void user_stored(void *arg, int error)
{
	struct owner_job *job = arg;

	if (error) {
		rpc_answer(job->request, 500, 8003, "The user could not be stored", NULL);
		return;
	}
	job->added = true;
	store_key(job);
}

static void owner_read(void *arg)
{
	struct owner_job *job = arg;
	struct rpc_request *request = job->request;
	struct store *store = request->context->daemon->store;
	const char *password = rpc_param_text(request, "password");
	const struct store_user user = { .registry = rpc_param_text(request, "registry"), .username = rpc_param_text(request, "username"),
		/* Without one in our form nobody logs in before `warestctl user password`. */
		.password = crypto_password_is_stored(password) ? password : "",
		.admin = json_object_get_boolean(json_object_object_get(request->p, "admin")), .created_ms = timefmt_now_ms() };
	struct store_tx *tx;

	if (job->error) {
		rpc_answer(request, 500, 8003, store_error_name(job->error), NULL);
	} else if (job->name_taken) {
		rpc_answer(request, 409, 2004, "That name belongs to another user here: import the sessions for one of this place (--owner)", NULL);
	} else if (job->user.number) {
		job->number = job->user.number;
		store_key(job);
	} else {
		tx = store_tx_new(store);
		store_tx_user_add(tx, &user, &job->number);
		async_commit(request->context->daemon->loop, store, tx, user_stored, job);
	}
}

static bool is_name(const char *text)
{
	size_t len = text ? strlen(text) : 0;

	return len > 0 && len <= NAME_MOST && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@+-") == len;
}

void ctl_user_import(struct rpc_request *request)
{
	const struct daemon *daemon = request->context->daemon;
	const char *key = rpc_param_text(request, "key");
	struct owner_job *job;

	if (!is_name(rpc_param_text(request, "registry")) || !is_name(rpc_param_text(request, "username"))) {
		rpc_answer(request, 400, 2002, "Names have 1 to 64 of A-Z a-z 0-9 . _ @ + -: import the sessions for a user of this place (--owner)", NULL);
		return;
	}
	if (key && strlen(key) > KEY_MOST) {
		rpc_answer(request, 400, 2002, "A key has at most 256 characters", NULL);
		return;
	}
	job = xcalloc(1, sizeof *job);
	job->request = request;
	arena_init(&job->arena, 0);
	request->work = job;
	request->work_free = owner_job_free;
	async_read(daemon->loop, daemon->store, read_owner, owner_read, job);
}
