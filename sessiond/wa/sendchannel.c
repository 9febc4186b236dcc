/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What goes to a channel (newsletter): not encrypted, not padded, for no device in particular.
 *
 *     post       <message id=new type [media_id=handle]><plaintext [mediatype]>Message</plaintext></message>
 *     edit       <message id=of the post edit="3"><plaintext>the new content alone</plaintext></message>
 *     deletion   <message id=of the post edit="8"><plaintext/></message>
 *     reaction   <message id=new server_id=of the post type="reaction" [edit="7": taken back]><reaction [code]/></message>
 *
 * The host builds them like messages to anybody else; here they take this form. Source: whatsmeow newsletter.go, send.go.
 */
#include "sessiond/wa/e2e_fields.h"
#include "sessiond/wa/extras.h"
#include "sessiond/wa/proto_walk.h"
#include "sessiond/wa/send.h"

#define CODE_MALFORMED 400
#define CODE_NO_POST 404
#define CODE_STANZA 500
#define EDIT_ADMIN "3"
#define EDIT_SENDER_REVOKE "7"
#define EDIT_ADMIN_REVOKE "8"

enum { PROTOCOL_EDITED = 14 };
enum { REACTION_TEXT = 2 };

static void add_plaintext(struct send_job *job, struct arena *a, struct wa_node *message, struct span content)
{
	struct e2e_attributes attributes;
	struct wa_node *plaintext;

	e2e_attributes(content, &attributes);
	wa_node_attr(a, message, "type", attributes.type);
	plaintext = wa_node_add_bytes(a, message, "plaintext", content);
	wa_node_attr(a, plaintext, "mediatype", attributes.mediatype);
	wa_stanza_extras(a, message, content, &job->chat, wa_client_wall_ms(job->m->client) / 1000);
}

static void add_reaction(struct send_job *job, struct arena *a, struct wa_node *message, struct span reaction)
{
	struct wa_node *node;
	struct span emoji = { 0 };
	struct buf code = { 0 };

	proto_find(reaction, REACTION_TEXT, &emoji);
	buf_append_span(&code, emoji);
	wa_node_attr_u64(a, message, "server_id", (uint64_t)job->server_id);
	wa_node_attr(a, message, "type", "reaction");
	wa_node_attr(a, message, "edit", code.len ? NULL : EDIT_SENDER_REVOKE);
	node = wa_node_add_new(a, message, "reaction");
	wa_node_attr(a, node, "code", buf_text(&code));
	buf_free(&code);
}

/* 0, or the code of a failure. */
static int fill(struct send_job *job, struct arena *a, struct wa_node *message)
{
	struct span content = { 0 };
	struct e2e_protocol protocol;

	if (e2e_content(buf_span(&job->message), &content) == E2E_REACTION) {
		if (job->server_id <= 0)
			return CODE_NO_POST;
		add_reaction(job, a, message, content);
	} else if (!e2e_protocol_message(buf_span(&job->message), &protocol)) {
		wa_node_attr(a, message, "media_id", job->media_handle);
		add_plaintext(job, a, message, buf_span(&job->message));
	} else if (protocol.type == E2E_MESSAGE_EDIT && proto_find(protocol.bytes, PROTOCOL_EDITED, &content)) {
		wa_node_attr(a, message, "edit", EDIT_ADMIN);
		add_plaintext(job, a, message, content);
	} else if (protocol.type == E2E_REVOKE) {
		wa_node_attr(a, message, "edit", EDIT_ADMIN_REVOKE);
		wa_node_attr(a, message, "type", "text");
		wa_node_add_bytes(a, message, "plaintext", span_of("", 0));
	} else {
		return CODE_MALFORMED;
	}
	return 0;
}

void wa_send_to_channel(struct send_job *job)
{
	struct wa_node *message;
	struct arena a;
	int code, rc = WA_NODE_OK;

	job->chat = job->to;
	arena_init(&a, 0);
	message = wa_node_new(&a, "message");
	wa_node_attr(&a, message, "id", job->id);
	wa_node_attr_jid(&a, message, "to", &job->chat);
	code = fill(job, &a, message);
	buf_clear(&job->stanza);
	if (!code)
		rc = wa_node_encode(&job->stanza, message);
	arena_free(&a);
	if (code)
		wa_send_fail(job, code, code == CODE_NO_POST ? "the number of this post in the channel is not known" : "this cannot be sent to a channel");
	else if (rc != WA_NODE_OK)
		wa_send_fail(job, CODE_STANZA, wa_node_error_text(rc));
	else
		wa_send_built(job);
}
