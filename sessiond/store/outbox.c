/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The outbox: every message that is to be sent, from the request to the last receipt. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/store/private.h"

struct outbox_op {
	struct tx_op op;
	struct store_outbox row;           /* texts in the tx's arena */
	struct span info, message, stanza; /* sealed */
	const char *device;
};

/* Numbers start at the clock's milliseconds times this, so that a removed row's number does not come back after a restart. */
#define NUMBERS_PER_MS 1000

int outbox_open(struct store *store, struct db *db)
{
	int64_t last = 0, now = store->wall_ms() * NUMBERS_PER_MS;
	int rc = 0;
	struct db_statement *query = db_query(db, &rc, "SELECT max(number) FROM outbox", "");

	rc = db_read_number(query, rc, &last);
	atomic_store(&store->next_outbox, last >= now ? last + 1 : now);
	return rc < 0 ? rc : 0;
}

static struct span seal_part(struct store_tx *tx, char what, int64_t session, const char *message_id, struct span plain)
{
	struct aad aad;

	aad_start(&aad, what);
	aad_int(&aad, session);
	aad_text(&aad, message_id);
	return tx_seal(tx, tx->store->seals.outbox, aad_span(&aad), plain);
}

static struct span seal_stanza(struct store_tx *tx, int64_t number, struct span plain)
{
	struct aad aad;

	aad_start(&aad, 's');
	aad_int(&aad, number);
	return tx_seal(tx, tx->store->seals.outbox, aad_span(&aad), plain);
}

static struct outbox_op *op_for(struct store_tx *tx, int64_t number, int64_t at_ms,
                                int (*apply)(struct store_tx *tx, struct db *db, struct tx_op *op))
{
	struct outbox_op *made = tx_op_add(tx, sizeof *made, apply);

	made->row.number = number;
	made->row.updated_ms = at_ms;
	return made;
}

static int apply_add(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct outbox_op *add = (const struct outbox_op *)op;
	const struct store_outbox *row = &add->row;
	int rc = db_run(db,
	                "INSERT INTO outbox (number, session, message_id, recipient, state, not_before_ms, created_ms, updated_ms, info, message) "
	                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", "iittniiibb", row->number, row->session, row->message_id, row->recipient,
	                (int)STORE_OUTBOX_QUEUED, row->not_before_ms, row->created_ms, row->created_ms, add->info, add->message);

	if (rc != 0)
		return rc;
	tx->new_outbox = row->number;
	return 0;
}

void store_tx_outbox_add(struct store_tx *tx, const struct store_outbox *row, int64_t *number)
{
	struct outbox_op *add = op_for(tx, 0, row->created_ms, apply_add);

	add->row = *row;
	add->row.number = row->number > 0 ? row->number : atomic_fetch_add(&tx->store->next_outbox, 1);
	add->row.message_id = tx_text(tx, row->message_id);
	add->row.recipient = tx_text(tx, row->recipient);
	add->message = seal_part(tx, 'm', row->session, row->message_id, row->message);
	if (row->info != NULL)
		add->info = seal_part(tx, 'i', row->session, row->message_id, span_text(row->info));
	if (number != NULL)
		*number = add->row.number;
}

void store_outbox_numbers(struct store *store, size_t n, int64_t *numbers)
{
	int64_t first = atomic_fetch_add(&store->next_outbox, (int64_t)n);

	for (size_t i = 0; i < n; i++)
		numbers[i] = first + (int64_t)i;
}

static int apply_stanza(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct outbox_op *change = (const struct outbox_op *)op;
	int rc = db_run(db, "UPDATE outbox SET state = ?, stanza = ?, updated_ms = ?, attempts = attempts + 1 WHERE number = ? AND state < ?",
	                "nbiin", (int)STORE_OUTBOX_SENT, change->stanza, change->row.updated_ms, change->row.number,
	                (int)STORE_OUTBOX_ACKED);

	(void)tx;
	return rc == 0 && db->driver->changes(db) == 0 ? STORE_NOT_FOUND : rc;
}

