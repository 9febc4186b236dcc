/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the server tells in GraphQL, unasked: channels followed, left, muted, changed; limits of the account.
 *
 *     <notification type="mex"><update op_name="...">{"data":{...}}</update>...
 *
 * The JSON goes on as it is. Source: whatsmeow notification.go, Baileys messages-recv.ts.
 */
#include "common/limits.h"
#include "common/mem.h"
#include "sessiond/wa/channel.h"
#include "sessiond/wa/job.h"

#define UPDATES_MAX 50U
#define UPDATE_BYTES_MAX (256U << 10)

void wa_on_mex(struct wa_client *client, struct wa_stanza *stanza)
{
	struct stanza_job *job = wa_job_new(wa_client_messaging(client), stanza, sizeof *job);
	const struct wa_node *node = wa_stanza_node(stanza);
	size_t taken = 0;

	for (size_t i = 0; i < node->nnodes && taken < UPDATES_MAX; i++) {
		struct span json = wa_node_content(node->nodes[i]);
		const char *name = wa_node_get(node->nodes[i], "op_name");
		struct wa_event *event;

		if (!wa_node_is(node->nodes[i], "update") || json.n == 0 || json.n > UPDATE_BYTES_MAX)
			continue;
		event = wa_event_new(WA_EVENT_MEX);
		event->text = name == NULL ? NULL : xstrdup(name);
		buf_append_span(&event->bytes, json);
		state_op_event(&job->op, event);
		taken++;
	}
	wa_job_commit_and_ack(job);
}
