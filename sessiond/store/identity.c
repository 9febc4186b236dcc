/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One row per identity. The LID is the person, the phone number moves: a number that turns up with another LID is taken away from the
 * row that had it, a row that was known by number alone is merged into the one with the LID.
 */
#include "sessiond/store/identity.h"

#include <string.h>

#include "common/fold.h"

enum { NAME_KEY_MAX = 120 };

/* ---- peers ---- */

static const char *jid_of(struct store_tx *tx, const struct jid *jid, enum jid_server server)
{
	struct jid bare = jid_bare(jid);
	char text[JID_TEXT_MAX];

	bare.server = server;
	return arena_strdup(&tx->arena, jid_format(&bare, text, sizeof text));
}

static void take_form(struct store_tx *tx, const struct jid *jid, struct peer *out)
{
	if (jid_is_pn(jid) || jid->server == JID_SERVER_HOSTED)
		out->jid = jid_of(tx, jid, JID_SERVER_PN);
	else if (jid_is_lid(jid) || jid->server == JID_SERVER_HOSTED_LID)
		out->lid = jid_of(tx, jid, JID_SERVER_LID);
}

bool peer_of(struct store_tx *tx, const struct store_peer *who, struct peer *out)
{
	*out = (struct peer){ .kind = STORE_CHAT_PERSON };
	if (jid_is_none(&who->jid))
		return false;
	take_form(tx, &who->jid, out);
	if (!jid_is_none(&who->other))
		take_form(tx, &who->other, out);
	if (jid_is_person(&who->jid))
		return true;
	out->kind = jid_is_group(&who->jid) ? STORE_CHAT_GROUP : STORE_CHAT_OTHER;
	out->jid = jid_of(tx, &who->jid, who->jid.server);
	out->lid = NULL;
	return true;
}

bool peer_is_none(const struct peer *peer)
{
	return peer->jid == NULL && peer->lid == NULL;
}

/* ---- looking ---- */

static bool same(const char *wanted, const char *stored)
{
	return wanted == NULL || (stored != NULL && strcmp(wanted, stored) == 0);
}

static int read_row(struct db_statement *query, int rc, const struct peer *peer, struct chat_row *row)
{
	*row = (struct chat_row){ .number = 0 };
	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0) {
		const char *lid = db_text_borrowed(query, 5);

		row->number = db_int(query, 0);
		row->last = db_int(query, 1);
		row->last_ms = db_int(query, 2);
		row->read_ms = db_int(query, 3);
		row->same_jid = same(peer->jid, db_text_borrowed(query, 4));
		row->has_lid = lid != NULL;
		row->same_lid = same(peer->lid, lid);
		row->flags_ms = db_int(query, 8);
		row->same_names = same(peer->push_name, db_text_borrowed(query, 6)) && same(peer->verified_name, db_text_borrowed(query, 7));
	}
	return db_done(query, rc < 0 ? rc : 0);
}

#define ROW "SELECT number, last, last_ms, read_ms, jid, lid, push_name, verified_name, flags_ms FROM chats WHERE session = ? AND "

static int look_by_lid(struct db *db, int64_t session, const struct peer *peer, struct chat_row *row)
{
	int rc = 0;
	struct db_statement *query = db_query(db, &rc, ROW "lid = ?", "it", session, peer->lid);

	return read_row(query, rc, peer, row);
}

static int look_by_jid(struct db *db, int64_t session, const struct peer *peer, struct chat_row *row)
{
	int rc = 0;
	struct db_statement *query = db_query(db, &rc, ROW "jid = ?", "it", session, peer->jid);

	return read_row(query, rc, peer, row);
}

/* ---- names ---- */

#define DISPLAY "coalesce(nullif(verified_name, ''), nullif(name, ''), nullif(push_name, ''), nullif(subject, ''), '')"

