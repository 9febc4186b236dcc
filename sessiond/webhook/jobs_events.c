/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is read of the journal: what comes next, a text once more, what was asked for again (see jobs.h). */
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"
#include "sessiond/webhook/jobs.h"

/* So many numbers of one order; dead letters become as many ranges at most. */
#define REPLAY_MAX 100000

static void read_events(struct store_reader *reader, struct job *job)
{
	job->error = store_event_list(reader, &job->arena, job->session, job->number, (size_t)job->to, HOOK_WINDOW_BYTES, &job->events,
	                              &job->event_count);
	if (!job->error)
		job->error = store_receiver_list(reader, &job->arena, job->session, &job->receivers, &job->receiver_count);
	/* Those that were given up before the last end, behind the cursor of then. */
	if (!job->error && job->event_count > 0 && job->last > job->number)
		job->error = store_dead_letter_list(reader, &job->arena, job->session, job->receiver, job->number, job->event_count, &job->letters,
		                                    &job->letter_count);
}

static bool is_letter(const struct job *job, int64_t number)
{
	for (size_t i = 0; i < job->letter_count; i++)
		if (job->letters[i].number == number)
			return true;
	return false;
}

/* False: no room, it must be read again. */
static bool take_event(struct hook *hook, const struct job *job, const struct store_event *event)
{
	const struct webhook_options *options = &hook->webhooks->options;

	if (!target_wants(&hook->target, event->kind, options->more_events, options->more_count)) {
		if (!job->replay)
			hook_take(hook, event->number, ENDED_SKIPPED);
		return true;
	}
	if (!job->replay && is_letter(job, event->number)) {
		hook_take(hook, event->number, ENDED_DEAD);
		return true;
	}
	return hook_add(hook, event, job->replay);
}

static void take_events(struct hook *hook, struct job *job)
{
	struct hook_replay *replay = job->replay ? hook_replay_now(hook) : NULL;

	for (size_t i = 0; i < job->event_count; i++) {
		const struct store_event *event = &job->events[i];

		if (replay && event->number > replay->to) {
			replay->next = replay->to + 1;
			return;
		}
		if (!replay && event->number <= hook->tail)
			continue;
		if (!take_event(hook, job, event))
			return;
		if (replay)
			replay->next = event->number + 1;
	}
	if (replay && job->event_count == 0 && !job->error)
		replay->next = replay->to + 1;
}

/* What was read need not have been all that was there: the answer was full, or the window is. */
static bool may_be_more(const struct hook *hook, const struct job *job)
{
	size_t bytes = 0;

	for (size_t i = 0; i < job->event_count; i++)
		bytes += job->events[i].payload.n;
	return job->event_count >= (size_t)job->to || bytes >= HOOK_WINDOW_BYTES ||
	       (job->event_count > 0 && job->events[job->event_count - 1].number > hook->tail);
}

static void finish_events(struct job *job)
{
	struct hook *hook = job->hook;

	hook->reading = false;
	/* Off since, or on again with another place to begin. */
	if (hook->state == HOOK_OFF || (job->replay ? !hook_replay_now(hook) : hook->tail != job->number)) {
		hook->dirty = true;
		deliver_pump(hook);
		return;
	}
	for (size_t i = 0; i < job->receiver_count; i++) {
		if (strcmp(job->receivers[i].name, hook->name) == 0) {
			hook->lost = job->receivers[i].lost;
			hook->overflow = job->receivers[i].overflow;
		}
	}
	take_events(hook, job);
	if (hook->state == HOOK_PAUSED || hook->state == HOOK_HELD)
		hook_forget_data(hook);
	if (job->error) {
		job_warn(job, "webhooks: events could not be read");
		hook->dirty = true;
		deliver_later(hook, STORE_RETRY_MS);
		return;
	}
	if (!job->replay && may_be_more(hook, job))
		hook->dirty = true;
	deliver_pump(hook);
}

void jobs_read(struct hook *hook)
{
	const struct hook_replay *replay = hook_replay_now(hook);
	struct job *job;

	if (hook->reading || (!replay && !hook->dirty))
		return;
	hook->reading = true;
	job = job_new(hook->webhooks, hook);
	job->receiver = xstrdup(hook->name);
	job->replay = replay != NULL;
	job->number = replay ? replay->next - 1 : hook->tail;
	job->to = (int64_t)(HOOK_WINDOW - hook->count);
	job->last = replay ? 0 : hook->known;
	if (!replay)
		hook->dirty = false;
	job_read(job, read_events, finish_events);
}

static void read_event(struct store_reader *reader, struct job *job)
{
	job->events = arena_alloc(&job->arena, sizeof(*job->events));
	job->error = store_event_get(reader, &job->arena, job->session, job->number, job->events);
}