void store_tx_outbox_stanza(struct store_tx *tx, int64_t number, struct span stanza, int64_t at_ms)
{
	op_for(tx, number, at_ms, apply_stanza)->stanza = seal_stanza(tx, number, stanza);
}

static int apply_ack(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct store_outbox *row = &((const struct outbox_op *)op)->row;

	(void)tx;
	return db_run(db,
	              "UPDATE outbox SET state = CASE WHEN state < ? THEN ? ELSE state END, stanza = NULL, server_ms = ?, updated_ms = ? "
	              "WHERE number = ?", "nniii", (int)STORE_OUTBOX_ACKED, (int)STORE_OUTBOX_ACKED, row->server_ms, row->updated_ms,
	              row->number);
}

void store_tx_outbox_ack(struct store_tx *tx, int64_t number, int64_t server_ms, int64_t at_ms)
{
	op_for(tx, number, at_ms, apply_ack)->row.server_ms = server_ms;
}

static int apply_fail(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct store_outbox *row = &((const struct outbox_op *)op)->row;

	(void)tx;
	return db_run(db, "UPDATE outbox SET state = ?, stanza = NULL, code = ?, error = ?, updated_ms = ? WHERE number = ? AND state < ?",
	              "nntiin", (int)STORE_OUTBOX_FAILED, row->code, row->error, row->updated_ms, row->number, (int)STORE_OUTBOX_ACKED);
}

void store_tx_outbox_fail(struct store_tx *tx, int64_t number, int code, const char *error, int64_t at_ms)
{
	struct outbox_op *change = op_for(tx, number, at_ms, apply_fail);

	change->row.code = code;
	change->row.error = tx_text(tx, error);
}

static int apply_cancel(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct store_outbox *row = &((const struct outbox_op *)op)->row;

	(void)tx;
	return db_run(db, "UPDATE outbox SET state = ?, updated_ms = ? WHERE number = ? AND state = ?", "niin", (int)STORE_OUTBOX_CANCELLED,
	              row->updated_ms, row->number, (int)STORE_OUTBOX_QUEUED);
}

void store_tx_outbox_cancel(struct store_tx *tx, int64_t number, int64_t at_ms)
{
	op_for(tx, number, at_ms, apply_cancel);
}

static int apply_reschedule(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct outbox_op *change = (const struct outbox_op *)op;
	const struct store_outbox *row = &change->row;
	int rc = 0;

	(void)tx;
	if (row->not_before_ms >= 0)
		rc = db_run(db, "UPDATE outbox SET not_before_ms = ?, updated_ms = ? WHERE number = ? AND state = ?", "iiin", row->not_before_ms,
		            row->updated_ms, row->number, (int)STORE_OUTBOX_QUEUED);
	if (rc == 0 && change->message.n)
		rc = db_run(db, "UPDATE outbox SET message = ?, updated_ms = ? WHERE number = ? AND state = ?", "biin", change->message, row->updated_ms,
		            row->number, (int)STORE_OUTBOX_QUEUED);
	return rc;
}

void store_tx_outbox_reschedule(struct store_tx *tx, int64_t number, int64_t session, const char *message_id, int64_t not_before_ms,
                                struct span message, int64_t at_ms)
{
	struct outbox_op *change = op_for(tx, number, at_ms, apply_reschedule);

	change->row.not_before_ms = not_before_ms;
	if (message.n)
		change->message = seal_part(tx, 'm', session, message_id, message);
}

static int apply_fail_all(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct store_outbox *row = &((const struct outbox_op *)op)->row;

	(void)tx;
	return db_run(db, "UPDATE outbox SET state = ?, stanza = NULL, code = ?, error = ?, updated_ms = ? WHERE session = ? AND state < 3",
	              "nntii", (int)STORE_OUTBOX_FAILED, row->code, row->error, row->updated_ms, row->session);
}

void store_tx_outbox_fail_all(struct store_tx *tx, int64_t session, int code, const char *error, int64_t at_ms)
{
	struct outbox_op *change = op_for(tx, 0, at_ms, apply_fail_all);

	change->row.session = session;
	change->row.code = code;
	change->row.error = tx_text(tx, error);
}

