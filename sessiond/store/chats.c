/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Changes of chats and people. */
#include <string.h>

#include "sessiond/store/identity.h"

struct chat_op {
	struct tx_op op;
	int64_t session, at_ms, up_to_ms;
	struct peer peer;
	struct store_chat_change change; /* texts in the tx's arena */
	bool starred_too;
	const char **ids;
	size_t nids;
};

/* NULL: there is nobody to change. */
static struct chat_op *op_for(struct store_tx *tx, int64_t session, const struct store_peer *who,
                              int (*apply)(struct store_tx *tx, struct db *db, struct tx_op *op))
{
	struct peer peer;
	struct chat_op *made;

	if (!peer_of(tx, who, &peer))
		return NULL;
	made = tx_op_add(tx, sizeof *made, apply);
	made->session = session;
	made->peer = peer;
	return made;
}

/* ---- putting ---- */

/* What comes of the account's shared state, and of history. */
static bool has_flags(const struct store_chat_change *c)
{
	return c->is_contact >= 0 || c->marked_unread >= 0 || c->archived >= 0 || c->locked >= 0 || c->pinned_ms >= 0 || c->mute_ms >= 0;
}

/* What was so once is told only of what nobody told anything newer of. */
static void only_news(struct store_chat_change *c, const struct chat_row *row)
{
	if (c->as_of_ms == 0)
		return;
	if (c->as_of_ms < row->flags_ms) {
		c->name = c->first_name = c->subject = NULL;
		c->is_contact = c->marked_unread = c->archived = c->locked = -1;
		c->pinned_ms = c->mute_ms = c->expiration_s = -1;
	}
	if (c->as_of_ms < row->last_ms || c->as_of_ms <= row->read_ms) {
		c->unread = -1;
		c->marked_unread = -1;
	}
}

/* One statement for all columns: SQL NULL or -1 leaves what is there. */
static int change_columns(struct db *db, int64_t number, const struct store_chat_change *c, int64_t at_ms)
{
	int64_t flags_ms = !has_flags(c) ? 0 : c->as_of_ms > 0 ? c->as_of_ms : at_ms;

	return db_run(db,
	              "UPDATE chats SET name = coalesce(?, name), first_name = coalesce(?, first_name), push_name = coalesce(?, push_name), "
	              "verified_name = coalesce(?, verified_name), subject = coalesce(?, subject), "
	              "is_contact = CASE WHEN ? < 0 THEN is_contact ELSE ? END, unread = CASE WHEN ? < 0 THEN unread ELSE ? END, "
	              "marked_unread = CASE WHEN ? < 0 THEN marked_unread ELSE ? END, archived = CASE WHEN ? < 0 THEN archived ELSE ? END, "
	              "locked = CASE WHEN ? < 0 THEN locked ELSE ? END, pinned_ms = CASE WHEN ? < 0 THEN pinned_ms ELSE ? END, "
	              "mute_ms = CASE WHEN ? < 0 THEN mute_ms ELSE ? END, flags_ms = CASE WHEN flags_ms < ? THEN ? ELSE flags_ms END, "
	              "expiration_s = CASE WHEN ? < 0 THEN expiration_s ELSE ? END, updated_ms = ? WHERE number = ?",
	              "tttttnniinnnnnniiiiiiiiii", c->name, c->first_name, c->push_name, c->verified_name, c->subject, c->is_contact,
	              c->is_contact, c->unread, c->unread, c->marked_unread, c->marked_unread, c->archived, c->archived, c->locked,
	              c->locked, c->pinned_ms, c->pinned_ms, c->mute_ms, c->mute_ms, flags_ms, flags_ms, c->expiration_s, c->expiration_s, at_ms, number);
}

static bool has_names(const struct store_chat_change *c)
{
	return c->name != NULL || c->first_name != NULL || c->push_name != NULL || c->verified_name != NULL || c->subject != NULL;
}

static bool has_more(const struct store_chat_change *c)
{
	return c->is_contact >= 0 || c->unread >= 0 || c->marked_unread >= 0 || c->archived >= 0 || c->locked >= 0 || c->pinned_ms >= 0 ||
	       c->mute_ms >= 0 || c->expiration_s >= 0;
}

static int apply_put(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	struct chat_op *put = (struct chat_op *)op;
	struct chat_row row;
	int rc = chat_want(db, put->session, &put->peer, put->at_ms, &row);

	(void)tx;
	if (rc == 0)
		only_news(&put->change, &row);
	if (rc == 0 && (has_names(&put->change) || has_more(&put->change)))
		rc = change_columns(db, row.number, &put->change, put->at_ms);
	if (rc == 0 && has_names(&put->change))
		rc = chat_name_key(db, row.number);
	return rc;
}

void store_tx_chat_put(struct store_tx *tx, int64_t session, const struct store_peer *who, const struct store_chat_change *change, int64_t at_ms)
{
	struct chat_op *put = op_for(tx, session, who, apply_put);

	if (put == NULL)
		return;
	put->at_ms = at_ms;
	put->change = *change;
	put->change.name = tx_text(tx, change->is_contact == 0 ? "" : change->name);
	put->change.first_name = tx_text(tx, change->is_contact == 0 ? "" : change->first_name);
	put->change.push_name = tx_text(tx, change->push_name);
	put->change.verified_name = tx_text(tx, change->verified_name);
	put->change.subject = tx_text(tx, change->subject);
}

