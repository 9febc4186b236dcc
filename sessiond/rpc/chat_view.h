/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stored chats and messages as the JSON of rest-b 2.1 and 2.2. On a thread of the store's readers. Private to sessiond/rpc. */
#ifndef SESSIOND_RPC_CHAT_VIEW_H
#define SESSIOND_RPC_CHAT_VIEW_H

#include "common/buf.h"
#include "sessiond/store/store.h"

struct storage;

/* Devices that are looked at for receipts: of one message, and of all of an answer, which has to stay within the RPC's bound. */
enum { CHAT_RECEIPTS_EACH = 1024, CHAT_RECEIPTS_ALL = 8192 };

/* Who looks. */
struct chat_view {
	struct store_reader *reader;
	struct arena *arena;
	int64_t session;
	const char *own;         /* own number's JID */
	struct storage *storage; /* makes addresses of files */
	size_t *receipts_left;   /* starts with CHAT_RECEIPTS_ALL */
};

/* An element of the list of chats. */
void chat_view_item(struct buf *out, const struct store_chat *chat);
/* chatInfo; chat NULL: what is said of one that is not stored, jid. */
void chat_view_info(struct buf *out, const struct store_chat *chat, const char *jid, int64_t now_ms);
/* An element of a list of messages. 0 or the store's error. */
int chat_view_message(const struct chat_view *view, struct buf *out, const struct store_message_row *row);

#endif
