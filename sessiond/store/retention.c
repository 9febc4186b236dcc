/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages that go: of chats that were given up, and what is older or more than the settings allow. A part at a time, so that nobody
 * waits long for the writer; the keeper goes on until nothing is left.
 */
#include "sessiond/store/identity.h"

enum { PART_MAX = 1000, CHATS_MAX = 500 };

void store_retention(struct store *store, int64_t max_age_ms, int64_t max_per_chat)
{
	atomic_store(&store->retention_age_ms, max_age_ms);
	atomic_store(&store->retention_per_chat, max_per_chat);
	keeper_wake(store, false);
}

struct part_op {
	struct tx_op op;
	struct round *round;
	int64_t before_ms, keep;
	int64_t after;       /* chats with greater numbers are looked at */
};

/* How a part went; read after its commit. */
struct round {
	int64_t removed;     /* messages */
	int64_t chats;       /* looked at */
	int64_t last;        /* the last of them */
};

/* ---- chats that were given up ---- */

static int apply_given_up(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	struct round *round = ((struct part_op *)op)->round;
	struct db_statement *query;
	int64_t chat = 0;
	int rc = 0;

	(void)tx;
	*round = (struct round){ .removed = 0 };
	query = db_query(db, &rc, "SELECT number FROM chats WHERE session < 0 LIMIT 1", "");
	rc = db_read_number(query, rc, &chat);
	if (rc <= 0)
		return rc;
	round->chats = 1;
	rc = db_run(db, "DELETE FROM messages WHERE number IN (SELECT number FROM (SELECT number FROM messages WHERE chat = ? LIMIT ?) AS part)", "in",
	            chat, (int)PART_MAX);
	round->removed = db->driver->changes(db);
	if (rc == 0 && round->removed < PART_MAX)
		rc = db_run(db, "DELETE FROM chats WHERE number = ?", "i", chat);
	return rc;
}

/* ---- age and count ---- */

/* The time of the newest message that is one too many; 0: none is. */
static int time_of_surplus(struct db *db, int64_t chat, int64_t keep, int64_t *time_ms)
{
	int rc = 0;
	struct db_statement *query = db_query(db, &rc, "SELECT time_ms FROM messages WHERE chat = ? ORDER BY time_ms DESC, number DESC LIMIT 1 OFFSET ?",
	                                      "ii", chat, keep);

	*time_ms = 0;
	rc = db_read_number(query, rc, time_ms);
	return rc < 0 ? rc : 0;
}

static int remove_old(struct db *db, int64_t chat, int64_t up_to_ms, int64_t at_most, int64_t *removed)
{
	struct db_statement *query;
	int64_t media = 0;
	int rc = 0;

#define OLDEST "(SELECT number, media FROM messages WHERE chat = ? AND time_ms <= ? AND starred_ms = 0 ORDER BY time_ms, number LIMIT ?) AS part"
	query = db_query(db, &rc, "SELECT coalesce(sum(media), 0) FROM " OLDEST, "iii", chat, up_to_ms, at_most);
	rc = db_read_number(query, rc, &media);
	if (rc < 0)
		return rc;
	rc = db_run(db, "DELETE FROM messages WHERE number IN (SELECT number FROM " OLDEST ")", "iii", chat, up_to_ms, at_most);
#undef OLDEST
	*removed = rc == 0 ? db->driver->changes(db) : 0;
	if (*removed == 0)
		return rc;
	rc = db_run(db, "UPDATE chats SET messages = messages - ?, media = media - ? WHERE number = ?", "iii", *removed, media, chat);
	if (rc == 0)
		rc = chat_recount(db, chat);
	return rc == 0 ? chat_count_unread(db, chat) : rc;
}

static int trim_chat(struct db *db, const struct part_op *part, int64_t chat, int64_t messages, int64_t *removed)
{
	int64_t surplus_ms = 0;
	int64_t up_to_ms = part->before_ms;
	int64_t at_most = PART_MAX;
	int rc = 0;

	*removed = 0;
	if (up_to_ms > 0)
		rc = remove_old(db, chat, up_to_ms, PART_MAX, removed);
	messages -= *removed;
	if (rc != 0 || part->keep == 0 || messages <= part->keep || *removed == PART_MAX)
		return rc;
	/* Of messages with the same time only the surplus goes. */
	at_most = messages - part->keep < PART_MAX ? messages - part->keep : PART_MAX;
	rc = time_of_surplus(db, chat, part->keep, &surplus_ms);
	if (rc == 0 && surplus_ms > 0) {
		int64_t more = 0;

		rc = remove_old(db, chat, surplus_ms, at_most, &more);
		*removed += more;
	}
	return rc;
}

struct listed_chat {
	int64_t number, messages;
};

static int list_chats(struct db *db, int64_t after, struct listed_chat chats[CHATS_MAX], size_t *n)
{
	int rc = 0;
	struct db_statement *query = db_query(db, &rc, "SELECT number, messages FROM chats WHERE number > ? AND session > 0 ORDER BY number LIMIT ?", "in",
	                                      after, (int)CHATS_MAX);

	*n = 0;
	while (query != NULL && (rc = db_step(query)) > 0)
		chats[(*n)++] = (struct listed_chat){ db_int(query, 0), db_int(query, 1) };
	return db_done(query, rc);
}

static int apply_trim(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct part_op *part = (const struct part_op *)op;
	struct listed_chat chats[CHATS_MAX];
	size_t n;
	int rc = list_chats(db, part->after, chats, &n);

	(void)tx;
	*part->round = (struct round){ .last = part->after };
	for (size_t i = 0; i < n && rc == 0 && part->round->removed < PART_MAX; i++) {
		int64_t removed = 0;

		if (chats[i].messages > 0)
			rc = trim_chat(db, part, chats[i].number, chats[i].messages, &removed);
		part->round->removed += removed;
		/* One of which much had to go is looked at again. */
		if (removed < PART_MAX)
			part->round->last = chats[i].number;
		part->round->chats++;
	}
	return rc;
}

static bool run(struct store *store, struct part_op what, int (*apply)(struct store_tx *tx, struct db *db, struct tx_op *op))
{
	struct store_tx *tx = store_tx_new(store);
	struct part_op *part = tx_op_add(tx, sizeof *part, apply);
	struct tx_op op = part->op;
	int rc;

	*part = what;
	part->op = op;
	rc = store_commit_wait(store, tx);
	if (rc != 0)
		store_warn(store, "old messages could not be removed: %s", store_error_name(rc));
	return rc == 0;
}

void retention_round(struct store *store)
{
	int64_t age_ms = atomic_load(&store->retention_age_ms), keep = atomic_load(&store->retention_per_chat);
	struct round round = { .chats = 1 };

	while (round.chats > 0) {
		if (!run(store, (struct part_op){ .round = &round }, apply_given_up))
			return;
	}
	round = (struct round){ .chats = age_ms > 0 || keep > 0 };
	while (round.chats > 0) {
		if (!run(store, (struct part_op){ .round = &round, .after = round.last, .keep = keep, .before_ms = age_ms > 0 ? store->wall_ms() - age_ms : 0 },
		         apply_trim))
			return;
	}
}
