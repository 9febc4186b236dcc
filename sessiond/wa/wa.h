/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sessiond/wa: the WhatsApp companion protocol as a library. It does no I/O: bytes come in through wa_client_input(), bytes go out
 * through the host's functions, which also give it a clock, random bytes, storage and a timer. One struct wa_client is one linked
 * (or to be linked) account; it lives on one loop thread and is only called there. It never blocks.
 *
 *      session/  (the host)                             wa/  (this library)
 *      -------------------                              -------------------
 *      WebSocket open      -> wa_client_opened()        host->send()    one WebSocket message
 *      WebSocket message   -> wa_client_input()         host->close()   the connection is over, and why
 *      WebSocket closed    -> wa_client_closed()        host->fetch()   asks for stored records
 *      records arrived     -> wa_client_fetched()       host->commit()  one batch: records + events, atomically
 *      batch stored/failed -> wa_client_committed()     host->event()   something volatile happened
 *      timer fired         -> wa_client_tick()          host->timer()   wake me then
 *
 * Durable things (records, WA_EVENT_* marked "durable") leave in a batch; what depends on them (acks, receipts, stanzas) leaves only
 * after wa_client_committed(..., true). A failed commit drops all uncommitted state and the connection without acks.
 */
#ifndef SESSIOND_WA_H
#define SESSIOND_WA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/jid.h"

struct wa_client;

/* ---- records: everything the protocol must remember, as (kind, name) -> value ------------------------------------------------ */

enum wa_record_kind {
	WA_RECORD_CREDS = 1,    /* name "": the device's own keys and identity (creds.c) */
	WA_RECORD_SESSION,      /* name "user.device" or "user_1.device": a Signal session */
	WA_RECORD_IDENTITY,     /* same names: the peer's identity key, 33 bytes */
	WA_RECORD_PREKEY,       /* name decimal id: a one-time prekey pair */
	WA_RECORD_SIGNED_PREKEY,/* name decimal id */
	WA_RECORD_SENDER_KEY,   /* name "group::user.device" */
	WA_RECORD_DEVICES,      /* name "user@server": device list of a user, with its time */
	WA_RECORD_LID_OF_PN,    /* name PN digits -> LID digits: the identity table, one direction; value with source and time (lidmap.c) */
	WA_RECORD_PN_OF_LID,    /* name LID digits -> PN digits: the other direction */
	WA_RECORD_TOKEN,        /* name "user@server": privacy tokens (tctoken) */
	WA_RECORD_SENT,         /* name message id: what a retry receipt needs (plaintext, recipient, time, counters) */
	WA_RECORD_RECEIVED,     /* name "chat/sender/id": seen before; retry counters for it */
	WA_RECORD_DECODING,     /* name "": marker of the stanza being decoded, for crash detection */
	WA_RECORD_APPSTATE,     /* app state keys and versions */
	WA_RECORD_MISC,         /* small things by name */
	WA_RECORD_GROUP,        /* name "120363...@g.us": what is known of a group (group.h) */
	WA_RECORD_GROUP_KEYS,   /* same names, and "status@broadcast": which devices have our sender key (groupkeys.h) */
	WA_RECORD_SECRET = 20,  /* secrets of polls and events, tallies of polls (secret.h); worth keeping for WA_SECRET_KEEP_MS */
	WA_RECORD_MESSAGE = 200 /* name message id: author's JID, blank, time in ms, NUL, chat's JID, NUL, serialized
	                           message; for what refers to it */
};

struct wa_key {
	enum wa_record_kind kind;
	const char *name; /* borrowed for the call */
};

/* A change of one record; value.p == NULL deletes. */
struct wa_put {
	enum wa_record_kind kind;
	char *name;       /* owned by the batch */
	struct buf value; /* owned by the batch; empty with absent=true means delete */
	bool absent;
};

/*
 * WA_RECORD_SENT of a message, for a host that has the message itself elsewhere. It need not store what has no askers (n 0), of others these
 * alone; what is fetched is made of them, or of none, and the message. chat: without device, by either name of a person.
 */
struct span wa_sent_askers(struct span record);
void wa_sent_record(struct buf *out, const struct jid *chat, int64_t sent_ms, struct span askers, struct span message);

/* ---- events ------------------------------------------------------------------------------------------------------------------ */

