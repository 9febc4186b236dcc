/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * webhook.* and webhooks.*: the receivers of a session and those of every session, over REST. The first are for the session's owner,
 * the second for administrators; who asks for a session's sees both if he is one.
 *
 *     read what is there (one moment) -> work of the method -> [commit -> read again] -> answer
 */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/timefmt.h"
#include "common/ulid.h"
#include "sessiond/async.h"
#include "sessiond/json_text.h"
#include "sessiond/net/http.h"
#include "sessiond/rpc/audit.h"
#include "sessiond/rpc/hook_input.h"
#include "sessiond/rpc/hook_view.h"
#include "sessiond/rpc/request.h"
#include "sessiond/rpc/url_check.h"
#include "sessiond/session/session.h"
#include "sessiond/webhook/webhook.h"

/* Of one session, and of every session. */
#define WEBHOOKS_MAX 20U
#define ROTATION_HOURS_MAX 720
#define LETTERS_MAX ((size_t)500)
#define WEBHOOKS_OWN "This is the session's own webhook: POST /api/v1/session/{sessionId}/config changes it"
#define GLOBAL_HERE "This webhook is of every session: it is changed at /api/v1/webhooks"

struct hook_job {
	struct rpc_request *request;
	struct arena arena;
	struct hook_view view;
	struct store_webhook own, *rows;
	size_t row_count;
	struct store_webhook one;         /* which the request names, or makes */
	const char *first, *second;       /* its secrets now */
	bool fresh, shows_secret, is_read;
	struct store_delivery *deliveries;
	size_t delivery_count;
	struct store_dead_letter *letters;
	size_t letter_count;
	int64_t after;
	int error;
	struct url_check check;
	void (*work)(struct hook_job *job);
	const char *message;
};

static void job_free(void *arg)
{
	struct hook_job *job = arg;

	free(job->check.host);
	arena_free(&job->arena);
	free(job);
}

static struct rpc_request *request_of(struct hook_job *job)
{
	return job->request;
}

static struct webhooks *webhooks_of(const struct hook_job *job)
{
	return job->request->context->daemon->webhooks;
}

static void refuse(struct hook_job *job, int status, int code, const char *text)
{
	rpc_answer(request_of(job), status, code, text, NULL);
}

/* ---- what is there ---- */

static void read_ends(struct store_reader *reader, struct hook_job *job)
{
	struct store_session *sessions = NULL;
	int64_t first, *lasts;

	job->error = store_session_list(reader, &job->arena, NULL, &sessions, &job->view.session_count);
	lasts = arena_alloc(&job->arena, (job->view.session_count + 1) * sizeof *lasts);
	for (size_t i = 0; i < job->view.session_count && !job->error; i++)
		job->error = store_event_range(reader, sessions[i].number, &first, &lasts[i]);
	job->view.sessions = sessions;
	job->view.lasts = lasts;
}

static void read_all(struct store_reader *reader, void *arg)
{
	struct hook_job *job = arg;
	struct store_receiver *receivers = NULL;
	int64_t first;

	job->error = store_webhook_list(reader, &job->arena, job->view.session, &job->rows, &job->row_count);
	if (!job->error)
		job->error = store_receiver_list(reader, &job->arena, job->view.session, &receivers, &job->view.receiver_count);
	job->view.receivers = receivers;
	if (!job->error && job->view.session)
		job->error = store_event_range(reader, job->view.session, &first, &job->view.last);
	else if (!job->error)
		read_ends(reader, job);
	if (!job->error && job->view.session && job->one.id) {
		job->error = store_delivery_list(reader, &job->arena, job->view.session, job->one.id, &job->deliveries, &job->delivery_count);
		if (!job->error)
			job->error = store_dead_letter_list(reader, &job->arena, job->view.session, job->one.id, job->after, LETTERS_MAX,
			                                    &job->letters, &job->letter_count);
	}
}

/* Global ones are not everybody's business; a session's are not shown among them. */
static bool is_visible(const struct hook_job *job, const struct store_webhook *webhook)
{
	return job->view.session ? webhook->session != 0 || job->request->caller.admin : webhook->session == 0;
}

