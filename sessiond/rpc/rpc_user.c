/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * user.*: accounts over REST, ctl.user.* for warestctl. Only user.password is for everybody. The administrator of the configuration
 * keeps his role and cannot be removed, nor can anybody lock himself out.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/access.h"
#include "sessiond/rpc/audit.h"
#include "sessiond/rpc/ctl.h"
#include "sessiond/rpc/lockout.h"
#include "sessiond/session/session.h"

enum { PASSWORD_LEAST = 8, PASSWORD_MOST = 1024, NAME_MOST = 64 };

struct user_job {
	struct rpc_request *request;
	struct arena arena;
	bool operator;             /* asked by warestctl */
	struct store_user user;    /* as it was, or is to be */
	struct store_user *rows;
	size_t n;
	int error;
	int fits;                  /* of the password as it was */
	int64_t number;
	char password[CRYPTO_PASSWORD_LEN]; /* stored form of the new one; "": unchanged */
};

static void user_job_free(void *arg)
{
	struct user_job *job = arg;

	crypto_wipe(job->password, sizeof job->password);
	arena_free(&job->arena);
	free(job);
}

static struct user_job *user_job_new(struct rpc_request *request)
{
	struct user_job *job = xcalloc(1, sizeof *job);

	job->request = request;
	job->operator = strncmp(request->method->name, "ctl.", 4) == 0;
	arena_init(&job->arena, 0);
	request->work = job;
	request->work_free = user_job_free;
	return job;
}

static void failed(struct rpc_request *request, int error)
{
	if (error == STORE_NOT_FOUND)
		rpc_answer(request, 404, 2602, "User not found", NULL);
	else if (error == STORE_CONSTRAINT)
		rpc_answer(request, 409, 2004, "That name is taken", NULL);
	else
		rpc_answer(request, 500, 8003, store_error_name(error), NULL);
}

/* ---- showing ---- */

struct count {
	const char *registry;
	int64_t sessions;
};

static void count_session(struct session_entry *entry, void *arg)
{
	struct count *count = arg;

	count->sessions += strcmp(entry->registry, count->registry) == 0;
}

static int64_t sessions_of(const struct user_job *job, const char *registry)
{
	struct count count = { .registry = registry };

	sessions_each(job->request->context->daemon->sessions, count_session, &count);
	return count.sessions;
}

static void put_user(struct buf *out, const struct user_job *job, const struct store_user *user)
{
	json_put_member(out, "username", user->username);
	json_put_member(out, "registry", user->registry);
	json_put_member(out, "role", user->admin ? "admin" : "user");
	json_put_bool(out, "disabled", user->disabled);
	json_put_int(out, "sessions", sessions_of(job, user->registry));
	json_put_time(out, "createdAt", user->created_ms);
	if (user->last_login_ms > 0)
		json_put_time(out, "lastLoginAt", user->last_login_ms);
	else
		json_put_raw(out, "lastLoginAt", "null");
}

static void answer_user(struct user_job *job, const char *message)
{
	struct buf out = { 0 };

	buf_u8(&out, '{');
	put_user(&out, job, &job->user);
	buf_u8(&out, '}');
	rpc_answer(job->request, 200, 1000, message, buf_text(&out));
	buf_free(&out);
}

static void read_user(struct store_reader *reader, void *arg)
{
	struct user_job *job = arg;
	const char *name = rpc_param_text(job->request, "username");

	job->error = name ? store_user_by_name(reader, &job->arena, name, &job->user) : STORE_NOT_FOUND;
}

static void with_user(struct rpc_request *request, void (*then)(void *job))
{
	const struct daemon *daemon = request->context->daemon;

	async_read(daemon->loop, daemon->store, read_user, then, user_job_new(request));
}

/* ---- list, get ---- */

static void read_list(struct store_reader *reader, void *arg)
{
	struct user_job *job = arg;

	job->error = store_user_list(reader, &job->arena, &job->rows, &job->n);
}

