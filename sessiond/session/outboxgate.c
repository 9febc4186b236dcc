/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether and when the next message may leave, see outbox.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/daemon.h"
#include "sessiond/session/object.h"

enum {
	/* Recipients looked up in one go. */
	CHECKS_MAX = 64,
	/* A request waits this long for the pace. */
	PACE_WAIT_MS = 30000
};

/* ---- is the recipient a new contact? ---- */

struct check {
	struct session *session;
	int64_t session_number;
	size_t n;
	int64_t numbers[CHECKS_MAX];
	struct jid chats[CHECKS_MAX];
	bool old[CHECKS_MAX];
	int error;
};

static void check_read(struct store_reader *reader, void *arg)
{
	struct check *c = arg;

	for (size_t i = 0; i < c->n && !c->error; i++)
		c->error = store_chat_acquainted(reader, c->session_number, &c->chats[i], &c->old[i]);
}

static void check_done(void *arg)
{
	struct check *c = arg;
	struct session *session = c->session;

	if (c->error)
		log_error(&session->log, "whom the account knows cannot be read", LOG_STR("session", session->id), LOG_STR("reason", store_error_name(c->error)));
	for (size_t i = 0; i < c->n; i++) {
		struct outbox_item *item = outbox_find(session, c->numbers[i]);

		if (item && item->acquaintance == ACQUAINTANCE_UNKNOWN)
			item->acquaintance = c->old[i] && !c->error ? ACQUAINTANCE_OLD : ACQUAINTANCE_NEW;
	}
	session->outbox.checking = 0;
	free(c);
	outbox_gate_changed(session);
	session->busy--;
	session_released(session);
}

/* One look-up at a time: those that were held meanwhile are in the next one. */
static void start_checks(struct session *session)
{
	struct outbox *outbox = &session->outbox;
	struct check *c;

	if (outbox->checking || !outbox->queue.held.first)
		return;
	c = xcalloc(1, sizeof *c);
	for (struct queue_node *n = outbox->queue.held.first; n && c->n < CHECKS_MAX; n = n->next) {
		const struct outbox_item *item = (const struct outbox_item *)n;

		if (n->hold != HOLD_CHECK || item->acquaintance != ACQUAINTANCE_UNKNOWN)
			continue;
		c->numbers[c->n] = n->number;
		c->chats[c->n++] = n->chat;
	}
	if (!c->n) {
		free(c);
		return;
	}
	outbox->checking = c->n;
	c->session = session;
	c->session_number = session->number;
	session->busy++;
	async_read(session->on->loop, session->on->daemon->store, check_read, check_done, c);
}

void outbox_met(struct session *session, const struct wa_message *message)
{
	struct outbox *outbox = &session->outbox;
	bool met = false;

	if (!outbox->queue.held.n || message->from_me || !jid_is_person(&message->chat))
		return;
	for (struct queue_node *n = outbox->queue.held.first; n; n = n->next) {
		struct outbox_item *item = (struct outbox_item *)n;

		if (item->acquaintance == ACQUAINTANCE_OLD || (!jid_same_user(&n->chat, &message->chat) && !jid_same_user(&n->chat, &message->chat_pn) &&
			!jid_same_user(&n->chat, &message->chat_lid)))
			continue;
		item->acquaintance = ACQUAINTANCE_OLD;
		met = true;
	}
	if (met)
		outbox_gate_changed(session);
}

/* ---- the daily budget ---- */

static bool spent_on(const struct outbox *outbox, const struct jid *chat)
{
	struct json_object *contacts = outbox->cold.contacts;
	size_t n = contacts ? json_object_array_length(contacts) : 0;
	char text[JID_TEXT_MAX];

	jid_format(chat, text, sizeof text);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(json_object_get_string(json_object_array_get_idx(contacts, i)), text) == 0)
			return true;
	}
	return false;
}

static void begin_day(struct outbox *outbox, int64_t now_ms)
{
	int64_t day = send_policy_day(&outbox->policy, now_ms);

	if (outbox->cold.day == day)
		return;
	json_object_put(outbox->cold.contacts);
	outbox->cold = (struct queue_cold){ .day = day };
}

static void spend(struct session *session, const struct jid *chat)
{
	struct outbox *outbox = &session->outbox;
	char text[JID_TEXT_MAX];

	begin_day(outbox, timefmt_now_ms());
	if (spent_on(outbox, chat))
		return;
	if (!outbox->cold.contacts)
		outbox->cold.contacts = json_object_new_array();
	if (json_object_array_length(outbox->cold.contacts) < QUEUE_CONTACTS_MAX)
		json_object_array_add(outbox->cold.contacts, json_object_new_string(jid_format(chat, text, sizeof text)));
	outbox->cold.used++;
	/* Committed before the stanza is: the store takes commits in order. */
	queue_state_store(session);
}

/* ---- judging ---- */

static enum send_hold judge_new_contact(struct outbox *outbox, const struct outbox_item *item, int64_t now_ms, int64_t *until_ms)
{
	bool locked = outbox->lock.until_ms > now_ms, budget = outbox->policy.cold_per_day > 0;

