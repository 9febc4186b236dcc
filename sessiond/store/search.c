/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What somebody looks for as terms, and the full-text index that follows the messages: filled in batches, because a batch costs a
 * fraction of what its messages would cost one by one, and nobody waits for it but who searches.
 */
#include <string.h>

#include "common/fold.h"
#include "sessiond/store/private.h"

enum {
	FILL_MAX = 4000,     /* messages of one tx that somebody waits for: tens of milliseconds of the writer's time */
	FOLLOW_MAX = 1000,   /* the same in the background */
	FILL_WANTED = 1000   /* so many behind wake the keeper */
};

/* ---- terms ---- */

/* False: no word is in it. */
static bool has_word(struct span text)
{
	size_t len;

	for (size_t at = 0; at < text.n; at += len) {
		if (fold_is_word(fold_next((const char *)text.p + at, text.n - at, &len)))
			return true;
	}
	return false;
}

static bool add_term(struct store_search *search, const char *from, const char *to)
{
	struct store_term term = { .text = span_of(from, (size_t)(to - from)) };

	while (term.text.n > 0 && term.text.p[term.text.n - 1] == '*') {
		term.prefix = true;
		term.text.n--;
	}
	if (!has_word(term.text))
		return true;
	if (search->n == STORE_SEARCH_TERMS)
		return false;
	search->terms[search->n++] = term;
	return true;
}

bool store_search_parse(struct store_search *search, const char *text)
{
	const char *at = text;
	bool fits = true;

	search->n = 0;
	if (strlen(text) > STORE_SEARCH_MAX)
		return false;
	while (*at != '\0' && fits) {
		const char *end;

		at += strspn(at, " \t\r\n\v\f");
		if (*at == '"') {
			end = at + 1 + strcspn(at + 1, "\"");
			fits = add_term(search, at + 1, end);
			/* An open quote ends with the text. */
			at = *end == '"' ? end + 1 : end;
		} else {
			end = at + strcspn(at, " \t\r\n\v\f\"");
			fits = add_term(search, at, end);
			at = end;
		}
	}
	return fits && search->n > 0;
}

/* ---- the index ---- */

int search_open(struct store *store, struct db *db)
{
	int64_t last = 0, indexed = 0;
	int rc = 0;
	struct db_statement *query = db_query(db, &rc, "SELECT max(number) FROM messages", "");

	rc = db_read_number(query, rc, &last);
	if (rc >= 0)
		rc = db->driver->search_last == NULL ? 0 : db->driver->search_last(db, &indexed);
	/* A number that the index has seen must not come back for another message. */
	store->next_message = (last > indexed ? last : indexed) + 1;
	atomic_store(&store->last_message, last);
	atomic_store(&store->last_indexed, db->driver->search_fill == NULL ? INT64_MAX : indexed);
	return rc;
}

static int64_t behind_by(struct store *store)
{
	return atomic_load(&store->last_message) - atomic_load(&store->last_indexed);
}

bool store_search_behind(struct store *store)
{
	return behind_by(store) > 0;
}

void search_grown(struct store *store)
{
	int64_t before = behind_by(store);

	atomic_store(&store->last_message, store->next_message - 1);
	if (before < FILL_WANTED && behind_by(store) >= FILL_WANTED)
		keeper_wake(store, false);
}

struct fill_op {
	struct tx_op op;
	int64_t last, limit;
};

static int apply_fill(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	struct fill_op *fill = (struct fill_op *)op;
	int64_t added = 0;
	int rc = db->driver->search_fill == NULL ? 0 : db->driver->search_fill(db, fill->limit, &fill->last, &added);

	/* Nothing is left: what was counted but taken back does not count any more. */
	if (rc == 0 && added < fill->limit)
		fill->last = tx->store->next_message - 1;
	return rc;
}

static void filled(struct store *store, struct db *db, struct tx_op *op)
{
	(void)db;
	if (store->driver->search_fill != NULL)
		atomic_store(&store->last_indexed, ((const struct fill_op *)op)->last);
}

static void add_fill(struct store_tx *tx, int64_t limit)
{
	struct fill_op *fill = tx_op_add(tx, sizeof *fill, apply_fill);

	fill->limit = limit;
	fill->op.committed = filled;
}

void store_tx_search_fill(struct store_tx *tx)
{
	add_fill(tx, FILL_MAX);
}

void search_follow(struct store *store, bool whole)
{
	while (behind_by(store) >= (whole ? 1 : FILL_WANTED)) {
		struct store_tx *tx = store_tx_new(store);
		int rc;

		add_fill(tx, FOLLOW_MAX);
		rc = commit_bulk_wait(store, tx);
		if (rc != 0) {
			store_warn(store, "the full-text index could not be filled: %s", store_error_name(rc));
			return;
		}
	}
}
