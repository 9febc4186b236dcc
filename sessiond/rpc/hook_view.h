/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Webhooks as JSON: what they are, where they stand, what they got. Private to sessiond/rpc. */
#ifndef SESSIOND_RPC_HOOK_VIEW_H
#define SESSIOND_RPC_HOOK_VIEW_H

#include "common/buf.h"
#include "sessiond/store/store.h"

struct webhooks;

/* What was read together: one moment, so that the counts add up. */
struct hook_view {
	struct webhooks *webhooks;        /* borrowed, as all here */
	int64_t session;                  /* 0: of every session */
	const char *session_id;           /* NULL with session 0 */
	const struct store_receiver *receivers;
	size_t receiver_count;
	const struct store_session *sessions; /* with session 0: all there are, with their journals' ends */
	size_t session_count;
	const int64_t *lasts;
	int64_t last;                     /* of the session's journal */
};

/* The members of one webhook; a session's own has the id HOOK_OWN. secret: shown as well, NULL: not. */
void hook_put(struct buf *out, const struct hook_view *view, const struct store_webhook *webhook, const char *secret);
/* Objects, one after the other with commas. */
void hook_put_deliveries(struct buf *out, const struct store_delivery *rows, size_t n);
void hook_put_letters(struct buf *out, const struct store_dead_letter *rows, size_t n);

#endif
