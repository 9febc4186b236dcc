/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The last attempts of each receiver, to be looked at: a ring, so that no receiver has more than its share. */
#include "sessiond/store/private.h"

struct delivery_op {
	struct tx_op op;
	struct store_delivery delivery; /* texts in the tx's arena */
	struct span sent, answer;       /* sealed */
};

static void excerpt_aad(struct aad *aad, char what, int64_t session, const char *receiver, int64_t attempt)
{
	aad_start(aad, what);
	aad_int(aad, session);
	aad_int(aad, attempt);
	aad_text(aad, receiver);
}

static int apply_put(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	static const struct db_upsert upsert = { "deliveries", "session receiver slot",
		"attempt sequence event_id kind try at_ms took_ms status error size sent answer" };
	const struct delivery_op *put = (const struct delivery_op *)op;
	const struct store_delivery *d = &put->delivery;

	(void)tx;
	return db_run_upsert(db, &upsert, "itiiittniintibb", d->session, d->receiver, d->attempt % STORE_DELIVERIES, d->attempt, d->number, d->event_id,
	                     d->kind, d->tried, d->at_ms, d->took_ms, d->status, d->error, d->size, put->sent, put->answer);
}

void store_tx_delivery_put(struct store_tx *tx, const struct store_delivery *delivery)
{
	struct delivery_op *put = tx_op_add(tx, sizeof *put, apply_put);
	struct aad aad;

	put->delivery = *delivery;
	put->delivery.receiver = tx_text(tx, delivery->receiver);
	put->delivery.event_id = tx_text(tx, delivery->event_id);
	put->delivery.kind = tx_text(tx, delivery->kind);
	put->delivery.error = tx_text(tx, delivery->error);
	excerpt_aad(&aad, 's', delivery->session, delivery->receiver, delivery->attempt);
	put->sent = tx_seal(tx, tx->store->seals.journal, aad_span(&aad), delivery->sent);
	excerpt_aad(&aad, 'a', delivery->session, delivery->receiver, delivery->attempt);
	put->answer = tx_seal(tx, tx->store->seals.journal, aad_span(&aad), delivery->answer);
}

static int delivery_of_row(struct store_reader *reader, struct db_statement *query, struct arena *arena, int64_t session, const char *receiver,
                           struct store_delivery *d)
{
	struct aad aad;
	int rc;

	*d = (struct store_delivery){
		.session = session,
		.receiver = receiver,
		.attempt = db_int(query, 0),
		.number = db_int(query, 1),
		.event_id = db_text(query, arena, 2),
		.kind = db_text(query, arena, 3),
		.tried = (int)db_int(query, 4),
		.at_ms = db_int(query, 5),
		.took_ms = db_int(query, 6),
		.status = (int)db_int(query, 7),
		.error = db_text(query, arena, 8),
		.size = db_int(query, 9),
	};
	excerpt_aad(&aad, 's', session, receiver, d->attempt);
	rc = seal_open(reader->store->seals.journal, aad_span(&aad), db_blob(query, 10), arena, &d->sent);
	excerpt_aad(&aad, 'a', session, receiver, d->attempt);
	return rc != 0 ? rc : seal_open(reader->store->seals.journal, aad_span(&aad), db_blob(query, 11), arena, &d->answer);
}

int store_delivery_list(struct store_reader *reader, struct arena *arena, int64_t session, const char *receiver, struct store_delivery **rows,
                        size_t *n)
{
	struct rows list;
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc,
	                                      "SELECT attempt, sequence, event_id, kind, try, at_ms, took_ms, status, error, size, sent, answer "
	                                      "FROM deliveries WHERE session = ? AND receiver = ? ORDER BY attempt DESC", "it", session, receiver);

	rows_init(&list, arena, sizeof **rows);
	while (query != NULL && (rc = db_step(query)) > 0) {
		rc = delivery_of_row(reader, query, arena, session, receiver, rows_add(&list));
		if (rc != 0)
			break;
	}
	*rows = list.data;
	*n = list.count;
	return db_done(query, rc);
}
