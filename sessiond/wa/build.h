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
/* The timer of disappearing messages that a message sets for its chat, or shows by its own context with the time at which it was set;
 * false if it says nothing. set_s 0: with this message. */
bool wa_chat_timer(struct span message, uint32_t *seconds, int64_t *set_s);
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
	/* how a status shows it */
	uint32_t background_argb, text_argb; /* 0: the client's own choice */
	int font;                 /* enum FontType of the protocol; negative: not said */
	bool styled;              /* the three above count */
};
void wa_build_text(struct buf *out, const struct wa_text *text);

/* ---- cards: build_card.c ---- */

struct wa_contact {
	const char *display_name;
	const char *vcard; /* wa_vcard() or the caller's own */
};

/* What a vCard is made of; NULL or "" leaves the line out. */
struct wa_person {
	const char *name, *full_name, *phone, *organization, *email;
};
/* vCard 3.0, lines joined by LF, values escaped. Appends to out. */
void wa_vcard(struct buf *out, const struct wa_person *person);
/* One contact is a contactMessage, more are a contactsArrayMessage of that name. */
void wa_build_contacts(struct buf *out, const char *title, const struct wa_contact *contacts, size_t n);

struct wa_location {
	double latitude, longitude;
	const char *name, *address, *url;
};
void wa_build_location(struct buf *out, const struct wa_location *location);

struct wa_live_location {
	double latitude, longitude;
	uint32_t accuracy_m;   /* 0: unknown */
	float speed_mps;       /* 0: unknown */
	uint32_t degrees;      /* clockwise from magnetic north, 0: unknown */
	const char *caption;
	int64_t sequence;      /* 0: none */
	uint32_t time_offset_s;
};
void wa_build_live_location(struct buf *out, const struct wa_live_location *location);

struct wa_invite {
	struct jid group;
	const char *code, *group_name, *caption;
	int64_t expires_s;
	struct span thumbnail; /* JPEG */
};
void wa_build_invite(struct buf *out, const struct wa_invite *invite);

/* ---- polls and events: build_poll.c. secret: 32 random bytes, votes and answers are encrypted with it ---- */

enum { WA_SECRET_BYTES = 32 };

struct wa_poll {
	const char *question;
	const char *const *options; size_t noptions;
	uint32_t selectable;   /* how many may be chosen, 0: any number */
	const uint8_t *secret;
};
void wa_build_poll(struct buf *out, const struct wa_poll *poll);

struct wa_calendar_event {
	const char *name, *description, *join_link;
	const struct wa_location *location; /* NULL: none */
	int64_t start_s, end_s;             /* end 0: open */
	bool canceled, extra_guests;
	const uint8_t *secret;
};
void wa_build_event(struct buf *out, const struct wa_calendar_event *event);

/* ---- buttons and lists: build_interactive.c ---- */

struct wa_flow_button {
	const char *name;      /* quick_reply, cta_url, cta_call, cta_copy, single_select */
	const char *params;    /* JSON */
};

struct wa_interactive {
	const char *body, *footer;
	struct span image;     /* message with the image shown above, as wa_build_media() makes it; empty: none */
	const struct wa_flow_button *buttons; size_t nbuttons;
	const char *params;    /* JSON */
};
void wa_build_interactive(struct buf *out, const struct wa_interactive *interactive);

/* ---- about other messages: build_action.c ---- */

/* Names a message from our point of view. */
struct wa_message_key {
	struct jid chat;
	bool from_me;
	const char *id;
	struct jid participant; /* author of somebody else's message in a group; else JID_SERVER_NONE */
};

/* Appends it as a MessageKey in the field of that number. */
void wa_put_message_key(struct buf *out, uint32_t number, const struct wa_message_key *key);
/* emoji "": takes an earlier reaction back. */
void wa_build_reaction(struct buf *out, const struct wa_message_key *key, const char *emoji, int64_t now_ms);
/* For everybody; somebody else's message as an admin of the group. */
void wa_build_revoke(struct buf *out, const struct wa_message_key *key);
/* duration_s: how long it stays pinned; 0: takes the pin off. */
void wa_build_pin(struct buf *out, const struct wa_message_key *key, uint32_t duration_s, int64_t now_ms);
/* The edit of one of our own messages: its text, or its caption. False if it has neither. */
bool wa_build_edit(struct buf *out, const struct wa_message_key *key, struct span original, const char *text, int64_t now_ms);
/* Appends an own message as it reads after such an edit: the same in everything but its text or caption. False if it has neither. */
bool wa_edited(struct buf *out, struct span original, const char *text);
/*
 * The content of a message as it is passed on: without wrappers, context, secret; *score as the next one's context needs it. False
 * for what is not passed on: view once, polls, events, and what is no content.
 */
bool wa_build_forward(struct buf *out, struct span message, bool from_me, uint32_t *score);

/* ---- albums: build_album.c. First the album, then each picture and video of it, in this order ---- */

void wa_build_album(struct buf *out, uint32_t images, uint32_t videos);
/* Appends the message as the one of this index (from 0) in the album. */
void wa_add_to_album(struct buf *out, struct span message, const struct wa_message_key *album, uint32_t index);

#endif
