/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The event journal: numbered per session, bounded, read by whoever has a cursor. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sessiond/store/private.h"

struct event_op {
	struct tx_op op;
	struct store_event event; /* texts in the tx's arena; payload only if somebody is told of it */
	struct span payload;      /* sealed */
	int64_t size;             /* what the journal grows or shrinks by once committed */
	int64_t *number;
};

/* A row's part of the file besides its texts: numbers, headers, entries of the indexes. */
enum { EVENT_ROW_BYTES = 64 };

static void event_aad(struct aad *aad, int64_t session, const char *event_id)
{
	aad_start(aad, 'e');
	aad_int(aad, session);
	aad_text(aad, event_id);
}

/* What the row takes of the file, about: small events must not fill a disk below the bound. */
static int64_t size_of(const struct event_op *add)
{
	const struct store_event *event = &add->event;

	/* The id stands in an index as well. */
	return (int64_t)(add->payload.n + 2 * strlen(event->event_id) + strlen(event->kind) + (event->chat ? strlen(event->chat) : 0)) + EVENT_ROW_BYTES;
}

static int apply_add(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	struct event_op *add = (struct event_op *)op;
	const struct store_event *event = &add->event;
	struct db_statement *query;
	int64_t last = 0, known = 0;
	int rc = 0;

	(void)tx;
	add->size = 0;
	add->event.number = 0;
	if (add->number != NULL)
		*add->number = 0;
	query = db_query(db, &rc, "SELECT number FROM events WHERE session = ? AND event_id = ?", "it", event->session, event->event_id);
	rc = db_read_number(query, rc, &known);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	/* Trimming leaves the newest event of a session, so the largest number is always there to count on from. */
	query = db_query(db, &rc, "SELECT max(sequence) FROM events WHERE session = ?", "i", event->session);
	rc = db_read_number(query, rc, &last);
	if (rc < 0)
		return rc;
	rc = db_run(db,
	            "INSERT INTO events (session, sequence, event_id, kind, chat, time_ms, size, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
	            "iitttiib", event->session, last + 1, event->event_id, event->kind, event->chat, event->time_ms,
	            size_of(add), add->payload);
	if (rc != 0)
		return rc;
	add->size = size_of(add);
	add->event.number = last + 1;
	if (add->number != NULL)
		*add->number = last + 1;
	return 0;
}

static void grown(struct store *store, struct db *db, struct tx_op *op)
{
	const struct event_op *add = (const struct event_op *)op;

	(void)db;
	if (atomic_fetch_add(&store->journal_bytes, add->size) + add->size > store->journal_max_bytes)
		keeper_wake(store, false);
	if (store->appended != NULL && add->event.number > 0)
		store->appended(store->appended_ctx, &add->event);
}

void store_tx_event_add(struct store_tx *tx, const struct store_event *event, int64_t *number)
{
	struct event_op *add = tx_op_add(tx, sizeof *add, apply_add);
	struct span payload = event->payload.p == NULL ? span_of("", 0) : event->payload;
	struct aad aad;

	add->op.committed = grown;
	add->event = *event;
	add->event.payload = tx->store->appended != NULL ? tx_bytes(tx, payload) : span_of(NULL, 0);
	add->event.event_id = tx_text(tx, event->event_id);
	add->event.kind = tx_text(tx, event->kind);
	add->event.chat = tx_text(tx, event->chat);
	event_aad(&aad, event->session, event->event_id);
	add->payload = tx_seal(tx, tx->store->seals.journal, aad_span(&aad), payload);
	add->number = number;
	tx->prompt = true;
}

/* ---- the bound ---- */

/* Oldest first, from a row on; of each session the newest event stays, for its number. */
#define OLDEST "SELECT number, session, sequence, size FROM events e WHERE number > ? AND sequence < (SELECT max(sequence) FROM events n WHERE n.session = e.session) "
#define DELIVERED "AND NOT EXISTS (SELECT 1 FROM receivers r WHERE r.session = e.session AND r.done_sequence < e.sequence AND r.state <> 'off') "
#define NOT_DEAD "AND NOT EXISTS (SELECT 1 FROM dead_letters d WHERE d.session = e.session AND d.sequence = e.sequence) "
#define SOME "ORDER BY number LIMIT 500"