static int apply_retry(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct store_outbox *row = &((const struct outbox_op *)op)->row;

	(void)tx;
	return db_run(db, "UPDATE outbox SET attempts = attempts + 1, not_before_ms = ?, updated_ms = ? WHERE number = ? AND state < ?",
	              "iiin", row->not_before_ms, row->updated_ms, row->number, (int)STORE_OUTBOX_ACKED);
}

void store_tx_outbox_retry(struct store_tx *tx, int64_t number, int64_t not_before_ms, int64_t at_ms)
{
	op_for(tx, number, at_ms, apply_retry)->row.not_before_ms = not_before_ms;
}

static int find_row(struct db *db, int64_t session, const char *message_id, int64_t *number, int64_t *state)
{
	struct db_statement *query;
	int rc = 0;

	*number = *state = 0;
	query = db_query(db, &rc, "SELECT number, state FROM outbox WHERE session = ? AND message_id = ?", "it", session, message_id);
	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0) {
		*number = db_int(query, 0);
		*state = db_int(query, 1);
	}
	return db_done(query, rc < 0 ? rc : 0);
}

/* Whether the message has further rows: for others than the first one is for. */
static int has_parts(struct db *db, int64_t session, const char *message_id, bool *parts)
{
	int64_t number, state;
	char *second = xasprintf("%s/1", message_id);
	int rc = find_row(db, session, second, &number, &state);

	*parts = number != 0;
	free(second);
	return rc;
}

/* A read receipt may overtake the delivery receipt of the same device: its state moves forward only, each moment is the first that was told. */
static int device_state(struct db *db, int64_t number, const char *device, int state, int64_t at_ms)
{
	static const struct db_upsert upsert = { "outbox_devices", "outbox device", "state at_ms delivered_ms read_ms" };
	int64_t known = 0, known_ms = 0, delivered_ms = 0, read_ms = 0;
	struct db_statement *query;
	int64_t *moment = state == STORE_OUTBOX_DELIVERED ? &delivered_ms : state == STORE_OUTBOX_READ ? &read_ms : NULL;
	int rc = 0;

	query = db_query(db, &rc, "SELECT state, at_ms, delivered_ms, read_ms FROM outbox_devices WHERE outbox = ? AND device = ?", "it", number, device);
	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0) {
		known = db_int(query, 0);
		known_ms = db_int(query, 1);
		delivered_ms = db_int(query, 2);
		read_ms = db_int(query, 3);
	}
	rc = db_done(query, rc < 0 ? rc : 0);
	if (rc != 0 || (known >= state && (moment == NULL || *moment != 0)))
		return rc;
	if (moment != NULL && *moment == 0)
		*moment = at_ms;
	return db_run_upsert(db, &upsert, "itniii", number, device, (int)(known > state ? known : state), known >= state ? known_ms : at_ms, delivered_ms, read_ms);
}

static int apply_receipt(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct outbox_op *change = (const struct outbox_op *)op;
	const struct store_outbox *row = &change->row;
	int state = (int)row->state;
	int64_t number, before;
	bool parts = false;
	int rc = find_row(db, row->session, row->message_id, &number, &before);

	tx->receipt_known = number != 0;
	if (rc != 0 || number == 0)
		return rc;
	if (before == STORE_OUTBOX_FAILED)
		rc = has_parts(db, row->session, row->message_id, &parts);
	/* What a recipient has received is out, even if the server's ack was lost or we gave up on it: but of several parts, which one? */
	if (rc == 0 && !parts)
		rc = db_run(db, "UPDATE outbox SET state = ?, stanza = NULL, updated_ms = ? WHERE number = ? AND (state < ? OR state = ?)", "niinn",
		            state, row->updated_ms, number, state, (int)STORE_OUTBOX_FAILED);
	if (rc == 0 && change->device != NULL)
		rc = device_state(db, number, change->device, state, row->updated_ms);
	return rc;
}

