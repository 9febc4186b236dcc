/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where each reader of the journal stands, and the events it had to leave behind. */
#include "sessiond/store/private.h"

struct receiver_op {
	struct tx_op op;
	struct store_receiver receiver; /* texts in the tx's arena */
};

struct letter_op {
	struct tx_op op;
	struct store_dead_letter letter; /* texts in the tx's arena */
};

static int apply_put(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	static const struct db_upsert upsert = {
		"receivers", "session name",
		"start_sequence done_sequence state last_status last_error failed_since_ms next_ms delivered_ms failures attempts",
	};
	const struct store_receiver *to = &((const struct receiver_op *)op)->receiver;

	(void)tx;
	return db_run_upsert(db, &upsert, "itiitntiiini", to->session, to->name, to->start, to->cursor, to->state, to->last_status, to->last_error,
	                     to->failed_since_ms, to->next_ms, to->delivered_ms, to->failures, to->attempts);
}

static struct receiver_op *op_for(struct store_tx *tx, int64_t session, const char *name,
                                  int (*apply)(struct store_tx *tx, struct db *db, struct tx_op *op))
{
	struct receiver_op *made = tx_op_add(tx, sizeof *made, apply);

	made->receiver.session = session;
	made->receiver.name = tx_text(tx, name);
	return made;
}

void store_tx_receiver_put(struct store_tx *tx, const struct store_receiver *receiver)
{
	struct receiver_op *put = op_for(tx, receiver->session, receiver->name, apply_put);
	const char *name = put->receiver.name;

	put->receiver = *receiver;
	put->receiver.name = name;
	put->receiver.state = tx_text(tx, receiver->state);
	put->receiver.last_error = tx_text(tx, receiver->last_error);
}

static int apply_cursor(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct store_receiver *to = &((const struct receiver_op *)op)->receiver;

	(void)tx;
	return db_run(db, "UPDATE receivers SET done_sequence = ?, delivered_ms = ? WHERE session = ? AND name = ? AND done_sequence < ?",
	              "iiiti", to->cursor, to->delivered_ms, to->session, to->name, to->cursor);
}

void store_tx_receiver_cursor(struct store_tx *tx, int64_t session, const char *name, int64_t cursor, int64_t delivered_ms)
{
	struct receiver_op *change = op_for(tx, session, name, apply_cursor);

	change->receiver.cursor = cursor;
	change->receiver.delivered_ms = delivered_ms;
}

static int apply_count(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct store_receiver *to = &((const struct receiver_op *)op)->receiver;
	const struct store_counts *more = &to->counts;

	(void)tx;
	return db_run(db, "UPDATE receivers SET delivered = delivered + ?, dead = dead + ?, skipped = skipped + ?, missed = missed + ? "
			  "WHERE session = ? AND name = ?", "iiiiit", more->delivered, more->dead, more->skipped, more->missed, to->session, to->name);
}

void store_tx_receiver_count(struct store_tx *tx, int64_t session, const char *name, const struct store_counts *more)
{
	op_for(tx, session, name, apply_count)->receiver.counts = *more;
}

static int apply_replays(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct store_receiver *to = &((const struct receiver_op *)op)->receiver;

	(void)tx;
	return db_run(db, "UPDATE receivers SET replays = ? WHERE session = ? AND name = ?", "tit", to->replays, to->session, to->name);
}

void store_tx_receiver_replays(struct store_tx *tx, int64_t session, const char *name, const char *replays)
{
	op_for(tx, session, name, apply_replays)->receiver.replays = tx_text(tx, replays);
}

static int apply_clear(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct store_receiver *to = &((const struct receiver_op *)op)->receiver;

	(void)tx;
	return db_run(db, "UPDATE receivers SET overflow = 0, lost = 0 WHERE session = ? AND name = ?", "it", to->session, to->name);
}

void store_tx_receiver_clear_overflow(struct store_tx *tx, int64_t session, const char *name)
{
	op_for(tx, session, name, apply_clear);
}

static int apply_remove(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct store_receiver *gone = &((const struct receiver_op *)op)->receiver;
	int rc = db_run(db, "DELETE FROM dead_letters WHERE session = ? AND receiver = ?", "it", gone->session, gone->name);

	(void)tx;
	if (rc == 0)
		rc = db_run(db, "DELETE FROM deliveries WHERE session = ? AND receiver = ?", "it", gone->session, gone->name);
	return rc != 0 ? rc : db_run(db, "DELETE FROM receivers WHERE session = ? AND name = ?", "it", gone->session, gone->name);
}

void store_tx_receiver_remove(struct store_tx *tx, int64_t session, const char *name)
{
	op_for(tx, session, name, apply_remove);
}

