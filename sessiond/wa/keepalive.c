/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Is the connection alive? After 20 to 30 s of silence (random, so that sessions do not ping together) we ping; whatever arrives
 * within 20 s counts as life, else the connection is given up.
 */
#include "sessiond/wa/connection.h"

#define INTERVAL_MS 20000
#define INTERVAL_SPREAD_MS 10000
#define DEADLINE_MS 20000

static void silence(struct wa_client *client, void *arg);

static void restart(struct wa_client *client)
{
	uint16_t spread;

	wa_client_random(client, &spread, sizeof spread);
	wa_timer_start(client, &client->keepalive_timer, client->last_received_ms + INTERVAL_MS + spread % INTERVAL_SPREAD_MS, silence,
	               NULL);
}

static void dead(struct wa_client *client, void *arg)
{
	(void)arg;
	client_close(client, WA_RECONNECT_BACKOFF, CODE_TIMED_OUT, "connection lost: no answer to a ping");
}

static void answered(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	/* That something came is all that counts, and keepalive_received() saw it. */
	(void)client;
	(void)answer;
	(void)arg;
}

static void silence(struct wa_client *client, void *arg)
{
	int64_t now_ms = wa_client_mono_ms(client);
	struct arena arena;

	(void)arg;
	if (now_ms - client->last_received_ms < INTERVAL_MS) {
		restart(client);
		return;
	}
	arena_init(&arena, 0);
	wa_client_iq(client, &arena, wa_iq_new(&arena, "get", "w:p"), answered, NULL);
	arena_free(&arena);
	wa_timer_start(client, &client->keepalive_timer, now_ms + DEADLINE_MS, dead, NULL);
}

void keepalive_start(struct wa_client *client)
{
	restart(client);
}

void keepalive_received(struct wa_client *client)
{
	/* Only a running deadline needs to be taken back; the ordinary timer looks at last_received_ms itself. */
	if (client->keepalive_timer.fn == dead)
		restart(client);
}
