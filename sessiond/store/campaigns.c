/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Campaigns, without their recipients (campaign_recipients.c). */
#include <string.h>

#include "sessiond/store/private.h"

/* A campaign may have more recipients than one transaction should remove while messages wait for theirs. */
enum { REMOVE_PART_MAX = 2000 };

struct campaign_op {
	struct tx_op op;
	struct store_campaign row; /* texts in the tx's arena */
	struct span spec, built;   /* sealed */
	unsigned from;
};

static struct campaign_op *op_for(struct store_tx *tx, int64_t number, int (*apply)(struct store_tx *tx, struct db *db, struct tx_op *op))
{
	struct campaign_op *made = tx_op_add(tx, sizeof *made, apply);

	made->row.number = number;
	return made;
}

static struct span seal_part(struct store_tx *tx, char what, const char *id, struct span plain)
{
	struct aad aad;

	aad_start(&aad, what);
	aad_text(&aad, id);
	return tx_seal(tx, tx->store->seals.outbox, aad_span(&aad), plain);
}

/* The file stays where it is, whatever its age. */
static int hold_file(struct db *db, const char *key)
{
	int rc = key ? db_run(db, "UPDATE files SET held = 1, expires_ms = 0 WHERE storage_key = ? AND state = 2", "t", key) : 0;

	return rc == 0 && key && db->driver->changes(db) == 0 ? STORE_NOT_FOUND : rc;
}

static int apply_add(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct campaign_op *add = (const struct campaign_op *)op;
	const struct store_campaign *row = &add->row;
	int rc = hold_file(db, row->file_key);

	(void)tx;
	if (rc != 0)
		return rc;
	return db_run(db,
	              "INSERT INTO campaigns (id, registry, session, session_id, name, state, reason, start_ms, created_ms, updated_ms, started_ms, file_key, spec) "
	              "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", "ttittntiiiitb", row->id, row->registry, row->session, row->session_id,
	              row->name, (int)row->state, row->reason, row->start_ms, row->created_ms, row->created_ms,
	              row->state == STORE_CAMPAIGN_ACTIVE ? row->created_ms : INT64_C(0), row->file_key, add->spec);
}

void store_tx_campaign_add(struct store_tx *tx, const struct store_campaign *campaign)
{
	struct campaign_op *add = op_for(tx, 0, apply_add);

	add->row = *campaign;
	add->row.id = tx_text(tx, campaign->id);
	add->row.registry = tx_text(tx, campaign->registry);
	add->row.session_id = tx_text(tx, campaign->session_id);
	add->row.name = tx_text(tx, campaign->name);
	add->row.reason = tx_text(tx, campaign->reason);
	add->row.file_key = tx_text(tx, campaign->file_key);
	add->spec = seal_part(tx, 'k', campaign->id, campaign->spec);
}

/* The states of `from` as up to five numbers; -1 fits no row. */
static void states_of(unsigned from, int states[5])
{
	for (int i = 0; i < 5; i++)
		states[i] = from & STORE_CAMPAIGN_BIT(i + 1) ? i + 1 : -1;
}

/* A change that found no row in one of its states fails the tx. */
static int found(struct db *db, int rc)
{
	return rc == 0 && db->driver->changes(db) == 0 ? STORE_NOT_FOUND : rc;
}

static int apply_state(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct campaign_op *change = (const struct campaign_op *)op;
	const struct store_campaign *row = &change->row;
	int64_t started = row->state == STORE_CAMPAIGN_ACTIVE ? row->updated_ms : 0;
	int64_t ended = row->state >= STORE_CAMPAIGN_DONE ? row->updated_ms : 0;
	int from[5];

	(void)tx;
	states_of(change->from, from);
	return found(db, db_run(db,
	                        "UPDATE campaigns SET state = ?, reason = ?, updated_ms = ?, started_ms = CASE WHEN started_ms = 0 THEN ? ELSE started_ms END, "
	                        "ended_ms = ? WHERE number = ? AND state IN (?, ?, ?, ?, ?)", "ntiiiinnnnn", (int)row->state, row->reason,
	                        row->updated_ms, started, ended, row->number, from[0], from[1], from[2], from[3], from[4]));
}

void store_tx_campaign_state(struct store_tx *tx, int64_t number, unsigned from, enum store_campaign_state to, const char *reason, int64_t at_ms)
{
	struct campaign_op *change = op_for(tx, number, apply_state);

	change->from = from;
	change->row.state = to;
	change->row.reason = tx_text(tx, reason);
	change->row.updated_ms = at_ms;
}