int store_receiver_list(struct store_reader *reader, struct arena *arena, int64_t session, struct store_receiver **rows, size_t *n)
{
	struct rows list;
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc,
	                                      "SELECT session, name, done_sequence, state, last_status, last_error, failed_since_ms, "
	                                      "next_ms, delivered_ms, failures, overflow, lost, start_sequence, attempts, delivered, dead, "
	                                      "skipped, missed, replays FROM receivers "
	                                      "WHERE session = ? OR ? = 0 ORDER BY session, name", "ii", session, session);

	rows_init(&list, arena, sizeof **rows);
	while (query != NULL && (rc = db_step(query)) > 0) {
		*(struct store_receiver *)rows_add(&list) = (struct store_receiver){
			.session = db_int(query, 0),
			.name = db_text(query, arena, 1),
			.cursor = db_int(query, 2),
			.state = db_text(query, arena, 3),
			.last_status = (int)db_int(query, 4),
			.last_error = db_text(query, arena, 5),
			.failed_since_ms = db_int(query, 6),
			.next_ms = db_int(query, 7),
			.delivered_ms = db_int(query, 8),
			.failures = (int)db_int(query, 9),
			.overflow = db_int(query, 10) != 0,
			.lost = db_int(query, 11),
			.start = db_int(query, 12),
			.attempts = db_int(query, 13),
			.counts = { db_int(query, 14), db_int(query, 15), db_int(query, 16), db_int(query, 17) },
			.replays = db_text(query, arena, 18),
		};
	}
	*rows = list.data;
	*n = list.count;
	return db_done(query, rc);
}

static int apply_letter_add(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	static const struct db_upsert upsert = { "dead_letters", "session receiver sequence", "reason status at_ms" };
	const struct store_dead_letter *add = &((const struct letter_op *)op)->letter;

	(void)tx;
	return db_run_upsert(db, &upsert, "ititni", add->session, add->receiver, add->number, add->reason, add->status, add->at_ms);
}

void store_tx_dead_letter_add(struct store_tx *tx, const struct store_dead_letter *letter)
{
	struct letter_op *add = tx_op_add(tx, sizeof *add, apply_letter_add);

	add->letter = *letter;
	add->letter.receiver = tx_text(tx, letter->receiver);
	add->letter.reason = tx_text(tx, letter->reason);
}

static int apply_letter_delivered(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct store_dead_letter *gone = &((const struct letter_op *)op)->letter;
	int rc = db_run(db, "DELETE FROM dead_letters WHERE session = ? AND receiver = ? AND sequence = ?", "iti", gone->session,
	                gone->receiver, gone->number);

	(void)tx;
	if (rc != 0 || db->driver->changes(db) == 0)
		return rc;
	/* A letter behind the cursor was counted as dead when the cursor passed it. */
	return db_run(db, "UPDATE receivers SET dead = dead - 1, delivered = delivered + 1 WHERE session = ? AND name = ? AND done_sequence >= ?", "iti",
	              gone->session, gone->receiver, gone->number);
}

void store_tx_dead_letter_delivered(struct store_tx *tx, int64_t session, const char *receiver, int64_t number)
{
	struct letter_op *gone = tx_op_add(tx, sizeof *gone, apply_letter_delivered);

	gone->letter.session = session;
	gone->letter.receiver = tx_text(tx, receiver);
	gone->letter.number = number;
}

int store_dead_letter_list(struct store_reader *reader, struct arena *arena, int64_t session, const char *receiver, int64_t after, size_t limit,
                           struct store_dead_letter **rows, size_t *n)
{
	struct rows list;
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc,
	                                      "SELECT d.session, d.receiver, d.sequence, d.reason, d.status, d.at_ms, e.event_id, e.kind "
	                                      "FROM dead_letters d LEFT JOIN events e ON e.session = d.session AND e.sequence = d.sequence "
	                                      "WHERE d.session = ? AND (? IS NULL OR d.receiver = ?) AND d.sequence > ? "
	                                      "ORDER BY d.receiver, d.sequence LIMIT ?", "ittii", session, receiver, receiver, after, (int64_t)limit);

	rows_init(&list, arena, sizeof **rows);
	while (query != NULL && (rc = db_step(query)) > 0) {
		*(struct store_dead_letter *)rows_add(&list) = (struct store_dead_letter){
			.session = db_int(query, 0),
			.receiver = db_text(query, arena, 1),
			.number = db_int(query, 2),
			.reason = db_text(query, arena, 3),
			.status = (int)db_int(query, 4),
			.at_ms = db_int(query, 5),
			.event_id = db_text(query, arena, 6),
			.kind = db_text(query, arena, 7),
		};
	}
	*rows = list.data;
	*n = list.count;
	return db_done(query, rc);
}
