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
	if (at_ms < client->wake_ms)
		client->wake_ms = at_ms;
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
	while ((timer = find_due(client, now_ms)) != NULL) {
		wa_timer_fn *fn = timer->fn;
		void *arg = timer->arg;

		unlink_timer(client, timer);
		fn(client, arg);
	}
	client->told_ms = client->wake_ms = INT64_MAX;
	for (timer = client->timers; timer != NULL; timer = timer->next)
		if (timer->at_ms < client->wake_ms)
			client->wake_ms = timer->at_ms;
}

/* A stopped timer leaves its time behind: the host wakes us once for nothing, which is cheaper than to search at every stop. */
void timer_tell(struct wa_client *client)
{
	if (client->wake_ms == client->told_ms)
		return;
	client->told_ms = client->wake_ms;
	client->host->timer(client->ctx, client->wake_ms);
}