static int apply_change(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct campaign_op *change = (const struct campaign_op *)op;
	const struct store_campaign *row = &change->row;
	int from[5], rc = 0;

	(void)tx;
	states_of(change->from, from);
	rc = hold_file(db, row->file_key);
	if (rc != 0)
		return rc;
	return found(db, db_run(db,
	                        "UPDATE campaigns SET name = ?, start_ms = ?, spec = ?, file_key = ?, updated_ms = ? WHERE number = ? AND state IN (?, ?, ?, ?, ?)",
	                        "tibtiinnnnn", row->name, row->start_ms, change->spec, row->file_key, row->updated_ms, row->number, from[0], from[1],
	                        from[2], from[3], from[4]));
}

void store_tx_campaign_change(struct store_tx *tx, int64_t number, unsigned from, const struct store_campaign *campaign)
{
	struct campaign_op *change = op_for(tx, number, apply_change);

	change->from = from;
	change->row.name = tx_text(tx, campaign->name);
	change->row.file_key = tx_text(tx, campaign->file_key);
	change->row.start_ms = campaign->start_ms;
	change->row.updated_ms = campaign->updated_ms;
	change->spec = seal_part(tx, 'k', campaign->id, campaign->spec);
}

static int apply_built(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct campaign_op *change = (const struct campaign_op *)op;

	(void)tx;
	return db_run(db, "UPDATE campaigns SET built = ?, built_ms = ? WHERE number = ?", "bii", change->built, change->row.built_ms, change->row.number);
}

void store_tx_campaign_built(struct store_tx *tx, int64_t number, const char *id, struct span built, int64_t at_ms)
{
	struct campaign_op *change = op_for(tx, number, apply_built);

	change->row.built_ms = at_ms;
	change->built = seal_part(tx, 'b', id, built);
}

struct remove_op {
	struct tx_op op;
	int64_t number, at_ms;
	bool *over;
};

static int apply_remove(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct remove_op *gone = (const struct remove_op *)op;
	int rc = db_run(db, "UPDATE campaigns SET state = ?, ended_ms = ? WHERE number = ? AND ended_ms = 0", "nii", (int)STORE_CAMPAIGN_CANCELLED,
	                gone->at_ms, gone->number);

	(void)tx;
	if (rc == 0)
		rc = db_run(db,
		            "DELETE FROM campaign_recipients WHERE number IN (SELECT number FROM (SELECT number FROM campaign_recipients "
		            "WHERE campaign = ? LIMIT ?) AS part)",
		            "in", gone->number, (int)REMOVE_PART_MAX);
	*gone->over = rc == 0 && db->driver->changes(db) < REMOVE_PART_MAX;
	return rc == 0 && *gone->over ? db_run(db, "DELETE FROM campaigns WHERE number = ?", "i", gone->number) : rc;
}

void store_tx_campaign_remove(struct store_tx *tx, int64_t number, int64_t at_ms, bool *over)
{
	struct remove_op *gone = tx_op_add(tx, sizeof *gone, apply_remove);

	gone->number = number;
	gone->at_ms = at_ms;
	gone->over = over;
}

/* ---- the end of what has ended ---- */

struct expire_op {
	struct tx_op op;
	int64_t before_ms;
	int64_t *removed; /* recipients and campaigns */
};

static int apply_expire(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct expire_op *gone = (const struct expire_op *)op;
	int rc = db_run(db,
	                "DELETE FROM campaign_recipients WHERE number IN (SELECT number FROM (SELECT r.number FROM campaigns c "
	                "JOIN campaign_recipients r ON r.campaign = c.number WHERE c.ended_ms > 0 AND c.ended_ms < ? LIMIT ?) AS part)",
	                "in", gone->before_ms, (int)REMOVE_PART_MAX);

	(void)tx;
	*gone->removed = rc == 0 ? db->driver->changes(db) : 0;
	if (rc != 0 || *gone->removed > 0)
		return rc;
	rc = db_run(db,
	            "DELETE FROM campaigns WHERE number IN (SELECT number FROM (SELECT number FROM campaigns WHERE ended_ms > 0 AND ended_ms < ? LIMIT ?) AS part)",
	            "in", gone->before_ms, (int)REMOVE_PART_MAX);
	*gone->removed = rc == 0 ? db->driver->changes(db) : 0;
	return rc;
}

