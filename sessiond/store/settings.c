/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small values by name. Names that begin with "store." are the store's own. */
#include <stdio.h>

#include "sessiond/store/private.h"

int setting_write(struct db *db, const char *name, const char *value)
{
	static const struct db_upsert upsert = { "settings", "name", "value" };

	if (value == NULL)
		return db_run(db, "DELETE FROM settings WHERE name = ?", "t", name);
	return db_run_upsert(db, &upsert, "tt", name, value);
}

int setting_read(struct db *db, const char *name, char *value, size_t room)
{
	struct db_statement *query;
	int rc = 0;

	query = db_query(db, &rc, "SELECT value FROM settings WHERE name = ?", "t", name);
	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0)
		snprintf(value, room, "%s", db_text_borrowed(query, 0));
	return db_done(query, rc < 0 ? rc : 0);
}

struct setting_op {
	struct tx_op op;
	const char *name, *value;
};

static int apply_put(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct setting_op *put = (const struct setting_op *)op;

	(void)tx;
	return setting_write(db, put->name, put->value);
}

void store_tx_setting_put(struct store_tx *tx, const char *name, const char *value)
{
	struct setting_op *put = tx_op_add(tx, sizeof *put, apply_put);

	put->name = tx_text(tx, name);
	put->value = tx_text(tx, value);
}

int store_setting_get(struct store_reader *reader, struct arena *arena, const char *name, const char **value)
{
	struct db_statement *query;
	int rc = 0;

	*value = NULL;
	query = db_query(reader->db, &rc, "SELECT value FROM settings WHERE name = ?", "t", name);
	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0)
		*value = db_text(query, arena, 0);
	return db_done(query, rc > 0 ? 0 : rc == 0 ? STORE_NOT_FOUND : rc);
}

int store_setting_list(struct store_reader *reader, struct arena *arena, const char *prefix, struct store_setting **rows, size_t *n)
{
	struct rows list;
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc, "SELECT name, value FROM settings WHERE substr(name, 1, length(?)) = ? ORDER BY name",
	                                      "tt", prefix, prefix);

	rows_init(&list, arena, sizeof **rows);
	while (query != NULL && (rc = db_step(query)) > 0)
		*(struct store_setting *)rows_add(&list) = (struct store_setting){ .name = db_text(query, arena, 0), .value = db_text(query, arena, 1) };
	*rows = list.data;
	*n = list.count;
	return db_done(query, rc);
}
