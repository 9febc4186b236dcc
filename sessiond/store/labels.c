/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Labels, and what has them. */
#include <string.h>

#include "sessiond/store/identity.h"

struct label_op {
	struct tx_op op;
	int64_t session;
	struct store_label label; /* texts in the tx's arena */
	struct peer peer;
	const char *message_id;   /* in the tx's arena */
	bool on;
};

static struct label_op *op_for(struct store_tx *tx, int64_t session, const char *id,
                               int (*apply)(struct store_tx *tx, struct db *db, struct tx_op *op))
{
	struct label_op *made = tx_op_add(tx, sizeof *made, apply);

	made->session = session;
	made->label.id = tx_text(tx, id);
	return made;
}

static int apply_label(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	static const struct db_upsert upsert = { "labels", "session id", "name color predefined updated_ms" };
	const struct label_op *put = (const struct label_op *)op;
	const struct store_label *label = &put->label;
	int rc;

	(void)tx;
	if (label->name != NULL)
		return db_run_upsert(db, &upsert, "ittiii", put->session, label->id, label->name, label->color, label->predefined, label->updated_ms);
	rc = db_run(db, "DELETE FROM label_members WHERE session = ? AND label = ?", "it", put->session, label->id);
	return rc == 0 ? db_run(db, "DELETE FROM labels WHERE session = ? AND id = ?", "it", put->session, label->id) : rc;
}

void store_tx_label_put(struct store_tx *tx, int64_t session, const struct store_label *label)
{
	struct label_op *put = op_for(tx, session, label->id, apply_label);

	put->label.name = tx_text(tx, label->name);
	put->label.color = label->color;
	put->label.predefined = label->predefined;
	put->label.updated_ms = label->updated_ms;
}

static int apply_member(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct label_op *put = (const struct label_op *)op;
	struct chat_row row;
	int rc = put->on ? chat_want(db, put->session, &put->peer, put->label.updated_ms, &row) :
	                   chat_find(db, put->session, &put->peer, put->label.updated_ms, &row);

	(void)tx;
	if (rc == 0 && row.number != 0)
		rc = db_run(db, "DELETE FROM label_members WHERE session = ? AND label = ? AND chat = ? AND message_id = ?", "itit", put->session,
		            put->label.id, row.number, put->message_id);
	if (rc == 0 && put->on)
		rc = db_run(db, "INSERT INTO label_members (session, label, chat, message_id) VALUES (?, ?, ?, ?)", "itit", put->session,
		            put->label.id, row.number, put->message_id);
	return rc;
}

void store_tx_label_member(struct store_tx *tx, int64_t session, const char *id, const struct store_peer *chat, const char *message_id, bool on)
{
	struct label_op *put;
	struct peer peer;

	if (!peer_of(tx, chat, &peer))
		return;
	put = op_for(tx, session, id, apply_member);
	put->peer = peer;
	put->label.updated_ms = tx->store->wall_ms();
	put->message_id = tx_text(tx, message_id == NULL ? "" : message_id);
	put->on = on;
}

int labels_forget(struct db *db, int64_t session)
{
	int rc = db_run(db, "DELETE FROM label_members WHERE session = ?", "i", session);

	return rc == 0 ? db_run(db, "DELETE FROM labels WHERE session = ?", "i", session) : rc;
}

static int apply_forget(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	(void)tx;
	return labels_forget(db, ((const struct label_op *)op)->session);
}

void store_tx_labels_forget(struct store_tx *tx, int64_t session)
{
	op_for(tx, session, NULL, apply_forget);
}

/* ---- reading ---- */

int store_label_list(struct store_reader *reader, struct arena *arena, int64_t session, const char *id, struct store_label **rows, size_t *n)
{
	const char *which = id == NULL ? "" : id;
	struct rows list;
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc,
	                                      "SELECT id, name, color, predefined, updated_ms, (SELECT count(*) FROM label_members AS m "
	                                      "WHERE m.session = labels.session AND m.label = labels.id AND m.message_id = '') FROM labels "
	                                      "WHERE session = ? AND (id = ? OR '' = ?) ORDER BY length(id), id", "itt", session, which, which);

	rows_init(&list, arena, sizeof **rows);
	while (query != NULL && (rc = db_step(query)) > 0) {
		struct store_label *label = rows_add(&list);

		label->id = db_text(query, arena, 0);
		label->name = db_text(query, arena, 1);
		label->color = db_int(query, 2);
		label->predefined = db_int(query, 3);
		label->updated_ms = db_int(query, 4);
		label->chats = db_int(query, 5);
	}
	*rows = list.data;
	*n = list.count;
	return db_done(query, rc);
}

int store_label_members(struct store_reader *reader, struct arena *arena, int64_t session, const char *id, struct store_label_member **rows,
                        size_t *n)
{
	struct rows list;
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc, "SELECT c.jid, c.lid, m.message_id FROM label_members AS m JOIN chats AS c "
	                                      "ON c.number = m.chat WHERE m.session = ? AND m.label = ? ORDER BY m.chat, m.message_id", "it",
	                                      session, id);

	rows_init(&list, arena, sizeof **rows);
	while (query != NULL && (rc = db_step(query)) > 0) {
		struct store_label_member *member = rows_add(&list);

		member->chat_jid = db_text(query, arena, 0);
		member->chat_lid = db_text(query, arena, 1);
		member->message_id = db_text(query, arena, 2);
	}
	*rows = list.data;
	*n = list.count;
	return db_done(query, rc);
}
