/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Part of store.h: chats, people and messages.
 *
 *     table chats           one row per identity of a session: a person, a group, ...; its names, and what a chat list shows
 *       table messages      by (chat, id, from me); body in clear text for searching, content and original sealed
 *         message_addons    reactions, edits, votes, pins, receipts
 *     message_search        full-text index, filled in batches behind the messages (search.c)
 *
 * A person is one row, whichever of its two names it is called by: the LID is the identity, the phone number an alias. When it becomes
 * known that two rows are one person they are merged: messages, counts and names move over. A row's `jid` is what is shown: the phone
 * number where known, else the LID; `lid` is the LID, where known.
 *
 * Functions named store_tx_* follow the rules of store.h. A message is stored once: the first write wins, so everything may be told
 * twice. What refers to a message that is not stored changes nothing. Everything of one tx sees what stands before it in the tx.
 *
 * Status broadcasts, channels, broadcast lists and the own number are nothing for this store: the caller leaves them out.
 */
#ifndef STORE_CHATS_H
#define STORE_CHATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/jid.h"

struct store;
struct store_tx;
struct store_reader;

/* ---- who ---------------------------------------------------------------------------------------------------------------------------- */

/* A person by either name, with the other one where it is known (server NONE: not known), in any order; or a group. Devices are ignored. */
struct store_peer {
	struct jid jid, other;
};

/* What becomes known of an identity. NULL and -1 leave what is there; "" erases a text. */
struct store_chat_change {
	const char *name;          /* of the address book, as the account's phone has it */
	const char *first_name;
	const char *push_name;     /* what the person calls itself ("notify") */
	const char *verified_name; /* of a business */
	const char *subject;       /* of a group; of a chat, as history calls it */
	int is_contact;            /* 1: in the address book, 0: no longer (the names of the address book go) */
	int64_t unread;            /* as the phone counts */
	int marked_unread, archived, locked; /* 0, 1 */
	int64_t pinned_ms;         /* 0: not pinned */
	int64_t mute_ms;           /* until then; STORE_MUTE_FOREVER; 0: not muted */
	int64_t expiration_s;      /* timer of disappearing messages, 0: off */
	int64_t as_of_ms;          /* 0: it is so now. Else it was so then (history), and counts only where nothing newer is known */
};

#define STORE_MUTE_FOREVER INT64_MAX
/* Nothing is changed. */
#define STORE_CHAT_CHANGE_NONE { .is_contact = -1, .unread = -1, .marked_unread = -1, .archived = -1, .locked = -1, .pinned_ms = -1, .mute_ms = -1, \
				 .expiration_s = -1 }

/* Makes the row if there is none (also for a change of nothing), merges rows, changes it. at_ms: now. */
void store_tx_chat_put(struct store_tx *tx, int64_t session, const struct store_peer *who, const struct store_chat_change *change, int64_t at_ms);
/* Inbound messages up to this time were read; what is newer is counted anew. */
void store_tx_chat_read(struct store_tx *tx, int64_t session, const struct store_peer *who, int64_t up_to_ms);
/* The same up to the newest of these messages. */
void store_tx_chat_read_ids(struct store_tx *tx, int64_t session, const struct store_peer *who, const char *const *ids, size_t n);
/* Messages up to this time go (INT64_MAX: all), starred ones too or not. The row stays. */
void store_tx_chat_clear(struct store_tx *tx, int64_t session, const struct store_peer *who, int64_t up_to_ms, bool starred_too);
/* The chat goes with all messages; a person of the address book stays as such, and a chat that has newer messages than that. */
void store_tx_chat_delete(struct store_tx *tx, int64_t session, const struct store_peer *who, int64_t up_to_ms);
/* These are two names of one person: rows that know only one are merged, none is made. */
void store_tx_chat_known(struct store_tx *tx, int64_t session, const struct store_peer *who);
/* Everything of a session goes, at once for every reader; the rows themselves are removed by and by. */
void store_tx_chats_forget(struct store_tx *tx, int64_t session);
/* The session is linked to this account: what is there of another one goes. */
void store_tx_chats_owner(struct store_tx *tx, int64_t session, const struct jid *account);

/* ---- messages ----------------------------------------------------------------------------------------------------------------------- */

enum { STORE_BODY_MAX = 65536 };