/* Sets job->one to the webhook it names; false: there is none, or none that may be seen. */
static bool find_one(struct hook_job *job)
{
	const char *id = job->one.id;

	if (job->view.session && strcmp(id, HOOK_OWN) == 0) {
		job->one = job->own;
		return true;
	}
	for (size_t i = 0; i < job->row_count; i++) {
		if (strcmp(job->rows[i].id, id) == 0 && is_visible(job, &job->rows[i])) {
			job->one = job->rows[i];
			return true;
		}
	}
	return false;
}

static void read_done(void *arg)
{
	struct hook_job *job = arg;

	if (job->error) {
		refuse(job, 500, 8003, store_error_name(job->error));
	} else if (job->one.id && !job->fresh && !find_one(job)) {
		refuse(job, 404, 2600, "Webhook not found");
	} else {
		if (job->one.secret)
			hook_secrets(&job->one, timefmt_now_ms(), &job->first, &job->second);
		job->is_read = true;
		job->work(job);
	}
}

static void read_then(struct hook_job *job, void (*work)(struct hook_job *job))
{
	const struct daemon *daemon = job->request->context->daemon;

	job->work = work;
	async_read(daemon->loop, daemon->store, read_all, read_done, job);
}

static void set_own(struct hook_job *job, const struct session_entry *entry)
{
	job->own = (struct store_webhook){ .id = HOOK_OWN, .session = entry->number, .name = HOOK_OWN, .events = "", .scope = "chat",
		.actions = true, .enabled = true };
	job->own.url = entry->webhook_url[0] ? arena_strdup(&job->arena, entry->webhook_url) : NULL;
	job->own.secret = arena_strdup(&job->arena, entry->webhook_secret);
	job->own.created_ms = entry->created_ms;
}

/* NULL: answered. work runs when all is read. */
static struct hook_job *job_start(struct rpc_request *request, void (*work)(struct hook_job *job))
{
	bool global = strncmp(request->method->name, "webhooks.", 9) == 0;
	struct session_entry *entry = global ? NULL : rpc_session(request);
	const char *id = rpc_param_text(request, "webhookId");
	struct hook_job *job;

	if (!global && !entry)
		return NULL;
	job = xcalloc(1, sizeof *job);
	job->request = request;
	arena_init(&job->arena, 0);
	request->work = job;
	request->work_free = job_free;
	job->view.webhooks = webhooks_of(job);
	job->one.id = id ? arena_strdup(&job->arena, id) : NULL;
	job->after = json_object_get_int64(json_object_object_get(request->p, "after"));
	if (entry) {
		job->view.session = entry->number;
		job->view.session_id = arena_strdup(&job->arena, entry->id);
		set_own(job, entry);
	}
	if (id)
		audit_target(request, id);
	if (work)
		read_then(job, work);
	return job;
}

/* ---- list, get ---- */

static void answer_list(struct hook_job *job)
{
	struct buf out = { 0 };

	buf_append_text(&out, "{\"webhooks\":[");
	if (job->view.session) {
		buf_u8(&out, '{');
		hook_put(&out, &job->view, &job->own, NULL);
		buf_u8(&out, '}');
	}
	for (size_t i = 0; i < job->row_count; i++) {
		if (!is_visible(job, &job->rows[i]))
			continue;
		buf_append_text(&out, out.data[out.len - 1] == '[' ? "{" : ",{");
		hook_put(&out, &job->view, &job->rows[i], NULL);
		buf_u8(&out, '}');
	}
	buf_append_text(&out, "]}");
	rpc_answer(request_of(job), 200, 1000, "Webhooks", buf_text(&out));
	buf_free(&out);
}

static void do_list(struct rpc_request *request)
{
	job_start(request, answer_list);
}

static void answer_one(struct hook_job *job)
{
	struct buf out = { 0 };

	buf_u8(&out, '{');
	hook_put(&out, &job->view, &job->one, job->shows_secret ? (job->second ? job->second : job->first) : NULL);
	buf_u8(&out, '}');
	rpc_answer(request_of(job), 200, 1000, job->message ? job->message : "Webhook", buf_text(&out));
	buf_wipe(&out);
}

