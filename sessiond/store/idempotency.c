/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Idempotency keys: which request was answered how, for 24 hours. */
#include <string.h>

#include "sessiond/store/private.h"

#define KEEP_MS ((int64_t)24 * 60 * 60 * 1000)

struct idempotency_op {
	struct tx_op op;
	struct store_idempotency entry; /* texts in the tx's arena */
	struct span answer;             /* sealed */
};

static void answer_aad(struct aad *aad, const char *scope, const char *key)
{
	aad_start(aad, 'a');
	aad_text(aad, scope);
	aad_text(aad, key);
}

static struct idempotency_op *op_for(struct store_tx *tx, const char *scope, const char *key,
                                     int (*apply)(struct store_tx *tx, struct db *db, struct tx_op *op))
{
	struct idempotency_op *made = tx_op_add(tx, sizeof *made, apply);

	made->entry.scope = tx_text(tx, scope);
	made->entry.key = tx_text(tx, key);
	return made;
}

static int apply_add(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct store_idempotency *entry = &((const struct idempotency_op *)op)->entry;
	int64_t outbox = tx->new_outbox != 0 ? tx->new_outbox : entry->outbox;
	int rc = db_run(db, "DELETE FROM idempotency WHERE scope = ? AND name = ? AND created_ms < ?", "tti", entry->scope, entry->key,
	                entry->created_ms - KEEP_MS);

	if (rc != 0)
		return rc;
	return db_run(db, "INSERT INTO idempotency (scope, name, digest, outbox, created_ms) VALUES (?, ?, ?, ?, ?)", "ttbii",
	              entry->scope, entry->key, span_of(entry->digest, sizeof entry->digest), outbox, entry->created_ms);
}

void store_tx_idempotency_add(struct store_tx *tx, const struct store_idempotency *entry)
{
	struct idempotency_op *add = op_for(tx, entry->scope, entry->key, apply_add);

	memcpy(add->entry.digest, entry->digest, sizeof entry->digest);
	add->entry.outbox = entry->outbox;
	add->entry.created_ms = entry->created_ms;
}

static int apply_answer(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct idempotency_op *answer = (const struct idempotency_op *)op;

	(void)tx;
	return db_run(db, "UPDATE idempotency SET status = ?, answer = ? WHERE scope = ? AND name = ?", "nbtt", answer->entry.status,
	              answer->answer, answer->entry.scope, answer->entry.key);
}

void store_tx_idempotency_answer(struct store_tx *tx, const char *scope, const char *key, int status, struct span answer)
{
	struct idempotency_op *change = op_for(tx, scope, key, apply_answer);
	struct aad aad;

	answer_aad(&aad, scope, key);
	change->entry.status = status;
	change->answer = tx_seal(tx, tx->store->seals.answers, aad_span(&aad), answer);
}

static int apply_remove(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct store_idempotency *entry = &((const struct idempotency_op *)op)->entry;

	(void)tx;
	return db_run(db, "DELETE FROM idempotency WHERE scope = ? AND name = ?", "tt", entry->scope, entry->key);
}

void store_tx_idempotency_remove(struct store_tx *tx, const char *scope, const char *key)
{
	op_for(tx, scope, key, apply_remove);
}

static int apply_expire(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	(void)tx;
	return db_run(db, "DELETE FROM idempotency WHERE created_ms < ?", "i", ((const struct idempotency_op *)op)->entry.created_ms);
}

void tx_idempotency_expire(struct store_tx *tx, int64_t before_ms)
{
	struct idempotency_op *gone = tx_op_add(tx, sizeof *gone, apply_expire);

	gone->entry.created_ms = before_ms;
}

int store_idempotency_get(struct store_reader *reader, struct arena *arena, const char *scope, const char *key,
                          struct store_idempotency *entry)
{
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc,
	                                      "SELECT digest, outbox, status, answer, created_ms FROM idempotency "
	                                      "WHERE scope = ? AND name = ? AND created_ms >= ?", "tti", scope, key,
	                                      reader->store->wall_ms() - KEEP_MS);
	struct aad aad;

	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0) {
		struct span digest = db_blob(query, 0);

		*entry = (struct store_idempotency){
			.scope = arena_strdup(arena, scope),
			.key = arena_strdup(arena, key),
			.outbox = db_int(query, 1),
			.status = (int)db_int(query, 2),
			.created_ms = db_int(query, 4),
		};
		memcpy(entry->digest, digest.p, digest.n < sizeof entry->digest ? digest.n : sizeof entry->digest);
		answer_aad(&aad, scope, key);
		rc = seal_open(reader->store->seals.answers, aad_span(&aad), db_blob(query, 3), arena, &entry->answer);
	} else if (rc == 0) {
		rc = STORE_NOT_FOUND;
	}
	return db_done(query, rc);
}
