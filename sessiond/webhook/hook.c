/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One receiver of a session: window, lanes, cursor, and what answers do to them (see hook.h). No I/O, no clock. */
#include "sessiond/webhook/hook.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

/* After 404 or 410 three times in a row, at least this long apart from first to last, a URL may be cleared (if that is wanted). */
#define GONE_TIMES 3U
#define GONE_MS 60000

void delivery_free(struct delivery *delivery)
{
	free(delivery->event_id);
	free(delivery->kind);
	buf_free(&delivery->data);
	buf_free(&delivery->body);
	free(delivery);
}

void hook_drop(struct hook *hook)
{
	for (size_t i = 0; i < hook->count; i++)
		delivery_free(hook->window[i]);
	hook->count = 0;
	hook->probing = hook->bypassing = false;
	hook->replays_due = hook->replays_due || hook->replays;
	hook_replays_free(hook);
}

void hook_release(struct hook *hook)
{
	hook_drop(hook);
	hook_unstored_free(&hook->unstored);
	target_free(&hook->target);
	buf_free(&hook->ends);
	free(hook->id);
	free(hook->label);
	free(hook->registry);
	free(hook->username);
	free(hook->name);
	free(hook->url);
	free(hook->secret);
	free(hook->last_error);
}

/* ---- what came, and how it ends ------------------------------------------------------------------------------------------------- */

bool hook_has_room(const struct hook *hook)
{
	return hook->count < HOOK_WINDOW && hook->tail - hook->cursor < HOOK_SPAN;
}

void hook_take(struct hook *hook, int64_t number, enum ended ended)
{
	if (number <= hook->tail)
		return;
	/* Numbers that were left out are gone from the journal. */
	for (; hook->tail + 1 < number; hook->tail++)
		buf_u8(&hook->ends, ENDED_MISSED);
	buf_u8(&hook->ends, (uint8_t)ended);
	hook->tail = number;
}

static int64_t *count_of(struct store_counts *counts, enum ended ended)
{
	switch (ended) {
	case ENDED_DELIVERED: return &counts->delivered;
	case ENDED_DEAD: return &counts->dead;
	case ENDED_SKIPPED: return &counts->skipped;
	case ENDED_MISSED:
	case ENDED_OPEN: break;
	}
	return &counts->missed;
}

void hook_jump(struct hook *hook, int64_t number)
{
	/* What it had before is still what it was. */
	for (size_t i = 0; i < hook->ends.len && hook->cursor < number; i++, hook->cursor++) {
		enum ended ended = (enum ended)hook->ends.data[i];

		++*count_of(&hook->unstored.counts, ended == ENDED_OPEN ? ENDED_SKIPPED : ended);
	}
	if (number > hook->cursor) {
		hook->unstored.counts.skipped += number - hook->cursor;
		hook->cursor = number;
	}
	buf_clear(&hook->ends);
	hook->tail = hook->cursor;
}

/* FNV-1a. Two chats with one value only wait for each other. */
static uint64_t lane_of(const char *chat)
{
	uint64_t hash = 0xcbf29ce484222325U;

	for (; chat && *chat; chat++)
		hash = (hash ^ (unsigned char)*chat) * 0x100000001b3U;
	return hash;
}

/* What must stay in order has one lane. */
static uint64_t lane_for(const struct hook *hook, const struct store_event *event)
{
	switch (hook->target.scope) {
	case ORDER_SESSION: return 0;
	case ORDER_NONE: return (uint64_t)event->number;
	case ORDER_CHAT: break;
	}
	return lane_of(event->chat);
}

bool hook_add(struct hook *hook, const struct store_event *event, bool replay)
{
	struct delivery *delivery;

	if (hook->count == HOOK_WINDOW)
		return false;
	delivery = xcalloc(1, sizeof(*delivery));
	delivery->hook = hook;
	delivery->number = event->number;
	delivery->lane = lane_for(hook, event);
	delivery->replay = replay;
	delivery->time_ms = event->time_ms;
	delivery->event_id = xstrdup(event->event_id);
	delivery->kind = xstrdup(event->kind);
	buf_append_span(&delivery->data, event->payload);
	/* After a restart the attempts of before are known for the receiver as a whole only; the first in line is what they were about. */
	if (!replay && hook->count == 0 && event->number == hook->cursor + 1 && hook->failures > 0)
		delivery->attempts = (unsigned)hook->failures;
	hook->window[hook->count++] = delivery;
	if (!replay)
		hook_take(hook, event->number, ENDED_OPEN);
	return true;
}