enum wa_event_kind {
	/* volatile: host->event() */
	WA_EVENT_QR,              /* text: the QR string; ms: how long it is valid */
	WA_EVENT_QR_EXPIRED,      /* all refs were used up; the connection ends (408), the next one brings new ones */
	WA_EVENT_PAIR_CODE,       /* text: 8 characters; ms: how long it is valid */
	WA_EVENT_PAIR_ERROR,      /* code, text */
	WA_EVENT_PASSKEY_REQUEST, /* text: WebAuthn request options, JSON */
	WA_EVENT_PASSKEY_CODE,    /* text: code to compare on the phone; code 1: the phone does not ask for it */
	WA_EVENT_OPEN,            /* logged in; jid: own PN device, other: own LID device */
	WA_EVENT_OFFLINE_DONE,    /* backlog drained; number: stanzas */
	WA_EVENT_PRESENCE,        /* jid, text: available|unavailable|composing|recording|paused, other: participant, ms: last seen */
	WA_EVENT_MEDIA_RETRY,     /* text: message id, bytes: the phone's sealed answer (media.h), code != 0: its refusal instead */
	WA_EVENT_WARNING,         /* code, text: something an operator should see (client_expiration, dropped stanza, ...) */
	WA_EVENT_APPSTATE_HEALTH, /* text: collection; code 1: cannot be brought in order for now (text2 why), 0: it is in order again */
	WA_EVENT_CHANGED,         /* tag of wa_client_change(): accepted by the server and stored (code 0), or not: code, text */
	/* durable: in a batch */
	WA_EVENT_PAIRED,          /* jid, other (LID), text: platform, text2: business name */
	WA_EVENT_PROFILE,         /* text: own push name */
	WA_EVENT_MESSAGE,         /* message: a decrypted message, someone's or our own from another device */
	WA_EVENT_UNDECRYPTABLE,   /* message without content; code, text: why; retry counter in number */
	WA_EVENT_RECEIPT,         /* receipt */
	WA_EVENT_SEND_STANZA,     /* send.tag, bytes: the encrypted stanza that leaves once this is stored */
	WA_EVENT_SEND_ACK,        /* send.tag: server ack; ms: server's time; number: id in the channel, 0 elsewhere */
	WA_EVENT_SEND_FAILED,     /* send.tag, code, text: will never be sent */
	WA_EVENT_RETRY_REQUESTED, /* jid (device), text: message id, number: count; answered or not in code (0 resent) */
	WA_EVENT_IDENTITY_CHANGED,/* jid */
	WA_EVENT_ADDON,           /* addon, message (without plaintext): something was added to an earlier message, or may not be */
	WA_EVENT_TIMELOCK,        /* reach-out time lock: text: kind, ms: end */
	WA_EVENT_ACTION,          /* action: something of the account's shared state changed (app state) */
	WA_EVENT_APPSTATE_SYNCED, /* text: collection that is complete now, after linking or from a snapshot; number: entries */
	WA_EVENT_MEX,             /* text: name of the operation, may be NULL; bytes: its JSON {"data":{...}}: of channels and of the account */
	WA_EVENT_POST,            /* jid: channel, number: server id, ms: views or -1, bytes: per reaction  count(8) | length(1) | emoji */
	WA_EVENT_GROUP,           /* group: something about a group has changed */
	WA_EVENT_CALL,            /* call */
	WA_EVENT_BLOCKLIST,       /* another device (un)blocked jid, other: its other form; code 1: blocked, 0: not, -1: read the list anew */
	WA_EVENT_CONTACT,         /* of jid, other: its other form; text: picture|about|timer|number, text2: the new text; number: timer in
	                             seconds; code 1: removed; ms: time */
	WA_EVENT_HISTORY,         /* text: message id, bytes: HistorySyncNotification (history.h), number: its kind, ms: arrival; then wa_client_history_done() */
	WA_EVENT_LOGGED_OUT       /* credentials are void and deleted in the same batch; code, text */
};

enum wa_receipt_kind {
	WA_RECEIPT_DELIVERED = 1, WA_RECEIPT_READ, WA_RECEIPT_READ_SELF, WA_RECEIPT_PLAYED, WA_RECEIPT_SENDER, WA_RECEIPT_INACTIVE,
	WA_RECEIPT_SERVER_ERROR, WA_RECEIPT_OTHER
};