void store_tx_outbox_receipt(struct store_tx *tx, int64_t session, const char *message_id, const char *device,
                             enum store_outbox_state state, int64_t at_ms)
{
	struct outbox_op *change = op_for(tx, 0, at_ms, apply_receipt);

	change->row.session = session;
	change->row.message_id = tx_text(tx, message_id);
	change->row.state = state;
	change->device = tx_text(tx, device);
}

/* Numbers grow with time: only the oldest rows are looked at. */
#define OLDEST "(SELECT number, session, recipient, message_id, updated_ms, state FROM outbox ORDER BY number LIMIT 5000) AS old"

/* How far the messages of rows that go have come stays with the messages; of what was acked and no more, that is said of all that are gone. */
static int leave_states(struct db *db, int64_t before_ms)
{
	static const struct {
		enum store_outbox_state state;
		enum store_message_status status;
	} kept[] = {
		{ STORE_OUTBOX_DELIVERED, STORE_MESSAGE_DELIVERED }, { STORE_OUTBOX_READ, STORE_MESSAGE_READ },
		{ STORE_OUTBOX_PLAYED, STORE_MESSAGE_PLAYED },       { STORE_OUTBOX_FAILED, STORE_MESSAGE_ERROR },
		{ STORE_OUTBOX_CANCELLED, STORE_MESSAGE_ERROR },
	};
	int rc = 0;

	for (size_t i = 0; i < sizeof kept / sizeof *kept && rc == 0; i++)
		rc = db_run(db,
		            "UPDATE messages SET status = ? WHERE number IN (SELECT number FROM (SELECT m.number FROM " OLDEST
		            " JOIN chats AS c ON c.session = old.session AND (c.jid = old.recipient OR c.lid = old.recipient)"
		            " JOIN messages AS m ON m.chat = c.number AND m.id = old.message_id AND m.from_me = 1"
		            " WHERE old.updated_ms < ? AND old.state = ? AND m.status = ?) AS known)", "ninn", (int)kept[i].status, before_ms,
		            (int)kept[i].state, (int)STORE_MESSAGE_PENDING);
	return rc;
}

static int apply_expire(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	int64_t before_ms = ((const struct outbox_op *)op)->row.updated_ms, n = 0;
	int rc = 0;
	struct db_statement *query = db_query(db, &rc, "SELECT count(*) FROM " OLDEST " WHERE updated_ms < ? AND state >= ?", "in", before_ms,
	                                      (int)STORE_OUTBOX_ACKED);

	(void)tx;
	rc = db_read_number(query, rc, &n);
	if (rc < 0 || n == 0)
		return rc < 0 ? rc : 0;
	rc = leave_states(db, before_ms);
	return rc != 0 ? rc : db_run(db, "DELETE FROM outbox WHERE number IN (SELECT number FROM " OLDEST " WHERE updated_ms < ? AND state >= ?)", "in",
	                             before_ms, (int)STORE_OUTBOX_ACKED);
}

void tx_outbox_expire(struct store_tx *tx, int64_t before_ms)
{
	op_for(tx, 0, before_ms, apply_expire);
}

/* ---- reading ---- */

#define OUTBOX_COLUMNS                                                                                                          \
	"SELECT number, session, message_id, recipient, state, attempts, not_before_ms, created_ms, updated_ms, server_ms, code, " \
	"error, info, message, stanza FROM outbox "

static int open_part(struct store_reader *reader, struct arena *arena, char what, const struct store_outbox *row, struct span sealed,
                     struct span *plain)
{
	struct aad aad;

	aad_start(&aad, what);
	aad_int(&aad, what == 's' ? row->number : row->session);
	if (what != 's')
		aad_text(&aad, row->message_id);
	return seal_open(reader->store->seals.outbox, aad_span(&aad), sealed, arena, plain);
}