/* Which of a person's two names a message went by on the wire: an answer goes the way the message came. */
enum store_addressing { STORE_ADDRESSING_UNKNOWN = 0, STORE_BY_NUMBER, STORE_BY_LID };

/* Of an own message: how far it came. While its row is in the outbox that says more, and is what is answered. */
enum store_message_status {
	STORE_MESSAGE_NONE = 0, /* inbound, or not known */
	STORE_MESSAGE_ERROR,
	STORE_MESSAGE_PENDING,
	STORE_MESSAGE_SENT,     /* acked by the server */
	STORE_MESSAGE_DELIVERED,
	STORE_MESSAGE_READ,
	STORE_MESSAGE_PLAYED
};

struct store_message {
	const char *id;
	bool from_me;
	struct store_peer author;  /* in groups, of inbound messages; else none */
	const char *push_name;     /* the author's, may be NULL */
	const char *verified_name; /* the same */
	const char *type;          /* rest-b 6.3: "conversation", "image", ... */
	bool media;                /* one of the types that mediaOnly means */
	struct span body;          /* rest-b 6.4; UTF-8, cut at STORE_BODY_MAX */
	struct span content;       /* serialized E2E Message; sealed; p NULL: none (system rows) */
	int64_t time_ms;           /* the server's */
	enum store_message_status status;
	enum store_addressing addressing;
};

/*
 * Messages of one chat, in any order: live ones one at a time, history in hundreds (a tx holds up all others while it is written). Each that is new moves the chat's newest message and counts; unread grows by new inbound ones that are newer than what was read,
 * unless it is history (the phone's count is told by store_tx_chat_put()).
 */
void store_tx_messages_put(struct store_tx *tx, int64_t session, const struct store_peer *chat, const struct store_message *messages, size_t n,
                           bool history, int64_t at_ms);

/* A stored message. from_me -1: whichever has the id. */
struct store_message_ref {
	struct store_peer chat;
	const char *id;
	int from_me;
};

/* Newer than the last edit, and not deleted: content, type and body change; the first content is kept. time_ms: of the edit. */
void store_tx_message_edit(struct store_tx *tx, int64_t session, const struct store_message_ref *ref, const struct store_message *to,
                           int64_t at_ms);
/* The row stays with this body, of type "system"; what it was is kept. by: who deleted it, may be none. */
void store_tx_message_revoke(struct store_tx *tx, int64_t session, const struct store_message_ref *ref, const struct store_peer *by,
                             const char *body, int64_t at_ms);
void store_tx_message_star(struct store_tx *tx, int64_t session, const struct store_message_ref *ref, bool on, int64_t at_ms);
/* For us alone: the row goes. */
void store_tx_message_delete(struct store_tx *tx, int64_t session, const struct store_message_ref *ref);
/* Never back. */
void store_tx_message_status(struct store_tx *tx, int64_t session, const struct store_message_ref *ref, enum store_message_status status,
                             int64_t at_ms);

/*
 * The same, but only if the outbox did not have the message of the last store_tx_outbox_receipt() of this tx: it was sent elsewhere. Then it
 * is kept with the message who has it, too.
 */
void store_tx_message_receipt(struct store_tx *tx, int64_t session, const struct store_message_ref *ref, const struct store_peer *by,
                              enum store_message_status status, int64_t at_ms);

enum store_addon_kind {
	STORE_ADDON_REACTION = 1, /* value: emoji, NULL or "": taken back. One per author */
	STORE_ADDON_EDIT,         /* author: the edit's time in ms. Written by store_tx_message_edit() */
	STORE_ADDON_VOTE,         /* value: JSON array of the chosen options' names. One per author */
	STORE_ADDON_PIN,          /* value: until when, in seconds; NULL: unpinned. One per message */
	STORE_ADDON_RECEIPT,      /* value: enum store_message_status as decimal text (receipts.h). One per author */
	STORE_ADDON_DELETED_BY,   /* who deleted it. Written by store_tx_message_revoke() */
	STORE_ADDON_RESPONSE      /* to an event; value: JSON object {response, extraGuestCount}. One per author */
};

/* The newest of its author counts (time_ms). by none: ourselves, or nobody in particular. */
void store_tx_message_addon(struct store_tx *tx, int64_t session, const struct store_message_ref *ref, enum store_addon_kind kind,
                            const struct store_peer *by, const char *value, int64_t time_ms, int64_t at_ms);