struct wa_receipt {
	enum wa_receipt_kind kind;
	struct jid chat;       /* conversation as addressed on the wire */
	struct jid device;     /* who: with device */
	struct jid pn, lid;    /* the same person in both forms; server JID_SERVER_NONE if unknown */
	char **ids;            /* owned, n of them */
	size_t n;
	int64_t time_ms;
};

struct wa_message {
	char *id;              /* owned */
	struct jid chat;       /* conversation as addressed on the wire, no device */
	struct jid sender;     /* author, with device; in 1:1 the peer or ourselves */
	struct jid chat_pn, chat_lid, sender_pn, sender_lid; /* both forms where known, else JID_SERVER_NONE; no device */
	bool from_me;
	bool offline;          /* came from the backlog */
	bool lid_addressed;    /* addressing mode of the stanza */
	bool by_list;          /* it came by its sender's broadcast list; chat is the conversation with the sender */
	char *push_name;       /* owned, may be NULL */
	char *type;            /* stanza attribute "type", owned, may be NULL */
	char *category;        /* "peer" for messages between own devices, owned, may be NULL */
	char *edit;            /* stanza attribute "edit", owned, may be NULL */
	char *verified_name;   /* business name, owned, may be NULL */
	int64_t time_ms;       /* server's time */
	struct buf plaintext;  /* serialized E2E Message, unwrapped from deviceSentMessage; owned */
	char *text;            /* text content found by wa (conversation, extended text), owned, may be NULL */
	char *target;          /* id of the message that this one edits or revokes, and its sender may; owned, NULL otherwise */
	bool target_from_me;   /* that one is ours */
	int64_t server_id;     /* of a message in a channel, else 0 */
	const char *content;   /* static: name of the content field, such as "conversation", "imageMessage"; NULL if unknown */
};

/* Something that belongs to an earlier message. */
enum wa_addon_kind {
	WA_ADDON_POLL_VOTE = 1,
	WA_ADDON_EVENT_RESPONSE,
	WA_ADDON_REACTION,     /* encrypted ones only */
	WA_ADDON_COMMENT,
	WA_ADDON_MESSAGE_EDIT, /* plain: only when refused */
	WA_ADDON_EVENT_EDIT,
	WA_ADDON_POLL_EDIT,
	WA_ADDON_POLL_ADD_OPTION,
	WA_ADDON_REVOKE        /* only when refused */
};

/* A vote, and the poll's result with it. */
struct wa_poll_result {
	char *title;           /* owned */
	unsigned selectable;   /* 0: any number */
	char **names;          /* owned, n options */
	uint32_t *votes;       /* owned, n: votes for each */
	size_t n;
	uint32_t voters;
	uint16_t *chosen;      /* owned: indices of the options of this vote */
	size_t nchosen;
	size_t unknown;        /* chosen options that are not in the poll as we know it */
	bool older;            /* a later vote of the same voter came before: not counted */
	bool uncounted;        /* more voters than are counted */
};

struct wa_addon {
	enum wa_addon_kind kind;
	bool refused;              /* an edit or revocation by somebody who may not; error says why */
	const char *error;         /* static: why it could not be read; NULL: plaintext is good */
	char *target_id;           /* owned */
	struct jid target_author;  /* bare; server NONE: not known */
	bool target_from_me;
	struct jid creator, adder; /* the forms of both sides with which it opened */
	int64_t time_ms;
	struct buf plaintext;      /* owned: PollVoteMessage, EventResponseMessage, ReactionMessage, Message */
	struct wa_poll_result *poll; /* owned, NULL unless it is a readable vote in a poll that is known */
};

void wa_addon_result_free(struct wa_addon *addon);
/*
 * One entry of the state that all devices of the account share (app state): a chat archived, muted or pinned, a message starred, a
 * contact, a label. The same form goes in (WA_EVENT_ACTION) and out (wa_client_change()); which members count follows from the name.
 */