static int row_of(struct store_reader *reader, struct db_statement *query, struct arena *arena, struct store_outbox *row)
{
	struct span info;
	int rc;

	*row = (struct store_outbox){
		.number = db_int(query, 0),
		.session = db_int(query, 1),
		.message_id = db_text(query, arena, 2),
		.recipient = db_text(query, arena, 3),
		.state = (enum store_outbox_state)db_int(query, 4),
		.attempts = (int)db_int(query, 5),
		.not_before_ms = db_int(query, 6),
		.created_ms = db_int(query, 7),
		.updated_ms = db_int(query, 8),
		.server_ms = db_int(query, 9),
		.code = (int)db_int(query, 10),
		.error = db_text(query, arena, 11),
	};
	rc = open_part(reader, arena, 'i', row, db_blob(query, 12), &info);
	row->info = (const char *)info.p;
	if (rc == 0)
		rc = open_part(reader, arena, 'm', row, db_blob(query, 13), &row->message);
	if (rc == 0)
		rc = open_part(reader, arena, 's', row, db_blob(query, 14), &row->stanza);
	return rc;
}

static int waiting_rows(struct store_reader *reader, struct db_statement *query, int rc, struct arena *arena, struct store_outbox **rows,
                        size_t *n)
{
	struct rows list;

	rows_init(&list, arena, sizeof **rows);
	while (query != NULL && (rc = db_step(query)) > 0) {
		rc = row_of(reader, query, arena, rows_add(&list));
		if (rc != 0)
			break;
	}
	*rows = list.data;
	*n = list.count;
	return db_done(query, rc);
}

int store_outbox_pending(struct store_reader *reader, struct arena *arena, int64_t session, int64_t now_ms, size_t limit,
                         struct store_outbox **rows, size_t *n)
{
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc, OUTBOX_COLUMNS "WHERE session = ? AND state < 3 AND not_before_ms <= ? "
	                                      "ORDER BY number LIMIT ?", "iii", session, now_ms, (int64_t)limit);

	return waiting_rows(reader, query, rc, arena, rows, n);
}

int store_outbox_scheduled(struct store_reader *reader, struct arena *arena, int64_t session, int64_t now_ms, size_t limit,
                           struct store_outbox **rows, size_t *n)
{
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc, OUTBOX_COLUMNS "WHERE session = ? AND state < 3 AND not_before_ms > ? "
	                                      "ORDER BY not_before_ms, number LIMIT ?", "iii", session, now_ms, (int64_t)limit);

	return waiting_rows(reader, query, rc, arena, rows, n);
}

static int one_row(struct store_reader *reader, struct db_statement *query, int rc, struct arena *arena, struct store_outbox *row)
{
	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0)
		rc = row_of(reader, query, arena, row);
	else if (rc == 0)
		rc = STORE_NOT_FOUND;
	return db_done(query, rc);
}

int store_outbox_get(struct store_reader *reader, struct arena *arena, int64_t number, struct store_outbox *row)
{
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc, OUTBOX_COLUMNS "WHERE number = ?", "i", number);

	return one_row(reader, query, rc, arena, row);
}

int store_outbox_find(struct store_reader *reader, struct arena *arena, int64_t session, const char *message_id,
                      struct store_outbox *row)
{
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc, OUTBOX_COLUMNS "WHERE session = ? AND message_id = ?", "it", session,
	                                      message_id);

	return one_row(reader, query, rc, arena, row);
}

int store_outbox_devices(struct store_reader *reader, struct arena *arena, int64_t number, struct store_outbox_device **rows,
                         size_t *n)
{
	struct rows list;
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc, "SELECT device, state, at_ms FROM outbox_devices WHERE outbox = ? "
	                                      "ORDER BY device", "i", number);

	rows_init(&list, arena, sizeof **rows);
	while (query != NULL && (rc = db_step(query)) > 0) {
		*(struct store_outbox_device *)rows_add(&list) = (struct store_outbox_device){
			.device = db_text(query, arena, 0),
			.state = (enum store_outbox_state)db_int(query, 1),
			.at_ms = db_int(query, 2),
		};
	}
	*rows = list.data;
	*n = list.count;
	return db_done(query, rc);
}
