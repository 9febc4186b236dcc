/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of the table chats as the writer finds, makes and merges them. Private to this folder; the writer's thread. */
#ifndef STORE_IDENTITY_H
#define STORE_IDENTITY_H

#include "sessiond/store/private.h"

/* A peer as texts, and the names that came with it. In the tx's arena. */
struct peer {
	const char *jid;       /* phone number, group, ...; NULL: not known */
	const char *lid;       /* NULL: none, or not known */
	enum store_chat_kind kind;
	const char *push_name, *verified_name; /* NULL: not told */
};

/* Of a stored row, what the changes of messages need. */
struct chat_row {
	int64_t number, last, last_ms, read_ms, flags_ms;
	bool has_lid;
	bool same_jid, same_lid, same_names; /* as the peer that was looked for */
};

/* False: there is nobody in it. */
bool peer_of(struct store_tx *tx, const struct store_peer *who, struct peer *out);
bool peer_is_none(const struct peer *peer);

/* row->number 0: there is none. Merges and takes over names of the peer (both forms of a person) where the row has other ones. */
int chat_find(struct db *db, int64_t session, const struct peer *peer, int64_t at_ms, struct chat_row *row);
/* The same, and makes the row if there is none. */
int chat_want(struct db *db, int64_t session, const struct peer *peer, int64_t at_ms, struct chat_row *row);
/* Order and search go by this: anew after a change of JID or names. */
int chat_name_key(struct db *db, int64_t number);
/* The newest message, after rows have gone or time has. */
int chat_recount(struct db *db, int64_t number);
/* Unread: inbound messages newer than read_ms. */
int chat_count_unread(struct db *db, int64_t number);
/* The identity that a person's rows are kept under: its LID where known. Copied to the arena; "" for nobody. */
int peer_canonical(struct db *db, struct arena *arena, int64_t session, const struct peer *peer, const char **name);

#endif