static void answer_list(void *arg)
{
	struct user_job *job = arg;
	struct buf out = { 0 };

	if (job->error) {
		failed(job->request, job->error);
		return;
	}
	buf_append_text(&out, "{\"items\":[");
	for (size_t i = 0; i < job->n; i++) {
		buf_append_text(&out, i ? ",{" : "{");
		put_user(&out, job, &job->rows[i]);
		buf_u8(&out, '}');
	}
	buf_append_text(&out, "]}");
	rpc_answer(job->request, 200, 1000, "OK", buf_text(&out));
	buf_free(&out);
}

static void do_list(struct rpc_request *request)
{
	const struct daemon *daemon = request->context->daemon;

	async_read(daemon->loop, daemon->store, read_list, answer_list, user_job_new(request));
}

static void answer_got(void *arg)
{
	struct user_job *job = arg;

	if (job->error)
		failed(job->request, job->error);
	else
		answer_user(job, "OK");
}

static void do_get(struct rpc_request *request)
{
	with_user(request, answer_got);
}

/* ---- passwords ---- */

static bool password_is_valid(const char *password)
{
	size_t len = password ? strlen(password) : 0;

	return len >= PASSWORD_LEAST && len <= PASSWORD_MOST;
}

static void refuse_password(struct rpc_request *request)
{
	rpc_answer(request, 400, 2002, "A password has 8 to 1024 characters", NULL);
}

/* On a thread of the pool. */
static void hash_password(void *arg)
{
	struct user_job *job = arg;

	job->error = crypto_password_hash(rpc_param_text(job->request, "password"), job->password) == CRYPTO_OK ? STORE_OK : STORE_IO;
}

static void hash_then(struct user_job *job, void (*then)(void *job))
{
	if (loop_offload(job->request->context->daemon->loop, hash_password, then, job))
		failed(job->request, STORE_IO);
}

/* ---- create ---- */

/* Names go into headers of webhooks and into their keys. */
static bool name_is_valid(const char *name)
{
	size_t len = name ? strlen(name) : 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c >= 0x80 || (!isalnum(c) && !strchr("._@+-", c)))
			return false;
	}
	return len > 0 && len <= NAME_MOST;
}

static void created(void *arg, int error)
{
	struct user_job *job = arg;

	if (error)
		failed(job->request, error);
	else
		answer_user(job, "User added");
}

static void add_user(void *arg)
{
	struct user_job *job = arg;
	const struct daemon *daemon = job->request->context->daemon;
	const char *name = rpc_param_text(job->request, "username");
	const char *role = rpc_param_text(job->request, "role");
	struct store_tx *tx;

	if (job->error) {
		failed(job->request, job->error);
		return;
	}
	job->user = (struct store_user){ .registry = name, .username = name, .password = job->password, .admin = role && strcmp(role, "admin") == 0,
		.created_ms = timefmt_now_ms() };
	tx = store_tx_new(daemon->store);
	store_tx_user_add(tx, &job->user, &job->number);
	async_commit(daemon->loop, daemon->store, tx, created, job);
}

static void do_create(struct rpc_request *request)
{
	if (!name_is_valid(rpc_param_text(request, "username")))
		rpc_answer(request, 400, 2002, "A name has 1 to 64 of A-Z a-z 0-9 . _ @ + -", NULL);
	else if (!password_is_valid(rpc_param_text(request, "password")))
		refuse_password(request);
	else
		hash_then(user_job_new(request), add_user);
}

void ctl_user_add(struct rpc_request *request)
{
	do_create(request);
}

/* ---- change ---- */

static void changed(void *arg, int error)
{
	struct user_job *job = arg;

	if (error)
		failed(job->request, error);
	else
		answer_user(job, "User changed");
}

/* What may not be done to whom; NULL: it may. */
static const char *change_refused(const struct user_job *job, bool admin, bool disabled)
{
	if (strcmp(job->user.registry, "admin") == 0 && (!admin || disabled))
		return "The administrator of the configuration keeps his role";
	if (!job->operator && job->user.number == job->request->caller.user && (!admin || disabled))
		return "Nobody takes his own role away";
	return NULL;
}

