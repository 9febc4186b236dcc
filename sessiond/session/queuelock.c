/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Restrictions of the account: for a while it may not write to new contacts, other chats go on.
 *
 *     ack error 463   reach-out time lock, or no privacy token of that contact     -> xwa2_fetch_account_reachout_timelock says which
 *     ack error 475   the limit of messages to new chats is reached                -> xwa2_message_capping_info
 *     notifications   of both (mex)                                                -> channelevents.c
 *
 * The refused message has failed: another attempt would count as another reach-out. Those that wait are held until the end is there.
 * Source: Baileys Socket/{messages-recv,socket}.ts, Types/State.ts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/daemon.h"
#include "sessiond/json_text.h"
#include "sessiond/session/channels.h"
#include "sessiond/session/object.h"
#include "sessiond/wa/query.h"

enum {
	CODE_TOKEN_OR_LOCK = 463,
	CODE_CHAT_CAPPED = 475,
	/* The web client's guess when the service does not say. */
	LOCK_GUESS_MS = 60000
};

#define LOCK_QUERY "23983697327930364"
#define LOCK_PATH "xwa2_fetch_account_reachout_timelock"
#define CAP_QUERY "24503548349331633"
#define CAP_PATH "xwa2_message_capping_info"
#define CAP_VARIABLES "{\"input\":{\"type\":\"INDIVIDUAL_NEW_CHAT_MSG\"}}"
#define CAP_KIND "NEW_CHAT_MESSAGES_CAPPED"

/* ---- the lock ---- */

static void tell(struct session *session)
{
	const struct queue_lock *lock = &session->outbox.lock;
	struct store_tx *tx = store_tx_new(session->on->daemon->store);
	struct buf payload = { 0 };

	buf_u8(&payload, '{');
	json_put_member(&payload, "id", session->id);
	json_put_bool(&payload, "active", lock->until_ms > 0);
	json_put_member(&payload, "kind", lock->kind);
	json_put_int(&payload, "until", lock->until_ms);
	json_put_member(&payload, "sessionId", session->id);
	buf_u8(&payload, '}');
	event_add(session, tx, "account_timelock", NULL, NULL, &payload, timefmt_now_ms());
	event_commit(session, tx);
	buf_free(&payload);
}

static void watch_end(struct session *session);
static void set_lock(struct session *session, int64_t until_ms, const char *kind, bool told);

static void end_reached(void *arg)
{
	struct session *session = arg;

	if (session->outbox.lock.until_ms > timefmt_now_ms())
		watch_end(session);
	else
		set_lock(session, 0, session->outbox.lock.kind, false);
}

static void watch_end(struct session *session)
{
	int64_t wait_ms = session->outbox.lock.until_ms - timefmt_now_ms();

	timer_stop(session->on->timers, &session->outbox.lock_end);
	if (!session->outbox.lock.until_ms)
		return;
	wait_ms = wait_ms < 0 ? 0 : wait_ms > OUTBOX_CLOCK_MS ? OUTBOX_CLOCK_MS : wait_ms;
	timer_start(session->on->timers, &session->outbox.lock_end, timefmt_monotonic_ms() + wait_ms, end_reached, session);
}

/* told: the journal has the notification itself. */
static void set_lock(struct session *session, int64_t until_ms, const char *kind, bool told)
{
	struct queue_lock *lock = &session->outbox.lock;
	char word[sizeof lock->kind];

	if (until_ms <= timefmt_now_ms())
		until_ms = 0;
	if (until_ms == lock->until_ms)
		return;
	snprintf(word, sizeof word, "%s", kind);
	lock->until_ms = until_ms;
	memcpy(lock->kind, word, sizeof lock->kind);
	log_warn(&session->log, until_ms ? "WhatsApp restricts the account: messages to new contacts wait" : "the restriction of the account is over",
		LOG_STR("session", session->id), LOG_STR("kind", lock->kind), LOG_INT("until", until_ms));
	queue_state_store(session);
	if (!told)
		tell(session);
	watch_end(session);
	outbox_gate_changed(session);
}

void queue_lock_restore(struct session *session, int64_t until_ms, const char *kind)
{
	struct queue_lock *lock = &session->outbox.lock;

	lock->until_ms = until_ms > 0 ? until_ms : 0;
	snprintf(lock->kind, sizeof lock->kind, "%s", kind);
	watch_end(session);
}

/* ---- what WhatsApp says ---- */

/* Seconds as number or text; 0: not said. */
static int64_t end_of(struct json_object *value, const char *name)
{
	int64_t seconds = json_object_get_int64(json_object_object_get(value, name));

	return seconds > 0 && seconds < INT64_MAX / 1000 ? seconds * 1000 : 0;
}