enum { TRIM_ROWS = 500 };

struct trim_row {
	int64_t number, session, sequence, size;
};

struct trim_op {
	struct tx_op op;
	struct trim_row row;
	int64_t freed;
};

/* A receiver that had not got this event lost it: never silently. */
static int apply_trim(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	struct trim_op *trim = (struct trim_op *)op;
	const struct trim_row *row = &trim->row;
	int rc = db_run(db, "UPDATE receivers SET overflow = 1, lost = lost + 1 WHERE session = ? AND done_sequence < ? AND state <> 'off'", "ii",
	                row->session, row->sequence);

	(void)tx;
	if (rc == 0)
		rc = db_run(db, "DELETE FROM dead_letters WHERE session = ? AND sequence = ?", "ii", row->session, row->sequence);
	if (rc == 0)
		rc = db_run(db, "DELETE FROM events WHERE number = ?", "i", row->number);
	trim->freed = rc == 0 && db->driver->changes(db) > 0 ? row->size : 0;
	return rc;
}

static void trimmed(struct store *store, struct db *db, struct tx_op *op)
{
	(void)db;
	atomic_fetch_sub(&store->journal_bytes, ((const struct trim_op *)op)->freed);
}

/* Reads the next rows of a class; the answer is their count or an error. */
static int trim_candidates(struct db *db, const char *sql, int64_t after, struct trim_row rows[TRIM_ROWS])
{
	int count = 0, rc = 0;
	struct db_statement *query = db_query(db, &rc, sql, "i", after);

	while (query != NULL && count < TRIM_ROWS && (rc = db_step(query)) > 0)
		rows[count++] = (struct trim_row){ db_int(query, 0), db_int(query, 1), db_int(query, 2), db_int(query, 3) };
	db_done(query, rc);
	return rc < 0 ? rc : count;
}

static int trim_class(struct store *store, struct db *db, const char *sql, int64_t target)
{
	struct trim_row rows[TRIM_ROWS];
	int64_t after = 0;
	int count;

	do {
		int64_t excess = (int64_t)atomic_load(&store->journal_bytes) - target;
		struct store_tx *tx;
		int rc;

		if (excess <= 0)
			return 0;
		count = trim_candidates(db, sql, after, rows);
		if (count <= 0)
			return count;
		tx = store_tx_new(store);
		for (int i = 0; i < count && excess > 0; i++) {
			struct trim_op *trim = tx_op_add(tx, sizeof *trim, apply_trim);

			trim->op.committed = trimmed;
			trim->row = rows[i];
			excess -= rows[i].size;
			after = rows[i].number;
		}
		rc = store_commit_wait(store, tx);
		if (rc != 0)
			return rc;
		keeper_checkpoint(store);
	} while (count == TRIM_ROWS);
	return 0;
}

int journal_trim(struct store *store, struct db *db)
{
	static const char *const classes[] = { OLDEST DELIVERED NOT_DEAD SOME, OLDEST DELIVERED SOME, OLDEST SOME };
	/* To nine tenths of the bound, or it would be at work with every event. */
	int64_t target = store->journal_max_bytes / 10 * 9;
	int rc = 0;

	if (atomic_load(&store->journal_bytes) <= store->journal_max_bytes)
		return 0;
	for (size_t i = 0; i < sizeof classes / sizeof *classes && rc == 0; i++)
		rc = trim_class(store, db, classes[i], target);
	return rc;
}

/* ---- the journal's size over restarts ---- */

int journal_open(struct store *store, struct db *db)
{
	char text[24] = "";
	int rc = setting_read(db, "store.journal_bytes", text, sizeof text);
	struct db_statement *query;

	if (rc != 0)
		return rc;
	if (text[0] != '\0') {
		atomic_store(&store->journal_bytes, strtoll(text, NULL, 10));
		return setting_write(db, "store.journal_bytes", NULL);
	}
	query = db_query(db, &rc, "SELECT max(number) FROM events", "");
	rc = db_read_number(query, rc, &store->uncounted_events);
	return rc < 0 ? rc : 0;
}