/* ---- reading ---- */

static int read_up_to(struct db *db, const struct chat_op *read, int64_t number, int64_t up_to_ms)
{
	int rc = db_run(db, "UPDATE chats SET read_ms = CASE WHEN read_ms < ? THEN ? ELSE read_ms END, marked_unread = 0 WHERE number = ?", "iii",
	                up_to_ms, up_to_ms, number);

	(void)read;
	return rc == 0 ? chat_count_unread(db, number) : rc;
}

static int apply_read(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct chat_op *read = (const struct chat_op *)op;
	struct chat_row row;
	int rc = chat_find(db, read->session, &read->peer, read->at_ms, &row);

	(void)tx;
	return rc == 0 && row.number != 0 ? read_up_to(db, read, row.number, read->up_to_ms) : rc;
}

void store_tx_chat_read(struct store_tx *tx, int64_t session, const struct store_peer *who, int64_t up_to_ms)
{
	struct chat_op *read = op_for(tx, session, who, apply_read);

	if (read != NULL)
		read->up_to_ms = up_to_ms;
}

static int time_of_newest(struct db *db, int64_t chat, const struct chat_op *read, int64_t *newest_ms)
{
	int rc = 0;

	*newest_ms = 0;
	for (size_t i = 0; i < read->nids && rc >= 0; i++) {
		int64_t time_ms = 0;
		struct db_statement *query = db_query(db, &rc, "SELECT time_ms FROM messages WHERE chat = ? AND id = ? AND from_me = 0", "it", chat,
		                                      read->ids[i]);

		rc = db_read_number(query, rc, &time_ms);
		*newest_ms = rc > 0 && time_ms > *newest_ms ? time_ms : *newest_ms;
	}
	return rc < 0 ? rc : 0;
}

static int apply_read_ids(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct chat_op *read = (const struct chat_op *)op;
	struct chat_row row;
	int64_t newest_ms;
	int rc = chat_find(db, read->session, &read->peer, read->at_ms, &row);

	(void)tx;
	if (rc != 0 || row.number == 0)
		return rc;
	rc = time_of_newest(db, row.number, read, &newest_ms);
	return rc == 0 && newest_ms > 0 ? read_up_to(db, read, row.number, newest_ms) : rc;
}

void store_tx_chat_read_ids(struct store_tx *tx, int64_t session, const struct store_peer *who, const char *const *ids, size_t n)
{
	struct chat_op *read = op_for(tx, session, who, apply_read_ids);

	if (read == NULL)
		return;
	read->ids = arena_alloc(&tx->arena, n * sizeof *read->ids + 1);
	for (size_t i = 0; i < n; i++)
		read->ids[i] = tx_text(tx, ids[i]);
	read->nids = n;
}

/* ---- clearing and deleting ---- */

/* Its name is free again for the chat that comes after it. */
#define GIVE_UP "UPDATE chats SET session = -session, jid = CAST(number AS CHAR(20)), lid = NULL WHERE "

/* Labels of the chat follow it into its new row; those of its messages go with these. */
static int leave_labels(struct db *db, int64_t from, int64_t into)
{
	int rc = 0;

	if (into != 0)
		rc = db_run(db, "UPDATE label_members SET chat = ? WHERE chat = ? AND message_id = ''", "ii", into, from);
	return rc == 0 ? db_run(db, "DELETE FROM label_members WHERE chat = ?", "i", from) : rc;
}

/* The messages of a chat that goes: the row is given up and keeps them until the keeper has removed them. */
static int give_up(struct store_tx *tx, struct db *db, int64_t number, bool make_again)
{
	const char *jid = NULL, *lid = NULL;
	int rc = 0;
	struct db_statement *query = db_query(db, &rc, "SELECT jid, lid FROM chats WHERE number = ?", "i", number);

	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0) {
		jid = db_text(query, &tx->arena, 0);
		lid = db_text(query, &tx->arena, 1);
	}
	rc = db_done(query, rc < 0 ? rc : 0);
	if (rc == 0)
		rc = db_run(db, GIVE_UP "number = ? AND session > 0", "i", number);
	if (rc == 0 && !make_again)
		rc = leave_labels(db, number, 0);
	if (rc != 0 || !make_again)
		return rc;
	rc = db_run(db,
	            "INSERT INTO chats (session, jid, lid, kind, name, first_name, push_name, verified_name, subject, name_key, is_contact, "
	            "read_ms, archived, pinned_ms, mute_ms, locked, expiration_s, created_ms, updated_ms) SELECT -session, ?, ?, kind, "
	            "name, first_name, push_name, verified_name, subject, name_key, is_contact, read_ms, archived, pinned_ms, mute_ms, "
	            "locked, expiration_s, created_ms, updated_ms FROM chats WHERE number = ?", "tti", jid, lid, number);
	return rc == 0 ? leave_labels(db, number, db->driver->last_number(db)) : rc;
}

