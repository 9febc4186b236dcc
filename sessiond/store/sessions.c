/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The registry of sessions. */
#include <string.h>

#include "sessiond/store/private.h"

struct session_op {
	struct tx_op op;
	struct store_session session; /* texts in the tx's arena */
	struct span secret, proxy;    /* sealed */
	int64_t *number;
};

static struct span seal_text(struct store_tx *tx, char what, const char *id, const char *text)
{
	struct aad aad;

	if (text == NULL)
		return span_of(NULL, 0);
	aad_start(&aad, what);
	aad_text(&aad, id);
	return tx_seal(tx, tx->store->seals.sessions, aad_span(&aad), span_text(text));
}

static int open_text(struct store *store, char what, const char *id, struct span sealed, struct arena *arena, const char **text)
{
	struct span plain;
	struct aad aad;
	int rc;

	aad_start(&aad, what);
	aad_text(&aad, id);
	rc = seal_open(store->seals.sessions, aad_span(&aad), sealed, arena, &plain);
	*text = (const char *)plain.p;
	return rc;
}

static int apply_add(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct session_op *add = (const struct session_op *)op;
	const struct store_session *session = &add->session;
	int rc = db_run(db,
	                "INSERT INTO sessions (id, registry, label, auto_start, state, reason, since_ms, webhook_url, "
	                "webhook_secret, proxy, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", "tttnttitbbi",
	                session->id, session->registry, session->label, (int)session->auto_start, session->state, session->reason,
	                session->since_ms, session->webhook_url, add->secret, add->proxy, session->created_ms);

	(void)tx;
	if (rc == 0 && add->number != NULL)
		*add->number = db->driver->last_number(db);
	return rc;
}

void store_tx_session_add(struct store_tx *tx, const struct store_session *session, int64_t *number)
{
	struct session_op *add = tx_op_add(tx, sizeof *add, apply_add);

	add->session = *session;
	add->session.id = tx_text(tx, session->id);
	add->session.registry = tx_text(tx, session->registry);
	add->session.label = tx_text(tx, session->label);
	add->session.state = tx_text(tx, session->state);
	add->session.reason = tx_text(tx, session->reason);
	add->session.webhook_url = tx_text(tx, session->webhook_url);
	add->secret = seal_text(tx, 'w', session->id, session->webhook_secret);
	add->proxy = seal_text(tx, 'p', session->id, session->proxy);
	add->number = number;
}

/* One of the short changes: the op carries the values, the function the statement. */
static struct session_op *change(struct store_tx *tx, int64_t session,
                                 int (*apply)(struct store_tx *tx, struct db *db, struct tx_op *op))
{
	struct session_op *made = tx_op_add(tx, sizeof *made, apply);

	made->session.number = session;
	return made;
}

static int apply_remove(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	int64_t session = ((const struct session_op *)op)->session.number;
	struct db_statement *query;
	int64_t bytes = 0;
	int rc = 0;

	query = db_query(db, &rc, "SELECT sum(size) FROM events WHERE session = ?", "i", session);
	if (query != NULL && (rc = db_step(query)) > 0)
		bytes = db_int(query, 0);
	db_done(query, rc);
	((struct session_op *)op)->session.since_ms = bytes;
	if (rc >= 0)
		rc = chats_give_up(db, session);
	if (rc == 0)
		rc = setting_write(db, arena_printf(&tx->arena, "store.chats_owner.%lld", (long long)session), NULL);
	return rc < 0 ? rc : db_run(db, "DELETE FROM sessions WHERE number = ?", "i", session);
}

static void removed(struct store *store, struct db *db, struct tx_op *op)
{
	(void)db;
	atomic_fetch_sub(&store->journal_bytes, ((const struct session_op *)op)->session.since_ms);
}

void store_tx_session_remove(struct store_tx *tx, int64_t session)
{
	change(tx, session, apply_remove)->op.committed = removed;
	tx->after_bulk = true;
}