struct wa_action {
	const char *name;      /* static: "archive", "pin_v1", "markChatAsRead", "mute", "star", "deleteMessageForMe", "clearChat", "deleteChat",
	                          "contact", "setting_pushName", "label_edit", ...: appstate_action.c has the list */
	bool removed;          /* the entry is gone (contacts) */
	bool initial;          /* known before: part of a first or repeated whole sync */
	bool own;              /* this device did it */
	struct jid chat;       /* chat, person or LID it is about, as named there; server NONE if it is about none */
	struct jid chat_pn, chat_lid; /* both forms where known, else JID_SERVER_NONE */
	char *message_id;      /* owned, may be NULL; with from_me, and participant in groups */
	bool from_me;
	struct jid participant;
	char *id;              /* owned, may be NULL: label, quick reply */
	bool on;               /* archived, pinned, muted, read, starred, locked, deleted (labels), saved on the phone (contacts), ... */
	bool starred_too, media_too; /* clearChat, deleteChat: these are deleted as well; deleteMessageForMe: media_too */
	int64_t until_ms;      /* mute: end, -1: for ever, 0: none */
	int64_t number;        /* label_edit: colour; status_privacy: mode; deleteMessageForMe: the message's time in seconds */
	int64_t number2;       /* label_edit: which of the predefined labels, 0: none */
	char *text, *text2;    /* owned, may be NULL: names, language, shortcut and text of a quick reply; favorites: JIDs, one a line */
	struct jid pn, lid;    /* what the entry itself says about a contact's forms */
	int64_t last_message_s;/* archive, markChatAsRead, clearChat, deleteChat: it counts up to this message; 0: not said */
	int64_t time_ms;       /* when it was done, as the device says */
};

void wa_action_free(struct wa_action *action);

/* ---- groups ------------------------------------------------------------------------------------------------------------------- */

enum wa_group_role { WA_GROUP_MEMBER, WA_GROUP_ADMIN, WA_GROUP_SUPERADMIN };

struct wa_group_member {
	struct jid jid;   /* in the namespace of the group, bare */
	struct jid other; /* the other form (PN of a LID, LID of a PN), server NONE if unknown */
	enum wa_group_role role;
};

struct wa_group {
	struct jid jid;
	bool lid_addressed;     /* members are addressed by LID */
	bool announce;          /* only admins write */
	bool locked;            /* only admins change subject, picture and the like */
	bool join_approval;     /* admins approve who joins by link */
	bool members_add;       /* every member may add others */
	bool community;         /* a community, which is no chat itself */
	bool announcement_group; /* of the community `parent` */
	struct jid parent;      /* community that it belongs to, server NONE if none */
	struct jid owner;       /* server NONE if unknown */
	int64_t created_s;
	uint32_t expiration_s;  /* disappearing messages, 0: off */
	char *subject;          /* owned */
	char *description, *description_id; /* owned, may be NULL */
	struct wa_group_member *members;    /* owned */
	size_t n, cap;
	uint64_t version;       /* the server's number of the list of members; 0 unknown */
	uint64_t mark;          /* ours: changes whenever the list of members does */
	int64_t fetched_ms;
};

void wa_group_free(struct wa_group *group);
/* A record of kind WA_RECORD_GROUP. False if it cannot be read; *out is to be cleared in both cases. */
bool wa_group_read(struct span record, const struct jid *group, struct wa_group *out);
/* Frees what the group holds, not the group. */
void wa_group_clear(struct wa_group *group);
/* *to is overwritten, and to be cleared. */
void wa_group_copy(struct wa_group *to, const struct wa_group *from);

enum wa_group_change_kind {
	WA_GROUP_CREATED = 1,  /* we are in a new group, or were added to one: group */
	WA_GROUP_ADDED,        /* members; text: reason, may be NULL */
	WA_GROUP_REMOVED,      /* members; on: they left by themselves */
	WA_GROUP_PROMOTED,     /* members */
	WA_GROUP_DEMOTED,      /* members */
	WA_GROUP_MODIFIED,     /* members: their numbers before the change */
	WA_GROUP_SUBJECT,      /* text */
	WA_GROUP_DESCRIPTION,  /* text, NULL: deleted; id */
	WA_GROUP_ANNOUNCE,     /* on */
	WA_GROUP_LOCKED,       /* on */
	WA_GROUP_EXPIRATION,   /* number: seconds, 0: off */
	WA_GROUP_INVITE,       /* text: new invite code, NULL: revoked */
	WA_GROUP_MEMBERS_ADD,  /* on: every member may add */
	WA_GROUP_APPROVAL,     /* on: joining needs an approval */
	WA_GROUP_JOIN_REQUEST, /* members ask to join; text: how; on: the request was withdrawn or rejected */
	WA_GROUP_DELETED,
	WA_GROUP_PARENT,       /* id: community that it belongs to now (on) or did before */
	WA_GROUP_OTHER         /* text: name of the change, which this version does not know */
};