static void take_lock(struct session *session, struct json_object *value, bool told)
{
	const char *kind = json_object_get_string(json_object_object_get(value, "enforcement_type"));
	int64_t end_ms = end_of(value, "time_enforcement_ends");

	if (!json_object_get_boolean(json_object_object_get(value, "is_active")))
		set_lock(session, 0, kind ? kind : "", told);
	else
		set_lock(session, end_ms ? end_ms : timefmt_now_ms() + LOCK_GUESS_MS, kind ? kind : "", told);
}

static void take_cap(struct session *session, struct json_object *value)
{
	const char *status = json_object_get_string(json_object_object_get(value, "capping_status"));
	bool capped = status && strcmp(status, "CAPPED") == 0;

	if (capped)
		set_lock(session, end_of(value, "cycle_end_timestamp"), CAP_KIND, false);
	else if (strcmp(session->outbox.lock.kind, CAP_KIND) == 0)
		set_lock(session, 0, CAP_KIND, false);
}

void queue_lock_noticed(struct session *session, struct json_object *value)
{
	if (json_object_is_type(value, json_type_object))
		take_lock(session, value, true);
}

void queue_cap_noticed(struct session *session, struct json_object *value)
{
	if (json_object_is_type(value, json_type_object))
		take_cap(session, value);
}

/* ---- asking ---- */

/* A question, and who waits for its answer. */
struct question {
	struct session *session;
	bool cap;
	struct send_job *job;        /* borrowed; NULL: nobody */
	size_t index;
	struct send_result decision;
};

static void settle(struct question *q)
{
	const struct queue_lock *lock = &q->session->outbox.lock;

	if (lock->until_ms > timefmt_now_ms()) {
		q->decision.hold = HOLD_RESTRICTED;
		q->decision.hold_until_ms = lock->until_ms;
	}
	if (q->job)
		outbox_decide(q->session, q->job, q->index, &q->decision);
}

static void answered(void *arg, const struct wa_query_answer *answer)
{
	struct question *q = arg;
	struct session *session = q->session;
	struct json_object *value = NULL;
	char error[128] = "";
	int code = answer->code ? answer->code : mex_read(answer->json, q->cap ? CAP_PATH : LOCK_PATH, &value, error, sizeof error);

	if (code)
		log_warn(&session->log, "whether the account is restricted cannot be learnt", LOG_STR("session", session->id), LOG_INT("code", code),
			LOG_STR("reason", error));
	else if (json_object_is_type(value, json_type_object) && q->cap)
		take_cap(session, value);
	else if (json_object_is_type(value, json_type_object))
		take_lock(session, value, false);
	json_object_put(value);
	settle(q);
	free(q);
	session->busy--;
	session_released(session);
}

static void ask(struct question *q)
{
	const struct wa_query query = { .kind = WA_QUERY_MEX, .id = q->cap ? CAP_QUERY : LOCK_QUERY,
		.variables = q->cap ? CAP_VARIABLES : "{}" };

	q->session->busy++;
	wa_client_query(q->session->client, &query, answered, q);
}

void queue_lock_refused(struct outbox_item *item, const struct wa_event *event)
{
	struct session *session = item->session;
	bool restriction = event->code == CODE_TOKEN_OR_LOCK || event->code == CODE_CHAT_CAPPED;
	struct question *q;

	if (!restriction || !session->client || !wa_client_is_open(session->client)) {
		outbox_settle(item, false, true, event->ms > 0 ? event->ms : timefmt_now_ms(), event->code, event->text);
		return;
	}
	session->outbox.stats.refused++;
	session->on->daemon->metrics.queue_restricted++;
	q = xcalloc(1, sizeof *q);
	q->session = session;
	q->cap = event->code == CODE_CHAT_CAPPED;
	q->job = item->job;
	q->index = item->index;
	q->decision = (struct send_result){ .failed = true, .code = event->code, .time_ms = event->ms > 0 ? event->ms : timefmt_now_ms() };
	snprintf(q->decision.error, sizeof q->decision.error, "%s", event->text ? event->text : "");
	timer_stop(session->on->timers, &item->ack);
	item->job = NULL;
	/* Known already: nothing new can be learnt. */
	if (session->outbox.lock.until_ms > timefmt_now_ms()) {
		settle(q);
		free(q);
		return;
	}
	ask(q);
}

void queue_lock_opened(struct session *session)
{
	struct question *q;

	if (!session->outbox.lock.until_ms)
		return;
	q = xcalloc(1, sizeof *q);
	q->session = session;
	q->cap = strcmp(session->outbox.lock.kind, CAP_KIND) == 0;
	ask(q);
}
