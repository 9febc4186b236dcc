/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Actions of receivers' answers, see actionruns.h. */
#include "sessiond/store/actionruns.h"

#include <inttypes.h>

#include "sessiond/store/private.h"

struct run_op {
	struct tx_op op;
	struct store_action_run run;  /* texts in the tx's arena */
	struct span plan, outcomes;   /* sealed */
	int64_t *number;
};

static void run_aad(struct aad *aad, char what, const struct store_action_run *run)
{
	aad_start(aad, what);
	aad_int(aad, run->session);
	aad_text(aad, run->event_id);
	aad_text(aad, run->receiver);
}

static struct span seal_part(struct store_tx *tx, char what, const struct store_action_run *run, struct span plain)
{
	struct aad aad;

	run_aad(&aad, what, run);
	return tx_seal(tx, tx->store->seals.journal, aad_span(&aad), plain);
}

static struct run_op *op_for(struct store_tx *tx, const struct store_action_run *run, int (*apply)(struct store_tx *tx, struct db *db, struct tx_op *op))
{
	struct run_op *made = tx_op_add(tx, sizeof *made, apply);

	made->run = *run;
	made->run.receiver = tx_text(tx, run->receiver);
	made->run.event_id = tx_text(tx, run->event_id);
	made->run.kind = tx_text(tx, run->kind);
	made->run.error = tx_text(tx, run->error);
	made->outcomes = seal_part(tx, 'o', run, run->outcomes);
	return made;
}

static int apply_add(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct run_op *add = (const struct run_op *)op;
	const struct store_action_run *run = &add->run;
	struct db_statement *query;
	int64_t known = 0;
	int rc = 0;

	(void)tx;
	*add->number = 0;
	query = db_query(db, &rc, "SELECT number FROM action_runs WHERE session = ? AND event_id = ? AND receiver = ?", "itt", run->session, run->event_id,
	                 run->receiver);
	rc = db_read_number(query, rc, &known);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = db_run(db,
	            "INSERT INTO action_runs (session, receiver, event_id, event_number, kind, lane, state, error, plan, outcomes, accepted_ms, updated_ms) "
	            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", "ittitintbbii", run->session, run->receiver, run->event_id, run->event_number, run->kind,
	            run->lane, (int)run->state, run->error, add->plan, add->outcomes, run->accepted_ms, run->updated_ms);
	if (rc == 0)
		*add->number = db->driver->last_number(db);
	return rc;
}

void store_tx_action_run_add(struct store_tx *tx, const struct store_action_run *run, int64_t *number)
{
	struct run_op *add = op_for(tx, run, apply_add);

	add->plan = seal_part(tx, 'p', run, run->plan);
	add->number = number;
}

static int apply_update(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct run_op *update = (const struct run_op *)op;
	const struct store_action_run *run = &update->run;

	(void)tx;
	if (run->state != STORE_ACTIONS_PENDING)
		return db_run(db, "UPDATE action_runs SET state = ?, error = ?, outcomes = ?, plan = ?, updated_ms = ? WHERE session = ? AND event_id = ? AND receiver = ?",
		              "ntbbiitt", (int)run->state, run->error, update->outcomes, update->plan, run->updated_ms, run->session, run->event_id, run->receiver);
	return db_run(db, "UPDATE action_runs SET state = ?, error = ?, outcomes = ?, updated_ms = ? WHERE session = ? AND event_id = ? AND receiver = ?",
	              "ntbiitt", (int)run->state, run->error, update->outcomes, run->updated_ms, run->session, run->event_id, run->receiver);
}

void store_tx_action_run_update(struct store_tx *tx, const struct store_action_run *run)
{
	struct run_op *update = op_for(tx, run, apply_update);

	/* What is over is only looked at; a large answer must not lie there for weeks. */
	if (run->state != STORE_ACTIONS_PENDING)
		update->plan = seal_part(tx, 'p', run, span_text("{}"));
}

static int apply_remove(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct store_action_run *run = &((const struct run_op *)op)->run;

	(void)tx;
	return db_run(db, "DELETE FROM action_runs WHERE session = ? AND event_id = ? AND receiver = ?", "itt", run->session, run->event_id, run->receiver);
}

void store_tx_action_run_remove(struct store_tx *tx, const struct store_action_run *run)
{
	op_for(tx, run, apply_remove);
}

static int apply_expire(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	(void)tx;
	return db_run(db, "DELETE FROM action_runs WHERE accepted_ms < ?", "i", ((const struct run_op *)op)->run.accepted_ms);
}

void tx_action_runs_expire(struct store_tx *tx, int64_t before_ms)
{
	struct run_op *gone = tx_op_add(tx, sizeof *gone, apply_expire);

	gone->run.accepted_ms = before_ms;
}

/* ---- reading ---- */

#define RUN_COLUMNS \
	"SELECT number, session, receiver, event_id, event_number, kind, lane, state, error, plan, outcomes, accepted_ms, updated_ms FROM action_runs "

static int run_of_row(struct store_reader *reader, struct db_statement *query, struct arena *arena, struct store_action_run *run)
{
	struct aad aad;
	int rc;

	*run = (struct store_action_run){
		.number = db_int(query, 0),
		.session = db_int(query, 1),
		.receiver = db_text(query, arena, 2),
		.event_id = db_text(query, arena, 3),
		.event_number = db_int(query, 4),
		.kind = db_text(query, arena, 5),
		.lane = db_int(query, 6),
		.state = (enum store_action_state)db_int(query, 7),
		.error = db_text(query, arena, 8),
		.accepted_ms = db_int(query, 11),
		.updated_ms = db_int(query, 12),
	};
	run_aad(&aad, 'p', run);
	rc = seal_open(reader->store->seals.journal, aad_span(&aad), db_blob(query, 9), arena, &run->plan);
	if (rc != 0)
		return rc;
	run_aad(&aad, 'o', run);
	return seal_open(reader->store->seals.journal, aad_span(&aad), db_blob(query, 10), arena, &run->outcomes);
}

static int read_rows(struct store_reader *reader, struct db_statement *query, int rc, struct arena *arena, struct store_action_run **rows, size_t *n)
{
	struct rows list;

	rows_init(&list, arena, sizeof **rows);
	while (query != NULL && (rc = db_step(query)) > 0) {
		rc = run_of_row(reader, query, arena, rows_add(&list));
		if (rc != 0)
			break;
	}
	*rows = list.data;
	*n = list.count;
	return db_done(query, rc < 0 ? rc : 0);
}

int store_action_run_pending(struct store_reader *reader, struct arena *arena, int64_t after, size_t limit, struct store_action_run **rows, size_t *n)
{
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc, RUN_COLUMNS "WHERE state = 0 AND number > ? ORDER BY number LIMIT ?", "ii", after, (int64_t)limit);

	return read_rows(reader, query, rc, arena, rows, n);
}

int store_action_run_list(struct store_reader *reader, struct arena *arena, int64_t session, int64_t before, int state, size_t limit,
                          struct store_action_run **rows, size_t *n)
{
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc,
	                                      RUN_COLUMNS "WHERE session = ? AND (number < ? OR ? = 0) AND (state = ? OR ? < 0) ORDER BY number DESC LIMIT ?",
	                                      "iiinni", session, before, before, state, state, (int64_t)limit);

	return read_rows(reader, query, rc, arena, rows, n);
}