struct wa_group_change {
	enum wa_group_change_kind kind;
	struct jid group;
	struct jid actor, actor_other; /* who did it, both forms where known */
	bool lid_addressed;
	struct wa_group_member *members; /* owned, whom it is about */
	size_t n;
	bool on;
	int64_t number;
	char *text, *id, *notify;   /* owned, may be NULL; notify: the actor's push name, id: of the description */
	char *stanza_id;            /* owned */
	struct wa_group *info;      /* owned; only with WA_GROUP_CREATED */
	int64_t time_ms;
	bool offline;
};

/* Something happened to a call. */
struct wa_call {
	char *id;              /* owned */
	const char *status;    /* static: offer, accept, reject, timeout, terminate, preaccept, transport, relaylatency, ringing */
	char *reason;          /* owned, may be NULL */
	struct jid chat;       /* where it comes from, bare */
	struct jid from;       /* who called, with device */
	struct jid from_pn, from_lid; /* both forms where known, else JID_SERVER_NONE */
	struct jid group;      /* of a call in a group; server NONE */
	bool offline;          /* came from the backlog */
	bool kind_known;       /* the offer was seen: the next two are true to it */
	bool video, group_call;
	int64_t time_ms;
};

struct wa_event {
	enum wa_event_kind kind;
	struct jid jid, other;
	int code;
	int64_t number, ms;
	char *text, *text2;      /* owned, may be NULL */
	uint64_t tag;            /* of wa_client_send() and wa_client_change() */
	struct buf bytes;        /* owned */
	struct wa_message *message; /* owned, may be NULL */
	struct wa_receipt *receipt; /* owned, may be NULL */
	struct wa_addon *addon;     /* owned, may be NULL */
	struct wa_action *action;   /* owned, may be NULL */
	struct wa_group_change *group; /* owned, may be NULL */
	struct wa_call *call;          /* owned, may be NULL */
};

struct wa_event *wa_event_new(enum wa_event_kind kind);
void wa_event_free(struct wa_event *event);

/* One operation's effect: all of it is stored, or nothing. */
struct wa_batch {
	struct wa_put *puts;      /* owned */
	size_t nputs;
	struct wa_event **events; /* owned */
	size_t nevents;
};

void wa_batch_free(struct wa_batch *batch);

/* ---- why a connection ended ---------------------------------------------------------------------------------------------------- */

enum wa_reaction {
	WA_RECONNECT_NOW = 1,  /* 515 and the like: at once, not an error */
	WA_RECONNECT_BACKOFF,
	WA_RECONNECT_SLOW,     /* 429: backoff advanced by five steps */
	WA_STOP,               /* report, do not reconnect */
	WA_STOP_UNTIL,         /* banned until until_ms */
	WA_STOP_REPLACED,      /* another connection of the same device took over */
	WA_STOP_LOGGED_OUT,    /* credentials are void */
	WA_STOP_VERSION,       /* 405: refresh the client version, try once more */
	WA_STOP_STORAGE        /* a commit failed: nothing was acknowledged */
};

struct wa_close {
	enum wa_reaction reaction;
	int code;              /* the number clients of the original see: 401, 408, 428, 440, 500, 515, ... */
	const char *reason;    /* one line for people; borrowed for the call */
	int64_t until_ms;      /* wall clock, WA_STOP_UNTIL only */
};

/* A file on WhatsApp's media servers, encrypted as such. Borrowed. */
struct wa_blob {
	const char *direct_path;  /* "/v/..." */
	struct span media_key;    /* 32 bytes */
	struct span plain_sha256, enc_sha256; /* 32 bytes each, or empty: not said */
	uint64_t size;            /* of the encrypted file, 0: not said */
	size_t max_bytes;         /* larger ones are an error */
};

/* ---- the host ------------------------------------------------------------------------------------------------------------------- */

