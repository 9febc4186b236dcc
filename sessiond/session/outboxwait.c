/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests that wait until the recipient has the message, see outbox.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/daemon.h"
#include "sessiond/session/object.h"

/* Somebody who wants to know that an acked message has reached the recipient. */
struct delivery_wait {
	struct delivery_wait *next;
	struct session *session;
	char id[SEND_ROW_ID_MAX + 1];
	struct send_job *job;   /* borrowed */
	size_t index;
	int64_t acked_ms;
	struct timer timeout;
};

/* Takes the wait out of the list, from the place that points to it. */
static void end_delivery(struct delivery_wait **at, bool delivered)
{
	struct delivery_wait *wait = *at;
	struct session *session = wait->session;
	struct send_result decision = { .acked = true, .delivered = delivered, .time_ms = wait->acked_ms };

	*at = wait->next;
	timer_stop(session->on->timers, &wait->timeout);
	outbox_decide(session, wait->job, wait->index, &decision);
	free(wait);
}

static void delivery_overdue(void *arg)
{
	const struct delivery_wait *wait = arg;
	struct delivery_wait **at = &wait->session->outbox.delivery;

	while (*at != wait)
		at = &(*at)->next;
	end_delivery(at, false);
}

void outbox_await_delivery(struct outbox_item *item, int64_t acked_ms)
{
	struct session *session = item->session;
	struct delivery_wait *wait = xcalloc(1, sizeof *wait);

	wait->session = session;
	snprintf(wait->id, sizeof wait->id, "%s", route_message_id(&item->route, item->id));
	wait->job = item->job;
	wait->index = item->index;
	wait->acked_ms = acked_ms;
	wait->next = session->outbox.delivery;
	session->outbox.delivery = wait;
	item->job = NULL;
	timer_stop(session->on->timers, &item->ack);
	timer_start(session->on->timers, &wait->timeout, timefmt_monotonic_ms() + session->on->daemon->config->send_delivery_timeout_ms,
		delivery_overdue, wait);
}

void outbox_end_deliveries(struct session *session)
{
	while (session->outbox.delivery)
		end_delivery(&session->outbox.delivery, false);
}

static void delivered(struct session *session, const char *id)
{
	struct delivery_wait **at = &session->outbox.delivery;

	for (struct queue_node *n = session->outbox.handed.first; n; n = n->next) {
		struct outbox_item *item = (struct outbox_item *)n;

		if (strcmp(route_message_id(&item->route, item->id), id) == 0)
			item->delivered = true;
	}
	while (*at) {
		if (strcmp((*at)->id, id) == 0)
			end_delivery(at, true);
		else
			at = &(*at)->next;
	}
}

void outbox_take_receipt(struct session *session, const struct wa_receipt *receipt)
{
	bool own = jid_same_user(&receipt->device, &session->view.me_pn) || jid_same_user(&receipt->device, &session->view.me_lid);

	if (own || receipt->kind == WA_RECEIPT_SENDER || receipt->kind == WA_RECEIPT_SERVER_ERROR || receipt->kind == WA_RECEIPT_OTHER)
		return;
	for (size_t i = 0; i < receipt->n; i++)
		delivered(session, receipt->ids[i]);
}