static int apply_state(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct store_session *to = &((const struct session_op *)op)->session;

	(void)tx;
	return db_run(db, "UPDATE sessions SET state = ?, reason = ?, since_ms = ?, attempts = ? WHERE number = ?", "ttini",
	              to->state, to->reason, to->since_ms, to->attempts, to->number);
}

void store_tx_session_state(struct store_tx *tx, int64_t session, const char *state, const char *reason, int64_t since_ms,
                            int attempts)
{
	struct session_op *made = change(tx, session, apply_state);

	made->session.state = tx_text(tx, state);
	made->session.reason = tx_text(tx, reason);
	made->session.since_ms = since_ms;
	made->session.attempts = attempts;
}

static int apply_connected(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct store_session *to = &((const struct session_op *)op)->session;

	(void)tx;
	return db_run(db, "UPDATE sessions SET connected_ms = ? WHERE number = ?", "ii", to->connected_ms, to->number);
}

void store_tx_session_connected(struct store_tx *tx, int64_t session, int64_t at_ms)
{
	change(tx, session, apply_connected)->session.connected_ms = at_ms;
}

static int apply_webhook(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct session_op *to = (const struct session_op *)op;

	(void)tx;
	return db_run(db, "UPDATE sessions SET webhook_url = ?, webhook_secret = ? WHERE number = ?", "tbi",
	              to->session.webhook_url, to->secret, to->session.number);
}

void store_tx_session_webhook(struct store_tx *tx, int64_t session, const char *id, const char *url, const char *secret)
{
	struct session_op *made = change(tx, session, apply_webhook);

	made->session.webhook_url = tx_text(tx, url);
	made->secret = seal_text(tx, 'w', id, secret);
}

static int apply_proxy(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct session_op *to = (const struct session_op *)op;

	(void)tx;
	return db_run(db, "UPDATE sessions SET proxy = ? WHERE number = ?", "bi", to->proxy, to->session.number);
}

void store_tx_session_proxy(struct store_tx *tx, int64_t session, const char *id, const char *proxy)
{
	change(tx, session, apply_proxy)->proxy = seal_text(tx, 'p', id, proxy);
}

static int apply_last_proxy(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct session_op *to = (const struct session_op *)op;

	(void)tx;
	return db_run(db, "UPDATE sessions SET last_proxy = ? WHERE number = ?", "bi", to->proxy, to->session.number);
}

void store_tx_session_last_proxy(struct store_tx *tx, int64_t session, const char *id, const char *proxy)
{
	change(tx, session, apply_last_proxy)->proxy = seal_text(tx, 'l', id, proxy);
}

static int apply_me(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct store_session *to = &((const struct session_op *)op)->session;

	(void)tx;
	return db_run(db, "UPDATE sessions SET me_jid = ?, me_lid = ?, device = ?, business_name = ? WHERE number = ?", "tttti",
	              to->me_jid, to->me_lid, to->device, to->business_name, to->number);
}

void store_tx_session_me(struct store_tx *tx, int64_t session, const char *jid, const char *lid, const char *device,
                         const char *business_name)
{
	struct session_op *made = change(tx, session, apply_me);

	made->session.me_jid = tx_text(tx, jid);
	made->session.me_lid = tx_text(tx, lid);
	made->session.device = tx_text(tx, device);
	made->session.business_name = tx_text(tx, business_name);
}

static int apply_push_name(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct store_session *to = &((const struct session_op *)op)->session;

	(void)tx;
	return db_run(db, "UPDATE sessions SET push_name = ? WHERE number = ?", "ti", to->push_name, to->number);
}

void store_tx_session_push_name(struct store_tx *tx, int64_t session, const char *push_name)
{
	change(tx, session, apply_push_name)->session.push_name = tx_text(tx, push_name);
}

