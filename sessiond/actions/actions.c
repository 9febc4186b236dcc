/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From answers to runs, see actions.h. Not more than RUNS_MAX runs are in memory; the others wait in the store, in their order, and so
 * do those that take long to read (accept.h):
 *
 *     accepted, committed --+-- quick, room, and nobody waits in the store --> list of runs --> started unless an earlier one is of its chat
 *                           +-- else: `more` ---- read when there is room, on a thread ---^
 */
#include "sessiond/actions/actions.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/ulid.h"
#include "sessiond/actions/accept.h"
#include "sessiond/actions/run.h"
#include "sessiond/async.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/json_text.h"
#include "sessiond/session/session.h"

/* The event at the end of an answer. */
#define EVENT_KIND "actions_done"
#define STORE_AGAIN_MS 1000

enum { RUNS_MAX = 256, READ_ROWS = 16, WAITING_MAX = 4096 };

/* An answer until its row is stored. */
struct accepted {
	struct actions *actions;     /* borrowed */
	struct accepted *next, *prev;
	struct store_action_run row; /* texts owned */
	struct json_object *plan;    /* owned; NULL: of one that is read later */
	struct buf raw;              /* what is stored of that one (accept_pack()) */
	struct timer again;
};

struct actions {
	struct daemon *daemon;       /* borrowed */
	struct run *first, *last;    /* owned list, in order of acceptance */
	size_t count;
	struct accepted *waiting;    /* owned list */
	size_t nwaiting;
	int64_t seen;                /* number of the last run that came into the list */
	bool ready, more, reading, stopping;
	/* one read at a time */
	struct arena arena;
	struct store_action_run *rows;
	size_t nrows;
	struct json_object *plans[READ_ROWS]; /* owned, with their errors */
	enum plan_error errors[READ_ROWS];
	int error;
};

static void pump(struct actions *actions);

/* ---- telling ---- */

static const char *const state_words[] = {
	[STORE_ACTIONS_PENDING] = "pending", [STORE_ACTIONS_DONE] = "done", [STORE_ACTIONS_FAILED] = "failed",
	[STORE_ACTIONS_REFUSED] = "refused", [STORE_ACTIONS_EXPIRED] = "expired",
};

int actions_state(const char *word)
{
	for (size_t i = 0; i < sizeof state_words / sizeof *state_words; i++)
		if (strcmp(state_words[i], word) == 0)
			return (int)i;
	return -1;
}

void actions_put_run(struct buf *out, const struct store_action_run *run)
{
	buf_u8(out, '{');
	json_put_int(out, "runId", run->number);
	json_put_member(out, "eventId", run->event_id);
	json_put_member(out, "event", run->kind);
	json_put_int(out, "sequence", run->event_number);
	json_put_member(out, "receiver", run->receiver);
	json_put_member(out, "state", (size_t)run->state < sizeof state_words / sizeof *state_words ? state_words[run->state] : "unknown");
	json_put_member(out, "error", run->error);
	json_put_time(out, "acceptedAt", run->accepted_ms);
	json_put_time(out, "updatedAt", run->updated_ms);
	json_put_name(out, "outcomes");
	if (run->outcomes.n)
		buf_append_span(out, run->outcomes);
	else
		buf_append_text(out, "[]");
	buf_u8(out, '}');
}

/* The same end of the same answer has the same id. */
static void event_id(const struct store_action_run *row, char out[ULID_LENGTH + 1])
{
	uint8_t digest[CRYPTO_SHA256_LEN];
	struct buf text = { 0 };

	buf_printf(&text, EVENT_KIND "\n%s\n%s", row->event_id, row->receiver);
	if (crypto_sha256(text.data, text.len, digest))
		abort();
	buf_free(&text);
	ulid_format(row->accepted_ms, digest, out);
}

