/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Automatic answers to messages, see autoreply.h. */
#include "sessiond/session/autoreply.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "sessiond/call.h"
#include "sessiond/daemon.h"
#include "sessiond/session/object.h"
#include "sessiond/session/session.h"

#define BLANKS " \t\r\n"

struct reply {
	struct daemon *daemon; /* borrowed */
	char *session_id, *message_id; /* owned */
	int64_t number;
	struct jid chat;
};

static void reply_free(struct reply *reply)
{
	free(reply->session_id);
	free(reply->message_id);
	free(reply);
}

static void answered(void *arg, const struct call_result *result)
{
	const struct daemon *daemon = arg;

	if (result->status >= 300)
		log_warn(&daemon->log, "an automatic answer was not sent", LOG_INT("status", result->status), LOG_STR("reason", result->message));
}

static struct json_object *parameters(const struct reply *reply)
{
	struct json_object *p = json_object_new_object(), *to = json_object_new_array(), *presence = json_object_new_object();
	char jid[JID_TEXT_MAX];
	char *text = xasprintf("pong!\n\n_WAREST v%s_", reply->daemon->version);

	jid_format(&reply->chat, jid, sizeof jid);
	json_object_array_add(to, json_object_new_string(jid));
	json_object_object_add(p, "to", to);
	json_object_object_add(p, "message", json_object_new_string(text));
	json_object_object_add(p, "replyMessageId", json_object_new_string(reply->message_id));
	json_object_object_add(presence, "state", json_object_new_string("composing"));
	json_object_object_add(p, "presence", presence);
	json_object_object_add(p, "wait", json_object_new_string("queued"));
	free(text);
	return p;
}

static void reply_now(void *arg)
{
	struct reply *reply = arg;
	struct session_entry *entry = sessions_find(reply->daemon->sessions, reply->session_id);

	if (entry && entry->number == reply->number) {
		char *key = xasprintf("autoreply/%s", reply->message_id);
		const struct call_request call = { .method = "messages.send.text", .family = "messages", .session = reply->number, .session_id = entry->id,
						   .registry = entry->registry, .p = parameters(reply), .idempotency = key, .quota = true,
						   .done = answered, .arg = reply->daemon };

		call_start(reply->daemon, &call);
		free(key);
	}
	reply_free(reply);
}

static bool is_ping(const char *text)
{
	text += strspn(text, BLANKS);
	return strncasecmp(text, "ping", 4) == 0 && text[4 + strspn(text + 4, BLANKS)] == '\0';
}

void autoreply_stored(struct session *session, const struct wa_message *message)
{
	struct daemon *daemon = session->on->daemon;
	struct reply *reply;

	if (!daemon->config->autoreply_enabled || !daemon->config->autoreply_ping_pong || message->from_me || message->target || !message->text ||
	    !is_ping(message->text) || !(jid_is_person(&message->chat) || jid_is_group(&message->chat)))
		return;
	reply = xcalloc(1, sizeof *reply);
	*reply = (struct reply){ .daemon = daemon, .session_id = xstrdup(session->id), .message_id = xstrdup(message->id), .number = session->number,
				 .chat = message->chat };
	if (!loop_post(daemon->loop, reply_now, reply))
		reply_free(reply);
}