struct wa_host {
	int64_t (*wall_ms)(void *ctx);
	int64_t (*mono_ms)(void *ctx);
	/* Fills with cryptographic random bytes; must not fail (abort instead). */
	void (*random)(void *ctx, void *out, size_t n);
	/* One binary WebSocket message; bytes are borrowed. Queues, never blocks. */
	void (*send)(void *ctx, const uint8_t *bytes, size_t n);
	/*
	 * The protocol is done with this connection: flush what was sent, close it, do not call wa_client_closed() for it. Comes as the
	 * last thing an entry point does; the client must not be freed inside.
	 */
	void (*close)(void *ctx, const struct wa_close *why);
	/* Call wa_client_tick() at this monotonic time (replaces the earlier wish; INT64_MAX: never). */
	void (*timer)(void *ctx, int64_t at_ms);
	/* Read n records; answer with wa_client_fetched(client, token, ...), on this loop, not before this call has returned. */
	void (*fetch)(void *ctx, const struct wa_key *keys, size_t n, uint64_t token);
	/* Store a batch atomically; the host owns it now. Answer with wa_client_committed(), in order of commits. */
	void (*commit)(void *ctx, struct wa_batch *batch, uint64_t token);
	void (*event)(void *ctx, const struct wa_event *event);
	/*
	 * Optional (NULL: not wanted). The stanza of this name is about to be decoded; NULL when that is over. The host keeps the name where
	 * it outlives a crash of the process, and tells the next life about it by wa_client_suspect().
	 */
	void (*decoding)(void *ctx, const char *name);
	/* Run work(arg) elsewhere, then done(arg) on this loop (PBKDF2 and the like). */
	void (*offload)(void *ctx, void (*work)(void *arg), void (*done)(void *arg), void *arg);
	/*
	 * Optional (NULL: large app state cannot be had). Download, check and decrypt a file of kind "app state"; answer with
	 * wa_client_blob(client, token, ...) on this loop, not before this call has returned. The reference is borrowed for the call.
	 */
	void (*blob)(void *ctx, const struct wa_blob *blob, uint64_t token);
};

struct wa_version { uint32_t primary, secondary, tertiary; };

/* What all clients of a process share; outlives them. Strings are borrowed. */
struct wa_config {
	struct wa_version version;
	uint8_t root_key[32];     /* Noise certificate root */
	const char *os_name;      /* "Mac OS": shown under linked devices */
	const char *browser_name; /* "Chrome" */
	bool full_history;        /* DeviceProps.requireFullSync */
	unsigned history_days;    /* how far back the phone is asked for; 0: everything */
	bool mark_online;         /* presence available on open */
	bool classic_qr;          /* four-field QR text instead of the URL form */
	size_t cache_bytes;       /* records kept in memory per client */
};

/* Per loop: libsignal context and the like. */
struct wa_loop;
struct wa_loop *wa_loop_new(const struct wa_config *config);
void wa_loop_free(struct wa_loop *loop);

/* host and ctx outlive the client. Nothing happens before wa_client_opened(). */
struct wa_client *wa_client_new(struct wa_loop *loop, const struct wa_host *host, void *ctx);
/* Answers to fetches and commits that arrive later must not be passed on any more. */
void wa_client_free(struct wa_client *client);

/* Before wa_client_opened(): the process crashed while it decoded the stanza of this name (see host->decoding). It is refused when it
 * comes again, not decoded. */
void wa_client_suspect(struct wa_client *client, const char *name);

void wa_client_opened(struct wa_client *client);
void wa_client_input(struct wa_client *client, const uint8_t *bytes, size_t n);
/* The transport is gone (peer closed, network); host->close() is called back with the reaction. */
void wa_client_closed(struct wa_client *client, const char *reason);
void wa_client_tick(struct wa_client *client);
/* values[i].p == NULL: no such record. Borrowed for the call. error: reading failed (the client stops with WA_STOP_STORAGE). */
void wa_client_fetched(struct wa_client *client, uint64_t token, const struct span *values, size_t n, bool error);
void wa_client_committed(struct wa_client *client, uint64_t token, bool ok);
/* The decrypted file, borrowed for the call. error NULL: there it is; else why not. */
void wa_client_blob(struct wa_client *client, uint64_t token, struct span bytes, const char *error);

