/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ctl.key.*, ctl.user.add: API keys and users. A key's text is shown once, when it is made. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/ctl.h"

struct key_work {
	struct rpc_request *request;
	struct arena arena;
	struct store_user user;
	struct store_user *users;
	size_t nusers;
	struct store_key *keys;
	size_t nkeys;
	int error;
	char key[STORE_KEY_TEXT];
	int64_t number;
	char password[CRYPTO_PASSWORD_LEN];
};

static void key_work_free(void *arg)
{
	struct key_work *k = arg;

	crypto_wipe(k->key, sizeof k->key);
	crypto_wipe(k->password, sizeof k->password);
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

static void find_user(struct store_reader *reader, void *arg)
{
	struct key_work *k = arg;
	const char *name = rpc_param_text(k->request, "username");

	k->error = STORE_NOT_FOUND;
	if (name)
		k->error = store_user_by_name(reader, &k->arena, name, &k->user);
}

/* ---- create ---- */

static void key_stored(void *arg, int error)
{
	struct key_work *k = arg;
	struct buf out = { 0 };

	if (error) {
		failed(k->request, error);
		return;
	}
	buf_u8(&out, '{');
	json_put_int(&out, "number", k->number);
	json_put_member(&out, "username", k->user.username);
	json_put_member(&out, "key", k->key);
	buf_u8(&out, '}');
	rpc_answer(k->request, 200, 1000, "Key created; it is not shown again", buf_text(&out));
	buf_wipe(&out);
}

static void make_key(void *arg)
{
	struct key_work *k = arg;
	const struct daemon *daemon = k->request->context->daemon;
	struct store_tx *tx;

	if (k->error) {
		failed(k->request, k->error);
		return;
	}
	if (store_key_make(daemon->store, k->user.admin, k->key)) {
		failed(k->request, STORE_IO);
		return;
	}
	tx = store_tx_new(daemon->store);
	store_tx_key_add(tx, k->user.number, STORE_KEY_API, k->key, rpc_param_text(k->request, "label"), &k->number);
	async_commit(daemon->loop, daemon->store, tx, key_stored, k);
}

void ctl_key_create(struct rpc_request *request)
{
	const struct daemon *daemon = request->context->daemon;

	async_read(daemon->loop, daemon->store, find_user, make_key, key_work_new(request));
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

/* ---- users ---- */

static void user_stored(void *arg, int error)
{
	struct key_work *k = arg;

	if (error)
		failed(k->request, error);
	else
		rpc_answer(k->request, 200, 1000, "User added", NULL);
}

static void add_user(void *arg)
{
	struct key_work *k = arg;
	const struct daemon *daemon = k->request->context->daemon;
	const struct store_user user = {
		.registry = rpc_param_text(k->request, "username"),
		.username = rpc_param_text(k->request, "username"),
		.password = k->password,
		.created_ms = timefmt_now_ms(),
	};
	struct store_tx *tx;

	if (k->error) {
		failed(k->request, STORE_IO);
		return;
	}
	tx = store_tx_new(daemon->store);
	store_tx_user_add(tx, &user, &k->number);
	async_commit(daemon->loop, daemon->store, tx, user_stored, k);
}

static void hash_password(void *arg)
{
	struct key_work *k = arg;

	k->error = crypto_password_hash(rpc_param_text(k->request, "password"), k->password);
}

/* Names go into headers of webhooks and into their keys. */
static bool name_is_valid(const char *name)
{
	size_t len = name ? strlen(name) : 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c >= 0x80 || (!isalnum(c) && !strchr("._@+-", c)))
			return false;
	}
	return len > 0 && len <= 64;
}

void ctl_user_add(struct rpc_request *request)
{
	const char *password = rpc_param_text(request, "password");

	if (!name_is_valid(rpc_param_text(request, "username")) || !password || strlen(password) < 8)
		rpc_answer(request, 400, 2002, "A name has 1 to 64 of A-Z a-z 0-9 . _ @ + -, a password at least 8 characters", NULL);
	else if (rpc_offload(request->context, hash_password, add_user, key_work_new(request)))
		failed(request, STORE_IO);
}
