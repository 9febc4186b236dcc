/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Taking over a database of the original, see adopt.h. */
#include "sessiond/store/adopt.h"

#include <string.h>

#include "common/timefmt.h"

int adopt_tables(struct db *db)
{
	int rc;

	if (!db->driver->has_table(db, "_migrations") || db->driver->has_table(db, "schema_migrations") ||
	    !db->driver->has_table(db, "users") || !db->driver->has_table(db, "sessions"))
		return 0;
	rc = db->driver->begin(db);
	if (rc == 0)
		rc = db->driver->script(db, "ALTER TABLE users RENAME TO original_users");
	if (rc == 0)
		rc = db->driver->script(db, "ALTER TABLE sessions RENAME TO original_sessions");
	if (rc == 0)
		rc = db->driver->commit(db);
	if (rc != 0)
		db->driver->rollback(db);
	return rc;
}

/* The original writes both "YYYY-MM-DD HH:MM:SS" and ISO 8601. */
static int64_t time_of(const char *text)
{
	int64_t ms = 0;

	return text != NULL && timefmt_parse(text, &ms) ? ms : 0;
}

static const char *text_or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

struct original_user {
	const char *registry, *username, *password, *api_key;
	bool admin;
	int64_t created_ms;
};

static int import_user(struct store *store, struct db *db, const struct original_user *from)
{
	struct store_tx *tx = store_tx_new(store);
	int64_t number = 0;
	int rc;

	store_tx_user_add(tx, &(struct store_user){ .registry = from->registry, .username = from->username, .password = from->password,
	                                            .admin = from->admin, .created_ms = from->created_ms }, &number);
	rc = tx_apply(tx, db);
	store_tx_free(tx);
	if (rc != 0 || from->api_key[0] == '\0')
		return rc;
	tx = store_tx_new(store);
	store_tx_key_import(tx, number, from->api_key, "imported");
	rc = tx->error != 0 ? tx->error : tx_apply(tx, db);
	store_tx_free(tx);
	return rc;
}

static int import_users(struct store *store, struct db *db, struct arena *arena)
{
	struct original_user *users;
	struct rows list;
	int rc = 0;
	struct db_statement *query = db_query(db, &rc, "SELECT registry, username, password, api_key, is_admin, created_at "
	                                      "FROM original_users", "");

	rows_init(&list, arena, sizeof *users);
	while (query != NULL && (rc = db_step(query)) > 0) {
		*(struct original_user *)rows_add(&list) = (struct original_user){
			.registry = text_or_empty(db_text(query, arena, 0)),
			.username = text_or_empty(db_text(query, arena, 1)),
			.password = text_or_empty(db_text(query, arena, 2)),
			.api_key = text_or_empty(db_text(query, arena, 3)),
			.admin = db_int(query, 4) != 0,
			.created_ms = time_of(db_text_borrowed(query, 5)),
		};
	}
	db_done(query, rc);
	users = list.data;
	for (size_t i = 0; i < list.count && rc == 0; i++)
		rc = import_user(store, db, &users[i]);
	return rc;
}

static bool is_session_id(const char *id)
{
	size_t len = strlen(id);

	return len >= 1 && len <= 64 && strcmp(id, ".") != 0 && strcmp(id, "..") != 0 &&
	       strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

static int import_session(struct store *store, struct db *db, const struct store_session *session)
{
	struct store_tx *tx;
	int rc;

	if (!is_session_id(session->id)) {
		store_warn(store, "session \"%.64s\" of the original is left out: its id is not allowed", session->id);
		return 0;
	}
	tx = store_tx_new(store);
	store_tx_session_add(tx, session, NULL);
	rc = tx->error != 0 ? tx->error : tx_apply(tx, db);
	store_tx_free(tx);
	return rc;
}

static int import_sessions(struct store *store, struct db *db, struct arena *arena)
{
	struct store_session *sessions;
	struct rows list;
	int rc = 0;
	/* A session without its owner could be reached by nobody. */
	struct db_statement *query = db_query(db, &rc, "SELECT s.id, s.registry_user, s.label, s.webhook_url, s.webhook_secret, s.created_at "
	                                      "FROM original_sessions s JOIN users u ON u.registry = s.registry_user", "");

	rows_init(&list, arena, sizeof *sessions);
	while (query != NULL && (rc = db_step(query)) > 0) {
		*(struct store_session *)rows_add(&list) = (struct store_session){
			.id = text_or_empty(db_text(query, arena, 0)),
			.registry = db_text(query, arena, 1),
			.label = text_or_empty(db_text(query, arena, 2)),
			.webhook_url = db_text(query, arena, 3),
			.webhook_secret = db_text(query, arena, 4),
			.created_ms = time_of(db_text_borrowed(query, 5)),
			.state = "stopped",
			.reason = "imported: link the phone again",
			.since_ms = store->wall_ms(),
		};
	}
	db_done(query, rc);
	sessions = list.data;
	for (size_t i = 0; i < list.count && rc == 0; i++)
		rc = import_session(store, db, &sessions[i]);
	return rc;
}

/* The clear secrets of the original must not outlive their import. */
static int forget_secrets(struct db *db)
{
	int rc = db_run(db, "UPDATE original_users SET api_key = registry, password = ''", "");

	return rc != 0 ? rc : db_run(db, "UPDATE original_sessions SET webhook_secret = NULL", "");
}

int adopt_rows(struct store *store, struct db *db)
{
	char done[8] = "";
	struct arena arena;
	int rc;

	if (!db->driver->has_table(db, "original_users") || !db->driver->has_table(db, "original_sessions"))
		return 0;
	rc = setting_read(db, "store.adopted", done, sizeof done);
	if (rc != 0 || done[0] != '\0')
		return rc;
	arena_init(&arena, 0);
	rc = import_users(store, db, &arena);
	if (rc == 0)
		rc = import_sessions(store, db, &arena);
	if (rc == 0)
		rc = forget_secrets(db);
	if (rc == 0)
		rc = setting_write(db, "store.adopted", "1");
	arena_free(&arena);
	if (rc == 0)
		store_warn(store, "users, keys and sessions of the original's database were imported; link every phone again, or take the devices over with warestctl import");
	return rc;
}