/* Between characters: a cursor holds all of it. */
static void cut(struct buf *key)
{
	size_t n = NAME_KEY_MAX;

	if (key->len <= n)
		return;
	while (n > 0 && (key->data[n] & 0xc0) == 0x80)
		n--;
	key->len = n;
}

int chat_name_key(struct db *db, int64_t number)
{
	struct buf key = { 0 };
	int rc = 0;
	struct db_statement *query = db_query(db, &rc, "SELECT " DISPLAY ", jid FROM chats WHERE number = ?", "i", number);

	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0) {
		const char *name = db_text_borrowed(query, 0);

		fold_append(&key, name[0] == '\0' ? db_text_borrowed(query, 1) : name);
	}
	rc = db_done(query, rc < 0 ? rc : 0);
	cut(&key);
	if (rc == 0)
		rc = db_run(db, "UPDATE chats SET name_key = ? WHERE number = ?", "ti", buf_text(&key), number);
	buf_free(&key);
	return rc;
}

static int take_names(struct db *db, const struct peer *peer, int64_t at_ms, const struct chat_row *row)
{
	int rc = db_run(db, "UPDATE chats SET push_name = coalesce(?, push_name), verified_name = coalesce(?, verified_name), updated_ms = ? "
	                    "WHERE number = ?", "ttii", peer->push_name, peer->verified_name, at_ms, row->number);

	return rc == 0 ? chat_name_key(db, row->number) : rc;
}

/* ---- merging ---- */

/* How many messages of `from` are in `into` as well, and how many of these have media. */
static int count_twice(struct db *db, int64_t from, int64_t into, int64_t *messages, int64_t *media)
{
	int rc = 0;
	struct db_statement *query = db_query(db, &rc,
	                                      "SELECT count(*), coalesce(sum(a.media), 0) FROM messages AS a JOIN messages AS b ON "
	                                      "b.chat = ? AND b.id = a.id AND b.from_me = a.from_me WHERE a.chat = ?", "ii", into, from);

	*messages = *media = 0;
	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0) {
		*messages = db_int(query, 0);
		*media = db_int(query, 1);
	}
	return db_done(query, rc < 0 ? rc : 0);
}

static int move_messages(struct db *db, int64_t from, int64_t into)
{
	int rc = db_run(db,
	                "DELETE FROM messages WHERE number IN (SELECT number FROM (SELECT a.number FROM messages AS a JOIN messages AS b ON "
	                "b.chat = ? AND b.id = a.id AND b.from_me = a.from_me WHERE a.chat = ?) AS twice)", "ii", into, from);

	if (rc == 0)
		rc = db_run(db, "UPDATE messages SET chat = ? WHERE chat = ?", "ii", into, from);
	if (rc == 0)
		rc = db_run(db,
		            "DELETE FROM label_members WHERE chat = ? AND EXISTS (SELECT 1 FROM (SELECT label, message_id FROM label_members "
		            "WHERE chat = ?) AS other WHERE other.label = label_members.label AND other.message_id = label_members.message_id)",
		            "ii", from, into);
	if (rc == 0)
		rc = db_run(db, "UPDATE label_members SET chat = ? WHERE chat = ?", "ii", into, from);
	return rc;
}

/* What only one of the two knows, the greater of what both count. */
static int join_columns(struct db *db, int64_t from, int64_t into, int64_t twice, int64_t twice_media)
{
	return db_run(db,
	              "UPDATE chats SET name = coalesce(name, (SELECT o.name FROM chats AS o WHERE o.number = ?)), "
	              "first_name = coalesce(first_name, (SELECT o.first_name FROM chats AS o WHERE o.number = ?)), "
	              "push_name = coalesce(push_name, (SELECT o.push_name FROM chats AS o WHERE o.number = ?)), "
	              "verified_name = coalesce(verified_name, (SELECT o.verified_name FROM chats AS o WHERE o.number = ?)), "
	              "subject = coalesce(subject, (SELECT o.subject FROM chats AS o WHERE o.number = ?)), "
	              "is_contact = is_contact + (SELECT o.is_contact FROM chats AS o WHERE o.number = ? AND chats.is_contact = 0), "
	              "messages = messages + (SELECT o.messages FROM chats AS o WHERE o.number = ?) - ?, "
	              "media = media + (SELECT o.media FROM chats AS o WHERE o.number = ?) - ?, "
	              "unread = unread + (SELECT o.unread FROM chats AS o WHERE o.number = ?) "
	              "WHERE number = ?", "iiiiiiiiiiii", from, from, from, from, from, from, from, twice, from, twice_media, from, into);
}