static void do_get(struct rpc_request *request)
{
	job_start(request, answer_one);
}

/* ---- create, update, rotate, delete ---- */

/* What was changed holds now; it is shown as it is stored. */
static void changed(void *arg)
{
	struct hook_job *job = arg;

	job->fresh = false;
	read_then(job, answer_one);
}

static void tell_hooks(struct hook_job *job, void (*then)(void *arg))
{
	if (job->view.session) {
		webhooks_reload(webhooks_of(job), job->view.session, job->view.session_id, then, job);
	} else {
		webhooks_all_changed(webhooks_of(job));
		then(job);
	}
}

static void committed(void *arg, int error)
{
	struct hook_job *job = arg;

	job->error = error;
	if (error)
		refuse(job, 500, 8003, store_error_name(error));
	else
		tell_hooks(job, changed);
}

static void commit_one(struct hook_job *job)
{
	const struct daemon *daemon = job->request->context->daemon;
	struct store_tx *tx = store_tx_new(daemon->store);

	store_tx_webhook_put(tx, &job->one);
	async_commit(daemon->loop, daemon->store, tx, committed, job);
}

static void judged(void *arg, bool refused)
{
	struct hook_job *job = arg;

	if (refused)
		refuse(job, 400, 1201, URL_CHECK_REFUSED);
	else
		commit_one(job);
}

/* True: its settings are not to be changed this way, and the request is answered. */
static bool is_not_changed_here(struct hook_job *job)
{
	if (job->view.session && strcmp(job->one.id, HOOK_OWN) == 0)
		refuse(job, 409, 2003, WEBHOOKS_OWN);
	else if (job->view.session && job->one.session == 0)
		refuse(job, 409, 2003, GLOBAL_HERE);
	else
		return false;
	return true;
}

/* NULL, or what is wrong. */
static const char *make_secret(struct hook_job *job, const char **secret)
{
	char made[WEBHOOK_SECRET_ROOM];

	if (webhook_secret_make(made))
		return "no random numbers are to be had";
	*secret = arena_strdup(&job->arena, made);
	return NULL;
}

static void take_input(struct hook_job *job)
{
	struct store_webhook *one = &job->one;
	const char *fault = hook_input_read(job->request->p, &job->arena, one);

	if (!fault && !one->url)
		fault = "url is required";
	if (fault) {
		refuse(job, 400, strcmp(fault, "Invalid webhook URL") == 0 ? 1201 : strcmp(fault, "url is required") == 0 ? 2001 : 2002, fault);
		return;
	}
	if (!one->secret && make_secret(job, &one->secret)) {
		refuse(job, 500, 8000, "Internal error");
		return;
	}
	url_check(&job->check, job->request->context->daemon, one->url, judged, job);
}

static void create(struct hook_job *job)
{
	size_t n = 0;
	char id[ULID_LENGTH + 1];

	for (size_t i = 0; i < job->row_count; i++)
		n += (job->rows[i].session != 0) == (job->view.session != 0);
	if (n >= WEBHOOKS_MAX) {
		refuse(job, 409, 2003, "There are 20 webhooks already");
		return;
	}
	ulid_new(id);
	job->one = (struct store_webhook){ .id = arena_strdup(&job->arena, id), .session = job->view.session, .name = "webhook", .events = "",
		.scope = "chat", .actions = true, .enabled = true, .created_ms = timefmt_now_ms() };
	job->fresh = job->shows_secret = true;
	job->message = "Webhook created";
	audit_target(job->request, id);
	take_input(job);
}

static void do_create(struct rpc_request *request)
{
	job_start(request, create);
}

static void update(struct hook_job *job)
{
	if (is_not_changed_here(job))
		return;
	job->message = "Webhook changed";
	take_input(job);
}

static void do_update(struct rpc_request *request)
{
	job_start(request, update);
}

