/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Doing an answer.
 *
 *     begin(step) -- STEP_LIST: child after child -- STEP_PARALLEL: all children -- STEP_RETRY: child again and again
 *        |
 *        +-- STEP_ACT: outcome known? --yes--> ended()
 *                      no: parts, one after the other (call or pause) --> outcome --> row --> ended(step) --> the parent goes on
 */
#include "sessiond/actions/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/session/session.h"

/* A session that is away, or work that is refused for the moment, is asked again. */
#define AGAIN_MS 1000
#define MESSAGE_ID_HEX 18

static void begin(struct run *run, struct step *step);
static void go_on(struct doing *doing);
static void store_outcomes(struct run *run);

static struct timers *timers_of(const struct run *run)
{
	return run->daemon->timers;
}

/* ---- places ---- */

static void put_path(struct buf *out, const struct step *step)
{
	const struct step *parent = step->parent;

	if (!parent)
		return;
	put_path(out, parent);
	if (out->len)
		buf_u8(out, '.');
	buf_printf(out, "%zu", step->index);
	/* Every attempt is a try of its own. */
	if (step->kind == STEP_RETRY && step->attempt)
		buf_printf(out, "#%u", step->attempt);
}

static char *path_of(const struct step *step)
{
	struct buf text = { 0 };
	size_t len;

	put_path(&text, step);
	buf_u8(&text, 0);
	return (char *)buf_take(&text, &len);
}

/* What is known of an action from before, NULL: nothing. */
static struct json_object *outcome_of(const struct run *run, const char *path)
{
	for (size_t i = 0; i < json_object_array_length(run->outcomes); i++) {
		struct json_object *entry = json_object_array_get_idx(run->outcomes, i);
		const char *where = json_object_get_string(json_object_object_get(entry, "path"));

		if (where && strcmp(where, path) == 0)
			return entry;
	}
	return NULL;
}

/* ---- what is under way ---- */

static struct doing *doing_new(struct run *run)
{
	struct doing *doing = xcalloc(1, sizeof *doing);

	doing->run = run;
	doing->next = run->doings;
	if (doing->next)
		doing->next->prev = doing;
	run->doings = doing;
	return doing;
}

static void doing_release(struct doing *doing)
{
	timer_stop(timers_of(doing->run), &doing->timer);
	call_cancel(&doing->call);
	act_script_free(&doing->script);
	free(doing->path);
	free(doing->message);
	free(doing->message_id);
	free(doing);
}

static void doing_free(struct doing *doing)
{
	struct run *run = doing->run;

	if (doing->prev)
		doing->prev->next = doing->next;
	else
		run->doings = doing->next;
	if (doing->next)
		doing->next->prev = doing->prev;
	doing_release(doing);
}

static void free_doings(struct run *run)
{
	struct doing *next;

	for (struct doing *doing = run->doings; doing; doing = next) {
		next = doing->next;
		doing_release(doing);
	}
	run->doings = NULL;
}

/* ---- the end ---- */

static void end_if_over(struct run *run)
{
	if (!run->over || run->doings || run->ended)
		return;
	run->ended = true;
	timer_stop(timers_of(run), &run->deadline);
	if (run->row.state == STORE_ACTIONS_PENDING)
		run->row.state = run->failures ? STORE_ACTIONS_FAILED : STORE_ACTIONS_DONE;
	run->dirty = true;
	store_outcomes(run);
}

static void store_again(void *arg)
{
	store_outcomes(arg);
}

static void outcomes_stored(void *arg, int error)
{
	struct run *run = arg;

	run->committing = false;
	if (error) {
		/* A restart does these actions again, under the same keys: nothing is sent twice. */
		log_error(&run->daemon->log, "outcomes of actions cannot be stored", LOG_STR("event", run->row.event_id), LOG_STR("reason", store_error_name(error)));
		run->dirty = true;
		timer_start(timers_of(run), &run->again, timefmt_monotonic_ms() + AGAIN_MS, store_again, run);
		return;
	}
	if (run->dirty)
		store_outcomes(run);
	else if (run->ended)
		run->done(run);
}