int journal_count(struct store *store, struct db *db)
{
	int64_t bytes = 0;
	int rc = 0;
	struct db_statement *query = db_query(db, &rc, "SELECT sum(size) FROM events WHERE number <= ?", "i", store->uncounted_events);

	rc = db_read_number(query, rc, &bytes);
	if (rc > 0)
		atomic_fetch_add(&store->journal_bytes, bytes);
	store->uncounted_events = 0;
	return rc < 0 ? rc : 0;
}

int journal_close(struct store *store, struct db *db)
{
	char text[24];

	if (store->uncounted_events > 0)
		return 0;
	snprintf(text, sizeof text, "%" PRId64, (int64_t)atomic_load(&store->journal_bytes));
	return setting_write(db, "store.journal_bytes", text);
}

/* ---- reading ---- */

int event_of_row(struct store_reader *reader, struct db_statement *query, struct arena *arena, struct store_event *event)
{
	struct aad aad;

	*event = (struct store_event){
		.session = db_int(query, 0),
		.number = db_int(query, 1),
		.event_id = db_text(query, arena, 2),
		.kind = db_text(query, arena, 3),
		.chat = db_text(query, arena, 4),
		.time_ms = db_int(query, 5),
	};
	event_aad(&aad, event->session, event->event_id);
	return seal_open(reader->store->seals.journal, aad_span(&aad), db_blob(query, 6), arena, &event->payload);
}

int store_event_list(struct store_reader *reader, struct arena *arena, int64_t session, int64_t after, size_t limit, size_t max_bytes,
                     struct store_event **rows, size_t *n)
{
	struct rows list;
	size_t bytes = 0;
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc,
	                                      EVENT_COLUMNS "WHERE session = ? AND sequence > ? ORDER BY sequence LIMIT ?", "iii",
	                                      session, after, (int64_t)limit);

	rows_init(&list, arena, sizeof **rows);
	while (query != NULL && (list.count == 0 || bytes < max_bytes) && (rc = db_step(query)) > 0) {
		struct store_event *event = rows_add(&list);

		rc = event_of_row(reader, query, arena, event);
		if (rc != 0)
			break;
		bytes += event->payload.n;
	}
	*rows = list.data;
	*n = list.count;
	return db_done(query, rc < 0 ? rc : 0);
}

int store_event_get(struct store_reader *reader, struct arena *arena, int64_t session, int64_t number, struct store_event *event)
{
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc, EVENT_COLUMNS "WHERE session = ? AND sequence = ?", "ii", session, number);

	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0)
		rc = event_of_row(reader, query, arena, event);
	else if (rc == 0)
		rc = STORE_NOT_FOUND;
	return db_done(query, rc);
}

int store_event_range(struct store_reader *reader, int64_t session, int64_t *first, int64_t *last)
{
	int rc = 0;
	struct db_statement *query;

	*first = *last = 0;
	query = db_query(reader->db, &rc, "SELECT min(sequence) FROM events WHERE session = ?", "i", session);
	rc = db_read_number(query, rc, first);
	if (rc < 0)
		return rc;
	query = db_query(reader->db, &rc, "SELECT max(sequence) FROM events WHERE session = ?", "i", session);
	rc = db_read_number(query, rc, last);
	return rc < 0 ? rc : 0;
}

int store_event_number(struct store_reader *reader, int64_t session, const char *event_id, int64_t *number)
{
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc, "SELECT sequence FROM events WHERE session = ? AND event_id = ?", "it", session, event_id);

	*number = 0;
	rc = db_read_number(query, rc, number);
	return rc < 0 ? rc : 0;
}

int store_event_between(struct store_reader *reader, int64_t session, int64_t from_ms, int64_t to_ms, int64_t *first, int64_t *last)
{
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc,
	                                      "SELECT min(sequence), max(sequence) FROM events WHERE session = ? AND time_ms BETWEEN ? AND ?", "iii",
	                                      session, from_ms, to_ms);

	*first = *last = 0;
	if (query != NULL && (rc = db_step(query)) > 0) {
		*first = db_int(query, 0);
		*last = db_int(query, 1);
	}
	return db_done(query, rc < 0 ? rc : 0);
}