	if (!locked && !budget)
		return HOLD_NONE;
	if (item->acquaintance != ACQUAINTANCE_NEW)
		return item->acquaintance == ACQUAINTANCE_UNKNOWN ? HOLD_CHECK : HOLD_NONE;
	if (locked) {
		*until_ms = outbox->lock.until_ms;
		return HOLD_RESTRICTED;
	}
	begin_day(outbox, now_ms);
	if (outbox->cold.used < outbox->policy.cold_per_day || spent_on(outbox, &item->node.chat))
		return HOLD_NONE;
	*until_ms = send_policy_next_day(&outbox->policy, now_ms);
	return HOLD_COLD_BUDGET;
}

static bool is_own(const struct session *session, const struct jid *chat)
{
	return jid_same_user(chat, &session->view.me_pn) || jid_same_user(chat, &session->view.me_lid);
}

static enum send_hold judge(void *arg, struct queue_node *node, int64_t *until_ms)
{
	struct session *session = arg;
	struct outbox *outbox = &session->outbox;
	const struct outbox_item *item = (const struct outbox_item *)node;
	int64_t now_ms = timefmt_now_ms();

	if (outbox->policy.paused)
		return HOLD_PAUSED;
	if (item->retry_ms > now_ms) {
		*until_ms = item->retry_ms;
		return HOLD_RETRY;
	}
	if (item->stanza.len)
		return HOLD_NONE;
	if (node->priority != SEND_HIGH && (*until_ms = send_policy_quiet_until(&outbox->policy, now_ms)) > 0)
		return HOLD_QUIET_HOURS;
	if (!jid_is_person(&node->chat) || is_own(session, &node->chat))
		return HOLD_NONE;
	return judge_new_contact(outbox, item, now_ms, until_ms);
}

/* Whoever waits for it is told, unless it will not take long. */
static void held(void *arg, struct queue_node *node)
{
	struct outbox_item *item = (struct outbox_item *)node;

	(void)arg;
	if (node->hold != HOLD_RETRY && node->hold != HOLD_CHECK)
		outbox_answer(item);
}

static void watch_release(struct session *session);

static void release_due(void *arg)
{
	struct session *session = arg;
	struct outbox *outbox = &session->outbox;

	if (!outbox->queue.release_ms || outbox->queue.release_ms > timefmt_now_ms()) {
		watch_release(session);
		return;
	}
	outbox_gate_changed(session);
}

static void watch_release(struct session *session)
{
	struct outbox *outbox = &session->outbox;
	int64_t wait_ms = outbox->queue.release_ms - timefmt_now_ms();

	if (!outbox->queue.release_ms)
		return;
	wait_ms = wait_ms < 0 ? 0 : wait_ms > OUTBOX_CLOCK_MS ? OUTBOX_CLOCK_MS : wait_ms;
	timer_start(session->on->timers, &outbox->release, timefmt_monotonic_ms() + wait_ms, release_due, session);
}

void outbox_gate_changed(struct session *session)
{
	send_queue_release(&session->outbox.queue);
	timer_stop(session->on->timers, &session->outbox.release);
	outbox_pump_soon(session);
}

struct outbox_item *outbox_gate(struct session *session)
{
	struct outbox *outbox = &session->outbox;
	const struct queue_judge judging = { .judge = judge, .held = held, .arg = session };
	struct queue_node *node = send_queue_next(&outbox->queue, &judging);

	start_checks(session);
	watch_release(session);
	if (!node)
		return NULL;
	if (outbox->policy.pace_ms > 0 && outbox->next_ms > timefmt_monotonic_ms()) {
		outbox_pump_at(session, outbox->next_ms);
		return NULL;
	}
	send_queue_remove(&outbox->queue, node);
	return (struct outbox_item *)node;
}

void outbox_passed(struct outbox_item *item)
{
	struct session *session = item->session;
	struct outbox *outbox = &session->outbox;

	if (outbox->policy.pace_ms > 0)
		outbox->next_ms = timefmt_monotonic_ms() + send_policy_gap_ms(&outbox->policy, session_random01(session->on));
	if (outbox->policy.cold_per_day > 0 && item->acquaintance == ACQUAINTANCE_NEW)
		spend(session, &item->node.chat);
}

int64_t outbox_pace_until(const struct outbox_item *item)
{
	const struct outbox *outbox = &item->session->outbox;
	int64_t pace_ms = outbox->policy.pace_ms, left_ms = outbox->next_ms - timefmt_monotonic_ms(), wait_ms;

	if (pace_ms <= 0)
		return 0;
	wait_ms = (left_ms > 0 ? left_ms : 0) + pace_ms * (int64_t)send_queue_ahead(&outbox->queue, &item->node, SIZE_MAX);
	return wait_ms > PACE_WAIT_MS ? timefmt_now_ms() + wait_ms : 0;
}

void outbox_policy_changed(struct session *session)
{
	struct outbox *outbox = &session->outbox;
	char error[96];

	send_policy_free(&outbox->policy);
	send_policy_init(&outbox->policy, session->on->daemon->config);
	if (!send_policy_apply(&outbox->policy, outbox->overrides, error, sizeof error))
		log_warn(&session->log, "a setting of the session's queue is not understood", LOG_STR("session", session->id), LOG_STR("reason", error));
	send_policy_ready(&outbox->policy);
	/* A shorter pause counts from now on. */
	if (outbox->next_ms > timefmt_monotonic_ms() + outbox->policy.pace_ms)
		outbox->next_ms = timefmt_monotonic_ms() + outbox->policy.pace_ms;
	outbox_gate_changed(session);
}
