/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading what the store has of chats and messages: lists, pages, one chat, full-text search (rest-b 2.1, 2.2). Everything is read and
 * written as JSON on a thread of the store's readers.
 *
 *     chats.search (behind?) --> commit: index filled --+
 *     chats.list, chats.get, chats.messages ------------+--> reader thread: rows -> JSON --> answer
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/appcode.h"
#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/chat_view.h"
#include "sessiond/rpc/request.h"
#include "sessiond/session/chatfill.h"
#include "sessiond/session/session.h"

struct look;

struct kind {
	const char *method;
	const char *message;  /* of the answer */
	bool array;           /* the result is one element of "results" */
	int (*read)(struct look *look, const struct chat_view *view);
};

struct look {
	struct rpc_request *request;
	const struct kind *kind;
	struct arena arena;
	char own[JID_TEXT_MAX], own_lid[JID_TEXT_MAX], phone[JID_USER_MAX + 1];
	struct jid own_pn_jid, own_lid_jid;
	struct jid chat;
	struct store_search search;
	struct buf result;    /* owned */
	int error;
	unsigned fills;
};

/* More rounds than a search waits for an index that is far behind. */
enum { FILLS_MAX = 3 };

static void look_free(void *arg)
{
	struct look *look = arg;

	arena_free(&look->arena);
	buf_free(&look->result);
	free(look);
}

/* ---- parameters ---- */

static int64_t number(const struct look *look, const char *name)
{
	return (int64_t)json_object_get_double(json_object_object_get(look->request->p, name));
}

/* 0, 1; -1: not given. */
static int flag(const struct look *look, const char *name)
{
	struct json_object *value = json_object_object_get(look->request->p, name);

	return value == NULL ? -1 : json_object_get_boolean(value) != 0;
}

static const char *text(const struct look *look, const char *name)
{
	const char *value = rpc_param_text(look->request, name);

	return value && value[0] ? value : NULL;
}

static void put_page(struct buf *out, int64_t limit, int64_t offset, const struct store_page *page, bool total)
{
	json_put_name(out, "pagination");
	buf_u8(out, '{');
	json_put_int(out, "limit", limit);
	if (total) {
		json_put_int(out, "offset", offset);
		json_put_int(out, "total", page->total);
	}
	json_put_name(out, "nextCursor");
	json_put_string(out, page->cursor);
	buf_u8(out, '}');
}

static void start(struct look *look)
{
	struct buf *out = &look->result;

	buf_u8(out, '{');
	json_put_member(out, "sessionId", look->request->session_id);
	json_put_member(out, "phone", look->phone);
}

/* ---- lists of chats ---- */

static enum store_chat_order order_of(const char *name)
{
	static const char *const names[] = {
		[STORE_BY_LAST] = "lastMessage", [STORE_BY_NAME] = "name", [STORE_BY_JID] = "id", [STORE_BY_UNREAD] = "unreadCount",
	};

	for (size_t i = 0; name && i < sizeof names / sizeof *names; i++) {
		if (strcmp(names[i], name) == 0)
			return (enum store_chat_order)i;
	}
	return STORE_BY_LAST;
}

static int read_chats(struct look *look, const struct chat_view *view)
{
	const char *direction = text(look, "sortOrder");
	const struct store_chat_query query = {
		.order = order_of(text(look, "sortBy")), .ascending = direction && strcmp(direction, "asc") == 0, .with_media = flag(look, "hasMedia") == 1,
		.archived = flag(look, "archived"), .unread_only = flag(look, "unreadOnly") == 1, .search = text(look, "search"),
		.label = text(look, "labelId"), .own = look->own, .own_lid = look->own_lid, .cursor = text(look, "cursor"),
		.limit = number(look, "limit"), .offset = number(look, "offset"),
	};
	struct store_chat *chats;
	struct store_page page;
	size_t n;
	int rc = store_chat_list(view->reader, view->arena, view->session, &query, &chats, &n, &page);

	start(look);
	json_put_name(&look->result, "data");
	buf_u8(&look->result, '[');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_u8(&look->result, ',');
		chat_view_item(&look->result, &chats[i]);
	}
	buf_u8(&look->result, ']');
	put_page(&look->result, query.limit, query.offset, &page, true);
	buf_u8(&look->result, '}');
	return rc;
}

