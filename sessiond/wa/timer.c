/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Many timers of a client over the one that the host gives. */
#include "sessiond/wa/connection.h"

static void unlink_timer(struct wa_client *client, struct wa_timer *timer)
{
	if (timer->prev != NULL)
		timer->prev->next = timer->next;
	else
		client->timers = timer->next;
	if (timer->next != NULL)
		timer->next->prev = timer->prev;
	timer->next = timer->prev = NULL;
	timer->fn = NULL;
}

void wa_timer_stop(struct wa_client *client, struct wa_timer *timer)
{
	if (timer->fn != NULL)
		unlink_timer(client, timer);
}

void wa_timer_start(struct wa_client *client, struct wa_timer *timer, int64_t at_ms, wa_timer_fn *fn, void *arg)
{
	wa_timer_stop(client, timer);
	timer->at_ms = at_ms;
	timer->turn = client->turn;
	timer->fn = fn;
	timer->arg = arg;
	timer->next = client->timers;
	if (client->timers != NULL)
		client->timers->prev = timer;
	client->timers = timer;
	if (client->depth == 0)
		timer_tell(client);
}

/* The list may change with every call, so the search starts anew; a client has a handful of timers. */
static struct wa_timer *find_due(struct wa_client *client, int64_t now_ms)
{
	for (struct wa_timer *timer = client->timers; timer != NULL; timer = timer->next)
		if (timer->at_ms <= now_ms && timer->turn != client->turn)
			return timer;
	return NULL;
}

void timer_run_due(struct wa_client *client)
{
	int64_t now_ms = wa_client_mono_ms(client);
	struct wa_timer *timer;

	client->turn++;
	client->told_ms = INT64_MAX;
	while ((timer = find_due(client, now_ms)) != NULL) {
		wa_timer_fn *fn = timer->fn;
		void *arg = timer->arg;

		unlink_timer(client, timer);
		fn(client, arg);
	}
}

void timer_tell(struct wa_client *client)
{
	int64_t at_ms = INT64_MAX;

	for (struct wa_timer *timer = client->timers; timer != NULL; timer = timer->next)
		if (timer->at_ms < at_ms)
			at_ms = timer->at_ms;
	if (at_ms == client->told_ms)
		return;
	client->told_ms = at_ms;
	client->host->timer(client->ctx, at_ms);
}
