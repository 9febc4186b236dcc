/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parts of a message's JSON that stand in files of their own. On a thread of the store's readers. Private to chat_view.c and these. */
#ifndef SESSIOND_RPC_CHAT_PARTS_H
#define SESSIOND_RPC_CHAT_PARTS_H

#include "sessiond/rpc/chat_view.h"
#include "sessiond/session/content.h"

/* ---- chat_view.c ---- */

/* "name": text, or null. */
void chat_put_span(struct buf *out, const char *name, struct span text);
/* Who added it, by number where known. */
const char *chat_adder(const struct chat_view *view, const struct store_addon *addon);
/* "delivered", ...; NULL: not said. */
const char *chat_status_name(enum store_message_status status);

/* ---- chat_poll.c ---- */

enum { CHAT_POLL_OPTIONS = 64 };

struct chat_poll {
	struct span question; /* borrowed from the content, as all here */
	struct span options[CHAT_POLL_OPTIONS];
	size_t n;
	uint64_t selectable;
};

/* False: it is none. */
bool chat_poll_read(const struct content *c, struct chat_poll *poll);
/* "name":{creation, updates, results, latestByVoter, events}; of the last four only what is there. */
void chat_poll_put(const struct chat_view *view, struct buf *out, const char *name, const struct chat_poll *poll, const struct store_message_row *row);

/* ---- chat_receipts.c ---- */

/* ,"receipts":[...] of an own message; nothing if nobody has it yet. 0 or the store's error. */
int chat_receipts_put(const struct chat_view *view, struct buf *out, const struct store_message_row *row);

/* ---- chat_media.c ---- */

/* "mediaMetadata":{...} or null; with the address of the copy that rests here, if there is one. 0 or the store's error. */
int chat_media_put(const struct chat_view *view, struct buf *out, const struct store_message_row *row, const struct content *c);

#endif