static void add_event(struct run *run, struct store_tx *tx)
{
	struct store_action_run row = run->row;
	char id[ULID_LENGTH + 1];
	struct buf payload = { 0 };
	struct store_event event = { .session = row.session, .event_id = id, .kind = EVENT_KIND, .time_ms = timefmt_now_ms() };

	if (!run->session_id)
		return;
	event_id(&row, id);
	row.updated_ms = event.time_ms;
	row.outcomes = span_text(json_object_to_json_string_ext(run->outcomes, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	buf_u8(&payload, '{');
	json_put_member(&payload, "id", run->session_id);
	json_put_name(&payload, "run");
	actions_put_run(&payload, &row);
	json_put_member(&payload, "sessionId", run->session_id);
	buf_u8(&payload, '}');
	event.payload = buf_span(&payload);
	store_tx_event_add(tx, &event, NULL);
	buf_free(&payload);
	run->daemon->metrics.events++;
}

/* ---- the list of runs ---- */

static void unlink_run(struct actions *actions, struct run *run)
{
	if (run->prev)
		run->prev->next = run->next;
	else
		actions->first = run->next;
	if (run->next)
		run->next->prev = run->prev;
	else
		actions->last = run->prev;
	actions->count--;
}

static bool same_chat(const struct run *a, const struct run *b)
{
	return a->row.session == b->row.session && a->row.lane == b->row.lane;
}

static void start_if_free(struct run *run)
{
	for (struct run *before = run->prev; before; before = before->prev)
		if (same_chat(before, run))
			return;
	answer_run_start(run);
}

static void run_done(struct run *run)
{
	struct actions *actions = run->daemon->actions;
	struct run *next = run->next;

	while (next && !same_chat(next, run))
		next = next->next;
	unlink_run(actions, run);
	answer_run_free(run);
	if (actions->stopping)
		return;
	if (next)
		start_if_free(next);
	pump(actions);
}

struct search {
	int64_t number;
	struct run *run;
};

static void take_session(struct session_entry *entry, void *arg)
{
	struct search *search = arg;

	if (entry->number != search->number)
		return;
	search->run->session_id = xstrdup(entry->id);
	search->run->registry = xstrdup(entry->registry);
}

/* The plan is the callee's. */
static void add_run(struct actions *actions, const struct store_action_run *row, struct json_object *plan)
{
	struct run *run = answer_run_new(actions->daemon, row, plan);
	struct search search = { .number = row->session, .run = run };

	actions->seen = row->number;
	if (!run) {
		/* Only a damaged row is like this. It stays pending and is passed over. */
		log_error(&actions->daemon->log, "actions of an answer cannot be read", LOG_STR("event", row->event_id));
		return;
	}
	run->done = run_done;
	run->event = add_event;
	sessions_each(actions->daemon->sessions, take_session, &search);
	run->prev = actions->last;
	if (actions->last)
		actions->last->next = run;
	else
		actions->first = run;
	actions->last = run;
	actions->count++;
	start_if_free(run);
}

/* ---- those that wait in the store ---- */

/* On a thread of the store. */
static void read_pending(struct store_reader *reader, void *arg)
{
	struct actions *actions = arg;

	actions->error = store_action_run_pending(reader, &actions->arena, actions->seen, READ_ROWS, &actions->rows, &actions->nrows);
	for (size_t i = 0; i < actions->nrows && !actions->error; i++)
		actions->errors[i] = accept_unpack(actions->rows[i].plan, actions->daemon->config->webhook_actions_delay_ms, &actions->plans[i]);
}

static void warn_refused(struct actions *actions, const char *session_id, const struct store_action_run *row)
{
	log_warn(&actions->daemon->log, "actions of an answer are refused", LOG_STR("session", session_id), LOG_STR("event", row->event_id),
		 LOG_STR("reason", row->error));
}

/* It was stored as it came, and there is nothing in it, or too much. Should that not be stored, the next start finds it out again. */
static void refuse_row(struct actions *actions, const struct store_action_run *read, enum plan_error error)
{
	struct store_tx *tx = store_tx_new(actions->daemon->store);
	struct store_action_run row = *read;

	actions->seen = row.number;
	if (error == PLAN_NOTHING) {
		store_tx_action_run_remove(tx, &row);
	} else {
		row.state = STORE_ACTIONS_REFUSED;
		row.error = plan_error_text(error);
		row.updated_ms = timefmt_now_ms();
		store_tx_action_run_update(tx, &row);
		warn_refused(actions, "", &row);
	}
	async_commit(actions->daemon->loop, actions->daemon->store, tx, NULL, NULL);
}

static void free_plans(struct actions *actions)
{
	for (size_t i = 0; i < READ_ROWS; i++) {
		json_object_put(actions->plans[i]);
		actions->plans[i] = NULL;
	}
}

static void pending_read(void *arg)
{
	struct actions *actions = arg;

	actions->reading = false;
	if (actions->error)
		log_error(&actions->daemon->log, "actions cannot be read", LOG_STR("reason", store_error_name(actions->error)));
	for (size_t i = 0; i < actions->nrows && !actions->error && !actions->stopping; i++) {
		if (actions->errors[i]) {
			refuse_row(actions, &actions->rows[i], actions->errors[i]);
			continue;
		}
		add_run(actions, &actions->rows[i], actions->plans[i]);
		actions->plans[i] = NULL;
	}
	free_plans(actions);
	actions->more = actions->more || actions->nrows == READ_ROWS;
	arena_free(&actions->arena);
	pump(actions);
}

static void pump(struct actions *actions)
{
	struct daemon *daemon = actions->daemon;

	if (!actions->ready || !actions->more || actions->reading || actions->stopping || actions->count > RUNS_MAX - READ_ROWS)
		return;
	actions->more = false;
	actions->reading = true;
	actions->nrows = 0;
	arena_init(&actions->arena, 0);
	async_read(daemon->loop, daemon->store, read_pending, pending_read, actions);
}

/* ---- accepting ---- */

static void accepted_release(struct accepted *accepted)
{
	timer_stop(accepted->actions->daemon->timers, &accepted->again);
	free((char *)accepted->row.receiver);
	free((char *)accepted->row.event_id);
	free((char *)accepted->row.kind);
	json_object_put(accepted->plan);
	buf_wipe(&accepted->raw);
	free(accepted);
}

static void accepted_free(struct accepted *accepted)
{
	struct actions *actions = accepted->actions;

	if (accepted->prev)
		accepted->prev->next = accepted->next;
	else
		actions->waiting = accepted->next;
	if (accepted->next)
		accepted->next->prev = accepted->prev;
	actions->nwaiting--;
	accepted_release(accepted);
}

static struct span text_of(struct json_object *json)
{
	return span_text(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

static void commit(struct accepted *accepted);

static void commit_again(void *arg)
{
	commit(arg);
}

static void committed(void *arg, int error)
{
	struct accepted *accepted = arg;
	struct actions *actions = accepted->actions;
	struct store_action_run *row = &accepted->row;

	if (error == STORE_CONSTRAINT) {
		/* The session was removed meanwhile. */
		accepted_free(accepted);
		return;
	}
	if (error) {
		log_error(&actions->daemon->log, "actions cannot be stored", LOG_STR("event", row->event_id), LOG_STR("reason", store_error_name(error)));
		timer_start(actions->daemon->timers, &accepted->again, timefmt_monotonic_ms() + STORE_AGAIN_MS, commit_again, accepted);
		return;
	}
	if (row->number && row->state == STORE_ACTIONS_PENDING) {
		if (!accepted->plan || !actions->ready || actions->more || actions->reading || actions->count >= RUNS_MAX || actions->stopping)
			actions->more = true;
		else
			add_run(actions, row, json_object_get(accepted->plan));
	}
	accepted_free(accepted);
	pump(actions);
}

static void commit(struct accepted *accepted)
{
	struct daemon *daemon = accepted->actions->daemon;
	struct store_tx *tx = store_tx_new(daemon->store);

	accepted->row.plan = accepted->plan ? text_of(accepted->plan) : buf_span(&accepted->raw);
	store_tx_action_run_add(tx, &accepted->row, &accepted->row.number);
	async_commit(daemon->loop, daemon->store, tx, committed, accepted);
}

/* plan: the callee's; NULL: the answer is stored as it came. */
static void take_on(struct actions *actions, const struct webhook_said *said, struct json_object *plan, enum plan_error error)
{
	struct accepted *accepted = xcalloc(1, sizeof *accepted);
	int64_t now_ms = timefmt_now_ms();

	*accepted = (struct accepted){
		.actions = actions,
		.next = actions->waiting,
		.row = { .session = said->session, .receiver = xstrdup(said->receiver), .event_id = xstrdup(said->event_id), .event_number = said->number,
			 .kind = xstrdup(said->kind), .lane = (int64_t)said->lane, .state = error ? STORE_ACTIONS_REFUSED : STORE_ACTIONS_PENDING,
			 .error = error ? plan_error_text(error) : NULL, .outcomes = span_text("[]"), .accepted_ms = now_ms, .updated_ms = now_ms },
		.plan = plan,
	};
	if (!plan)
		accept_pack(&accepted->raw, said->answer, said->sent);
	if (accepted->next)
		accepted->next->prev = accepted;
	actions->waiting = accepted;
	actions->nwaiting++;
	if (error)
		warn_refused(actions, said->session_id, &accepted->row);
	commit(accepted);
}

void actions_answered(void *ctx, const struct webhook_said *said)
{
	struct daemon *daemon = ctx;
	struct actions *actions = daemon->actions;
	struct json_object *plan;
	enum plan_error error;

	if (!actions || !daemon->config->webhook_actions || strcmp(said->kind, EVENT_KIND) == 0 || !memmem(said->answer.p, said->answer.n, "\"actions\"", 9))
		return;
	if (daemon->config->webhook_actions_https_only && !said->encrypted) {
		log_warn(&daemon->log, "actions of an answer are ignored: it did not come over https", LOG_STR("session", said->session_id), LOG_STR("event", said->event_id));
		return;
	}
	if (actions->nwaiting >= WAITING_MAX) {
		log_error(&daemon->log, "actions of an answer are dropped: the store does not take them", LOG_STR("session", said->session_id), LOG_STR("event", said->event_id));
		return;
	}
	if (!accept_is_quick(said->answer, said->sent)) {
		take_on(actions, said, NULL, PLAN_OK);
		return;
	}
	error = accept_read(said->answer, said->sent, daemon->config->webhook_actions_delay_ms, &plan);
	if (error != PLAN_NOTHING)
		take_on(actions, said, plan, error);
}

/* ---- life ---- */

struct actions *actions_new(struct daemon *daemon)
{
	struct actions *actions = xcalloc(1, sizeof *actions);

	actions->daemon = daemon;
	return actions;
}

void actions_start(struct actions *actions)
{
	actions->ready = actions->more = true;
	pump(actions);
}

void actions_stop(struct actions *actions)
{
	actions->stopping = true;
	for (struct run *run = actions->first; run; run = run->next)
		answer_run_halt(run);
}

void actions_free(struct actions **actions)
{
	struct actions *a = *actions;

	if (!a)
		return;
	for (struct accepted *accepted = a->waiting, *next; accepted; accepted = next) {
		next = accepted->next;
		accepted_release(accepted);
	}
	for (struct run *run = a->first, *next; run; run = next) {
		next = run->next;
		answer_run_free(run);
	}
	if (a->reading)
		arena_free(&a->arena);
	free_plans(a);
	free(a);
	*actions = NULL;
}