static void store_outcomes(struct run *run)
{
	struct store_action_run row = run->row;
	struct store_tx *tx;

	if (run->committing || timer_runs(&run->again))
		return;
	run->committing = true;
	run->dirty = false;
	row.outcomes = span_text(json_object_to_json_string_ext(run->outcomes, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	row.updated_ms = timefmt_now_ms();
	if (!run->ended)
		row.state = STORE_ACTIONS_PENDING;
	tx = store_tx_new(run->daemon->store);
	store_tx_action_run_update(tx, &row);
	if (run->ended)
		run->event(run, tx);
	async_commit_lazy(run->daemon->loop, run->daemon->store, tx, outcomes_stored, run);
}

static void set_text(struct json_object *entry, const char *name, const char *text)
{
	if (text && text[0])
		json_object_object_add(entry, name, json_object_new_string(text));
}

static const char *name_of(const struct step *step)
{
	const char *const members[] = { "act", "action", "type" };

	if (step->act)
		return step->act->name;
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		const char *text = act_text(step->json, members[i]);

		if (text)
			return text;
	}
	return "";
}

static void note(struct run *run, const struct doing *doing, const char *fault)
{
	struct json_object *entry = json_object_new_object();

	set_text(entry, "path", doing->path);
	json_object_object_add(entry, "type", json_object_new_string(name_of(doing->step)));
	json_object_object_add(entry, "ok", json_object_new_boolean(!fault));
	if (doing->status)
		json_object_object_add(entry, "status", json_object_new_int(doing->status));
	if (doing->code)
		json_object_object_add(entry, "code", json_object_new_int(doing->code));
	set_text(entry, "message", fault ? fault : doing->message);
	set_text(entry, "messageId", doing->message_id);
	json_object_object_add(entry, "at", json_object_new_int64(timefmt_now_ms()));
	json_object_array_add(run->outcomes, entry);
	run->dirty = true;
	store_outcomes(run);
}

/* ---- from step to step ---- */

static void ended(struct run *run, struct step *step, bool good, bool again);

static void pause_over(void *arg)
{
	struct doing *doing = arg;
	struct run *run = doing->run;
	struct step *step = doing->waits_for;

	doing_free(doing);
	if (step)
		begin(run, step);
	end_if_over(run);
}

static void reset(struct step *step)
{
	step->next = step->active = 0;
	step->attempt = 0;
	step->failed = false;
	for (size_t i = 0; i < step->n; i++)
		reset(step->children[i]);
}

/* step NULL: only waits. */
static void begin_later(struct run *run, struct step *step, int64_t ms)
{
	struct doing *doing;

	if (ms <= 0 && step) {
		begin(run, step);
		return;
	}
	doing = doing_new(run);
	doing->waits_for = step;
	timer_start(timers_of(run), &doing->timer, timefmt_monotonic_ms() + ms, pause_over, doing);
}

/* A list has a child less to do; known: it was done before a restart, so no pause is due. */
static void list_ended(struct run *run, struct step *list, struct step *child, bool good, bool known)
{
	bool top = !list->parent;
	int64_t ms = list->delay_ms;

	if (top) {
		/* Errors of the answer's own actions stop nothing. */
		run->failures += good ? 0 : 1;
		ms = good && child->kind == STEP_ACT && child->act && child->act->sends ? plan_delay_ms(run->plan) : 0;
	} else if (!good) {
		ended(run, list, false, known);
		return;
	}
	list->next++;
	if (list->next == list->n)
		ended(run, list, true, known);
	else
		begin_later(run, list->children[list->next], known ? 0 : ms);
}

static void parallel_ended(struct run *run, struct step *step, bool good, bool known)
{
	step->active--;
	step->failed = step->failed || !good;
	if (step->active == 0)
		ended(run, step, !step->failed, known);
}

static void retry_ended(struct run *run, struct step *retry, const struct step *child, bool good, bool known)
{
	if (good || child->index == 1) {
		/* What comes instead has come: no error. */
		ended(run, retry, true, known);
	} else if (++retry->attempt < retry->attempts) {
		reset(retry->children[0]);
		begin_later(run, retry->children[0], known ? 0 : retry->delay_ms);
	} else if (retry->n > 1) {
		begin(run, retry->children[1]);
	} else {
		ended(run, retry, true, known);
	}
}

static void ended(struct run *run, struct step *step, bool good, bool known)
{
	struct step *parent = step->parent;

	if (!parent) {
		run->over = true;
		return;
	}
	switch (parent->kind) {
	case STEP_LIST:
		list_ended(run, parent, step, good, known);
		break;
	case STEP_PARALLEL:
		parallel_ended(run, parent, good, known);
		break;
	case STEP_RETRY:
		retry_ended(run, parent, step, good, known);
		break;
	case STEP_ACT:
		break;
	}
}

static void act_ended(struct doing *doing, const char *fault)
{
	struct run *run = doing->run;
	struct step *step = doing->step;

	if (fault)
		log_warn(&run->daemon->log, "an action failed", LOG_STR("session", run->session_id), LOG_STR("event", run->row.event_id),
			 LOG_STR("action", name_of(step)), LOG_STR("place", doing->path), LOG_STR("reason", fault));
	note(run, doing, fault);
	doing_free(doing);
	ended(run, step, !fault, false);
	end_if_over(run);
}

static void begin_act(struct run *run, struct step *step)
{
	char *path = path_of(step);
	struct json_object *known = outcome_of(run, path);
	struct act_context context = { .country_code = run->daemon->config->country_code };
	struct doing *doing;
	const char *fault;

	if (known) {
		bool good = json_object_get_boolean(json_object_object_get(known, "ok"));

		free(path);
		ended(run, step, good, true);
		return;
	}
	doing = doing_new(run);
	doing->step = step;
	doing->path = path;
	context.pause_ms = plan_time_ms(plan_member(run->plan, "pauseMs", NULL, NULL), 1, 0);
	fault = step->act ? act_build(&doing->script, step->act, step->json, &context) : "unknown action type";
	if (fault)
		act_ended(doing, fault);
	else
		go_on(doing);
}

static void begin(struct run *run, struct step *step)
{
	switch (step->kind) {
	case STEP_ACT:
		begin_act(run, step);
		return;
	case STEP_LIST:
	case STEP_RETRY:
		if (step->n)
			begin(run, step->children[0]);
		else
			ended(run, step, true, false);
		return;
	case STEP_PARALLEL:
		step->active = step->n;
		for (size_t i = 0; i < step->n; i++)
			begin(run, step->children[i]);
		if (!step->n)
			ended(run, step, true, false);
		return;
	}
}

/* ---- the parts of an action ---- */

static void wake(void *arg)
{
	go_on(arg);
}

static void sleep_for(struct doing *doing, int64_t ms)
{
	timer_start(timers_of(doing->run), &doing->timer, timefmt_monotonic_ms() + ms, wake, doing);
}

/* The session, if it can be used now. *gone: it never will be. */
static const struct session_entry *usable(struct run *run, bool *gone)
{
	const struct session_entry *entry = run->session_id ? sessions_find(run->daemon->sessions, run->session_id) : NULL;

	*gone = !entry || entry->number != run->row.session;
	return *gone || entry->view.status != SESSION_OPEN ? NULL : entry;
}

/* The same action of the same answer always has this id, in the form that clients choose theirs in. */
static void message_id(const struct doing *doing, char out[4 + MESSAGE_ID_HEX + 1])
{
	const struct store_action_run *row = &doing->run->row;
	uint8_t digest[CRYPTO_SHA256_LEN];
	struct buf text = { 0 };

	buf_printf(&text, "%" PRId64 "\n%s\n%s\n%s\n%zu", row->session, row->receiver, row->event_id, doing->path, doing->at);
	if (crypto_sha256(text.data, text.len, digest))
		abort();
	buf_free(&text);
	snprintf(out, 5, "3EB0");
	for (size_t i = 0; i < MESSAGE_ID_HEX / 2; i++)
		snprintf(out + 4 + 2 * i, 3, "%02X", digest[i]);
}

static void answered(void *arg, const struct call_result *result);

static void start_call(struct doing *doing, const struct session_entry *entry)
{
	struct run *run = doing->run;
	struct act_part *part = &doing->script.parts[doing->at];
	struct json_object *to = json_object_object_get(part->p, "to");
	char id[4 + MESSAGE_ID_HEX + 1], key[256];
	struct call_request request = {
		.method = part->method, .family = "messages", .session = run->row.session, .session_id = entry->id, .registry = entry->registry,
		.quota = part->once, .source = SEND_BY_ACTION, .done = answered, .arg = doing,
	};

	/* The part stays, should the call have to be made again: not with a file that goes with it, though. */
	if (part->once) {
		snprintf(key, sizeof key, "action/%s/%.60s/%s/%zu", run->row.event_id, run->row.receiver, doing->path, doing->at);
		request.idempotency = key;
		message_id(doing, id);
		if (part->own_id && json_object_is_type(to, json_type_array) && json_object_array_length(to) == 1)
			json_object_object_add(part->p, "messageId", json_object_new_string(id));
	}
	if (!part->once && part->own_id) {
		message_id(doing, id);
		json_object_object_add(part->p, "stanzaId", json_object_new_string(id));
	}
	request.p = json_object_get(part->p);
	if (part->fd >= 0) {
		request.fds = &part->fd;
		request.nfds = 1;
	}
	doing->call = call_start(run->daemon, &request);
	part->fd = -1;
}

static void part_done(struct doing *doing)
{
	doing->at++;
	go_on(doing);
}

static void go_on(struct doing *doing)
{
	struct run *run = doing->run;
	struct act_part *part;
	const struct session_entry *entry;
	bool gone;

	if (doing->at == doing->script.n) {
		act_ended(doing, NULL);
		return;
	}
	part = &doing->script.parts[doing->at];
	if (!part->method) {
		doing->at++;
		sleep_for(doing, part->wait_ms);
		return;
	}
	entry = usable(run, &gone);
	if (entry) {
		start_call(doing, entry);
	} else if (gone) {
		act_ended(doing, "the session is gone");
	} else if (timefmt_now_ms() - run->row.accepted_ms > RUN_MAX_AGE_MS) {
		act_ended(doing, "the session was away for too long");
	} else {
		/* Time that the session is away does not count. */
		run->deadline_ms += AGAIN_MS;
		sleep_for(doing, AGAIN_MS);
	}
}

/* Not the action's fault: the daemon is ending, or busy, or the session went away meanwhile. */
static bool is_for_later(const struct call_result *result)
{
	return result->status == 503 || (result->status == 404 && result->code == 1101);
}

static struct json_object *first(struct json_object *list)
{
	if (json_object_is_type(list, json_type_array))
		return json_object_array_length(list) ? json_object_array_get_idx(list, 0) : NULL;
	return list;
}

static void take_result(struct doing *doing, const struct call_result *result)
{
	const char *id = json_object_get_string(plan_member(first(result->result), "messageId", NULL, NULL));

	doing->status = result->status;
	doing->code = result->code;
	free(doing->message);
	doing->message = xstrdup(result->message);
	if (id && doing->script.parts[doing->at].once) {
		free(doing->message_id);
		doing->message_id = xstrdup(id);
	}
}

static char *copy_text(struct json_object *value)
{
	const char *text = json_object_get_string(value);

	return text ? xstrdup(text) : NULL;
}

static void answered(void *arg, const struct call_result *result)
{
	struct doing *doing = arg;
	const struct act_part *part = &doing->script.parts[doing->at];
	/* Its id is taken by what it sent itself before the daemon died, more than a day ago. */
	bool sent_before = part->once && result->status == 409 && result->code == 2009;
	bool good = (result->status >= 200 && result->status <= 299) || sent_before || part->lenient;

	doing->call = NULL;
	take_result(doing, result);
	if (sent_before && !doing->message_id)
		doing->message_id = copy_text(json_object_object_get(part->p, "messageId"));
	if (good)
		part_done(doing);
	else if (is_for_later(result) && !json_object_object_get(plan_member(part->p, "input", NULL, NULL), "fd"))
		sleep_for(doing, result->retry_after_s > 1 ? result->retry_after_s * 1000 : AGAIN_MS);
	else
		act_ended(doing, result->message[0] ? result->message : "refused");
}

/* ---- life ---- */

static void too_late(void *arg)
{
	struct run *run = arg;
	int64_t now_ms = timefmt_monotonic_ms();

	if (now_ms < run->deadline_ms) {
		timer_start(timers_of(run), &run->deadline, run->deadline_ms, too_late, run);
		return;
	}
	free_doings(run);
	run->over = true;
	run->row.state = STORE_ACTIONS_EXPIRED;
	run->row.error = "the time for the actions of one answer is over";
	end_if_over(run);
}

void answer_run_start(struct run *run)
{
	run->started = true;
	run->deadline_ms = timefmt_monotonic_ms() + RUN_MAX_MS;
	timer_start(timers_of(run), &run->deadline, run->deadline_ms, too_late, run);
	begin(run, run->root);
	end_if_over(run);
}

static struct json_object *parse(struct span text)
{
	struct json_tokener *tokener = json_tokener_new_ex(64);
	struct json_object *json = tokener && text.n ? json_tokener_parse_ex(tokener, (const char *)text.p, (int)text.n) : NULL;

	json_tokener_free(tokener);
	return json;
}

struct run *answer_run_new(struct daemon *daemon, const struct store_action_run *row, struct json_object *plan)
{
	struct json_object *outcomes = parse(row->outcomes);
	struct step *root = plan_read(plan);
	struct run *run;

	if (!root) {
		json_object_put(plan);
		json_object_put(outcomes);
		return NULL;
	}
	run = xcalloc(1, sizeof *run);
	run->daemon = daemon;
	run->row = *row;
	run->row.receiver = xstrdup(row->receiver);
	run->row.event_id = xstrdup(row->event_id);
	run->row.kind = xstrdup(row->kind);
	run->row.error = NULL;
	run->row.plan = run->row.outcomes = span_of(NULL, 0);
	run->plan = plan;
	run->root = root;
	run->outcomes = json_object_is_type(outcomes, json_type_array) ? json_object_get(outcomes) : json_object_new_array();
	json_object_put(outcomes);
	return run;
}

void answer_run_halt(struct run *run)
{
	timer_stop(timers_of(run), &run->deadline);
	free_doings(run);
}

void answer_run_free(struct run *run)
{
	answer_run_halt(run);
	timer_stop(timers_of(run), &run->again);
	plan_free(run->root);
	json_object_put(run->plan);
	json_object_put(run->outcomes);
	free((char *)run->row.receiver);
	free((char *)run->row.event_id);
	free((char *)run->row.kind);
	free(run->session_id);
	free(run->registry);
	free(run);
}
