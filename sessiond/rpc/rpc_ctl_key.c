/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ctl.key.list, ctl.key.revoke; making keys is in rpc_key.c. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/ctl.h"

struct key_work {
	struct rpc_request *request;
	struct arena arena;
	struct store_user *users;
	size_t nusers;
	struct store_key *keys;
	size_t nkeys;
	int error;
};

static void key_work_free(void *arg)
{
	struct key_work *k = arg;

	arena_free(&k->arena);
	free(k);
}

static struct key_work *key_work_new(struct rpc_request *request)
{
	struct key_work *k = xcalloc(1, sizeof *k);

	k->request = request;
	arena_init(&k->arena, 0);
	request->work = k;
	request->work_free = key_work_free;
	return k;
}

static void failed(struct rpc_request *request, int error)
{
	if (error == STORE_NOT_FOUND)
		rpc_answer(request, 404, 2602, "There is no such user", NULL);
	else if (error == STORE_CONSTRAINT)
		rpc_answer(request, 409, 2004, "That name is taken", NULL);
	else
		rpc_answer(request, 500, 8003, store_error_name(error), NULL);
}

/* ---- list ---- */

static void read_keys(struct store_reader *reader, void *arg)
{
	struct key_work *k = arg;

	k->error = store_user_list(reader, &k->arena, &k->users, &k->nusers);
	if (!k->error)
		k->error = store_key_list(reader, &k->arena, 0, &k->keys, &k->nkeys);
}

static const char *user_name(const struct key_work *k, int64_t number)
{
	for (size_t i = 0; i < k->nusers; i++) {
		if (k->users[i].number == number)
			return k->users[i].username;
	}
	return NULL;
}

static void list_keys(void *arg)
{
	static const char *const kinds[] = { [STORE_KEY_API] = "api", [STORE_KEY_FIXED] = "fixed", [STORE_KEY_UI] = "ui", [STORE_KEY_COOKIE] = "cookie" };
	struct key_work *k = arg;
	const char *wanted = rpc_param_text(k->request, "username");
	struct buf out = { 0 };

	if (k->error) {
		failed(k->request, k->error);
		return;
	}
	buf_u8(&out, '[');
	for (size_t i = 0; i < k->nkeys; i++) {
		const char *name = user_name(k, k->keys[i].user);

		if (wanted && (!name || strcmp(name, wanted) != 0))
			continue;
		buf_append_text(&out, out.len > 1 ? ",{" : "{");
		json_put_int(&out, "number", k->keys[i].number);
		json_put_member(&out, "username", name);
		json_put_member(&out, "kind", kinds[k->keys[i].kind]);
		json_put_member(&out, "label", k->keys[i].grant.label);
		json_put_int(&out, "created", k->keys[i].created_ms);
		json_put_int(&out, "used", k->keys[i].used_ms);
		buf_u8(&out, '}');
	}
	buf_u8(&out, ']');
	rpc_answer(k->request, 200, 1000, "Keys", buf_text(&out));
	buf_free(&out);
}

void ctl_key_list(struct rpc_request *request)
{
	const struct daemon *daemon = request->context->daemon;

	async_read(daemon->loop, daemon->store, read_keys, list_keys, key_work_new(request));
}

/* ---- revoke ---- */

static void revoked(void *arg, int error)
{
	if (error)
		rpc_answer(arg, error == STORE_NOT_FOUND ? 404 : 500, 2600, "There is no such key", NULL);
	else
		rpc_answer(arg, 200, 1000, "Key revoked", NULL);
}

void ctl_key_revoke(struct rpc_request *request)
{
	const struct daemon *daemon = request->context->daemon;
	struct store_tx *tx = store_tx_new(daemon->store);

	store_tx_key_revoke(tx, json_object_get_int64(json_object_object_get(request->p, "number")));
	async_commit(daemon->loop, daemon->store, tx, revoked, request);
}