void campaigns_expire_round(struct store *store)
{
	int64_t keep_ms = atomic_load(&store->campaigns_keep_ms), before_ms = store->wall_ms() - keep_ms, removed = keep_ms > 0;

	while (removed > 0) {
		struct store_tx *tx = store_tx_new(store);
		struct expire_op *gone = tx_op_add(tx, sizeof *gone, apply_expire);
		int rc;

		gone->before_ms = before_ms;
		gone->removed = &removed;
		rc = store_commit_wait(store, tx);
		if (rc != 0) {
			store_warn(store, "old campaigns could not be removed: %s", store_error_name(rc));
			return;
		}
	}
}

void store_campaigns_keep(struct store *store, int64_t keep_ms)
{
	atomic_store(&store->campaigns_keep_ms, keep_ms);
}

/* ---- reading ---- */

#define CAMPAIGN_COLUMNS \
	"number, id, registry, session, session_id, name, state, reason, start_ms, created_ms, updated_ms, started_ms, ended_ms, built_ms, file_key, spec"

enum { COLUMN_FILE = 14, COLUMN_SPEC, COLUMN_BUILT };

static int open_part(struct store_reader *reader, struct arena *arena, char what, const char *id, struct span sealed, struct span *plain)
{
	struct aad aad;

	aad_start(&aad, what);
	aad_text(&aad, id);
	return seal_open(reader->store->seals.outbox, aad_span(&aad), sealed, arena, plain);
}

static int row_of(struct store_reader *reader, struct db_statement *query, struct arena *arena, struct store_campaign *row)
{
	*row = (struct store_campaign){
		.number = db_int(query, 0),
		.id = db_text(query, arena, 1),
		.registry = db_text(query, arena, 2),
		.session = db_int(query, 3),
		.session_id = db_text(query, arena, 4),
		.name = db_text(query, arena, 5),
		.state = (enum store_campaign_state)db_int(query, 6),
		.reason = db_text(query, arena, 7),
		.start_ms = db_int(query, 8),
		.created_ms = db_int(query, 9),
		.updated_ms = db_int(query, 10),
		.started_ms = db_int(query, 11),
		.ended_ms = db_int(query, 12),
		.built_ms = db_int(query, 13),
		.file_key = db_text(query, arena, COLUMN_FILE),
	};
	return open_part(reader, arena, 'k', row->id, db_blob(query, COLUMN_SPEC), &row->spec);
}

int store_campaign_get(struct store_reader *reader, struct arena *arena, const char *id, struct store_campaign *campaign)
{
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc, "SELECT " CAMPAIGN_COLUMNS ", built FROM campaigns WHERE id = ?", "t", id);

	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0) {
		rc = row_of(reader, query, arena, campaign);
		if (rc == 0)
			rc = open_part(reader, arena, 'b', campaign->id, db_blob(query, COLUMN_BUILT), &campaign->built);
	} else if (rc == 0) {
		rc = STORE_NOT_FOUND;
	}
	return db_done(query, rc);
}

static struct db_statement *list_query(struct store_reader *reader, const struct store_campaign_query *what, struct db_built *built, int *rc)
{
	bool first = true;

	db_built_int(built, "SELECT " CAMPAIGN_COLUMNS " FROM campaigns WHERE number < ?", what->before > 0 ? what->before : INT64_MAX);
	if (what->registry != NULL)
		db_built_text(built, " AND registry = ?", what->registry);
	if (what->session_id != NULL)
		db_built_text(built, " AND session_id = ?", what->session_id);
	for (int state = STORE_CAMPAIGN_DRAFT; state <= STORE_CAMPAIGN_CANCELLED; state++) {
		if (!(what->states & STORE_CAMPAIGN_BIT(state)))
			continue;
		db_built_int(built, first ? " AND (state = ?" : " OR state = ?", state);
		first = false;
	}
	db_built_int(built, first ? " ORDER BY number DESC LIMIT ?" : ") ORDER BY number DESC LIMIT ?", (int64_t)what->limit);
	return db_built_query(reader->db, built, rc);
}

int store_campaign_list(struct store_reader *reader, struct arena *arena, const struct store_campaign_query *what, struct store_campaign **rows,
                        size_t *n)
{
	struct db_built built = { .n = 0 };
	struct rows list;
	int rc = 0;
	struct db_statement *query = list_query(reader, what, &built, &rc);

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

int store_campaign_active(struct store_reader *reader, struct arena *arena, const char ***ids, size_t *n)
{
	struct rows list;
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc, "SELECT id FROM campaigns WHERE state = 2 ORDER BY number", "");

	rows_init(&list, arena, sizeof **ids);
	while (query != NULL && (rc = db_step(query)) > 0)
		*(const char **)rows_add(&list) = db_text(query, arena, 0);
	*ids = list.data;
	*n = list.count;
	return db_done(query, rc);
}
