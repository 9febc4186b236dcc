/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Recipients of campaigns. Their states are changed by triggers of the outbox (sql/), but for those that never get there. */
#include <string.h>

#include "sessiond/store/private.h"

struct recipients_op {
	struct tx_op op;
	const char *id;
	struct store_recipient *rows; /* in the tx's arena; variables sealed */
	size_t n;
	int64_t max, *added;
};

struct fail_op {
	struct tx_op op;
	int64_t number, at_ms;
	int code;
	const char *error;
};

static void variables_aad(struct aad *aad, const char *message_id)
{
	aad_start(aad, 'v');
	aad_text(aad, message_id);
}

/* The campaign that may have more recipients: its number, session, and how many it has. */
static int find_campaign(struct db *db, const char *id, int64_t *number, int64_t *session, int64_t *count)
{
	int rc = 0;
	struct db_statement *query = db_query(db, &rc, "SELECT number, session FROM campaigns WHERE id = ? AND state < 4", "t", id);

	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0) {
		*number = db_int(query, 0);
		*session = db_int(query, 1);
	}
	rc = db_done(query, rc > 0 ? 0 : rc == 0 ? STORE_NOT_FOUND : rc);
	if (rc != 0)
		return rc;
	query = db_query(db, &rc, "SELECT count(*) FROM campaign_recipients WHERE campaign = ?", "i", *number);
	rc = db_read_number(query, rc, count);
	return rc < 0 ? rc : 0;
}

static int apply_recipients(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	static const struct db_upsert insert = { "campaign_recipients", "campaign jid", "session message_id variables" };
	const struct recipients_op *add = (const struct recipients_op *)op;
	int64_t number = 0, session = 0, before = 0, count;
	int rc = find_campaign(db, add->id, &number, &session, &before);

	(void)tx;
	count = before;
	for (size_t i = 0; i < add->n && rc >= 0; i++) {
		const struct store_recipient *row = &add->rows[i];

		rc = db_insert_new(db, &insert, "ititb", number, row->jid, session, row->message_id, row->variables);
		count += rc > 0;
	}
	if (rc >= 0 && count > add->max)
		rc = STORE_CONSTRAINT;
	if (add->added != NULL)
		*add->added = rc >= 0 ? count - before : 0;
	return rc < 0 ? rc : 0;
}

void store_tx_campaign_recipients(struct store_tx *tx, const char *id, const struct store_recipient *rows, size_t n, int64_t max, int64_t *added)
{
	struct recipients_op *add = tx_op_add(tx, sizeof *add, apply_recipients);

	add->id = tx_text(tx, id);
	add->n = n;
	add->max = max;
	add->added = added;
	add->rows = arena_alloc(&tx->arena, n * sizeof *rows + 1);
	for (size_t i = 0; i < n; i++) {
		struct aad aad;

		variables_aad(&aad, rows[i].message_id);
		add->rows[i] = (struct store_recipient){
			.jid = tx_text(tx, rows[i].jid),
			.message_id = tx_text(tx, rows[i].message_id),
			.variables = tx_seal(tx, tx->store->seals.outbox, aad_span(&aad), rows[i].variables),
		};
	}
}

static int apply_fail(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct fail_op *fail = (const struct fail_op *)op;

	(void)tx;
	return db_run(db, "UPDATE campaign_recipients SET state = ?, code = ?, error = ?, queued_ms = ?, updated_ms = ? WHERE number = ? AND state = 0",
	              "nntiii", (int)STORE_OUTBOX_FAILED, fail->code, fail->error, fail->at_ms, fail->at_ms, fail->number);
}

void store_tx_recipient_fail(struct store_tx *tx, int64_t recipient, int code, const char *error, int64_t at_ms)
{
	struct fail_op *fail = tx_op_add(tx, sizeof *fail, apply_fail);

	fail->number = recipient;
	fail->code = code;
	fail->error = tx_text(tx, error);
	fail->at_ms = at_ms;
}

/* ---- reading ---- */