/* The same for a message that added it: source is its id. */
void store_tx_message_addon_from(struct store_tx *tx, int64_t session, const struct store_message_ref *ref, enum store_addon_kind kind,
                                 const struct store_peer *by, const char *value, const char *source, int64_t time_ms, int64_t at_ms);

/* ---- labels ------------------------------------------------------------------------------------------------------------------------- */

struct store_label {
	const char *id, *name;
	int64_t color;
	int64_t predefined;        /* which of the app's own labels it was made from, 0: none */
	int64_t updated_ms;
	int64_t chats;             /* how many chats have it; only when read */
};

/* name NULL: the label is gone, from everything that has it. */
void store_tx_label_put(struct store_tx *tx, int64_t session, const struct store_label *label);
/* message_id NULL: the chat itself. */
void store_tx_label_member(struct store_tx *tx, int64_t session, const char *id, const struct store_peer *chat, const char *message_id, bool on);
/* Labels of an account are its own: all of them go, and where they are put. */
void store_tx_labels_forget(struct store_tx *tx, int64_t session);

/* In the order of their ids as numbers; id NULL: all. */
int store_label_list(struct store_reader *reader, struct arena *arena, int64_t session, const char *id, struct store_label **rows, size_t *n);

struct store_label_member {
	const char *chat_jid, *chat_lid; /* as in struct store_chat */
	const char *message_id;          /* "": the chat itself */
};

int store_label_members(struct store_reader *reader, struct arena *arena, int64_t session, const char *id, struct store_label_member **rows, size_t *n);

/* ---- reading chats ------------------------------------------------------------------------------------------------------------------- */

enum store_chat_kind { STORE_CHAT_PERSON = 1, STORE_CHAT_GROUP, STORE_CHAT_OTHER };

struct store_chat {
	int64_t number;
	enum store_chat_kind kind;
	const char *jid, *lid;     /* lid NULL: none, or not known */
	const char *name, *first_name, *push_name, *verified_name, *subject; /* may be NULL */
	const char *display;       /* verified, name, push name, subject; NULL: none of them */
	bool is_contact;
	int64_t messages, media, unread, read_ms;
	bool marked_unread, archived, locked;
	int64_t pinned_ms, mute_ms, expiration_s;
	int64_t last_ms;           /* of the newest message, 0: none */
	const char *last_body;     /* NULL: none */
	int64_t created_ms, updated_ms;
};

/* BY_UPDATED: when anything of it last changed; not for lists that must be fast with very many chats. */
enum store_chat_order { STORE_BY_LAST = 0, STORE_BY_NAME, STORE_BY_JID, STORE_BY_UNREAD, STORE_BY_UPDATED };

struct store_chat_query {
	enum store_chat_order order;
	bool ascending;
	bool with_media;           /* only chats with messages that have media */
	bool contacts;             /* people and groups, with messages or without; else only what has messages */
	int kind;                  /* enum store_chat_kind, 0: any */
	int archived;              /* 0, 1; -1: any */
	bool unread_only;
	const char *search;        /* part of JID or name, any case; NULL or "": any */
	const char *label;         /* id; NULL: any */
	const char *own, *own_lid; /* never in the list; may be NULL */
	const char *cursor;        /* of the page before; NULL: offset counts */
	int64_t limit, offset;
};

struct store_page {
	int64_t total;             /* of all pages */
	char *cursor;              /* of the next page; NULL: this is the last */
};

/* STORE_NOT_FOUND: the cursor is none of this list. */
int store_chat_list(struct store_reader *reader, struct arena *arena, int64_t session, const struct store_chat_query *query,
                    struct store_chat **rows, size_t *n, struct store_page *page);
/* Whether that person ever wrote to the account or was written to: messages that never left do not count. */
int store_chat_acquainted(struct store_reader *reader, int64_t session, const struct jid *jid, bool *acquainted);
/* By either name. STORE_NOT_FOUND. */
int store_chat_get(struct store_reader *reader, struct arena *arena, int64_t session, const struct jid *jid, struct store_chat *chat);

/* ---- reading messages ----------------------------------------------------------------------------------------------------------------- */