/* ---- what the host can ask for ---------------------------------------------------------------------------------------------------- */

enum wa_chatstate { WA_COMPOSING = 1, WA_RECORDING, WA_PAUSED };

struct wa_send {
	uint64_t tag;          /* the host's name for it (outbox row) */
	const char *id;        /* message id, chosen and stored by the host before; edits and deletions in channels: that of the post */
	struct jid to;         /* person (PN or LID, no device), group, channel, or status@broadcast */
	struct span plaintext; /* serialized E2E Message without padding and without deviceSentMessage */
	const struct jid *audience; size_t naudience; /* of a status: who sees it, beside ourselves */
	const char *media_handle; /* channels: the media server's name of the file in it; NULL: none */
	int64_t server_id;     /* channels: number of the post that a reaction is for; 0: none */
};

/*
 * Sends a message: resolves devices, makes sessions, encrypts, asks for commit with WA_EVENT_SEND_STANZA, then writes it; later
 * WA_EVENT_SEND_ACK or WA_EVENT_SEND_FAILED in a batch. Not connected: held back until open. Nothing is ever sent under two ids.
 */
void wa_client_send(struct wa_client *client, const struct wa_send *send);
/*
 * What is known of a group, asked from the server if nothing is (or if `fresh`): for whoever builds a message (expiration_s) or shows the
 * group. done is called exactly once, never before this returns; group is borrowed for the call, NULL with the server's code (403 not a
 * member, 404 no such group, 408 no answer, 500 storage, 502 an answer that cannot be read, 503 the client is being freed: done is called
 * inside wa_client_free() then, and may not use the client).
 */
typedef void wa_group_done(void *arg, const struct wa_group *group, int code);
void wa_client_group(struct wa_client *client, const struct jid *group, bool fresh, wa_group_done *done, void *arg);

/* Who sees the account's status, as its phone has it set. */
enum wa_status_mode {
	WA_STATUS_CONTACTS = 1, /* all contacts */
	WA_STATUS_ONLY,         /* only those of the list */
	WA_STATUS_EXCEPT        /* contacts that are not in the list */
};

struct wa_status_privacy {
	enum wa_status_mode mode;
	struct jid *list; /* owned by the library */
	size_t n;
};
/* done is called exactly once, never before this returns; privacy is borrowed, NULL with a code as with wa_client_group(). */
typedef void wa_status_privacy_done(void *arg, const struct wa_status_privacy *privacy, int code);
void wa_client_status_privacy(struct wa_client *client, wa_status_privacy_done *done, void *arg);
/* Takes a message back that was given to wa_client_send(): true if nothing was made of it yet; no event follows then. */
bool wa_client_withdraw(struct wa_client *client, uint64_t tag);
/* After a crash: a stanza that was stored by WA_EVENT_SEND_STANZA but not acked; sent byte for byte once open. */
void wa_client_resend(struct wa_client *client, uint64_t tag, const char *id, struct span stanza);
/* A message id of the 3EB0 form for this account's user; out holds 23 bytes. */
void wa_message_id(const struct wa_host *host, void *ctx, const char *user, char out[static 23]);

/* ---- message secrets (secret.c). Pure; any thread. --------------------------------------------------------------------------------- */

enum { WA_SECRET_LEN = 32, WA_SECRET_IV_LEN = 12 };
#define WA_SECRET_KEEP_MS (INT64_C(90) * 24 * 3600 * 1000)

/* What is added to a message. */
enum wa_secret_use {
	WA_SECRET_POLL_VOTE,
	WA_SECRET_EVENT_RESPONSE,
	WA_SECRET_REACTION,
	WA_SECRET_COMMENT,
	WA_SECRET_MESSAGE_EDIT,
	WA_SECRET_EVENT_EDIT,
	WA_SECRET_POLL_EDIT,
	WA_SECRET_POLL_ADD_OPTION
};

/* All borrowed. */
struct wa_secret {
	const uint8_t *secret; /* WA_SECRET_LEN bytes, of the message that is added to */
	const char *id;        /* its id */
	const char *author;    /* its author: bare JID as text */
	const char *adder;     /* who adds: the same */
	enum wa_secret_use use;
};