static void rotate(struct hook_job *job)
{
	struct json_object *hours = json_object_object_get(job->request->p, "graceHours");
	double grace = hours ? json_object_get_double(hours) : 24;
	const char *secret = rpc_param_text(job->request, "secret");
	struct store_webhook *one = &job->one;

	if (is_not_changed_here(job))
		return;
	if (!(grace >= 0 && grace <= ROTATION_HOURS_MAX)) {
		refuse(job, 400, 2002, "graceHours must be 0 to 720");
		return;
	}
	if (secret && (strlen(secret) < WEBHOOK_SECRET_MIN || strlen(secret) > HOOK_SECRET_MAX)) {
		refuse(job, 400, 2002, "secret must have 6 to 200 bytes");
		return;
	}
	/* A rotation that is under way ends: what was to come is there now. */
	one->secret = job->second ? job->second : job->first;
	if (!secret && make_secret(job, &secret)) {
		refuse(job, 500, 8000, "Internal error");
		return;
	}
	secret = arena_strdup(&job->arena, secret);
	one->rotates_ms = timefmt_now_ms() + (int64_t)(grace * 3600000);
	one->next_secret = grace > 0 ? secret : NULL;
	if (grace <= 0) {
		one->secret = secret;
		one->rotates_ms = 0;
	}
	job->shows_secret = true;
	job->message = "Secret rotated";
	commit_one(job);
}

static void do_rotate(struct rpc_request *request)
{
	job_start(request, rotate);
}

static void removed(void *arg)
{
	struct hook_job *job = arg;

	rpc_answer(request_of(job), 200, 1000, "Webhook deleted", NULL);
}

static void remove_committed(void *arg, int error)
{
	struct hook_job *job = arg;

	if (error)
		refuse(job, 500, 8003, store_error_name(error));
	else
		tell_hooks(job, removed);
}

static void delete_one(struct hook_job *job)
{
	const struct daemon *daemon = job->request->context->daemon;
	struct store_tx *tx;

	if (is_not_changed_here(job))
		return;
	tx = store_tx_new(daemon->store);
	store_tx_webhook_remove(tx, job->one.id);
	async_commit(daemon->loop, daemon->store, tx, remove_committed, job);
}

static void do_delete(struct rpc_request *request)
{
	job_start(request, delete_one);
}

/* ---- test, pause, resume ---- */

static void tested(void *arg, const struct webhook_preflight *result)
{
	struct hook_job *job = arg;
	struct buf out = { 0 };

	buf_u8(&out, '{');
	json_put_bool(&out, "ok", result->ok);
	json_put_int(&out, "status", result->status);
	json_put_member(&out, "error", result->error);
	json_put_int(&out, "roundTripMs", result->round_trip_ms);
	buf_u8(&out, '}');
	rpc_answer(request_of(job), 200, 1000, "Webhook tested", buf_text(&out));
	buf_free(&out);
}

static void test_one(struct hook_job *job)
{
	const struct session_entry *entry = job->view.session_id ? sessions_find(job->request->context->daemon->sessions, job->view.session_id) : NULL;
	struct webhook_subject subject = { .id = job->view.session_id, .label = entry ? entry->label : NULL, .registry = entry ? entry->registry : NULL,
		.username = job->request->caller.username };
	struct webhook_trial trial = { .url = job->one.url, .secret = job->first, .next_secret = job->second, .headers = job->one.headers,
		.bits = job->one.bits };

	if (!trial.url || !trial.secret || strlen(trial.secret) < WEBHOOK_SECRET_MIN)
		refuse(job, 409, 2003, "The webhook has no URL or secret");
	else
		webhooks_preflight(webhooks_of(job), &subject, &trial, tested, job);
}

static void do_test(struct rpc_request *request)
{
	job_start(request, test_one);
}

static void hold(struct hook_job *job)
{
	webhooks_hold(webhooks_of(job), job->view.session, job->one.id);
	job->message = "Webhook paused";
	answer_one(job);
}

static void do_pause(struct rpc_request *request)
{
	job_start(request, hold);
}

static void resume(struct hook_job *job)
{
	webhooks_resume(webhooks_of(job), job->view.session, job->one.id);
	job->message = "Webhook resumed";
	answer_one(job);
}