/* State of the chat: where the row that stays has none. */
static int join_state(struct db *db, int64_t from, int64_t into)
{
	static const char *const columns[] = {
		"UPDATE chats SET read_ms = ? WHERE number = ? AND read_ms < ?", "UPDATE chats SET archived = ? WHERE number = ? AND archived < ?",
		"UPDATE chats SET pinned_ms = ? WHERE number = ? AND pinned_ms < ?", "UPDATE chats SET mute_ms = ? WHERE number = ? AND mute_ms < ?",
		"UPDATE chats SET locked = ? WHERE number = ? AND locked < ?",
		"UPDATE chats SET expiration_s = ? WHERE number = ? AND expiration_s < ?",
		"UPDATE chats SET marked_unread = ? WHERE number = ? AND marked_unread < ?",
	};
	int64_t values[sizeof columns / sizeof *columns] = { 0 };
	int rc = 0;
	struct db_statement *query = db_query(db, &rc, "SELECT read_ms, archived, pinned_ms, mute_ms, locked, expiration_s, marked_unread "
	                                               "FROM chats WHERE number = ?", "i", from);

	if (query == NULL)
		return rc;
	rc = db_step(query);
	for (int i = 0; rc > 0 && i < (int)(sizeof columns / sizeof *columns); i++)
		values[i] = db_int(query, i);
	rc = db_done(query, rc < 0 ? rc : 0);
	for (size_t i = 0; rc == 0 && i < sizeof columns / sizeof *columns; i++) {
		if (values[i] != 0)
			rc = db_run(db, columns[i], "iii", values[i], into, values[i]);
	}
	return rc;
}

static int merge(struct db *db, int64_t from, int64_t into)
{
	int64_t twice, twice_media;
	int rc = count_twice(db, from, into, &twice, &twice_media);

	if (rc == 0)
		rc = join_columns(db, from, into, twice, twice_media);
	if (rc == 0)
		rc = join_state(db, from, into);
	if (rc == 0)
		rc = move_messages(db, from, into);
	if (rc == 0)
		rc = db_run(db, "DELETE FROM chats WHERE number = ?", "i", from);
	if (rc == 0)
		rc = chat_recount(db, into);
	/* The phone's counts of both may mean the same messages: what is stored decides, if anything is. */
	if (rc == 0 && twice > 0)
		rc = chat_count_unread(db, into);
	return rc;
}

/* The row with the LID is called by another number, or by none: this one is its number from now on. */
static int give_number(struct db *db, int64_t session, const struct peer *peer, struct chat_row *row)
{
	struct chat_row other;
	int rc = look_by_jid(db, session, peer, &other);

	if (rc == 0 && other.number != 0 && other.has_lid)
		rc = db_run(db, "UPDATE chats SET jid = lid WHERE number = ?", "i", other.number);
	else if (rc == 0 && other.number != 0)
		rc = merge(db, other.number, row->number);
	if (rc == 0)
		rc = db_run(db, "UPDATE chats SET jid = ? WHERE number = ?", "ti", peer->jid, row->number);
	if (rc == 0 && other.number != 0)
		rc = chat_name_key(db, other.has_lid ? other.number : row->number);
	return rc == 0 ? chat_name_key(db, row->number) : rc;
}

