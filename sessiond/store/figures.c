/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figures for the operator's monitoring. */
#include "sessiond/store/private.h"

static int read_outbox(struct db *db, int64_t now_ms, struct store_figures *figures)
{
	int rc = 0;
	struct db_statement *query = db_query(db, &rc, "SELECT count(*), sum(not_before_ms > ?), min(CASE WHEN not_before_ms > ? THEN NULL ELSE created_ms END) "
	                                      "FROM outbox WHERE state < 3", "ii", now_ms, now_ms);

	if (query != NULL && (rc = db_step(query)) > 0) {
		figures->scheduled = db_int(query, 1);
		figures->due = db_int(query, 0) - figures->scheduled;
		figures->due_oldest_ms = db_int(query, 2);
	}
	rc = db_done(query, rc);
	return rc < 0 ? rc : 0;
}

static int read_ends(struct db *db, struct arena *arena, struct store_figures *figures)
{
	struct rows list;
	int rc = 0;
	struct db_statement *query = db_query(db, &rc, "SELECT s.number, (SELECT max(e.sequence) FROM events e WHERE e.session = s.number) FROM sessions s ORDER BY s.number", "");

	rows_init(&list, arena, sizeof *figures->ends);
	while (query != NULL && (rc = db_step(query)) > 0)
		*(struct store_journal_end *)rows_add(&list) = (struct store_journal_end){ .session = db_int(query, 0), .last = db_int(query, 1) };
	figures->ends = list.data;
	figures->ends_n = list.count;
	rc = db_done(query, rc);
	return rc < 0 ? rc : 0;
}

static int read_states(struct db *db, const char *sql, int64_t counts[STORE_FIGURES_STATES])
{
	int rc = 0;
	struct db_statement *query = db_query(db, &rc, sql, "");

	while (query != NULL && (rc = db_step(query)) > 0) {
		int64_t state = db_int(query, 0);

		if (state >= 0 && state < STORE_FIGURES_STATES)
			counts[state] = db_int(query, 1);
	}
	rc = db_done(query, rc);
	return rc < 0 ? rc : 0;
}

int store_figures(struct store_reader *reader, struct arena *arena, int64_t now_ms, struct store_figures *figures)
{
	struct db_statement *query;
	int rc;

	*figures = (struct store_figures){ .due = 0 };
	rc = read_outbox(reader->db, now_ms, figures);
	if (rc == 0)
		rc = read_ends(reader->db, arena, figures);
	if (rc == 0)
		rc = read_states(reader->db, "SELECT state, count(*) FROM campaigns GROUP BY state", figures->campaigns);
	if (rc == 0)
		rc = read_states(reader->db, "SELECT state, count(*) FROM campaign_recipients GROUP BY state", figures->recipients);
	if (rc != 0)
		return rc;
	query = db_query(reader->db, &rc, "SELECT count(*) FROM dead_letters", "");
	rc = db_read_number(query, rc, &figures->dead_letters);
	return rc < 0 ? rc : 0;
}