int store_campaign_counts(struct store_reader *reader, int64_t campaign, int64_t counts[STORE_RECIPIENT_STATES])
{
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc, "SELECT state, count(*) FROM campaign_recipients WHERE campaign = ? GROUP BY state", "i",
	                                      campaign);

	memset(counts, 0, STORE_RECIPIENT_STATES * sizeof *counts);
	while (query != NULL && (rc = db_step(query)) > 0) {
		int64_t state = db_int(query, 0);

		if (state >= 0 && state < STORE_RECIPIENT_STATES)
			counts[state] = db_int(query, 1);
	}
	return db_done(query, rc);
}

int store_campaign_since(struct store_reader *reader, int64_t campaign, int64_t since_ms, int64_t *count, int64_t *first_ms)
{
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc, "SELECT count(*), min(queued_ms) FROM campaign_recipients WHERE campaign = ? AND queued_ms >= ?",
	                                      "ii", campaign, since_ms);

	*count = *first_ms = 0;
	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0) {
		*count = db_int(query, 0);
		*first_ms = db_int(query, 1);
	}
	return db_done(query, rc < 0 ? rc : 0);
}

int store_campaign_has_before(struct store_reader *reader, int64_t campaign, const char *jid, int64_t recipient)
{
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc, "SELECT 1 FROM campaign_recipients WHERE campaign = ? AND jid = ? AND number < ? AND state <> ?",
	                                      "itin", campaign, jid, recipient, (int)STORE_OUTBOX_FAILED);

	if (query == NULL)
		return rc;
	rc = db_step(query);
	return db_done(query, rc > 0 ? STORE_OK : rc == 0 ? STORE_NOT_FOUND : rc);
}

static int row_of(struct store_reader *reader, struct db_statement *query, struct arena *arena, struct store_recipient *row)
{
	struct aad aad;

	*row = (struct store_recipient){
		.number = db_int(query, 0),
		.jid = db_text(query, arena, 1),
		.message_id = db_text(query, arena, 2),
		.state = (int)db_int(query, 3),
		.queued_ms = db_int(query, 4),
		.updated_ms = db_int(query, 5),
		.server_ms = db_int(query, 6),
		.code = (int)db_int(query, 7),
		.error = db_text(query, arena, 8),
	};
	variables_aad(&aad, row->message_id);
	return seal_open(reader->store->seals.outbox, aad_span(&aad), db_blob(query, 9), arena, &row->variables);
}

/* Of one state the index of states has them in order already; else they are gone through in the order of adding. */
static struct db_statement *page_query(struct store_reader *reader, int64_t campaign, unsigned states, int64_t after, size_t limit,
                                       struct db_built *built, int *rc)
{
	bool first = true;

	db_built_int(built,
	             "SELECT number, jid, message_id, state, queued_ms, updated_ms, server_ms, code, error, variables FROM campaign_recipients WHERE campaign = ?",
	             campaign);
	for (int state = 0; state < STORE_RECIPIENT_STATES; state++) {
		if (!(states & (1U << state)))
			continue;
		db_built_int(built, first ? " AND (state = ?" : " OR state = ?", state);
		first = false;
	}
	db_built_int(built, first ? " AND number > ?" : ") AND number > ?", after);
	db_built_int(built, " ORDER BY number LIMIT ?", (int64_t)limit);
	return db_built_query(reader->db, built, rc);
}

int store_campaign_recipients(struct store_reader *reader, struct arena *arena, int64_t campaign, unsigned states, int64_t after, size_t limit,
                              struct store_recipient **rows, size_t *n)
{
	struct db_built built = { .n = 0 };
	struct rows list;
	int rc = 0;
	struct db_statement *query = page_query(reader, campaign, states, after, limit, &built, &rc);

	rows_init(&list, arena, sizeof **rows);
	while (query != NULL && (rc = db_step(query)) > 0) {
		rc = row_of(reader, query, arena, rows_add(&list));
		if (rc != 0)
			break;
	}
	*rows = list.data;
	*n = list.count;
	return db_built_done(&built, rc);
}
