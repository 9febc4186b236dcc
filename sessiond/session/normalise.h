/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages as the JSON that webhook receivers know (message_received and its sisters). Private to sessiond/session. */
#ifndef SESSIOND_SESSION_NORMALISE_H
#define SESSIOND_SESSION_NORMALISE_H

#include "common/buf.h"
#include "common/config.h"
#include "sessiond/store/store.h"
#include "sessiond/wa/wa.h"

struct content;
struct content_file;
struct session;

/* Adds the events of an incoming message to tx; none for own messages, channels, broadcasts. One whose media are fetched first waits (mirror.h). */
void normalise_message(struct session *session, struct store_tx *tx, const struct wa_message *message);
/* The events themselves. */
void normalise_add(struct session *session, struct store_tx *tx, const struct wa_message *message, const struct content_file *file);

/* {"remoteJid":..,"fromMe":..,"id":..,...} */
void normalise_key(struct buf *out, const struct wa_message *message);

/* ,"sender":{...} */
void normalise_put_sender(struct buf *out, const struct wa_message *message);
/* Who wrote it, as receivers know people: by phone number where that is known, else by LID, never by copied digits. */
struct jid normalise_author(const struct wa_message *message);

/* A text that starts with one of / ! . and a registered word. */
bool normalise_is_command(const struct config *config, const struct content *c);

/* What one message becomes. */
struct normalised {
	const char *kind;    /* static: "message_received", ...; NULL: nothing for the outside */
	struct buf payload;  /* "data" of the webhook */
	const char *kind2;   /* message_edited, message_revoked: comes before the copy; NULL: none */
	struct buf payload2;
};

/* Pure: for tests too. commands and switches come from config. file: of its media, NULL: not stored. */
void normalise(struct normalised *out, const char *session_id, const struct config *config, const struct wa_message *message,
	const struct content_file *file);
void normalised_free(struct normalised *normalised);

#endif
