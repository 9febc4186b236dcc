/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A post to a channel (newsletter): not encrypted, not padded, for no device in particular. Source: whatsmeow newsletter.go, send.go. */
#include "sessiond/wa/extras.h"
#include "sessiond/wa/send.h"

#define CODE_STANZA 500

void wa_send_to_channel(struct send_job *job)
{
	struct e2e_attributes attributes;
	struct wa_node *message;
	struct wa_node *plaintext;
	struct arena a;
	int rc;

	job->chat = job->to;
	arena_init(&a, 0);
	e2e_attributes(buf_span(&job->message), &attributes);
	message = wa_node_new(&a, "message");
	wa_node_attr(&a, message, "id", job->id);
	wa_node_attr_jid(&a, message, "to", &job->chat);
	wa_node_attr(&a, message, "type", attributes.type);
	plaintext = wa_node_add_bytes(&a, message, "plaintext", buf_span(&job->message));
	wa_node_attr(&a, plaintext, "mediatype", attributes.mediatype);
	wa_stanza_extras(&a, message, buf_span(&job->message), &job->chat, wa_client_wall_ms(job->m->client) / 1000);
	buf_clear(&job->stanza);
	rc = wa_node_encode(&job->stanza, message);
	arena_free(&a);
	if (rc != WA_NODE_OK)
		wa_send_fail(job, CODE_STANZA, wa_node_error_text(rc));
	else
		wa_send_built(job);
}
