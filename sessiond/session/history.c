/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Histories that wait, and their records. */
#include "sessiond/session/history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/timefmt.h"
#include "sessiond/async.h"
#include "sessiond/daemon.h"
#include "sessiond/json_text.h"
#include "sessiond/session/historywork.h"
#include "sessiond/session/registry.h"

enum { STATE_TO_DO = 1, STATE_OWED = 2, NAME_MAX_BYTES = 256 };

struct histories *histories_of(struct session *session)
{
	if (!session->histories) {
		session->histories = xcalloc(1, sizeof *session->histories);
		session->histories->session = session;
		session->histories->end = &session->histories->first;
	}
	return session->histories;
}

static void job_free(struct history_job *job)
{
	history_stop(job);
	buf_wipe(&job->bytes);
	free(job->name);
	free(job);
}

/* ---- the list ---- */

static const char *id_of(const char *name)
{
	const char *slash = strchr(name, '/');

	return slash ? slash + 1 : name;
}

static bool is_waiting(const struct histories *h, const char *id)
{
	for (const struct history_job *job = h->first; job; job = job->next) {
		if (strcmp(job->id, id) == 0)
			return true;
	}
	return false;
}

static void append(struct histories *h, const char *name, struct span notice, bool owed)
{
	struct history_job *job = xcalloc(1, sizeof *job);

	job->of = h;
	job->name = xstrdup(name);
	job->id = id_of(job->name);
	job->source.fd = -1;
	buf_append_span(&job->bytes, notice);
	if (owed)
		job->phase = HISTORY_OWES;
	else if (!wa_history_notice_read(buf_span(&job->bytes), &job->notice))
		snprintf(job->reason, sizeof job->reason, "%s", "the notice cannot be read");
	*h->end = job;
	h->end = &job->next;
	h->n++;
}

void history_take_off(struct histories *h)
{
	struct history_job *job = h->first;

	h->first = job->next;
	if (!h->first)
		h->end = &h->first;
	h->n--;
	job_free(job);
}

/* ---- records ---- */

/* The time keeps the order; a notice that comes again within the same life has been seen. */
static void make_name(const struct wa_event *event, char out[NAME_MAX_BYTES])
{
	snprintf(out, NAME_MAX_BYTES, "%016" PRId64 "/%.200s", event->ms, event->text);
}

void history_keep(struct session *session, struct store_tx *tx, const struct wa_event *event)
{
	char name[NAME_MAX_BYTES];
	struct buf value = { 0 };

	make_name(event, name);
	buf_u8(&value, STATE_TO_DO);
	buf_append_span(&value, buf_span(&event->bytes));
	store_tx_record_put(tx, session->number, RECORD_HISTORY, name, buf_span(&value), 0);
	buf_wipe(&value);
}

void history_put_record(struct history_job *job, struct store_tx *tx, uint8_t state)
{
	int64_t session = job->of->session->number;

	if (state == 0)
		store_tx_record_delete(tx, session, RECORD_HISTORY, job->name);
	else
		store_tx_record_put(tx, session, RECORD_HISTORY, job->name, span_of(&state, 1), 0);
}

void history_noticed(struct session *session, const struct wa_event *event)
{
	struct histories *h = histories_of(session);
	char name[NAME_MAX_BYTES];

	if (is_waiting(h, event->text))
		return;
	if (h->n >= HISTORY_WAITING_MAX)
		log_warn(&session->log, "more histories wait than are kept in memory: this one waits for the next start", LOG_STR("session", session->id));
	make_name(event, name);
	if (h->n < HISTORY_WAITING_MAX)
		append(h, name, buf_span(&event->bytes), false);
	history_pump(session);
}

/* ---- a new life ---- */

struct reload {
	struct session *session;
	struct arena arena;
	const char **names;
	struct span *values;
	size_t n;
	int error;
};

static void reload_read(struct store_reader *reader, void *arg)
{
	struct reload *r = arg;

	r->error = store_record_list(reader, &r->arena, r->session->number, RECORD_HISTORY, &r->names, &r->values, &r->n);
}