/* rc STORE_NOT_FOUND: not stored, or no chat of this store. */
static int find_chat(const struct look *look, const struct chat_view *view, struct store_chat *chat)
{
	if (!chatfill_wanted(&look->chat, &look->own_pn_jid, &look->own_lid_jid))
		return STORE_NOT_FOUND;
	return store_chat_get(view->reader, view->arena, view->session, &look->chat, chat);
}

static int read_chat(struct look *look, const struct chat_view *view)
{
	struct store_chat chat;
	int rc = find_chat(look, view, &chat);

	if (rc)
		return rc;
	start(look);
	json_put_name(&look->result, "data");
	chat_view_info(&look->result, &chat, chat.jid, timefmt_now_ms());
	buf_u8(&look->result, '}');
	return 0;
}

/* ---- messages ---- */

static int put_messages(struct look *look, const struct chat_view *view, const struct store_message_row *rows, size_t n)
{
	int rc = 0;

	json_put_name(&look->result, "data");
	buf_u8(&look->result, '[');
	for (size_t i = 0; i < n && rc == 0; i++) {
		if (i > 0)
			buf_u8(&look->result, ',');
		rc = chat_view_message(view, &look->result, &rows[i]);
	}
	buf_u8(&look->result, ']');
	return rc;
}

static int read_messages(struct look *look, const struct chat_view *view)
{
	struct store_message_query query = {
		.from_ms = number(look, "startTime"), .to_ms = number(look, "endTime"), .media_only = flag(look, "mediaOnly") == 1,
		.from_me = flag(look, "isFromMe"), .starred_only = flag(look, "starred") == 1, .search = text(look, "search"),
		.cursor = text(look, "cursor"), .limit = number(look, "limit"), .offset = number(look, "offset"),
	};
	struct store_message_row *rows = NULL;
	struct store_page page = { .total = 0 };
	struct store_chat chat;
	char jid[JID_TEXT_MAX];
	size_t n = 0;
	int rc = find_chat(look, view, &chat);
	bool known = rc == 0;

	query.chat = known ? chat.number : 0;
	if (known)
		rc = store_message_list(view->reader, view->arena, view->session, &query, &rows, &n, &page);
	else if (rc == STORE_NOT_FOUND)
		rc = query.cursor ? STORE_NOT_FOUND : 0;
	if (rc)
		return rc;
	start(look);
	rc = put_messages(look, view, rows, n);
	put_page(&look->result, query.limit, query.offset, &page, true);
	json_put_name(&look->result, "chatInfo");
	chat_view_info(&look->result, known ? &chat : NULL, jid_format(&look->chat, jid, sizeof jid), timefmt_now_ms());
	buf_u8(&look->result, '}');
	return rc;
}

static int read_found(struct look *look, const struct chat_view *view)
{
	struct store_search_query query = {
		.search = &look->search, .from_ms = number(look, "startTime"), .to_ms = number(look, "endTime"), .from_me = flag(look, "isFromMe"),
		.cursor = text(look, "cursor"), .limit = number(look, "limit"),
	};
	struct store_message_row *rows = NULL;
	struct store_page page = { .total = 0 };
	struct store_chat chat;
	size_t n = 0;
	int rc = jid_is_none(&look->chat) ? 0 : find_chat(look, view, &chat);

	if (rc == 0) {
		query.chat = jid_is_none(&look->chat) ? 0 : chat.number;
		rc = store_message_search(view->reader, view->arena, view->session, &query, &rows, &n, &page);
	} else if (rc == STORE_NOT_FOUND && !query.cursor) {
		rc = 0;
	}
	if (rc)
		return rc;
	buf_u8(&look->result, '[');
	start(look);
	rc = put_messages(look, view, rows, n);
	put_page(&look->result, query.limit, 0, &page, false);
	buf_append_text(&look->result, "}]");
	return rc;
}

/* ---- the way of a request ---- */

static const struct kind kinds[] = {
	{ "chats.list", "Chats list fetched", false, read_chats },
	{ "chats.get", "Chat fetched", false, read_chat },
	{ "chats.messages", "Messages list fetched", false, read_messages },
	{ "messages.search", "Messages found", true, read_found },
};

