/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Timers of disappearing messages. */
#include "sessiond/session/chattimer.h"

#include <stdlib.h>

#include "common/mem.h"
#include "sessiond/session/lookup.h"

/* More chats than this have no timer: whoever sets them up does not mean well. */
enum { MAX_TIMERS = 100000 };

static struct chat_timer *find(struct chat_timers *timers, const struct jid *chat)
{
	for (size_t i = 0; i < timers->n; i++) {
		if (jid_same_user(&timers->items[i].chat, chat))
			return &timers->items[i];
	}
	return NULL;
}

const struct chat_timer *chat_timers_find(const struct chat_timers *timers, const struct jid *chat)
{
	for (size_t i = 0; i < timers->n; i++) {
		if (jid_same_user(&timers->items[i].chat, chat))
			return &timers->items[i];
	}
	return NULL;
}

/* False if there is nothing new in it. */
static bool set(struct chat_timers *timers, const struct chat_timer *timer)
{
	struct chat_timer *known = find(timers, &timer->chat);

	if (known && (known->set_ms > timer->set_ms || (known->set_ms == timer->set_ms && known->seconds == timer->seconds)))
		return false;
	if (!known && (!timer->seconds || timers->n == MAX_TIMERS))
		return false;
	if (!known) {
		timers->items = xrealloc(timers->items, (timers->n + 1) * sizeof *timers->items);
		known = &timers->items[timers->n++];
	}
	*known = *timer;
	return true;
}

static void take(struct chat_timers *timers, struct store_tx *tx, int64_t session, const struct jid *chat, struct chat_timer timer)
{
	struct buf value = { 0 };
	char name[JID_TEXT_MAX];

	struct store_chat_change change = STORE_CHAT_CHANGE_NONE;

	if (jid_is_none(chat))
		return;
	timer.chat = jid_bare(chat);
	if (!set(timers, &timer))
		return;
	change.expiration_s = timer.seconds;
	store_tx_chat_put(tx, session, &(struct store_peer){ .jid = timer.chat }, &change, timer.set_ms);
	buf_be32(&value, timer.seconds);
	buf_be64(&value, (uint64_t)timer.set_ms);
	store_tx_record_put(tx, session, RECORD_TIMER, jid_format(&timer.chat, name, sizeof name), buf_span(&value), 0);
	buf_free(&value);
}

void chat_timers_take(struct chat_timers *timers, struct store_tx *tx, int64_t session, const struct wa_message *message)
{
	struct chat_timer timer = { 0 };
	int64_t set_s = 0;

	if (!jid_is_person(&message->chat) || !wa_chat_timer(buf_span(&message->plaintext), &timer.seconds, &set_s))
		return;
	/* Nobody sets a timer tomorrow. */
	timer.set_ms = set_s > 0 && set_s * 1000 < message->time_ms ? set_s * 1000 : message->time_ms;
	take(timers, tx, session, &message->chat, timer);
	take(timers, tx, session, &message->chat_pn, timer);
	take(timers, tx, session, &message->chat_lid, timer);
}

void chat_timers_load(struct chat_timers *timers, const char *name, struct span value)
{
	struct reader r = reader_of(value.p, value.n);
	struct chat_timer timer = { .seconds = read_be32(&r) };

	timer.set_ms = (int64_t)read_be64(&r);
	if (r.ok && !jid_parse_text(&timer.chat, name))
		set(timers, &timer);
}

void chat_timers_free(struct chat_timers *timers)
{
	free(timers->items);
	*timers = (struct chat_timers){ 0 };
}
