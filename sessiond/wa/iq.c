/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests to the server (IQs) and who waits for their answers. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/connection.h"

#define IQ_ID_LEN 32

struct iq {
	struct iq *next;
	char id[IQ_ID_LEN];
	struct wa_timer timer;
	wa_iq_done *done;
	void *arg;
};

void iq_new_prefix(struct wa_client *client)
{
	uint16_t random[2];

	wa_client_random(client, random, sizeof random);
	snprintf(client->iq_prefix, sizeof client->iq_prefix, "%u.%u", random[0], random[1]);
	client->iq_count = 0;
}

/* Takes it off the list; the caller frees. */
static void take_out(struct wa_client *client, struct iq *iq)
{
	struct iq **place = &client->iqs;

	while (*place != iq)
		place = &(*place)->next;
	*place = iq->next;
	wa_timer_stop(client, &iq->timer);
}

static void finish(struct wa_client *client, struct iq *iq, const struct wa_node *answer)
{
	take_out(client, iq);
	iq->done(client, answer, iq->arg);
	free(iq);
}

static void timed_out(struct wa_client *client, void *arg)
{
	finish(client, arg, NULL);
}

struct wa_node *wa_iq_new(struct arena *a, const char *type, const char *xmlns)
{
	struct wa_node *iq = wa_node_new(a, "iq");

	wa_node_attr_server(a, iq, "to");
	wa_node_attr(a, iq, "type", type);
	wa_node_attr(a, iq, "xmlns", xmlns);
	return iq;
}

void wa_client_iq(struct wa_client *client, struct arena *a, struct wa_node *node, wa_iq_done *done, void *arg)
{
	struct iq *iq = xcalloc(1, sizeof *iq);
	int64_t wait_ms = IQ_TIMEOUT_MS;

	snprintf(iq->id, sizeof iq->id, "%s-%" PRIu32, client->iq_prefix, ++client->iq_count);
	iq->done = done;
	iq->arg = arg;
	iq->next = client->iqs;
	client->iqs = iq;
	wa_node_attr(a, node, "id", iq->id);
	/* Without a connection the answer is known already, but not inside this call. */
	if (!wa_client_write(client, node))
		wait_ms = 0;
	wa_timer_start(client, &iq->timer, wa_client_mono_ms(client) + wait_ms, timed_out, iq);
}

bool iq_answered(struct wa_client *client, const struct wa_node *node)
{
	const char *id = wa_node_get_or_empty(node, "id");

	for (struct iq *iq = client->iqs; iq != NULL; iq = iq->next) {
		if (strcmp(iq->id, id) == 0) {
			finish(client, iq, node);
			return true;
		}
	}
	return false;
}

void iq_fail_all(struct wa_client *client)
{
	/* A callback may ask again; without a connection that waits for its timer and is not for this round. */
	struct iq *list = client->iqs;

	client->iqs = NULL;
	while (list != NULL) {
		struct iq *iq = list;

		list = iq->next;
		wa_timer_stop(client, &iq->timer);
		iq->done(client, NULL, iq->arg);
		free(iq);
	}
}

void iq_free_all(struct wa_client *client)
{
	while (client->iqs != NULL) {
		struct iq *iq = client->iqs;

		take_out(client, iq);
		free(iq);
	}
}

bool wa_iq_ok(const struct wa_node *answer, int *code, const char **text)
{
	const struct wa_node *error = wa_node_child(answer, "error");
	uint64_t number = 0;

	if (wa_node_get_is(answer, "type", "result"))
		return true;
	if (answer == NULL)
		number = CODE_TIMED_OUT;
	else if (!wa_node_get_u64(error, "code", &number) || number > INT32_MAX)
		number = 0;
	if (code != NULL)
		*code = (int)number;
	if (text != NULL)
		*text = answer == NULL ? "no answer" : wa_node_get_or_empty(error, "text");
	return false;
}
