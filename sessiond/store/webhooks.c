/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Receivers of webhooks beyond a session's own URL. */
#include "sessiond/store/private.h"

struct webhook_op {
	struct tx_op op;
	struct store_webhook webhook; /* texts in the tx's arena */
	struct span secret, next_secret, headers; /* sealed */
};

static void text_aad(struct aad *aad, char what, const char *id)
{
	aad_start(aad, what);
	aad_text(aad, id);
}

static struct span seal_text(struct store_tx *tx, char what, const char *id, const char *text)
{
	struct aad aad;

	text_aad(&aad, what, id);
	return tx_seal(tx, tx->store->seals.sessions, aad_span(&aad), text ? span_text(text) : span_of(NULL, 0));
}

static int open_text(struct store *store, char what, const char *id, struct span sealed, struct arena *arena, const char **text)
{
	struct span plain;
	struct aad aad;
	int rc;

	text_aad(&aad, what, id);
	rc = seal_open(store->seals.sessions, aad_span(&aad), sealed, arena, &plain);
	*text = (const char *)plain.p;
	return rc;
}

/* What comes from here on is for it, not what was before. */
static int begin_here(struct db *db, const struct store_webhook *w)
{
	return db_run(db, "INSERT INTO receivers (session, name, start_sequence, done_sequence, state) "
			  "SELECT s.number, ?, e.last, e.last, ? FROM sessions s JOIN (SELECT n.number AS session, "
			  "coalesce((SELECT max(sequence) FROM events WHERE session = n.number), 0) AS last FROM sessions n) e ON e.session = s.number "
			  "WHERE ? = 0 OR s.number = ?", "ttii", w->id, w->enabled ? "active" : "off", w->session, w->session);
}

static int apply_put(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct webhook_op *put = (const struct webhook_op *)op;
	const struct store_webhook *w = &put->webhook;
	int rc = db_run(db, "UPDATE webhooks SET name = ?, url = ?, events = ?, bits = ?, scope = ?, parallel = ?, enabled = ?, rotates_ms = ?, "
			    "secret = ?, next_secret = ?, headers = ?, timeout_ms = ?, actions = ? WHERE id = ?", "tttntnnibbbint",
			w->name, w->url, w->events, w->bits, w->scope, w->parallel, (int)w->enabled, w->rotates_ms, put->secret, put->next_secret,
			put->headers, w->timeout_ms, (int)w->actions, w->id);

	(void)tx;
	if (rc != 0 || db->driver->changes(db) > 0)
		return rc;
	rc = db_run(db, "INSERT INTO webhooks (id, session, name, url, events, bits, scope, parallel, enabled, rotates_ms, created_ms, secret, "
			"next_secret, headers, timeout_ms, actions) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", "tztttntnniibbbin",
		    w->id, w->session, w->name, w->url, w->events, w->bits, w->scope, w->parallel, (int)w->enabled, w->rotates_ms, w->created_ms,
		    put->secret, put->next_secret, put->headers, w->timeout_ms, (int)w->actions);
	return rc != 0 ? rc : begin_here(db, w);
}

void store_tx_webhook_put(struct store_tx *tx, const struct store_webhook *webhook)
{
	struct webhook_op *put = tx_op_add(tx, sizeof *put, apply_put);

	put->webhook = *webhook;
	put->webhook.id = tx_text(tx, webhook->id);
	put->webhook.name = tx_text(tx, webhook->name);
	put->webhook.url = tx_text(tx, webhook->url);
	put->webhook.events = tx_text(tx, webhook->events);
	put->webhook.scope = tx_text(tx, webhook->scope);
	put->secret = seal_text(tx, 'h', webhook->id, webhook->secret);
	put->next_secret = seal_text(tx, 'n', webhook->id, webhook->next_secret);
	put->headers = seal_text(tx, 'l', webhook->id, webhook->headers);
}

static int apply_remove(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const char *id = ((const struct webhook_op *)op)->webhook.id;
	int rc = db_run(db, "DELETE FROM webhooks WHERE id = ?", "t", id);

	(void)tx;
	if (rc == 0)
		rc = db_run(db, "DELETE FROM dead_letters WHERE receiver = ?", "t", id);
	if (rc == 0)
		rc = db_run(db, "DELETE FROM deliveries WHERE receiver = ?", "t", id);
	return rc != 0 ? rc : db_run(db, "DELETE FROM receivers WHERE name = ?", "t", id);
}

void store_tx_webhook_remove(struct store_tx *tx, const char *id)
{
	struct webhook_op *gone = tx_op_add(tx, sizeof *gone, apply_remove);

	gone->webhook.id = tx_text(tx, id);
}

static int webhook_of_row(struct store_reader *reader, struct db_statement *query, struct arena *arena, struct store_webhook *w)
{
	int rc;

	*w = (struct store_webhook){
		.id = db_text(query, arena, 0),
		.session = db_int(query, 1),
		.name = db_text(query, arena, 2),
		.url = db_text(query, arena, 3),
		.events = db_text(query, arena, 4),
		.bits = (int)db_int(query, 5),
		.scope = db_text(query, arena, 6),
		.parallel = (int)db_int(query, 7),
		.enabled = db_int(query, 8) != 0,
		.rotates_ms = db_int(query, 9),
		.created_ms = db_int(query, 10),
		.timeout_ms = db_int(query, 14),
		.actions = db_int(query, 15) != 0,
	};
	rc = open_text(reader->store, 'h', w->id, db_blob(query, 11), arena, &w->secret);
	if (rc == 0)
		rc = open_text(reader->store, 'n', w->id, db_blob(query, 12), arena, &w->next_secret);
	return rc != 0 ? rc : open_text(reader->store, 'l', w->id, db_blob(query, 13), arena, &w->headers);
}

int store_webhook_list(struct store_reader *reader, struct arena *arena, int64_t session, struct store_webhook **rows, size_t *n)
{
	struct rows list;
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc,
	                                      "SELECT id, session, name, url, events, bits, scope, parallel, enabled, rotates_ms, created_ms, secret, "
	                                      "next_secret, headers, timeout_ms, actions FROM webhooks WHERE ? = 0 OR session = ? OR session IS NULL ORDER BY number", "ii",
	                                      session, session);

	rows_init(&list, arena, sizeof **rows);
	while (query != NULL && (rc = db_step(query)) > 0) {
		rc = webhook_of_row(reader, query, arena, rows_add(&list));
		if (rc != 0)
			break;
	}
	*rows = list.data;
	*n = list.count;
	return db_done(query, rc);
}
