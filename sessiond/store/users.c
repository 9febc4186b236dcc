/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Accounts: who owns sessions and keys. */
#include <string.h>

#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/store/private.h"

struct user_op {
	struct tx_op op;
	struct store_user user;
	int64_t *number;
};

static int apply_add(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct user_op *add = (const struct user_op *)op;
	const struct store_user *user = &add->user;
	int rc = db_run(db, "INSERT INTO users (registry, username, password, admin, created_ms) VALUES (?, ?, ?, ?, ?)", "tttni",
	                user->registry, user->username, user->password, (int)user->admin, user->created_ms);

	(void)tx;
	if (rc == 0 && add->number != NULL)
		*add->number = db->driver->last_number(db);
	return rc;
}

void store_tx_user_add(struct store_tx *tx, const struct store_user *user, int64_t *number)
{
	struct user_op *add = tx_op_add(tx, sizeof *add, apply_add);

	add->user = *user;
	add->user.registry = tx_text(tx, user->registry);
	add->user.username = tx_text(tx, user->username);
	add->user.password = tx_text(tx, user->password);
	add->number = number;
}

static int apply_password(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct user_op *change = (const struct user_op *)op;

	(void)tx;
	return db_run(db, "UPDATE users SET password = ? WHERE number = ?", "ti", change->user.password, change->user.number);
}

void store_tx_user_password(struct store_tx *tx, int64_t user, const char *stored)
{
	struct user_op *change = tx_op_add(tx, sizeof *change, apply_password);

	change->user.number = user;
	change->user.password = tx_text(tx, stored);
}

static int apply_rename(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct user_op *change = (const struct user_op *)op;

	(void)tx;
	return db_run(db, "UPDATE users SET username = ? WHERE number = ?", "ti", change->user.username, change->user.number);
}

void store_tx_user_rename(struct store_tx *tx, int64_t user, const char *username)
{
	struct user_op *change = tx_op_add(tx, sizeof *change, apply_rename);

	change->op.committed = key_table_reload;
	change->user.number = user;
	change->user.username = tx_text(tx, username);
}

static int apply_login(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct user_op *change = (const struct user_op *)op;

	(void)tx;
	return db_run(db, "UPDATE users SET last_login_ms = ? WHERE number = ?", "ii", change->user.last_login_ms,
	              change->user.number);
}

void store_tx_user_login(struct store_tx *tx, int64_t user, int64_t at_ms)
{
	struct user_op *change = tx_op_add(tx, sizeof *change, apply_login);

	change->user.number = user;
	change->user.last_login_ms = at_ms;
}

static int apply_standing(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct store_user *user = &((const struct user_op *)op)->user;

	(void)tx;
	return db_run(db, "UPDATE users SET admin = ?, disabled = ? WHERE number = ?", "nni", (int)user->admin, (int)user->disabled, user->number);
}

void store_tx_user_standing(struct store_tx *tx, int64_t user, bool admin, bool disabled)
{
	struct user_op *change = tx_op_add(tx, sizeof *change, apply_standing);

	change->op.committed = key_table_reload;
	change->user.number = user;
	change->user.admin = admin;
	change->user.disabled = disabled;
}

static int apply_remove(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	int64_t user = ((const struct user_op *)op)->user.number;
	int rc = db_run(db,
	                "UPDATE chats SET session = -session, jid = CAST(number AS CHAR(20)), lid = NULL WHERE session IN (SELECT s.number FROM sessions AS s JOIN users AS u "
	                "ON u.registry = s.registry WHERE u.number = ?)", "i", user);

	(void)tx;
	return rc == 0 ? db_run(db, "DELETE FROM users WHERE number = ?", "i", user) : rc;
}

void store_tx_user_remove(struct store_tx *tx, int64_t user)
{
	struct user_op *change = tx_op_add(tx, sizeof *change, apply_remove);

	change->op.committed = key_table_reload;
	change->user.number = user;
}

/* ---- reading ---- */

#define USER_COLUMNS "SELECT number, registry, username, password, admin, created_ms, last_login_ms, disabled FROM users "

static struct store_user user_of_row(struct db_statement *query, struct arena *arena)
{
	return (struct store_user){
		.number = db_int(query, 0),
		.registry = db_text(query, arena, 1),
		.username = db_text(query, arena, 2),
		.password = db_text(query, arena, 3),
		.admin = db_int(query, 4) != 0,
		.created_ms = db_int(query, 5),
		.last_login_ms = db_int(query, 6),
		.disabled = db_int(query, 7) != 0,
	};
}

static int one_user(struct db_statement *query, int rc, struct arena *arena, struct store_user *user)
{
	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0)
		*user = user_of_row(query, arena);
	return db_done(query, rc > 0 ? 0 : rc == 0 ? STORE_NOT_FOUND : rc);
}

int store_user_by_name(struct store_reader *reader, struct arena *arena, const char *username, struct store_user *user)
{
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc, USER_COLUMNS "WHERE username = ?", "t", username);

	return one_user(query, rc, arena, user);
}

int store_user_by_registry(struct store_reader *reader, struct arena *arena, const char *registry, struct store_user *user)
{
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc, USER_COLUMNS "WHERE registry = ?", "t", registry);

	return one_user(query, rc, arena, user);
}

int store_user_list(struct store_reader *reader, struct arena *arena, struct store_user **rows, size_t *n)
{
	struct rows list;
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc, USER_COLUMNS "ORDER BY number", "");

	rows_init(&list, arena, sizeof **rows);
	while (query != NULL && (rc = db_step(query)) > 0)
		*(struct store_user *)rows_add(&list) = user_of_row(query, arena);
	*rows = list.data;
	*n = list.count;
	return db_done(query, rc);
}

/* ---- the administrator of the configuration ---- */

struct seed {
	const char *username;
	struct arena arena;
	struct store_user user;
	int rc;
};

static void find_seeded(struct store_reader *reader, void *arg)
{
	struct seed *seed = arg;

	seed->rc = store_user_by_registry(reader, &seed->arena, "admin", &seed->user);
}

int store_seed_admin(struct store *store, const char *username, const char *password, const char *api_key, bool reset)
{
	char stored[CRYPTO_PASSWORD_LEN] = "";
	struct seed seed = { .username = username };
	int64_t number = 0;
	struct store_tx *tx;
	bool found, renamed;
	int rc;

	arena_init(&seed.arena, 0);
	store_read_wait(store, find_seeded, &seed);
	found = seed.rc == 0;
	rc = seed.rc == STORE_NOT_FOUND ? 0 : seed.rc;
	renamed = found && strcmp(seed.user.username, username) != 0;
	if (rc == 0 && (!found || renamed || reset) && crypto_password_hash(password, stored) != CRYPTO_OK)
		rc = STORE_IO;
	if (rc == 0 && !found) {
		tx = store_tx_new(store);
		store_tx_user_add(tx, &(struct store_user){ .registry = "admin", .username = username, .password = stored, .admin = true,
		                                            .created_ms = store->wall_ms() }, &number);
		rc = store_commit_wait(store, tx);
	} else if (rc == 0) {
		number = seed.user.number;
		tx = store_tx_new(store);
		if (renamed)
			store_tx_user_rename(tx, number, username);
		if (stored[0] != '\0')
			store_tx_user_password(tx, number, stored);
		rc = store_tx_is_empty(tx) ? (store_tx_free(tx), 0) : store_commit_wait(store, tx);
	}
	if (rc == 0)
		rc = key_seed_fixed(store, number, api_key);
	crypto_wipe(stored, sizeof stored);
	arena_free(&seed.arena);
	return rc;
}
