/* SPDX-License-Identifier: GPL-3.0-or-later */
/* auth.login, auth.logout, auth.session, docs.guard, guards.check (rest-a 2, 3). */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/access.h"
#include "sessiond/rpc/audit.h"
#include "sessiond/rpc/lockout.h"
#include "sessiond/rpc/request.h"

struct login {
	struct rpc_request *request;
	char *ip, *username, *password; /* owned */
	struct arena arena;             /* holds user */
	struct store_user user;
	int found;                      /* of the lookup: enum store_error */
	int fits;                       /* 1: the password is right */
	char key[512]; /* the administrator may have chosen a long one */
	int64_t key_number;             /* of it; 0: not known */
	char cookie[STORE_KEY_TEXT];
};

static void login_free(void *arg)
{
	struct login *login = arg;

	if (login->password)
		crypto_wipe(login->password, strlen(login->password));
	crypto_wipe(login->key, sizeof login->key);
	crypto_wipe(login->cookie, sizeof login->cookie);
	arena_free(&login->arena);
	free(login->ip);
	free(login->username);
	free(login->password);
	free(login);
}

static char *trimmed(const char *text)
{
	size_t len;

	while (isspace((unsigned char)*text))
		text++;
	len = strlen(text);
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		len--;
	return xstrndup(text, len);
}

static void refuse_locked(struct rpc_request *request, int64_t wait_s)
{
	char bare[128];

	rpc_header_int(request, "Retry-After", wait_s);
	snprintf(bare, sizeof bare, "{\"error\":\"Too many attempts. Try again in %llds\",\"retryAfter\":%lld}", (long long)wait_s, (long long)wait_s);
	rpc_answer_bare(request, 429, bare, "");
}

static void answer_login(struct login *login)
{
	struct rpc_request *request = login->request;
	struct buf bare = { 0 };

	buf_u8(&bare, '{');
	json_put_member(&bare, "apiKey", login->key);
	json_put_member(&bare, "role", login->user.admin ? "admin" : "user");
	json_put_bool(&bare, "isAdmin", login->user.admin);
	json_put_member(&bare, "username", login->user.username);
	json_put_member(&bare, "registry", login->user.registry);
	buf_u8(&bare, '}');
	rpc_answer_bare(request, 200, buf_text(&bare), login->cookie);
	buf_wipe(&bare);
}

static void login_stored(void *arg, int error)
{
	struct login *login = arg;

	if (error) {
		log_error(&login->request->context->log, "login cannot be stored", LOG_STR("reason", store_error_name(error)));
		rpc_answer_error(login->request, 500, "login failed");
		return;
	}
	answer_login(login);
}

/* C1 false: an additional key that expires. C1 true: the user's only key, the administrator's fixed one if there is one. */
static bool issue_key(struct login *login, struct store_tx *tx)
{
	const struct daemon *daemon = login->request->context->daemon;
	const char *fixed = daemon->config->admin_apikey;
	bool rotates = daemon->config->compat_login_rotates_key;
	struct store_principal who;
	char made[STORE_KEY_TEXT];

	if (rotates && login->user.admin && fixed && fixed[0] && strlen(fixed) < sizeof login->key) {
		snprintf(login->key, sizeof login->key, "%s", fixed);
		if (store_key_check(daemon->store, fixed, &who) == STORE_OK) {
			login->key_number = who.key;
			reach_drop(who.reach);
		}
		return true;
	}
	if (store_key_make(daemon->store, login->user.admin, made))
		return false;
	snprintf(login->key, sizeof login->key, "%s", made);
	crypto_wipe(made, sizeof made);
	if (rotates)
		store_tx_key_revoke_all(tx, login->user.number, 1U << STORE_KEY_API);
	store_tx_key_add(tx, login->user.number, rotates ? STORE_KEY_API : STORE_KEY_UI, login->key, "login", &login->key_number);
	return true;
}

static void login_good(struct login *login)
{
	const struct daemon *daemon = login->request->context->daemon;
	struct store_tx *tx = store_tx_new(daemon->store);

	if (!issue_key(login, tx) || store_key_make(daemon->store, login->user.admin, login->cookie)) {
		store_tx_free(tx);
		rpc_answer_error(login->request, 500, "login failed");
		return;
	}
	store_tx_cookie_add(tx, login->user.number, login->cookie, "login", &login->key_number);
	store_tx_user_login(tx, login->user.number, timefmt_now_ms());
	async_commit(daemon->loop, daemon->store, tx, login_stored, login);
}

static void password_checked(void *arg)
{
	struct login *login = arg;
	struct rpc_request *request = login->request;
	struct lockout *lockout = request->context->lockout;
	int64_t now_ms = timefmt_monotonic_ms();
	/* Others may have failed while this password was being checked: a lock holds for them all. */
	int64_t wait_s = lockout_wait_s(lockout, login->ip, login->username, now_ms);

	if (wait_s > 0) {
		refuse_locked(request, wait_s);
	} else if (login->fits == 1 && login->found == STORE_OK) {
		lockout_succeeded(lockout, login->ip, login->username);
		audit_actor(request, login->user.number, login->user.username);
		login_good(login);
	} else {
		wait_s = lockout_failed(lockout, login->ip, login->username, now_ms);
		if (wait_s > 0)
			refuse_locked(request, wait_s);
		else
			rpc_answer_bare(request, 401, "{\"error\":\"Invalid credentials\"}", "");
	}
}