bool hook_take_next(struct hook *hook, const struct store_event *event, const struct webhook_options *options)
{
	if (hook->state == HOOK_OFF || hook->dirty || hook->reading || event->number != hook->tail + 1 || !hook_has_room(hook))
		return false;
	if (!target_wants(&hook->target, event->kind, options->more_events, options->more_count))
		hook_take(hook, event->number, ENDED_SKIPPED);
	else if (!hook_add(hook, event, false))
		return false;
	if (hook->state != HOOK_ACTIVE)
		hook_forget_data(hook);
	return true;
}

static bool is_lane_head(const struct hook *hook, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (hook->window[i]->lane == hook->window[index]->lane && hook->window[i]->state != DELIVERY_DONE)
			return false;
	return true;
}

/* True for what may be tried past events that were refused often enough. */
static bool is_bypass(const struct hook *hook, size_t index)
{
	if (hook->window[index]->state != DELIVERY_WAITING || hook->window[index]->refusals >= HOOK_REFUSALS)
		return false;
	for (size_t i = 0; i < index; i++)
		if (hook->window[i]->lane == hook->window[index]->lane && hook->window[i]->state != DELIVERY_DONE &&
		    hook->window[i]->refusals < HOOK_REFUSALS)
			return false;
	return true;
}

static struct delivery *find_bypass(const struct hook *hook)
{
	for (size_t i = 0; i < hook->count; i++)
		if (is_bypass(hook, i))
			return hook->window[i];
	return NULL;
}

/* Probes take turns among the chats: one bad event must not make a healthy receiver look dead. */
static struct delivery *next_probe(struct hook *hook)
{
	struct delivery *best = hook->bypassing ? find_bypass(hook) : NULL;

	for (size_t i = 0; i < hook->count && !hook->bypassing; i++) {
		struct delivery *delivery = hook->window[i];

		if (delivery->state == DELIVERY_WAITING && is_lane_head(hook, i) && (!best || delivery->tried_ms < best->tried_ms))
			best = delivery;
	}
	return best;
}

static unsigned parallel_of(const struct hook *hook)
{
	unsigned most = target_parallel(&hook->target);

	return hook->unproven && most > HOOK_UNPROVEN ? HOOK_UNPROVEN : most;
}

struct delivery *hook_next(struct hook *hook, int64_t now_ms, int64_t *due_ms)
{
	*due_ms = INT64_MAX;
	if (hook->state == HOOK_OFF || hook->state == HOOK_HELD || hook->in_flight >= parallel_of(hook))
		return NULL;
	if (hook->state == HOOK_PAUSED) {
		if (hook->probing)
			return NULL;
		if (now_ms < hook->pause_until_ms) {
			if (hook->count > 0)
				*due_ms = hook->pause_until_ms;
			return NULL;
		}
	}
	if (hook->state == HOOK_PAUSED) {
		struct delivery *probe = next_probe(hook);

		/* What was to be tried instead may be gone meanwhile. */
		if (!probe && hook->bypassing) {
			hook->bypassing = false;
			probe = next_probe(hook);
		}
		return probe;
	}
	for (size_t i = 0; i < hook->count; i++) {
		struct delivery *delivery = hook->window[i];

		if (delivery->state != DELIVERY_WAITING || !is_lane_head(hook, i))
			continue;
		if (delivery->due_ms <= now_ms)
			return delivery;
		if (delivery->due_ms < *due_ms)
			*due_ms = delivery->due_ms;
	}
	return NULL;
}

void hook_settle(struct hook *hook)
{
	size_t kept = 0, passed = 0;

	for (size_t i = 0; i < hook->count; i++) {
		struct delivery *delivery = hook->window[i];

		if (delivery->state != DELIVERY_DONE) {
			hook->window[kept++] = delivery;
			continue;
		}
		if (!delivery->replay && delivery->number > hook->cursor)
			hook->ends.data[delivery->number - hook->cursor - 1] = (uint8_t)delivery->ended;
		hook->replays_due = hook->replays_due || delivery->replay;
		delivery_free(delivery);
	}
	hook->count = kept;
	while (passed < hook->ends.len && hook->ends.data[passed] != ENDED_OPEN)
		++*count_of(&hook->unstored.counts, (enum ended)hook->ends.data[passed++]);
	buf_consume(&hook->ends, passed);
	hook->cursor += (int64_t)passed;
}