/* Appends the plaintext. -1: wrong lengths, or it does not authenticate (another secret or other JIDs); plain is as before then. */
int wa_secret_open(const struct wa_secret *s, struct span iv, struct span payload, struct buf *plain);
/* Appends the ciphertext with its tag. -1 if OpenSSL failed. */
int wa_secret_seal(const struct wa_secret *s, const uint8_t iv[static WA_SECRET_IV_LEN], struct span plain, struct buf *payload);
/*
 * Changes the account's shared state: encrypts, uploads (again on a conflict with another device), stores. Exactly one WA_EVENT_CHANGED
 * with this tag follows, never inside this call; changes of one collection happen in order. The action is copied; name, chat, ids, flags,
 * texts and last_message_s are read, the rest is not. At most LIMIT_WA_APPSTATE_WAITING wait at a time.
 */
void wa_client_change(struct wa_client *client, uint64_t tag, const struct wa_action *action);

/* ---- history (historywire.c; history.h reads it) ------------------------------------------------------------------------------------ */

/* The history of this notice is stored: the phone is told. False if there is no connection (again later). */
bool wa_client_history_done(struct wa_client *client, const char *id);

struct wa_history_request {
	struct jid chat;
	const char *oldest_id;   /* the oldest message that is known of it; what is before it is wanted */
	bool oldest_from_me;
	int64_t oldest_s;
	unsigned count;
};

/* Asks the phone for older messages of a chat. The answer is a WA_EVENT_HISTORY whose notice names id, or nothing at all. */
void wa_client_history_more(struct wa_client *client, const struct wa_history_request *wanted, char id[static 23]);

enum wa_learned_kind {
	WA_LEARNED_MAPPING = 1, /* jid and other: both forms of a person */
	WA_LEARNED_TOKEN,       /* jid: contact; bytes, time_s: its token; given_s: when it got ours */
	WA_LEARNED_SALT,        /* bytes */
	WA_LEARNED_SECRET       /* jid: chat, other: author, id, bytes: message; kept if it is a poll or an event */
};

struct wa_learned_item {
	enum wa_learned_kind kind;
	struct jid jid, other;
	char *id;               /* owned, may be NULL */
	struct buf bytes;       /* owned */
	int64_t time_s, given_s;
};

/* What a history tells the library. */
struct wa_learned {
	struct wa_learned_item *items; /* owned */
	size_t n, cap;
};

struct wa_learned_item *wa_learned_add(struct wa_learned *learned, enum wa_learned_kind kind);
void wa_learned_free(struct wa_learned *learned);

typedef void wa_learn_done(void *arg, bool ok);

/* Takes it over (and the memory) in one batch. done is called exactly once, never before this returns; inside wa_client_free() with false. */
void wa_client_learn(struct wa_client *client, struct wa_learned *learned, wa_learn_done *done, void *arg);

void wa_client_presence(struct wa_client *client, bool available);
void wa_client_chatstate(struct wa_client *client, const struct jid *to, enum wa_chatstate state);
void wa_client_subscribe_presence(struct wa_client *client, const struct jid *to);
void wa_client_mark_read(struct wa_client *client, const struct jid *chat, const struct jid *participant, const char *const *ids, size_t n, bool played);
/* phone: digits. custom: 8 characters or NULL. Answer: WA_EVENT_PAIR_CODE or WA_EVENT_PAIR_ERROR. */
void wa_client_pair_code(struct wa_client *client, const char *phone, const char *custom);
/*
 * Passkey pairing: the assertion that the user's browser made, as the raw id of the credential and as JSON in the form in which
 * clients send it on (sessiond/session/assertion.h); later the user's word that the codes match. -1 in a wrong state.
 */
int wa_client_passkey_response(struct wa_client *client, struct span credential_id, const char *assertion_json);
int wa_client_passkey_confirm(struct wa_client *client);
/* remove-companion-device; then credentials are deleted in a batch with WA_EVENT_LOGGED_OUT and the connection is closed. */
void wa_client_logout(struct wa_client *client);
/* Writes out what is queued, presence unavailable, then host->close() with WA_STOP. */
void wa_client_stop(struct wa_client *client);
bool wa_client_is_open(const struct wa_client *client);

/* What is sent is built with the functions of this header. */
#include "sessiond/wa/build.h"

#endif