static void reload_done(void *arg)
{
	struct reload *r = arg;
	struct session *session = r->session;
	struct histories *h = histories_of(session);

	if (r->error)
		log_error(&session->log, "waiting histories cannot be read", LOG_STR("session", session->id), LOG_STR("reason", store_error_name(r->error)));
	for (size_t i = 0; !r->error && i < r->n && h->n < HISTORY_WAITING_MAX; i++) {
		if (r->values[i].n > 0 && !is_waiting(h, id_of(r->names[i])))
			append(h, r->names[i], span_of(r->values[i].p + 1, r->values[i].n - 1), r->values[i].p[0] == STATE_OWED);
	}
	arena_free(&r->arena);
	free(r);
	session->busy--;
	history_pump(session);
	session_released(session);
}

void history_reload(struct session *session)
{
	struct histories *h = histories_of(session);
	struct reload *r;

	if (h->loaded)
		return;
	h->loaded = true;
	r = xcalloc(1, sizeof *r);
	r->session = session;
	arena_init(&r->arena, 0);
	session->busy++;
	async_read(session->on->loop, session->on->daemon->store, reload_read, reload_done, r);
}

/* ---- going on ---- */

static void timer_fired(void *arg)
{
	history_pump(((struct histories *)arg)->session);
}

void history_pump(struct session *session)
{
	struct histories *h = session->histories;
	int64_t now_ms = timefmt_monotonic_ms();

	if (!h || !h->first || session->gone || session->drop_client || !session->client || !wa_client_is_open(session->client))
		return;
	if (h->first->next_ms > now_ms)
		timer_start(session->on->timers, &h->timer, h->first->next_ms, timer_fired, h);
	else
		history_run(h->first);
}

void history_drop(struct session *session, struct store_tx *tx)
{
	struct histories *h = session->histories;

	store_tx_record_clear(tx, session->number, RECORD_HISTORY);
	if (!h)
		return;
	/* The one that a thread has ends at its next turn. */
	for (struct history_job **at = &h->first; *at;) {
		struct history_job *job = *at;

		if (job->working || job->commits || job->learning) {
			job->error = HISTORY_E_READ;
			snprintf(job->reason, sizeof job->reason, "%s", "another account was linked");
			at = &job->next;
			continue;
		}
		*at = job->next;
		h->n--;
		job_free(job);
	}
	h->end = &h->first;
	while (*h->end)
		h->end = &(*h->end)->next;
}

void history_free(struct session *session)
{
	struct histories *h = session->histories;

	if (!h)
		return;
	timer_stop(session->on->timers, &h->timer);
	history_more_free(h);
	while (h->first)
		history_take_off(h);
	free(h);
	session->histories = NULL;
}

/* ---- what is told ---- */

unsigned history_percent(const struct history_job *job)
{
	if (job->phase >= HISTORY_ENDS)
		return 100;
	if (job->phase != HISTORY_WRITES || job->bytes_total == 0)
		return 0;
	return (unsigned)(job->counts.bytes * 100 / job->bytes_total);
}

void history_event(struct history_job *job, struct store_tx *tx, const char *state, const char *reason)
{
	struct session *session = job->of->session;
	struct buf p = { 0 };

	buf_u8(&p, '{');
	json_put_member(&p, "id", session->id);
	json_put_member(&p, "kind", wa_history_kind_name(job->notice.kind));
	json_put_int(&p, "chunk", job->notice.chunk);
	json_put_int(&p, "phoneProgress", job->notice.progress);
	json_put_member(&p, "state", state);
	json_put_int(&p, "percent", strcmp(state, "done") == 0 ? 100 : history_percent(job));
	json_put_int(&p, "chats", (int64_t)job->counts.chats);
	json_put_int(&p, "messages", (int64_t)job->counts.messages);
	json_put_int(&p, "names", (int64_t)job->counts.names);
	json_put_int(&p, "unusable", (int64_t)job->counts.unusable);
	if (reason)
		json_put_member(&p, "reason", reason);
	json_put_member(&p, "sessionId", session->id);
	buf_u8(&p, '}');
	event_add(session, tx, "history_sync", NULL, NULL, &p, timefmt_now_ms());
	buf_free(&p);
}

void history_show(struct histories *h, const struct history_job *job)
{
	struct session_view *view = &h->session->view;
	unsigned percent = job ? history_percent(job) : 0;
	const char *kind = job ? wa_history_kind_name(job->notice.kind) : NULL;
	int64_t messages = job ? (int64_t)job->counts.messages : 0;

	if (view->history_kind == kind && view->history_percent == percent)
		return;
	view->history_kind = kind;
	view->history_percent = percent;
	view->history_messages = messages;
	registry_view(h->session);
}
