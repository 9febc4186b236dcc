/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The keeper thread: checkpoints on a connection of its own, and once a minute what has grown old. */
#include <errno.h>
#include <time.h>

#include "sessiond/store/fence.h"
#include "sessiond/store/private.h"

enum { ROUND_SECONDS = 60 };

#define HOUR_MS ((int64_t)60 * 60 * 1000)
/* So long a second delivery of an event is known as one. */
#define ACTION_RUNS_KEEP_MS (30 * 24 * HOUR_MS)

void keeper_wake(struct store *store, bool checkpoint)
{
	pthread_mutex_lock(&store->keeper_lock);
	store->keeper_wanted = true;
	store->checkpoint_wanted = store->checkpoint_wanted || checkpoint;
	pthread_cond_signal(&store->keeper_cond);
	pthread_mutex_unlock(&store->keeper_lock);
}

static void run_checkpoint(struct store *store, struct db *db)
{
	/* Passive checkpoints alone let the log grow without end under steady load. */
	bool restart = atomic_load(&store->log_bytes) >= 4 * store->checkpoint_bytes;
	int rc = db->driver->checkpoint(db, restart);

	atomic_fetch_add(&store->checkpoints, 1);
	if (rc != 0 && rc != STORE_BUSY)
		store_warn(store, "checkpoint of the database failed: %s (%s)", store_error_name(rc), db->driver->message(db));
}

void keeper_checkpoint(struct store *store)
{
	bool wanted;

	pthread_mutex_lock(&store->keeper_lock);
	wanted = store->checkpoint_wanted;
	store->checkpoint_wanted = false;
	pthread_mutex_unlock(&store->keeper_lock);
	if (wanted)
		run_checkpoint(store, store->keeper_db);
}

static void trim(struct store *store)
{
	int rc = journal_trim(store, store->keeper_db);

	if (rc != 0)
		store_warn(store, "the journal could not be brought within its bound: %s", store_error_name(rc));
}

void keeper_round(struct store *store)
{
	int64_t now_ms = store->wall_ms();
	struct store_tx *tx = store_tx_new(store);
	int rc;

	key_table_flush(store, tx);
	tx_keys_expire(tx, now_ms);
	tx_records_expire(tx, now_ms);
	tx_outbox_expire(tx, now_ms - store->outbox_keep_ms);
	tx_idempotency_expire(tx, now_ms - 24 * HOUR_MS);
	if (atomic_load(&store->audit_keep_ms) > 0)
		tx_audit_expire(tx, now_ms - atomic_load(&store->audit_keep_ms));
	tx_action_runs_expire(tx, now_ms - ACTION_RUNS_KEEP_MS);
	fence_advance(tx);
	rc = store_commit_wait(store, tx);
	if (rc == 0)
		rc = fence_follow(store);
	if (rc != 0)
		store_warn(store, "tidying the database failed: %s", store_error_name(rc));
	trim(store);
	search_follow(store, true);
	campaigns_expire_round(store);
	retention_round(store);
}

struct wake {
	bool stop, checkpoint;
};

static struct wake sleep_until(struct store *store, const struct timespec *until)
{
	struct wake wake;
	int rc = 0;

	pthread_mutex_lock(&store->keeper_lock);
	while (!store->keeper_wanted && !store->keeper_stopping && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&store->keeper_cond, &store->keeper_lock, until);
	wake = (struct wake){ .stop = store->keeper_stopping, .checkpoint = store->checkpoint_wanted };
	store->keeper_wanted = false;
	store->checkpoint_wanted = false;
	pthread_mutex_unlock(&store->keeper_lock);
	return wake;
}

/* Under load the keeper is woken all the time: the minute is told by the clock, not by an undisturbed sleep. */
static bool is_due(const struct timespec *until)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > until->tv_sec || (now.tv_sec == until->tv_sec && now.tv_nsec >= until->tv_nsec);
}

void *keeper_main(void *arg)
{
	struct store *store = arg;
	struct db *db = store->keeper_db;
	struct timespec until;
	uint64_t seen = 0;
	struct wake wake;

	/* Here and not in store_open(): it waits for the disk, and a file that is behind is harmless. */
	if (fence_follow(store) != 0)
		store_warn(store, "%s could not be written: a restored backup would not be noticed", store->fence_path);
	if (store->uncounted_events > 0 && journal_count(store, db) != 0)
		store_warn(store, "the journal's size could not be counted: %s", db->driver->message(db));
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ROUND_SECONDS;
	while (wake = sleep_until(store, &until), !wake.stop) {
		if (wake.checkpoint)
			run_checkpoint(store, db);
		trim(store);
		search_follow(store, false);
		if (!is_due(&until))
			continue;
		/* An idle gateway must not wake the disk every minute. */
		if (atomic_load(&store->txs) != seen)
			keeper_round(store);
		seen = atomic_load(&store->txs);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += ROUND_SECONDS;
	}
	return NULL;
}