static void finish_event(struct job *job)
{
	struct hook *hook = job->hook;

	hook->probing = false;
	for (size_t i = 0; i < hook->count; i++) {
		struct delivery *delivery = hook->window[i];

		if (delivery->number != job->number || delivery->state != DELIVERY_FETCHING)
			continue;
		delivery->state = DELIVERY_WAITING;
		if (job->error == STORE_NOT_FOUND) {
			/* The journal's bound took it; the store has counted that as lost. */
			delivery->state = DELIVERY_DONE;
			delivery->ended = ENDED_MISSED;
		} else if (job->error) {
			job_warn(job, "webhooks: an event could not be read");
			delivery->due_ms = webhooks_now_ms(hook->webhooks) + STORE_RETRY_MS;
			if (hook->state == HOOK_PAUSED)
				hook->pause_until_ms = delivery->due_ms;
		} else {
			buf_clear(&delivery->data);
			buf_append_span(&delivery->data, job->events[0].payload);
		}
	}
	deliver_pump(hook);
}

void jobs_fetch(struct delivery *delivery)
{
	struct job *job = job_new(delivery->hook->webhooks, delivery->hook);

	job->number = delivery->number;
	job_read(job, read_event, finish_event);
}

/* ---- once more ------------------------------------------------------------------------------------------------------------------- */

static void read_wanted(struct store_reader *reader, struct job *job)
{
	const struct webhook_replay *wanted = &job->wanted;

	job->error = store_event_range(reader, job->session, &job->first, &job->last);
	job->number = wanted->from;
	job->to = wanted->to;
	if (!job->error && wanted->event_id) {
		job->error = store_event_number(reader, job->session, wanted->event_id, &job->number);
		job->to = job->number > 0 ? job->number : -1;
	} else if (!job->error && wanted->since_ms > 0) {
		job->error = store_event_between(reader, job->session, wanted->since_ms, wanted->until_ms, &job->number, &job->to);
		if (job->number == 0)
			job->to = -1;
	}
	if (!job->error && wanted->letters)
		job->error = store_dead_letter_list(reader, &job->arena, job->session, job->receiver, job->number - 1, HOOK_REPLAYS, &job->letters,
		                                    &job->letter_count);
}

/* Letters, each a range of its own unless it follows the one before. */
static int queue_letters(struct hook *hook, const struct job *job, int64_t to)
{
	int count = 0;

	for (size_t i = 0; i < job->letter_count;) {
		size_t run = 1;

		while (i + run < job->letter_count && job->letters[i + run].number == job->letters[i].number + (int64_t)run)
			run++;
		if (job->letters[i].number > to)
			break;
		if (job->letters[i].number + (int64_t)run - 1 > to)
			run = (size_t)(to - job->letters[i].number + 1);
		if (!hook_replay_add(hook, job->letters[i].number, job->letters[i].number + (int64_t)run - 1))
			return count > 0 ? count : -2;
		count += (int)run;
		i += run;
	}
	return count;
}

static int queue_wanted(struct job *job)
{
	struct hook *hook = webhooks_find(job->webhooks, job->session, job->receiver);
	int64_t from = job->number > job->first ? job->number : job->first;
	int64_t to = job->to < job->last ? job->to : job->last;

	if (!hook)
		return -1;
	if (job->error)
		return -3;
	/* What the window still holds or has not read is on its way without a replay. */
	if (to > hook->cursor)
		to = hook->cursor;
	if (job->first == 0 || !hook->url)
		return 0;
	if (job->wanted.letters)
		return queue_letters(hook, job, to);
	if (to - from >= REPLAY_MAX)
		to = from + REPLAY_MAX - 1;
	if (to < from)
		return 0;
	return hook_replay_add(hook, from, to) ? (int)(to - from + 1) : -2;
}

static void finish_wanted(struct job *job)
{
	struct hook *hook;
	int count = queue_wanted(job);

	if (count == -3)
		job_warn(job, "webhooks: what is to be delivered again could not be read");
	hook = count > 0 ? webhooks_find(job->webhooks, job->session, job->receiver) : NULL;
	if (!hook) {
		job->done(job->arg, count);
		return;
	}
	jobs_store_replays(hook, count, job->done, job->arg);
	deliver_pump(hook);
	jobs_read(hook);
}

void jobs_replay(struct webhooks *webhooks, const struct webhook_replay *wanted, void (*done)(void *arg, int count), void *arg)
{
	struct job *job = job_new(webhooks, NULL);

	job->wanted = *wanted;
	job->session = wanted->session;
	job->receiver = xstrdup(wanted->receiver);
	job->session_id = wanted->event_id ? xstrdup(wanted->event_id) : NULL;
	job->wanted.receiver = job->receiver;
	job->wanted.event_id = job->session_id;
	job->done = done;
	job->arg = arg;
	job_read(job, read_wanted, finish_wanted);
}