struct store_addon {
	enum store_addon_kind kind;
	const char *author, *author_lid; /* "": ourselves; author by number where known; lid NULL: not known */
	int64_t time_ms;
	const char *value;
	const char *source;        /* id of the message that added it; NULL: not known */
};

struct store_message_row {
	int64_t number, chat;
	const char *chat_jid, *chat_lid; /* as in struct store_chat */
	const char *id;
	bool from_me;
	const char *author, *author_lid; /* of inbound messages in groups, else NULL; by number where known */
	const char *type, *body;
	bool media;
	enum store_message_status status;
	enum store_addressing addressing;
	int64_t time_ms, updated_ms, edited_ms, deleted_ms, starred_ms; /* 0: not */
	struct span content, original;   /* p NULL: none */
	struct store_addon *addons;
	size_t naddons;
};

struct store_message_query {
	int64_t chat;              /* number */
	int64_t from_ms, to_ms;    /* inclusive; 0: no bound */
	bool media_only;
	int from_me;               /* 0, 1; -1: any */
	const char *search;        /* part of the body, any case; NULL or "": any */
	bool starred_only;
	bool bare;                 /* without content, original, addons and what the outbox says */
	bool no_total;             /* page->total stays 0 */
	const char *cursor;        /* NULL: offset counts */
	int64_t limit, offset;
};

/* Newest first. STORE_NOT_FOUND: the cursor is none of this list. */
int store_message_list(struct store_reader *reader, struct arena *arena, int64_t session, const struct store_message_query *query,
                       struct store_message_row **rows, size_t *n, struct store_page *page);
/* from_me -1: whichever has the id. */
int store_message_get(struct store_reader *reader, struct arena *arena, int64_t session, const struct jid *chat, const char *id, int from_me,
                      struct store_message_row *row);
/* Whichever chat has the id, that with the newest message first. Costs a probe per chat where none has it: not for lists. */
int store_message_find(struct store_reader *reader, struct arena *arena, int64_t session, const char *id, struct store_message_row *row);

/* ---- receipts (receipts.c) --------------------------------------------------------------------------------------------------------------- */

/* How far an own message came with one person. */
struct store_receipt {
	const char *jid, *lid;     /* by number where known; lid NULL: not known */
	enum store_message_status status;
	int64_t delivered_ms, read_ms, played_ms; /* the first of the person's devices, 0: not known */
	const char **devices;      /* JIDs with device that told so; none of a message that was sent elsewhere */
	size_t ndevices;
};

/* In the order of their JIDs. limit: how many devices are looked at, those that got furthest first. */
int store_message_receipts(struct store_reader *reader, struct arena *arena, int64_t session, const struct store_message_row *row, size_t limit,
                           struct store_receipt **out, size_t *n);

/* ---- searching (search.c) --------------------------------------------------------------------------------------------------------------- */

enum { STORE_SEARCH_TERMS = 16, STORE_SEARCH_MAX = 512 };

/*
 * What somebody looks for: words, all of which must be there; "several words" in quotes, side by side; a word that ends in * begins so.
 * Everything else is plain text, no query is an error of syntax.
 */
struct store_search {
	size_t n;
	struct store_term {
		struct span text;  /* borrowed from the text that was parsed */
		bool prefix;
	} terms[STORE_SEARCH_TERMS];
};

/* False: there is nothing in it that could be searched for, too many terms, or it is longer than STORE_SEARCH_MAX bytes. */
bool store_search_parse(struct store_search *search, const char *text);

struct store_search_query {
	const struct store_search *search;
	int64_t chat;              /* 0: all */
	int64_t from_ms, to_ms;
	int from_me;
	const char *cursor;
	int64_t limit;
};

/* True if there are messages that the index does not have yet: commit a tx with store_tx_search_fill() before searching. */
bool store_search_behind(struct store *store);
void store_tx_search_fill(struct store_tx *tx);
/* What was stored last comes first. No total. */
int store_message_search(struct store_reader *reader, struct arena *arena, int64_t session, const struct store_search_query *query,
                         struct store_message_row **rows, size_t *n, struct store_page *page);

/* ---- retention (retention.c) ---------------------------------------------------------------------------------------------------------- */

/* Applies from now on, a part at a time; 0: no limit. Any thread. */
void store_retention(struct store *store, int64_t max_age_ms, int64_t max_per_chat);

#endif