static void store_change(void *arg)
{
	struct user_job *job = arg;
	struct rpc_request *request = job->request;
	const struct daemon *daemon = request->context->daemon;
	const char *role = rpc_param_text(request, "role");
	struct json_object *given = json_object_object_get(request->p, "disabled");
	bool admin = role ? strcmp(role, "admin") == 0 : job->user.admin;
	bool disabled = given ? json_object_get_boolean(given) : job->user.disabled;
	struct store_tx *tx;

	if (job->error) {
		failed(request, job->error);
		return;
	}
	tx = store_tx_new(daemon->store);
	if (job->password[0])
		store_tx_user_password(tx, job->user.number, job->password);
	if (admin != job->user.admin || disabled != job->user.disabled)
		store_tx_user_standing(tx, job->user.number, admin, disabled);
	/* who knew the old password, or has been shut out, is not logged in any longer */
	if (job->password[0] || disabled)
		store_tx_logins_end(tx, job->user.number, request->caller.key);
	job->user.admin = admin;
	job->user.disabled = disabled;
	if (!store_tx_is_empty(tx)) {
		async_commit(daemon->loop, daemon->store, tx, changed, job);
		return;
	}
	store_tx_free(tx);
	answer_user(job, "User changed");
}

static void begin_change(void *arg)
{
	struct user_job *job = arg;
	struct rpc_request *request = job->request;
	const char *role = rpc_param_text(request, "role");
	struct json_object *given = json_object_object_get(request->p, "disabled");
	const char *refused = NULL;

	if (!job->error)
		refused = change_refused(job, role ? strcmp(role, "admin") == 0 : job->user.admin, given ? json_object_get_boolean(given) : job->user.disabled);
	if (job->error)
		failed(request, job->error);
	else if (refused)
		rpc_answer(request, 409, 2003, refused, NULL);
	else if (rpc_param_text(request, "password"))
		hash_then(job, store_change);
	else
		store_change(job);
}

static void do_change(struct rpc_request *request)
{
	const char *password = rpc_param_text(request, "password");

	if (password && !password_is_valid(password))
		refuse_password(request);
	else
		with_user(request, begin_change);
}

void ctl_user_change(struct rpc_request *request)
{
	do_change(request);
}

/* ---- one's own password ---- */

static void own_changed(void *arg, int error)
{
	struct user_job *job = arg;

	if (error)
		failed(job->request, error);
	else
		rpc_answer(job->request, 200, 1000, "Password changed", NULL);
}

static void store_own(void *arg)
{
	struct user_job *job = arg;
	struct rpc_request *request = job->request;
	const struct daemon *daemon = request->context->daemon;
	struct store_tx *tx;

	if (job->error) {
		failed(request, job->error);
		return;
	}
	tx = store_tx_new(daemon->store);
	store_tx_user_password(tx, job->user.number, job->password);
	store_tx_logins_end(tx, job->user.number, request->caller.key);
	async_commit(daemon->loop, daemon->store, tx, own_changed, job);
}

static void refuse_locked(struct rpc_request *request, int64_t wait_s)
{
	rpc_header_int(request, "Retry-After", wait_s);
	rpc_answer(request, 429, 2400, "Too many attempts", NULL);
}

static void own_checked(void *arg)
{
	struct user_job *job = arg;
	struct rpc_request *request = job->request;
	struct lockout *lockout = request->context->lockout;
	int64_t now_ms = timefmt_monotonic_ms();
	const char *address = access_address(request);
	/* others may have failed meanwhile */
	int64_t wait_s = lockout_wait_s(lockout, address, job->user.username, now_ms);

	if (wait_s == 0 && job->fits != 1)
		wait_s = lockout_failed(lockout, address, job->user.username, now_ms);
	if (wait_s > 0) {
		refuse_locked(request, wait_s);
	} else if (job->fits != 1) {
		rpc_answer(request, 403, 2201, "The current password is wrong", NULL);
	} else {
		lockout_succeeded(lockout, address, job->user.username);
		hash_then(job, store_own);
	}
}

static void check_own(void *arg)
{
	struct user_job *job = arg;

	job->fits = crypto_password_verify(job->user.password, rpc_param_text(job->request, "currentPassword"));
}