static int apply_auto_start(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct store_session *to = &((const struct session_op *)op)->session;

	(void)tx;
	return db_run(db, "UPDATE sessions SET auto_start = ? WHERE number = ?", "ni", (int)to->auto_start, to->number);
}

void store_tx_session_auto_start(struct store_tx *tx, int64_t session, bool auto_start)
{
	change(tx, session, apply_auto_start)->session.auto_start = auto_start;
}

static int apply_start(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	(void)tx;
	return db_run(db, "UPDATE sessions SET generation = generation + 1 WHERE number = ?", "i",
	              ((const struct session_op *)op)->session.number);
}

void store_tx_session_start(struct store_tx *tx, int64_t session)
{
	change(tx, session, apply_start);
}

static int apply_confirm(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	(void)tx;
	return db_run(db, "UPDATE sessions SET restored = 0 WHERE number = ?", "i", ((const struct session_op *)op)->session.number);
}

void store_tx_session_confirm(struct store_tx *tx, int64_t session)
{
	change(tx, session, apply_confirm);
}

/* ---- reading ---- */

#define SESSION_COLUMNS                                                                                                                \
	"SELECT number, id, registry, label, auto_start, state, reason, since_ms, attempts, webhook_url, webhook_secret, me_jid, "     \
	"me_lid, push_name, device, business_name, proxy, created_ms, connected_ms, generation, restored, last_proxy FROM sessions "

static int session_of_row(struct store_reader *reader, struct db_statement *query, struct arena *arena, struct store_session *session)
{
	int rc;

	*session = (struct store_session){
		.number = db_int(query, 0),
		.id = db_text(query, arena, 1),
		.registry = db_text(query, arena, 2),
		.label = db_text(query, arena, 3),
		.auto_start = db_int(query, 4) != 0,
		.state = db_text(query, arena, 5),
		.reason = db_text(query, arena, 6),
		.since_ms = db_int(query, 7),
		.attempts = (int)db_int(query, 8),
		.webhook_url = db_text(query, arena, 9),
		.me_jid = db_text(query, arena, 11),
		.me_lid = db_text(query, arena, 12),
		.push_name = db_text(query, arena, 13),
		.device = db_text(query, arena, 14),
		.business_name = db_text(query, arena, 15),
		.created_ms = db_int(query, 17),
		.connected_ms = db_int(query, 18),
		.generation = db_int(query, 19),
		.restored = db_int(query, 20) != 0,
	};
	rc = open_text(reader->store, 'w', session->id, db_blob(query, 10), arena, &session->webhook_secret);
	if (rc == 0)
		rc = open_text(reader->store, 'p', session->id, db_blob(query, 16), arena, &session->proxy);
	if (rc == 0)
		rc = open_text(reader->store, 'l', session->id, db_blob(query, 21), arena, &session->last_proxy);
	return rc;
}

int store_session_list(struct store_reader *reader, struct arena *arena, const char *registry, struct store_session **rows, size_t *n)
{
	struct db_statement *query;
	struct rows list;
	int rc = 0;

	if (registry == NULL)
		query = db_query(reader->db, &rc, SESSION_COLUMNS "ORDER BY number", "");
	else
		query = db_query(reader->db, &rc, SESSION_COLUMNS "WHERE registry = ? ORDER BY number", "t", registry);
	rows_init(&list, arena, sizeof **rows);
	while (query != NULL && (rc = db_step(query)) > 0) {
		rc = session_of_row(reader, query, arena, rows_add(&list));
		if (rc != 0)
			break;
	}
	*rows = list.data;
	*n = list.count;
	return db_done(query, rc);
}

int store_session_by_id(struct store_reader *reader, struct arena *arena, const char *id, struct store_session *session)
{
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc, SESSION_COLUMNS "WHERE id = ?", "t", id);

	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0)
		rc = session_of_row(reader, query, arena, session);
	else if (rc == 0)
		rc = STORE_NOT_FOUND;
	return db_done(query, rc);
}
