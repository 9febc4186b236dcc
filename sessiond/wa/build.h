/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Building what is sent: plain structs in, a serialized E2E Message out. Part of the face of this folder (wa.h). Pure functions: no
 * client, no clock, no random source; any thread may call them.
 *
 *     wa_build_text(), wa_build_contact(), ...    content alone        Message{ conversation "hi" }
 *     wa_add_context()                            + what is around it  Message{ extendedTextMessage{ text "hi", contextInfo{...} } }
 *
 * A content is built once per request; the context differs from recipient to recipient (quotes, timers of the chat) and is added when
 * the row is made. A builder never writes what wa_add_context() writes. Appends to out; strings are NUL-terminated UTF-8; NULL or an
 * empty span leaves the field out.
 *
 * Source of field numbers: WAProto of Baileys and whatsmeow.
 */
#ifndef WA_BUILD_H
#define WA_BUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/jid.h"

/* ---- what is around a content ---- */

struct wa_group_mention {
	struct jid group;
	const char *subject;
};

struct wa_context {
	const struct jid *mentions; size_t nmentions;
	bool mention_all;              /* everybody in the group */
	const struct wa_group_mention *group_mentions; size_t ngroup_mentions;
	bool forwarded;
	uint32_t forwarding_score;     /* with forwarded: how often before and now; 0 counts as 1 */
	const char *quoted_id;         /* NULL: no quote */
	struct jid quoted_sender;      /* its author */
	struct jid quoted_chat;        /* where it was said, if that is another chat; else JID_SERVER_NONE */
	struct span quoted_message;    /* serialized E2E Message, may be empty: shown as a quote without text */
	uint32_t expiration_s;         /* timer of the chat, 0: off */
	int64_t expiration_set_s;      /* when it was set, 0: unknown */
	bool view_once;                /* wrap into viewOnceMessage; the inner viewOnce flag is the builder's */
};

/*
 * Appends the message with this context in its content field, also inside wrappers; what stands there already is kept. A plain
 * `conversation` becomes an extendedTextMessage where it has to. A content that has no place for a ContextInfo (reactions, protocol
 * messages, pins) is appended as it is.
 */
void wa_add_context(struct buf *out, struct span message, const struct wa_context *context);

/*
 * The messageSecret of a message (votes, answers to events and edits are encrypted with it); false if it has none. Borrowed.
 */
bool wa_message_secret(struct span message, struct span *secret);
/* True for polls and events: votes and answers will refer to them, for weeks. */
bool wa_expects_answers(struct span message);

/* ---- texts ---- */

/* What a link in a text leads to, shown under it. */
struct wa_preview {
	const char *matched_text; /* the link as it stands in the text */
	const char *title, *description;
	struct span thumbnail;    /* JPEG */
};

struct wa_text {
	const char *text;
	const struct wa_preview *preview; /* NULL: none */
};
void wa_build_text(struct buf *out, const struct wa_text *text);

#endif
