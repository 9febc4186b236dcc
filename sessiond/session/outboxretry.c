/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Attempts that fail (config 5): the next one has the same message id, and once there is a stanza the same bytes, so that nothing comes
 * twice. What WhatsApp refuses for good is not tried again.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"
#include "sessiond/daemon.h"
#include "sessiond/session/object.h"

enum {
	/* One recipient about whom nothing can be learnt does not hold up all others for longer. */
	SLOT_MS = 5000,
	CODE_TIMED_OUT = 408,
	CODE_TOO_MANY = 429,
	CODE_SERVER_ERROR = 500
};

static void timed_out(void *arg);

static void slow(void *arg)
{
	struct outbox_item *item = arg;

	outbox_end_slot(item);
	outbox_pump(item->session);
}

void outbox_attempt(struct outbox_item *item)
{
	struct session *session = item->session;
	struct outbox *outbox = &session->outbox;
	int64_t now_ms = timefmt_monotonic_ms();

	if (!item->slot)
		outbox->slots++;
	item->slot = true;
	item->built = false;
	timer_start(session->on->timers, &item->slow, now_ms + SLOT_MS, slow, item);
	if (outbox->policy.timeout_ms > 0)
		timer_start(session->on->timers, &item->attempt, now_ms + outbox->policy.timeout_ms, timed_out, item);
}

static bool has_more(struct outbox_item *item)
{
	const struct send_policy *policy = &item->session->outbox.policy;

	if (item->attempts >= policy->max_retries)
		return false;
	item->attempts++;
	item->retry_ms = timefmt_now_ms() + send_policy_retry_ms(policy, item->attempts, session_random01(item->session->on));
	item->session->outbox.stats.retried++;
	item->session->on->daemon->metrics.queue_retried++;
	return true;
}

static bool is_passing(int code)
{
	return code == 0 || code == CODE_TIMED_OUT || code == CODE_TOO_MANY || code >= CODE_SERVER_ERROR;
}

bool outbox_retries(struct session *session, struct store_tx *tx, const struct wa_event *event)
{
	struct outbox_item *item = outbox_find(session, (int64_t)event->tag);

	if (!item || !is_passing(event->code) || !has_more(item))
		return false;
	item->retrying = true;
	store_tx_outbox_retry(tx, item->node.number, item->retry_ms, timefmt_now_ms());
	return true;
}

void outbox_retry(struct outbox_item *item)
{
	struct session *session = item->session;

	item->retrying = false;
	outbox_unlink(item);
	outbox_end_slot(item);
	timer_stop(session->on->timers, &item->attempt);
	item->node.chat = jid_bare(&item->to);
	send_queue_add(&session->outbox.queue, &item->node);
	outbox_pump_soon(session);
}

static void give_up(struct outbox_item *item)
{
	struct session *session = item->session;
	struct store_tx *tx = store_tx_new(session->on->daemon->store);
	struct wa_event *event = wa_event_new(WA_EVENT_SEND_FAILED);

	event->tag = (uint64_t)item->node.number;
	event->code = CODE_TIMED_OUT;
	event->text = xasprintf("Queue task timed out after %lld ms", (long long)session->outbox.policy.timeout_ms);
	store_tx_outbox_fail(tx, item->node.number, event->code, event->text, timefmt_now_ms());
	event_of_batch(session, tx, event);
	event_commit(session, tx);
	outbox_on_stored(session, event);
	wa_event_free(event);
}

/* The attempt has taken too long. Once there is a stanza it is on its way, and only the ack is waited for. */
static void timed_out(void *arg)
{
	struct outbox_item *item = arg;
	struct session *session = item->session;
	struct store_tx *tx;

	if (item->built || (item->node.in == &session->outbox.handed && session->client && !wa_client_withdraw(session->client, (uint64_t)item->node.number)))
		return;
	session->outbox.stats.timed_out++;
	session->on->daemon->metrics.queue_timed_out++;
	timer_stop(session->on->timers, &session->outbox.presence);
	session->outbox.step = 0;
	if (!has_more(item)) {
		give_up(item);
		return;
	}
	tx = store_tx_new(session->on->daemon->store);
	store_tx_outbox_retry(tx, item->node.number, item->retry_ms, timefmt_now_ms());
	store_commit(session->on->daemon->store, tx, NULL, NULL);
	outbox_retry(item);
}
