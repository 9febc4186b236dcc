/* SPDX-License-Identifier: GPL-3.0-or-later */
/* chats.messages.more: the phone is asked for what came before the oldest stored message of a chat. Our own addition to the contract. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/request.h"
#include "sessiond/session/history.h"
#include "sessiond/session/session.h"

static const struct {
	int status, code;
	const char *text;
} answers[] = {
	[HISTORY_MORE_DONE] = { 200, 1000, "Older messages fetched" },
	[HISTORY_MORE_OFFLINE] = { 409, 1106, "The session is not connected" },
	[HISTORY_MORE_SILENT] = { 504, 2800, "The phone did not answer in time" },
	[HISTORY_MORE_NONE] = { 404, 2004, "No message of this chat is stored from which to go back" },
	[HISTORY_MORE_FAILED] = { 502, 2800, "What the phone sent cannot be used" },
	[HISTORY_MORE_BUSY] = { 429, 2400, "Too many chats are being asked for at the same time" },
};

static void fetched(struct history_more *more)
{
	struct rpc_request *request = more->arg;
	struct buf result = { 0 };
	char text[JID_TEXT_MAX];

	if (more->state == HISTORY_MORE_DONE) {
		buf_u8(&result, '{');
		json_put_member(&result, "sessionId", request->session_id);
		json_put_member(&result, "chatId", jid_format(&more->chat, text, sizeof text));
		json_put_int(&result, "messages", (int64_t)more->messages);
		json_put_bool(&result, "complete", more->complete);
		buf_u8(&result, '}');
	}
	rpc_answer(request, answers[more->state].status, answers[more->state].code, answers[more->state].text, result.len ? buf_text(&result) : NULL);
	buf_free(&result);
	free(more);
}

static void do_more(struct rpc_request *request)
{
	struct session_entry *entry = rpc_session(request);
	const char *chat = rpc_param_text(request, "chatId");
	struct history_more *more;

	if (!entry)
		return;
	more = xcalloc(1, sizeof *more);
	if (!chat || jid_parse_text(&more->chat, chat)) {
		free(more);
		rpc_answer(request, 400, 2001, "Missing chatId", NULL);
		return;
	}
	more->chat = jid_bare(&more->chat);
	more->count = (unsigned)json_object_get_double(json_object_object_get(request->p, "count"));
	more->wait_ms = (int64_t)json_object_get_double(json_object_object_get(request->p, "wait")) * 1000;
	more->done = fetched;
	more->arg = request;
	sessions_history_more(request->context->daemon->sessions, entry, more);
}

const struct rpc_method rpc_history_methods[] = {
	{ "chats.messages.more", do_more },
	{ NULL, NULL },
};