static void check_password(void *arg)
{
	struct login *login = arg;

	login->fits = crypto_password_verify(login->found == STORE_OK && !login->user.disabled ? login->user.password : NULL, login->password);
}

static void user_found(void *arg)
{
	struct login *login = arg;

	if (login->found != STORE_OK && login->found != STORE_NOT_FOUND) {
		rpc_answer_error(login->request, 500, "login failed");
		return;
	}
	if (rpc_offload(login->request->context, check_password, password_checked, login))
		rpc_answer_error(login->request, 500, "login failed");
}

static void find_user(struct store_reader *reader, void *arg)
{
	struct login *login = arg;

	login->found = store_user_by_name(reader, &login->arena, login->username, &login->user);
}

static void do_login(struct rpc_request *request)
{
	const struct daemon *daemon = request->context->daemon;
	const char *username = rpc_param_text(request, "username");
	const char *password = rpc_param_text(request, "password");
	struct login *login = xcalloc(1, sizeof *login);
	int64_t wait_s;

	login->request = request;
	request->work = login;
	request->work_free = login_free;
	arena_init(&login->arena, 0);
	login->ip = xstrdup(access_address(request));
	login->username = trimmed(username ? username : "");
	login->password = trimmed(password ? password : "");
	if (!login->username[0] || !login->password[0]) {
		rpc_answer_bare(request, 400, "{\"error\":\"username/password required\"}", "");
		return;
	}
	wait_s = lockout_wait_s(request->context->lockout, login->ip, login->username, timefmt_monotonic_ms());
	if (wait_s > 0)
		refuse_locked(request, wait_s);
	else
		async_read(daemon->loop, daemon->store, find_user, user_found, login);
}

static void logged_out(void *arg, int error)
{
	struct rpc_request *request = arg;

	if (error)
		rpc_answer_error(request, 500, "logout failed");
	else
		rpc_answer_bare(request, 200, "{\"ok\":true}", "");
}

/* Only what a login issued ends with a logout; other keys are somebody's integration. */
static void end_login(struct rpc_request *request, struct store_tx *tx, const char *text, bool cookie)
{
	struct store_principal who;

	if (!text || access_key(request, text, cookie, &who) != STORE_OK)
		return;
	if (cookie || who.kind == STORE_KEY_UI) {
		store_tx_key_revoke(tx, who.key);
		audit_actor(request, who.user, who.username);
	}
	reach_drop(who.reach);
}

static void do_logout(struct rpc_request *request)
{
	const struct daemon *daemon = request->context->daemon;
	const char *key = rpc_param_text(request, "apiKey");
	struct store_tx *tx = store_tx_new(daemon->store);

	end_login(request, tx, key, false);
	end_login(request, tx, key, true);
	end_login(request, tx, rpc_param_text(request, "cookie"), true);
	if (store_tx_is_empty(tx)) {
		store_tx_free(tx);
		rpc_answer_bare(request, 200, "{\"ok\":true}", "");
		return;
	}
	async_commit(daemon->loop, daemon->store, tx, logged_out, request);
}

struct cookie {
	struct rpc_request *request;
	struct store_principal who;
	char text[STORE_KEY_TEXT];
};

static void cookie_free(void *arg)
{
	struct cookie *cookie = arg;

	crypto_wipe(cookie->text, sizeof cookie->text);
	reach_drop(cookie->who.reach);
	free(cookie);
}

static void cookie_stored(void *arg, int error)
{
	struct cookie *cookie = arg;
	struct buf bare = { 0 };

	if (error) {
		rpc_answer_error(cookie->request, 500, "sync failed");
		return;
	}
	buf_append_text(&bare, "{\"ok\":true");
	json_put_member(&bare, "username", cookie->who.username);
	json_put_member(&bare, "role", cookie->who.admin ? "admin" : "user");
	json_put_bool(&bare, "isAdmin", cookie->who.admin);
	buf_u8(&bare, '}');
	rpc_answer_bare(cookie->request, 200, buf_text(&bare), cookie->text);
	buf_free(&bare);
}

/* The cookie is a token of its own, so a browser never holds the key that an integration uses. */
static void do_session(struct rpc_request *request)
{
	const struct daemon *daemon = request->context->daemon;
	const char *key = rpc_param_text(request, "apiKey");
	struct cookie *cookie = xcalloc(1, sizeof *cookie);
	struct store_tx *tx;

	cookie->request = request;
	request->work = cookie;
	request->work_free = cookie_free;
	if (!key || !key[0]) {
		rpc_answer_error(request, 400, "apiKey required");
	} else if (access_key(request, key, false, &cookie->who) != STORE_OK) {
		rpc_answer_error(request, 401, "Invalid apiKey");
	} else if (store_key_make(daemon->store, cookie->who.admin, cookie->text)) {
		rpc_answer_error(request, 500, "sync failed");
	} else {
		tx = store_tx_new(daemon->store);
		store_tx_cookie_add(tx, cookie->who.user, cookie->text, "session", &cookie->who.key);
		async_commit(daemon->loop, daemon->store, tx, cookie_stored, cookie);
	}
}

static void do_nothing(struct rpc_request *request)
{
	rpc_answer(request, 200, 1000, "OK", NULL);
}

const struct rpc_method rpc_auth_methods[] = {
	{ "auth.login", do_login },
	{ "auth.logout", do_logout },
	{ "auth.session", do_session },
	{ "docs.guard", do_nothing },
	{ "guards.check", do_nothing },
	{ NULL, NULL },
};
