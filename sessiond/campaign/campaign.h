/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sessiond/campaign: one content to many recipients, slowly. The face of the folder; may include session/, store/, webhook/, common/, and
 * call.h for the work of the REST routes. Main loop only.
 *
 *     table campaign_recipients --pages of pending ones--> [ batch ] --pace, window, session open--> in work, at most CAMPAIGN_AHEAD
 *                                                                                                     | template filled in
 *                                                                                                     | made by the send route's code (call.h)
 *                                                                                                     v
 *                                        outbox, low priority, the recipient's own message id  --> states by triggers (store/campaigns.h)
 *
 * What a campaign is and how far it got stands in the store alone; memory holds a page of recipients of each campaign that runs. Whatever
 * happens, a recipient's message id is the same, and the outbox takes an id once: so a recipient is sent to at most once, and what was not
 * handed to the outbox is found pending again. Few are handed to the outbox ahead, so that others of the session need not wait long.
 *
 * A file is kept in the storage until the campaign has ended (store/campaigns.h). It is uploaded once, when the first recipient's turn has come,
 * and all get that upload, each with his own caption; what the upload brought is kept in the store. An upload that is CAMPAIGN_UPLOAD_MS old is made
 * anew: the media servers forget files after a month or so, and who gets it last must have time to fetch it.
 *
 * A campaign pauses by itself when its account is logged out, banned or taken over elsewhere, and when its file cannot be sent. Without a connection it waits.
 *
 * Events of the session's journal (opt-in):
 *     campaign_update    {id, campaign: {id, name, state, reason?, startAt?, counts}, sessionId}    it was started, paused, resumed, cancelled
 *     campaign_progress  the same, at most every CAMPAIGN_TELL_MS while it runs
 *     campaign_done      the same, when the server has acknowledged or refused every message
 */
#ifndef SESSIOND_CAMPAIGN_CAMPAIGN_H
#define SESSIOND_CAMPAIGN_CAMPAIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "sessiond/session/session.h"
#include "sessiond/store/store.h"

struct daemon;
struct campaigns;

enum {
	CAMPAIGN_AHEAD = 8,
	CAMPAIGN_PAGE = 64,
	CAMPAIGN_MAX_RECIPIENTS = 100000,
	CAMPAIGN_TELL_MS = 15000,
	CAMPAIGN_UPLOAD_MS = 3 * 24 * 3600 * 1000
};

struct campaigns *campaigns_new(struct daemon *daemon);
/* Takes up those that were running: when the list of sessions is complete. */
void campaigns_start(struct campaigns *campaigns);
/* Nothing more leaves; what is in work is let go. Before the sessions end. */
void campaigns_stop(struct campaigns *campaigns);
/* After the store is closed. NULL is fine. */
void campaigns_free(struct campaigns *campaigns);

/* The row has changed, or there are more recipients: looks at it again, starts or stops it. */
void campaigns_look(struct campaigns *campaigns, const char *id);

/*
 * Changes the state if it is one of from, and journals that; done(arg, store error), STORE_NOT_FOUND: the state is another one. Nothing more is
 * handed over from the call on when the new state is not ACTIVE.
 */
void campaigns_change(struct campaigns *campaigns, const struct store_campaign *row, unsigned from, enum store_campaign_state to, const char *reason,
		      void (*done)(void *arg, int error), void *arg);

/* The message id of a recipient: 22 characters, the same whenever it is asked for. */
void campaign_message_id(const char *campaign, const char *jid, char out[SEND_ID_MAX + 1]);

/* "draft", "scheduled", "running", "paused", "done", "cancelled". */
const char *campaign_state_name(const struct store_campaign *row, int64_t now_ms);
/* Members "state" to "progress" of a campaign as answers and events show it, without braces. */
void campaign_put(struct buf *out, const struct store_campaign *row, const int64_t counts[STORE_RECIPIENT_STATES], int64_t now_ms);

#endif