/* Takes it out of line, to be written as a dead letter. One that was asked for again is one already. */
static void bury(struct hook *hook, struct delivery *delivery, const char *reason, int status)
{
	delivery->state = DELIVERY_DONE;
	delivery->ended = ENDED_DEAD;
	if (!delivery->replay)
		hook_bury(hook, delivery->number, reason, status);
}

void hook_expire(struct hook *hook, int64_t wall_ms, int64_t retention_ms)
{
	for (size_t i = 0; i < hook->count; i++) {
		struct delivery *delivery = hook->window[i];

		if (delivery->state == DELIVERY_WAITING && delivery->time_ms > 0 && wall_ms - delivery->time_ms > retention_ms)
			bury(hook, delivery, "not delivered within the retention time", hook->last_status);
	}
}

void hook_unblock(struct hook *hook)
{
	if (hook->tail - hook->cursor < HOOK_AHEAD)
		return;
	for (size_t i = 0; i < hook->count; i++) {
		struct delivery *delivery = hook->window[i];

		if (delivery->replay)
			continue;
		if (delivery->state == DELIVERY_WAITING && delivery->failing_ms > 0)
			bury(hook, delivery, "the receiver keeps failing on it while it takes others", hook->last_status);
		break;
	}
}

/* ---- answers ------------------------------------------------------------------------------------------------------------------- */

static void succeed(struct hook *hook, struct delivery *delivery, const struct hook_answer *answer)
{
	bool was_failing = hook->failures > 0 || hook->state == HOOK_PAUSED || hook->last_error;

	delivery->state = DELIVERY_DONE;
	delivery->ended = ENDED_DELIVERED;
	if (delivery->replay)
		hook_redelivered(hook, delivery->number);
	hook->delivered_ms = answer->wall_ms;
	hook->success_ms = answer->now_ms;
	if (!was_failing)
		return;
	hook_forget_failures(hook);
	hook->put_due = true;
}

static void note_failure(struct hook *hook, struct delivery *delivery, const struct hook_answer *answer)
{
	hook->failures++;
	hook->last_status = answer->status;
	free(hook->last_error);
	hook->last_error = answer->text && answer->text[0] ? xstrdup(answer->text) : xasprintf("the receiver answered %d", answer->status);
	if (hook->failed_since_ms == 0)
		hook->failed_since_ms = answer->wall_ms;
	if (delivery->failing_ms == 0)
		delivery->failing_ms = answer->now_ms;
	hook->put_due = true;
}

static void pause_hook(struct hook *hook, int64_t pause_ms, const struct hook_answer *answer)
{
	/* What an operator holds stays held; its last answers say what would come. */
	if (hook->state == HOOK_HELD)
		return;
	hook->state = HOOK_PAUSED;
	hook->pauses++;
	hook->pause_until_ms = answer->now_ms + pause_ms;
	hook->next_ms = answer->wall_ms + pause_ms;
	for (size_t i = 0; i < hook->count; i++) {
		struct delivery *delivery = hook->window[i];

		if (delivery->state != DELIVERY_WAITING)
			continue;
		/* A pause can be long: the next delivery has a time stamp of its own. */
		delivery->round = 0;
		buf_free(&delivery->body);
	}
	hook_forget_data(hook);
}

/* True if the receiver has taken something else since this event began to fail. */
static bool is_healthy_otherwise(const struct hook *hook, const struct delivery *delivery)
{
	return hook->success_ms > 0 && hook->success_ms >= delivery->failing_ms;
}

static void count_gone(struct hook *hook, const struct hook_answer *answer, const struct webhook_options *options)
{
	if (answer->verdict != VERDICT_GONE) {
		hook->gone = 0;
		return;
	}
	if (hook->gone++ == 0)
		hook->gone_since_ms = answer->now_ms;
	if (options->clear_gone && options->clear_url && hook->own_url && hook->gone >= GONE_TIMES &&
	    answer->now_ms - hook->gone_since_ms >= GONE_MS)
		options->clear_url(options->ctx, hook->session, hook->id);
}

