/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The history that a phone uploads for a newly linked device, read item by item.
 *
 *     source -> inflate (RFC 1950) -> window -> one item at a time
 *
 *     HistorySync{ 1: kind, 2: Conversation{ 1: id, 2: { 1: WebMessageInfo }..., 3...: flags }..., 3: WebMessageInfo (status)...,
 *                  5: chunk, 6: progress, 7: { 1: jid, 2: push name }..., 12: past members, 15: { 1: PN, 2: LID }..., 19: salt }
 *
 * Only one message (or one other outer field) is in memory at a time, never a conversation, whatever the size of the whole. What stands
 * behind the messages of a conversation (names, flags, both forms of its JID) comes with HISTORY_CHAT, after its messages; who needs it
 * before reads twice. Pure; any thread, one thread at a time.
 *
 * Sources: Baileys Utils/history.ts, whatsmeow message.go and waHistorySync.proto.
 */
#ifndef WA_HISTORY_H
#define WA_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/jid.h"

enum wa_history_kind {
	HISTORY_INITIAL_BOOTSTRAP = 0,
	HISTORY_INITIAL_STATUS = 1,
	HISTORY_FULL = 2,
	HISTORY_RECENT = 3,
	HISTORY_PUSH_NAME = 4,
	HISTORY_NON_BLOCKING = 5,
	HISTORY_ON_DEMAND = 6,
	HISTORY_NONE = 7,
	HISTORY_MESSAGE_ACCESS = 8
};

/* "bootstrap", "recent", ...; "other" for what this version does not know. Static. */
const char *wa_history_kind_name(uint32_t kind);

/* ---- the notification ---- */

/* HistorySyncNotification; everything is borrowed from its bytes. */
struct wa_history_notice {
	uint32_t kind, chunk, progress;  /* progress in percent */
	struct span inlined;             /* the compressed history itself; empty: it lies on the media servers */
	struct span direct_path, key, plain_sha256, enc_sha256; /* lengths are checked: 32, or empty (hashes only) */
	uint64_t length;                 /* of the compressed history, 0: not said */
	struct span request_id;          /* on demand: id of the message that asked, or empty */
	struct span handle;              /* encHandle: named when the blob is deleted; or empty */
};

/* False: neither inlined nor to be had, or malformed. A notice of kind HISTORY_NONE has neither and is true. */
bool wa_history_notice_read(struct span bytes, struct wa_history_notice *out);

/* ---- the history ---- */

enum wa_history_error {
	HISTORY_OK = 0,
	HISTORY_E_READ = -1,      /* the source failed */
	HISTORY_E_PACKED = -2,    /* no zlib stream, or a damaged one */
	HISTORY_E_TRUNCATED = -3, /* ends in the middle */
	HISTORY_E_BROKEN = -4,    /* no HistorySync */
	HISTORY_E_TOO_BIG = -5    /* more than LIMIT_WA_HISTORY_BYTES, or packed tighter than any text (LIMIT_WA_HISTORY_RATIO) */
};

/* One line for people. Static. */
const char *wa_history_error_text(int error);

/* A conversation. Texts are terminated, NULL: not said; borrowed until its HISTORY_CHAT was followed by another item. */
struct wa_history_chat {
	struct jid jid, pn, lid; /* no device; server NONE: not said */
	const char *name, *display_name, *username, *description;
	int64_t time_s, last_message_s;
	uint32_t unread, unread_mentions;
	bool marked_unread, read_only, archived, community, announcement_group;
	int64_t pinned_s;        /* when it was pinned, 0: it is not */
	int64_t mute_until_s;    /* 0: not muted, negative: for ever */
	uint32_t expiration_s;
	int64_t expiration_set_s;
	struct span token;       /* privacy token of the contact, empty: none */
	int64_t token_s, token_given_s;
	bool complete;           /* the phone has no older messages of it */
	uint64_t messages;       /* of it in this history */
};

/* Borrowed until the next item. */
struct wa_history_message {
	const struct wa_history_chat *chat; /* what is known of it up to here: jid, and what stands before the messages; NULL: a status */
	const char *id;
	struct jid chat_jid;      /* of the message's key; no device */
	struct jid author;        /* no device; server NONE: not said (1:1, or our own) */
	bool from_me, starred, broadcast;
	int64_t time_s;
	uint32_t status;          /* 0 error, 1 pending, 2 server ack, 3 delivered, 4 read, 5 played; 0 if not said */
	uint32_t stub;            /* number of a system message, 0: none */
	const char *push_name;    /* may be NULL */
	const char *business_name;/* may be NULL */
	struct span message;      /* serialized E2E Message, empty: none (system message) */
	struct span secret;       /* messageSecret, 32 bytes or empty */
	struct span info;         /* the WebMessageInfo */
	bool has_addons;          /* wa_history_addon_next() over info finds something */
	uint64_t order;
};

enum wa_history_item_kind {
	HISTORY_MESSAGE = 1,   /* message; a status has no chat */
	HISTORY_CHAT,          /* chat, after its messages */
	HISTORY_NAME,          /* jid, text: push name */
	HISTORY_MAPPING,       /* jid: PN, other: LID */
	HISTORY_PAST_MEMBER,   /* jid: group, other: who, number: 0 left 1 removed, time_s */
	HISTORY_SALT           /* bytes: the account's salt for tokens */
};

struct wa_history_item {
	enum wa_history_item_kind kind;
	struct wa_history_message message;
	const struct wa_history_chat *chat;
	struct jid jid, other;
	const char *text;
	struct span bytes;
	int64_t time_s;
	uint32_t number;
};

enum wa_history_addon_kind {
	HISTORY_REACTION = 1,  /* value: emoji, empty: taken back */
	HISTORY_VOTE,          /* value: PollVoteMessage in clear (poll.h) */
	HISTORY_RECEIPT,       /* state: 2 delivered, 3 read, 4 played */
	HISTORY_PIN,           /* state: 1 pinned (seconds: for how long), 0 unpinned; nobody's */
	HISTORY_RESPONSE       /* value: EventResponseMessage in clear */
};

/* What others added to a message; borrowed from its info. */
struct wa_history_addon {
	enum wa_history_addon_kind kind;
	bool own;              /* ours; the author means nothing */
	struct jid author;     /* no device */
	struct span value;
	struct span source;    /* id of the message that added it; empty: not said */
	uint32_t state, seconds;
	int64_t time_ms;       /* 0: not said */
};

bool wa_history_is_addon(uint32_t number);
/* The next one that can be used; info begins as a reader of the message's info. False: there is no other. */
bool wa_history_addon_next(struct reader *info, struct wa_history_addon *out);

struct wa_history;

/* n bytes or fewer into out; 0 at the end, negative: an error. */
typedef long wa_history_read_fn(void *ctx, void *out, size_t n);

/* packed false: the source is inflated already (tests). */
struct wa_history *wa_history_new(wa_history_read_fn *read, void *ctx, bool packed);
/* NULLs the pointer; NULL is fine. */
void wa_history_free(struct wa_history **history);
/* The next item: 1. The regular end: 0. Negative: enum wa_history_error, and so from there on. */
int wa_history_next(struct wa_history *history, struct wa_history_item *item);

struct wa_history_counts {
	uint64_t bytes;    /* inflated so far */
	uint64_t packed;   /* read so far */
	uint64_t messages, chats, names, mappings;
	uint64_t unusable; /* items left out: without id or chat, longer than LIMIT_WA_HISTORY_ITEM, nested deeper than allowed */
};

const struct wa_history_counts *wa_history_counts(const struct wa_history *history);

#endif