int chat_find(struct db *db, int64_t session, const struct peer *peer, int64_t at_ms, struct chat_row *row)
{
	int rc = 0;

	*row = (struct chat_row){ .number = 0 };
	if (peer->lid != NULL)
		rc = look_by_lid(db, session, peer, row);
	if (rc == 0 && row->number != 0 && !row->same_jid) {
		rc = give_number(db, session, peer, row);
		if (rc == 0)
			rc = look_by_lid(db, session, peer, row);
	} else if (rc == 0 && row->number == 0 && peer->jid != NULL) {
		rc = look_by_jid(db, session, peer, row);
		if (rc == 0 && row->number != 0 && !row->same_lid && !row->has_lid) {
			rc = db_run(db, "UPDATE chats SET lid = ? WHERE number = ?", "ti", peer->lid, row->number);
		} else if (rc == 0 && row->number != 0 && !row->same_lid) {
			/* Somebody else's number until now. */
			rc = db_run(db, "UPDATE chats SET jid = lid WHERE number = ?", "i", row->number);
			if (rc == 0)
				rc = chat_name_key(db, row->number);
			row->number = 0;
		}
	}
	if (rc == 0 && row->number != 0 && !row->same_names)
		rc = take_names(db, peer, at_ms, row);
	return rc;
}

static int make(struct db *db, int64_t session, const struct peer *peer, int64_t at_ms, struct chat_row *row)
{
	const char *jid = peer->jid != NULL ? peer->jid : peer->lid;
	int rc = db_run(db,
	                "INSERT INTO chats (session, jid, lid, kind, push_name, verified_name, name_key, created_ms, updated_ms) "
	                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", "ittntttii", session, jid, peer->lid, (int)peer->kind, peer->push_name,
	                peer->verified_name, jid, at_ms, at_ms);

	*row = (struct chat_row){ .number = rc == 0 ? db->driver->last_number(db) : 0, .has_lid = peer->lid != NULL, .same_names = true };
	if (rc == 0 && (peer->push_name != NULL || peer->verified_name != NULL))
		rc = chat_name_key(db, row->number);
	return rc;
}

int chat_want(struct db *db, int64_t session, const struct peer *peer, int64_t at_ms, struct chat_row *row)
{
	int rc = chat_find(db, session, peer, at_ms, row);

	return rc == 0 && row->number == 0 ? make(db, session, peer, at_ms, row) : rc;
}

int peer_canonical(struct db *db, struct arena *arena, int64_t session, const struct peer *peer, const char **name)
{
	struct db_statement *query;
	int rc = 0;

	*name = peer->lid != NULL ? peer->lid : peer->jid != NULL ? peer->jid : "";
	if (peer->lid != NULL || peer->jid == NULL)
		return 0;
	query = db_query(db, &rc, "SELECT lid FROM chats WHERE session = ? AND jid = ?", "it", session, peer->jid);
	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0 && db_text_borrowed(query, 0) != NULL)
		*name = db_text(query, arena, 0);
	return db_done(query, rc < 0 ? rc : 0);
}

/* ---- what a chat list shows ---- */

int chat_recount(struct db *db, int64_t number)
{
	int64_t last = 0, last_ms = 0;
	int rc = 0;
	struct db_statement *query = db_query(db, &rc, "SELECT number, time_ms FROM messages WHERE chat = ? ORDER BY time_ms DESC, number DESC LIMIT 1",
	                                      "i", number);

	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0) {
		last = db_int(query, 0);
		last_ms = db_int(query, 1);
	}
	rc = db_done(query, rc < 0 ? rc : 0);
	return rc == 0 ? db_run(db, "UPDATE chats SET last = ?, last_ms = ? WHERE number = ?", "iii", last, last_ms, number) : rc;
}

int chat_count_unread(struct db *db, int64_t number)
{
	return db_run(db,
	              "UPDATE chats SET unread = (SELECT count(*) FROM messages AS m WHERE m.chat = chats.number AND m.time_ms > chats.read_ms "
	              "AND m.from_me = 0) WHERE number = ?", "i", number);
}