static void read_rows(struct store_reader *reader, void *arg)
{
	struct look *look = arg;
	size_t receipts_left = CHAT_RECEIPTS_ALL;
	const struct chat_view view = { .reader = reader, .arena = &look->arena, .session = look->request->session_number, .own = look->own,
		.storage = look->request->context->daemon->storage, .receipts_left = &receipts_left };

	look->error = look->kind->read(look, &view);
}

static void answer(void *arg)
{
	struct look *look = arg;
	struct rpc_request *request = look->request;

	if (look->error == STORE_NOT_FOUND && look->kind->read == read_chat)
		rpc_answer(request, 404, APP_NOT_FOUND, "Chat not found", NULL);
	else if (look->error == STORE_NOT_FOUND)
		rpc_answer(request, 400, APP_INVALID_PARAMETER, "cursor is invalid", NULL);
	else if (look->error) {
		log_error(&request->context->log, "chats cannot be read", LOG_STR("session", request->session_id),
			LOG_STR("reason", store_error_name(look->error)));
		rpc_answer(request, 500, APP_INTERNAL_ERROR, "Internal server error", NULL);
	} else {
		rpc_answer(request, 200, APP_SUCCESS, look->kind->message, buf_text(&look->result));
	}
}

static void search(struct look *look);

static void filled(void *arg, int error)
{
	struct look *look = arg;

	look->error = error;
	if (error)
		answer(look);
	else
		search(look);
}

static void search(struct look *look)
{
	struct store *store = look->request->context->daemon->store;
	struct loop *loop = look->request->context->daemon->loop;
	struct store_tx *tx;

	if (!store_search_behind(store) || look->fills == FILLS_MAX) {
		async_read(loop, store, read_rows, answer, look);
		return;
	}
	look->fills++;
	tx = store_tx_new(store);
	store_tx_search_fill(tx);
	async_commit(loop, store, tx, filled, look);
}

/* False: answered. */
static bool take_params(struct look *look)
{
	struct rpc_request *request = look->request;
	const char *chat = rpc_param_text(request, "chatId");
	bool searching = look->kind->read == read_found;

	if (chat && jid_parse_text(&look->chat, chat)) {
		rpc_answer(request, 400, searching ? APP_INVALID_PARAMETER : APP_MISSING_PARAMETER, searching ? "chatId is invalid" : "Missing chatId", NULL);
		return false;
	}
	if (!chat && !searching && look->kind->read != read_chats) {
		rpc_answer(request, 400, APP_MISSING_PARAMETER, "Missing chatId", NULL);
		return false;
	}
	look->chat = jid_bare(&look->chat);
	if (searching && !text(look, "q")) {
		rpc_answer(request, 400, APP_MISSING_PARAMETER, "q is required", NULL);
		return false;
	}
	if (searching && !store_search_parse(&look->search, text(look, "q"))) {
		rpc_answer(request, 400, APP_INVALID_PARAMETER, "q holds no word, more than 16 words, or more than 512 bytes", NULL);
		return false;
	}
	return true;
}

static void take_account(struct look *look, const struct session_entry *entry)
{
	look->own_pn_jid = jid_bare(&entry->view.me_pn);
	look->own_lid_jid = jid_bare(&entry->view.me_lid);
	jid_format(&look->own_pn_jid, look->own, sizeof look->own);
	jid_format(&look->own_lid_jid, look->own_lid, sizeof look->own_lid);
	memcpy(look->phone, entry->view.me_pn.user, sizeof look->phone);
}

static void do_look(struct rpc_request *request)
{
	struct session_entry *entry = rpc_session(request);
	size_t which = 0;
	struct look *look;

	if (!entry)
		return;
	while (strcmp(kinds[which].method, request->method->name) != 0)
		which++;
	look = xcalloc(1, sizeof *look);
	look->request = request;
	look->kind = &kinds[which];
	arena_init(&look->arena, 0);
	request->work = look;
	request->work_free = look_free;
	take_account(look, entry);
	if (!take_params(look))
		return;
	if (look->kind->read == read_found)
		search(look);
	else
		async_read(request->context->daemon->loop, request->context->daemon->store, read_rows, answer, look);
}

const struct rpc_method rpc_chats_methods[] = {
	{ "chats.list", do_look }, { "chats.get", do_look }, { "chats.messages", do_look }, { "messages.search", do_look }, { NULL, NULL },
};