static void own_read(void *arg)
{
	struct user_job *job = arg;
	struct rpc_request *request = job->request;
	int64_t wait_s;

	if (job->error) {
		failed(request, job->error);
		return;
	}
	wait_s = lockout_wait_s(request->context->lockout, access_address(request), job->user.username, timefmt_monotonic_ms());
	if (wait_s > 0)
		refuse_locked(request, wait_s);
	else if (loop_offload(request->context->daemon->loop, check_own, own_checked, job))
		failed(request, STORE_IO);
}

static void read_own(struct store_reader *reader, void *arg)
{
	struct user_job *job = arg;

	job->error = store_user_by_name(reader, &job->arena, job->request->caller.username, &job->user);
}

static void do_password(struct rpc_request *request)
{
	const struct daemon *daemon = request->context->daemon;

	audit_target(request, request->caller.username);
	if (!rpc_param_text(request, "currentPassword"))
		rpc_answer(request, 400, 2001, "currentPassword is required", NULL);
	else if (!password_is_valid(rpc_param_text(request, "password")))
		refuse_password(request);
	else
		async_read(daemon->loop, daemon->store, read_own, own_read, user_job_new(request));
}

/* ---- delete: shut out, then every session with what is stored for it, then the user and his keys ---- */

static void user_gone(void *arg, int error)
{
	struct user_job *job = arg;

	if (error)
		failed(job->request, error);
	else
		rpc_answer(job->request, 200, 1000, "User deleted", NULL);
}

struct search {
	const char *registry;
	struct session_entry *found;
};

static void look(struct session_entry *entry, void *arg)
{
	struct search *search = arg;

	if (!search->found && strcmp(entry->registry, search->registry) == 0)
		search->found = entry;
}

static void delete_next(void *arg, int error)
{
	struct user_job *job = arg;
	const struct daemon *daemon = job->request->context->daemon;
	struct search search = { .registry = job->user.registry };
	struct store_tx *tx;

	if (error) {
		rpc_answer(job->request, 500, 8003, "A session of this user could not be deleted; the user is disabled", NULL);
		return;
	}
	sessions_each(daemon->sessions, look, &search);
	if (search.found) {
		sessions_delete(daemon->sessions, search.found, delete_next, job);
		return;
	}
	tx = store_tx_new(daemon->store);
	store_tx_user_remove(tx, job->user.number);
	async_commit(daemon->loop, daemon->store, tx, user_gone, job);
}

static void shut_out(void *arg, int error)
{
	struct user_job *job = arg;

	if (error)
		failed(job->request, error);
	else
		delete_next(job, 0);
}

static void begin_delete(void *arg)
{
	struct user_job *job = arg;
	struct rpc_request *request = job->request;
	const struct daemon *daemon = request->context->daemon;
	const char *policy = rpc_param_text(request, "sessions");
	struct store_tx *tx;

	if (job->error) {
		failed(request, job->error);
	} else if (strcmp(job->user.registry, "admin") == 0) {
		rpc_answer(request, 409, 2003, "The administrator of the configuration cannot be deleted", NULL);
	} else if (!job->operator && job->user.number == request->caller.user) {
		rpc_answer(request, 409, 2003, "Nobody deletes himself", NULL);
	} else if ((!policy || strcmp(policy, "delete") != 0) && sessions_of(job, job->user.registry) > 0) {
		rpc_answer(request, 409, 2003, "This user has sessions; sessions=delete deletes them with everything that is stored", NULL);
	} else {
		tx = store_tx_new(daemon->store);
		store_tx_user_standing(tx, job->user.number, job->user.admin, true);
		async_commit(daemon->loop, daemon->store, tx, shut_out, job);
	}
}

static void do_delete(struct rpc_request *request)
{
	with_user(request, begin_delete);
}

void ctl_user_list(struct rpc_request *request)
{
	do_list(request);
}

void ctl_user_delete(struct rpc_request *request)
{
	do_delete(request);
}

const struct rpc_method rpc_user_methods[] = {
	{ "user.list", do_list },
	{ "user.get", do_get },
	{ "user.create", do_create },
	{ "user.change", do_change },
	{ "user.delete", do_delete },
	{ "user.password", do_password },
	{ NULL, NULL },
};