static void do_resume(struct rpc_request *request)
{
	job_start(request, resume);
}

/* ---- deliveries, dead letters, once more ---- */

static void answer_deliveries(struct hook_job *job)
{
	struct buf out = { 0 };

	buf_append_text(&out, "{\"deliveries\":[");
	hook_put_deliveries(&out, job->deliveries, job->delivery_count);
	buf_append_text(&out, "]}");
	rpc_answer(request_of(job), 200, 1000, "Deliveries", buf_text(&out));
	buf_free(&out);
}

static void do_deliveries(struct rpc_request *request)
{
	job_start(request, answer_deliveries);
}

static void answer_letters(struct hook_job *job)
{
	bool more = job->letter_count == LETTERS_MAX;
	struct buf out = { 0 };

	buf_append_text(&out, "{\"deadLetters\":[");
	hook_put_letters(&out, job->letters, job->letter_count);
	buf_append_text(&out, "]");
	if (more)
		json_put_int(&out, "next", job->letters[job->letter_count - 1].number);
	else
		json_put_raw(&out, "next", "null");
	buf_u8(&out, '}');
	rpc_answer(request_of(job), 200, 1000, "Dead letters", buf_text(&out));
	buf_free(&out);
}

static void do_letters(struct rpc_request *request)
{
	job_start(request, answer_letters);
}

static void queued(void *arg, int count)
{
	struct hook_job *job = arg;
	struct buf out = { 0 };

	if (count == -1) {
		refuse(job, 404, 2600, "Webhook not found");
	} else if (count == -2) {
		refuse(job, 429, 2400, "Too much waits to be delivered again already");
	} else if (count < 0) {
		refuse(job, 500, 8003, "Database error");
	} else {
		buf_printf(&out, "{\"queued\":%d}", count);
		rpc_answer(request_of(job), 200, 1000, "Queued again", buf_text(&out));
		buf_free(&out);
	}
}

static int64_t number_of(const struct hook_job *job, const char *name, int64_t without)
{
	struct json_object *value = json_object_object_get(job->request->p, name);

	return value ? json_object_get_int64(value) : without;
}

static void replay(struct hook_job *job)
{
	struct webhook_replay wanted = {
		.session = job->view.session, .receiver = job->one.id, .event_id = rpc_param_text(job->request, "eventId"),
		.from = number_of(job, "from", 0), .to = number_of(job, "to", INT64_MAX),
		.since_ms = number_of(job, "since", 0), .until_ms = number_of(job, "until", INT64_MAX),
		.letters = strstr(job->request->method->name, ".letters.") != NULL,
	};

	if (!wanted.letters && !wanted.event_id && !wanted.from && !wanted.since_ms)
		refuse(job, 400, 2001, "from, since or eventId is required");
	else if (strcmp(job->one.id, HOOK_OWN) != 0 && !job->one.enabled)
		refuse(job, 409, 2003, "The webhook is not enabled");
	else
		webhooks_replay(webhooks_of(job), &wanted, queued, job);
}

static void do_replay(struct rpc_request *request)
{
	job_start(request, replay);
}

const struct rpc_method rpc_hook_methods[] = {
	{ "webhook.list", do_list },
	{ "webhook.create", do_create },
	{ "webhook.get", do_get },
	{ "webhook.update", do_update },
	{ "webhook.delete", do_delete },
	{ "webhook.test", do_test },
	{ "webhook.pause", do_pause },
	{ "webhook.resume", do_resume },
	{ "webhook.rotate", do_rotate },
	{ "webhook.deliveries", do_deliveries },
	{ "webhook.letters", do_letters },
	{ "webhook.letters.replay", do_replay },
	{ "webhook.replay", do_replay },
	{ "webhooks.list", do_list },
	{ "webhooks.create", do_create },
	{ "webhooks.get", do_get },
	{ "webhooks.update", do_update },
	{ "webhooks.delete", do_delete },
	{ "webhooks.test", do_test },
	{ "webhooks.pause", do_pause },
	{ "webhooks.resume", do_resume },
	{ "webhooks.rotate", do_rotate },
	{ NULL, NULL },
};