static int clear_some(struct db *db, const struct chat_op *clear, int64_t number)
{
	int rc;

	if (clear->starred_too)
		rc = db_run(db, "DELETE FROM messages WHERE chat = ? AND time_ms <= ?", "ii", number, clear->up_to_ms);
	else
		rc = db_run(db, "DELETE FROM messages WHERE chat = ? AND time_ms <= ? AND starred_ms = 0", "ii", number, clear->up_to_ms);
	if (rc == 0)
		rc = db_run(db,
		            "UPDATE chats SET messages = (SELECT count(*) FROM messages AS m WHERE m.chat = chats.number), "
		            "media = (SELECT coalesce(sum(m.media), 0) FROM messages AS m WHERE m.chat = chats.number) WHERE number = ?", "i",
		            number);
	if (rc == 0)
		rc = chat_recount(db, number);
	return rc == 0 ? chat_count_unread(db, number) : rc;
}

/* 1: all of its messages are to go. */
static int goes_wholly(struct db *db, const struct chat_op *clear, int64_t number)
{
	int64_t stay = 0;
	int rc = 0;
	struct db_statement *query;

	query = db_query(db, &rc, "SELECT 1 FROM messages WHERE chat = ? AND (time_ms > ? OR (starred_ms > 0 AND ? = 0)) LIMIT 1", "iin", number,
	                 clear->up_to_ms, (int)clear->starred_too);
	rc = db_read_number(query, rc, &stay);
	return rc < 0 ? rc : stay == 0;
}

static int apply_clear(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct chat_op *clear = (const struct chat_op *)op;
	struct chat_row row;
	int rc = chat_find(db, clear->session, &clear->peer, clear->at_ms, &row);

	if (rc != 0 || row.number == 0)
		return rc;
	rc = goes_wholly(db, clear, row.number);
	if (rc == 0)
		return clear_some(db, clear, row.number);
	return rc > 0 ? give_up(tx, db, row.number, true) : rc;
}

void store_tx_chat_clear(struct store_tx *tx, int64_t session, const struct store_peer *who, int64_t up_to_ms, bool starred_too)
{
	struct chat_op *clear = op_for(tx, session, who, apply_clear);

	if (clear == NULL)
		return;
	clear->up_to_ms = up_to_ms;
	clear->starred_too = starred_too;
}

static int apply_delete(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct chat_op *gone = (const struct chat_op *)op;
	struct db_statement *query;
	struct chat_row row;
	int64_t is_contact = 0;
	int rc = chat_find(db, gone->session, &gone->peer, gone->at_ms, &row);

	if (rc != 0 || row.number == 0)
		return rc;
	rc = goes_wholly(db, gone, row.number);
	if (rc <= 0)
		return rc < 0 ? rc : clear_some(db, gone, row.number);
	query = db_query(db, &rc, "SELECT is_contact FROM chats WHERE number = ?", "i", row.number);
	rc = db_read_number(query, rc, &is_contact);
	return rc >= 0 ? give_up(tx, db, row.number, is_contact != 0) : rc;
}

void store_tx_chat_delete(struct store_tx *tx, int64_t session, const struct store_peer *who, int64_t up_to_ms)
{
	struct chat_op *gone = op_for(tx, session, who, apply_delete);

	if (gone == NULL)
		return;
	gone->up_to_ms = up_to_ms;
	gone->starred_too = true;
}

static int apply_known(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct chat_op *known = (const struct chat_op *)op;
	struct chat_row row;

	(void)tx;
	return chat_find(db, known->session, &known->peer, known->at_ms, &row);
}

void store_tx_chat_known(struct store_tx *tx, int64_t session, const struct store_peer *who)
{
	op_for(tx, session, who, apply_known);
}

int chats_give_up(struct db *db, int64_t session)
{
	int rc = db_run(db, GIVE_UP "session = ?", "i", session);

	return rc == 0 ? labels_forget(db, session) : rc;
}

static int apply_forget(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	(void)tx;
	return chats_give_up(db, ((const struct chat_op *)op)->session);
}

void store_tx_chats_forget(struct store_tx *tx, int64_t session)
{
	struct chat_op *gone = tx_op_add(tx, sizeof *gone, apply_forget);

	gone->session = session;
	tx->after_bulk = true;
}

static int apply_owner(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct chat_op *owner = (const struct chat_op *)op;
	const char *name = arena_printf(&tx->arena, "store.chats_owner.%lld", (long long)owner->session);
	char known[JID_TEXT_MAX] = "";
	int rc = setting_read(db, name, known, sizeof known);

	if (rc != 0 || strcmp(known, owner->peer.jid) == 0)
		return rc;
	rc = chats_give_up(db, owner->session);
	return rc == 0 ? setting_write(db, name, owner->peer.jid) : rc;
}

void store_tx_chats_owner(struct store_tx *tx, int64_t session, const struct jid *account)
{
	struct chat_op *owner = op_for(tx, session, &(struct store_peer){ .jid = *account }, apply_owner);

	if (owner != NULL && owner->peer.jid == NULL)
		owner->peer.jid = owner->peer.lid;
	tx->after_bulk = true;
}