/* The receiver said no to this delivery: trying again soon would not help. */
static void refuse(struct hook *hook, struct delivery *delivery, const struct hook_answer *answer, const struct webhook_options *options,
                   bool was_bypass)
{
	delivery->refusals++;
	if (answer->verdict == VERDICT_FORBIDDEN) {
		pause_hook(hook, options->security_pause_ms, answer);
		return;
	}
	if (is_healthy_otherwise(hook, delivery) && hook->failures < HOOK_FAILURES) {
		if (delivery->refusals >= HOOK_REFUSALS) {
			bury(hook, delivery, "the receiver refuses it", answer->status);
			return;
		}
		delivery->due_ms = answer->now_ms + verdict_pause_ms(delivery->refusals, options->pause_ms, answer->random);
		return;
	}
	if (hook->state == HOOK_PAUSED && delivery->refusals >= HOOK_REFUSALS && !was_bypass && find_bypass(hook)) {
		/* Is it the receiver or the event? Another event tells, at once; should it be taken, this one is tried again right after. */
		hook->bypassing = true;
		hook->pause_until_ms = answer->now_ms;
		return;
	}
	pause_hook(hook, verdict_pause_ms(hook->pauses + 1, options->pause_ms, answer->random), answer);
}

void hook_judge(struct hook *hook, struct delivery *delivery, const struct hook_answer *answer, const struct webhook_options *options)
{
	bool was_bypass = hook->bypassing;

	delivery->state = DELIVERY_WAITING;
	hook->probing = hook->bypassing = false;
	if (delivery->generation != hook->generation) {
		/* That was the old address; its answer says nothing about the new one. But what it took, it has. */
		if (answer->verdict == VERDICT_DELIVERED) {
			delivery->state = DELIVERY_DONE;
			delivery->ended = ENDED_DELIVERED;
		}
		return;
	}
	count_gone(hook, answer, options);
	if (answer->verdict == VERDICT_DELIVERED) {
		succeed(hook, delivery, answer);
		return;
	}
	note_failure(hook, delivery, answer);
	if (answer->verdict != VERDICT_RETRY) {
		refuse(hook, delivery, answer, options, was_bypass);
		return;
	}
	if (hook->state == HOOK_ACTIVE && hook->failures < HOOK_FAILURES && delivery->round > options->retries &&
	    is_healthy_otherwise(hook, delivery)) {
		/* Only this one does not get through: its chat waits, the others go on. */
		delivery->rounds++;
		delivery->round = 0;
		buf_free(&delivery->body);
		delivery->due_ms = answer->now_ms + verdict_pause_ms(delivery->rounds, options->pause_ms, answer->random);
		return;
	}
	if (hook->state == HOOK_PAUSED || hook->failures >= HOOK_FAILURES || delivery->round > options->retries) {
		pause_hook(hook, verdict_pause_ms(hook->pauses + 1, options->pause_ms, answer->random), answer);
		return;
	}
	delivery->due_ms = answer->now_ms + verdict_retry_ms(delivery->round, options->backoff_ms, options->jitter_ms, answer->random,
	                                                     answer->status, answer->retry_after_s);
}

void hook_hold(struct hook *hook)
{
	if (hook->state == HOOK_OFF || hook->state == HOOK_HELD)
		return;
	hook->state = HOOK_HELD;
	hook->next_ms = 0;
	hook->put_due = true;
	hook_forget_data(hook);
}

void hook_resume(struct hook *hook)
{
	if (hook->state == HOOK_HELD) {
		hook->state = HOOK_ACTIVE;
		hook->pauses = 0;
		hook->failures = 0;
		hook->put_due = true;
	}
	hook->pause_until_ms = 0;
	for (size_t i = 0; i < hook->count; i++)
		hook->window[i]->due_ms = 0;
}

void hook_forget_failures(struct hook *hook)
{
	if (hook->state == HOOK_PAUSED) {
		hook->state = HOOK_ACTIVE;
		for (size_t i = 0; i < hook->count; i++)
			hook->window[i]->due_ms = 0;
	}
	hook->failures = 0;
	hook->pauses = 0;
	hook->failed_since_ms = hook->next_ms = 0;
	hook->last_status = 0;
	free(hook->last_error);
	hook->last_error = NULL;
	hook->gone = 0;
}

void hook_forget_data(struct hook *hook)
{
	for (size_t i = 0; i < hook->count; i++)
		if (hook->window[i]->state == DELIVERY_WAITING && hook->window[i]->body.len == 0)
			buf_free(&hook->window[i]->data);
}

void hook_forget_bodies(struct hook *hook)
{
	for (size_t i = 0; i < hook->count; i++)
		if (hook->window[i]->state != DELIVERY_SENDING)
			buf_free(&hook->window[i]->body);
}
