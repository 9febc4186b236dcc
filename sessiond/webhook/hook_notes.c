/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is to be written down of a hook, and what was asked for again (see hook.h). No I/O. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/webhook/hook.h"

void hook_note_free(struct hook_note *note)
{
	free(note->event_id);
	free(note->kind);
	free(note->error);
	buf_free(&note->sent);
	buf_free(&note->answer);
	free(note);
}

static void forget_oldest(struct hook_unstored *unstored)
{
	hook_note_free(unstored->notes[0]);
	unstored->notes_count--;
	memmove(unstored->notes, unstored->notes + 1, unstored->notes_count * sizeof(unstored->notes[0]));
}

static void add_note(struct hook_unstored *unstored, struct hook_note *note)
{
	if (unstored->notes_count == HOOK_NOTES)
		forget_oldest(unstored);
	unstored->notes[unstored->notes_count++] = note;
}

void hook_note(struct hook *hook, struct hook_note *note)
{
	add_note(&hook->unstored, note);
}

static void *grown(void *list, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return list;
	*room = *room ? 2 * *room : 16;
	return xrealloc(list, *room * size);
}

void hook_bury(struct hook *hook, int64_t number, const char *reason, int status)
{
	struct hook_unstored *u = &hook->unstored;

	u->dead = grown(u->dead, u->dead_count, &u->dead_room, sizeof(*u->dead));
	u->dead[u->dead_count++] = (struct hook_letter){ number, reason, status };
}

void hook_redelivered(struct hook *hook, int64_t number)
{
	struct hook_unstored *u = &hook->unstored;

	u->redelivered = grown(u->redelivered, u->redelivered_count, &u->redelivered_room, sizeof(*u->redelivered));
	u->redelivered[u->redelivered_count++] = number;
}

bool hook_has_counts(const struct hook_unstored *unstored)
{
	const struct store_counts *counts = &unstored->counts;

	return counts->delivered != 0 || counts->dead != 0 || counts->skipped != 0 || counts->missed != 0;
}

bool hook_has_unstored(const struct hook *hook)
{
	const struct hook_unstored *u = &hook->unstored;

	return hook->put_due || hook->cursor != hook->stored_cursor || u->dead_count > 0 || u->redelivered_count > 0 || hook_has_counts(u);
}

void hook_unstored_take(struct hook_unstored *from, struct hook_unstored *to, bool with_notes)
{
	struct hook_unstored kept = { 0 };

	*to = *from;
	if (!with_notes) {
		memcpy(kept.notes, from->notes, sizeof(kept.notes));
		kept.notes_count = from->notes_count;
		to->notes_count = 0;
	}
	*from = kept;
}

void hook_unstored_merge(struct hook_unstored *to, struct hook_unstored *from)
{
	struct hook_unstored later = *to;

	/* The earlier ones come first: the list of `from` is taken and what came meanwhile goes behind. */
	*to = *from;
	*from = (struct hook_unstored){ 0 };
	to->counts.delivered += later.counts.delivered;
	to->counts.dead += later.counts.dead;
	to->counts.skipped += later.counts.skipped;
	to->counts.missed += later.counts.missed;
	for (size_t i = 0; i < later.dead_count; i++) {
		to->dead = grown(to->dead, to->dead_count, &to->dead_room, sizeof(*to->dead));
		to->dead[to->dead_count++] = later.dead[i];
	}
	for (size_t i = 0; i < later.redelivered_count; i++) {
		to->redelivered = grown(to->redelivered, to->redelivered_count, &to->redelivered_room, sizeof(*to->redelivered));
		to->redelivered[to->redelivered_count++] = later.redelivered[i];
	}
	for (size_t i = 0; i < later.notes_count; i++)
		add_note(to, later.notes[i]);
	free(later.dead);
	free(later.redelivered);
}

void hook_unstored_free(struct hook_unstored *unstored)
{
	for (size_t i = 0; i < unstored->notes_count; i++)
		hook_note_free(unstored->notes[i]);
	free(unstored->dead);
	free(unstored->redelivered);
	*unstored = (struct hook_unstored){ 0 };
}

/* ---- what was asked for again --------------------------------------------------------------------------------------------------- */

bool hook_replay_add(struct hook *hook, int64_t from, int64_t to)
{
	struct hook_replay **end = &hook->replays;

	if (hook->replays_count == HOOK_REPLAYS)
		return false;
	while (*end)
		end = &(*end)->after;
	*end = xcalloc(1, sizeof(**end));
	(*end)->next = from;
	(*end)->to = to;
	hook->replays_count++;
	return true;
}

struct hook_replay *hook_replay_now(struct hook *hook)
{
	while (hook->replays && hook->replays->next > hook->replays->to) {
		struct hook_replay *over = hook->replays;

		hook->replays = over->after;
		hook->replays_count--;
		free(over);
	}
	return hook->replays;
}

void hook_replays_free(struct hook *hook)
{
	while (hook->replays) {
		struct hook_replay *over = hook->replays;

		hook->replays = over->after;
		free(over);
	}
	hook->replays_count = 0;
}

static void put_range(struct buf *out, int64_t from, int64_t to)
{
	buf_printf(out, "%s%" PRId64 "-%" PRId64, out->len ? "," : "", from, to);
}

void hook_replays_write(const struct hook *hook, struct buf *out)
{
	int64_t from = 0, to = -1;

	/* What was read and has not arrived, then what has not been read. */
	for (size_t i = 0; i < hook->count; i++) {
		const struct delivery *delivery = hook->window[i];

		if (!delivery->replay || delivery->state == DELIVERY_DONE)
			continue;
		if (from > 0 && delivery->number != to + 1)
			put_range(out, from, to);
		if (from == 0 || delivery->number != to + 1)
			from = delivery->number;
		to = delivery->number;
	}
	for (const struct hook_replay *replay = hook->replays; replay; replay = replay->after) {
		if (replay->next > replay->to)
			continue;
		if (from > 0 && replay->next != to + 1)
			put_range(out, from, to);
		if (from == 0 || replay->next != to + 1)
			from = replay->next;
		to = replay->to;
	}
	if (from > 0)
		put_range(out, from, to);
}

void hook_replays_read(struct hook *hook, const char *text)
{
	while (text && *text) {
		char *end;
		int64_t from = strtoll(text, &end, 10), to;

		if (*end != '-')
			return;
		to = strtoll(end + 1, &end, 10);
		if (from <= 0 || to < from || (*end != ',' && *end) || !hook_replay_add(hook, from, to))
			return;
		text = *end ? end + 1 : end;
	}
}
