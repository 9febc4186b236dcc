/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The writer thread: takes what is queued, commits it as one group, tells everybody the result. */
#include <errno.h>
#include <time.h>

#include "sessiond/store/private.h"

enum {
	GROUP_MAX = 512,
	/* Lazy txs wait for company this long, or until there are that many. */
	LAZY_MS = 50,
	LAZY_MAX = 64,
	/* The window is this many times as wide when it then brings at least so many txs together: some hundred a second. */
	BUSY_WINDOWS = 4,
	BUSY_COMPANY = 6
};

/* While no more than so many txs a ms come, those with events do not wait for company: receivers wait for them. Beyond, groups pay for all. */
#define PROMPT_PER_MS 0.8

/* How busy the writer is, to decide whether waiting for company pays. */
struct load {
	double per_ms;      /* txs that arrive, smoothed */
	double txs, ms;     /* txs in a group, and the time between groups, smoothed more */
	double group;       /* size of groups, smoothed */
	struct timespec last, began; /* the last group without bulk, and the one under way */
};

struct group {
	struct store_tx *txs[GROUP_MAX];
	int results[GROUP_MAX];
	size_t count;
	size_t prompt; /* of these, with events */
	bool bulk;     /* one of them is bulk */
};

static void enqueue(struct store *store, struct store_tx *tx, store_done *done, void *arg)
{
	bool wake;

	tx->done = done;
	tx->arg = arg;
	tx->next = NULL;
	pthread_mutex_lock(&store->lock);
	tx->queued_as = store->next_queued++;
	*store->queue_end = tx;
	store->queue_end = &tx->next;
	tx->prompt = tx->prompt && !tx->lazy;
	if (!tx->lazy)
		store->urgent++;
	if (tx->prompt)
		store->prompt++;
	/* One wake-up per sleep: under load the writer would otherwise wake for every member of the group it waits for. */
	wake = ++store->queued == store->wake_at || (store->wake_on_urgent && !tx->lazy) || (store->wake_on_prompt && tx->prompt);
	if (wake)
		store->wake_on_urgent = store->wake_on_prompt = false;
	pthread_mutex_unlock(&store->lock);
	if (wake)
		pthread_cond_signal(&store->queued_cond);
}

void store_commit(struct store *store, struct store_tx *tx, store_done *done, void *arg)
{
	enqueue(store, tx, done, arg);
}

void store_commit_lazy(struct store *store, struct store_tx *tx, store_done *done, void *arg)
{
	tx->lazy = true;
	enqueue(store, tx, done, arg);
}

void store_commit_bulk(struct store *store, struct store_tx *tx, store_done *done, void *arg)
{
	bool wake;

	tx->bulk = true;
	tx->done = done;
	tx->arg = arg;
	tx->next = NULL;
	pthread_mutex_lock(&store->lock);
	tx->queued_as = store->next_queued++;
	*store->bulk_end = tx;
	store->bulk_end = &tx->next;
	store->bulk_queued++;
	wake = store->wake_at != 0;
	pthread_mutex_unlock(&store->lock);
	if (wake)
		pthread_cond_signal(&store->queued_cond);
}

struct waiting {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool over;
	int error;
};

static void wake_waiting(void *arg, int error)
{
	struct waiting *waiting = arg;

	pthread_mutex_lock(&waiting->lock);
	waiting->over = true;
	waiting->error = error;
	pthread_cond_signal(&waiting->cond);
	pthread_mutex_unlock(&waiting->lock);
}

static int wait_for(struct store *store, struct store_tx *tx, void (*commit)(struct store *store, struct store_tx *tx, store_done *done, void *arg))
{
	struct waiting waiting = { .over = false };

	pthread_mutex_init(&waiting.lock, NULL);
	pthread_cond_init(&waiting.cond, NULL);
	commit(store, tx, wake_waiting, &waiting);
	pthread_mutex_lock(&waiting.lock);
	while (!waiting.over)
		pthread_cond_wait(&waiting.cond, &waiting.lock);
	pthread_mutex_unlock(&waiting.lock);
	pthread_cond_destroy(&waiting.cond);
	pthread_mutex_destroy(&waiting.lock);
	return waiting.error;
}

int store_commit_wait(struct store *store, struct store_tx *tx)
{
	return wait_for(store, tx, store_commit);
}

int commit_bulk_wait(struct store *store, struct store_tx *tx)
{
	return wait_for(store, tx, store_commit_bulk);
}

static double ms_between(const struct timespec *from, const struct timespec *to)
{
	return (double)(to->tv_sec - from->tv_sec) * 1e3 + (double)(to->tv_nsec - from->tv_nsec) / 1e6;
}

static struct timespec ms_from_now(int ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)ms * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	return until;
}

/* Something is queued, but nobody waits for it: the next urgent tx takes it along. */
static void wait_for_urgent(struct store *store)
{
	struct timespec until = ms_from_now(LAZY_MS);

	store->wake_at = LAZY_MAX;
	store->wake_on_urgent = true;
	while (store->urgent == 0 && store->bulk_first == NULL && store->queued < LAZY_MAX && !store->stopping) {
		if (pthread_cond_timedwait(&store->queued_cond, &store->lock, &until) == ETIMEDOUT)
			break;
	}
	store->wake_on_urgent = false;
}

/* How long to wait for company. */
static int window(const struct store *store, const struct load *load)
{
	if (store->window_ms <= 0 || load->per_ms * store->window_ms < 1)
		return 0;
	return load->per_ms * store->window_ms * BUSY_WINDOWS < BUSY_COMPANY ? store->window_ms : store->window_ms * BUSY_WINDOWS;
}

/*
 * Commits do not group by themselves even at thousands a second. A window halves the work then, but adds its length to every commit,
 * so it opens only when company is to be expected, wider when there is much of it, and closes when more than usual have come (more:
 * or groups could never grow), or as soon as something comes that readers of the journal wait for, while little comes at all.
 */
static void wait_for_company(struct store *store, const struct load *load)
{
	struct timespec until;
	uint64_t enough = load->group < 1.5 ? 2 : (uint64_t)(load->group * 1.5 + 0.5);
	int wait_ms = window(store, load);
	bool prompt = load->txs < PROMPT_PER_MS * load->ms;

	if (wait_ms == 0)
		return;
	until = ms_from_now(wait_ms);
	enough = enough > GROUP_MAX ? GROUP_MAX : enough;
	store->wake_at = enough;
	store->wake_on_prompt = prompt;
	while (store->queued < enough && !(prompt && store->prompt > 0) && !store->stopping) {
		if (pthread_cond_timedwait(&store->queued_cond, &store->lock, &until) == ETIMEDOUT)
			break;
	}
	store->wake_on_prompt = false;
}

/* The result of a tx as its chain sees it: what builds on something that was not stored is not stored either. */
static int chained(const struct store_tx *tx, int result)
{
	if (tx->chain == NULL)
		return result;
	if (result == 0)
		return atomic_load(&tx->chain->broken) ? STORE_BROKEN : 0;
	atomic_store(&tx->chain->broken, true);
	return result;
}

static void add(struct group *group, struct store_tx *tx)
{
	group->txs[group->count] = tx;
	group->results[group->count++] = chained(tx, tx->error);
}

/* The first of the queue, unless bulk that was queued before it has to come first. */
static struct store_tx *next_of_queue(const struct store *store)
{
	struct store_tx *tx = store->queue_first;

	return tx != NULL && tx->after_bulk && store->bulk_first != NULL && store->bulk_first->queued_as < tx->queued_as ? NULL : tx;
}

static void take_bulk(struct store *store, struct group *group)
{
	struct store_tx *tx = store->bulk_first;

	store->bulk_first = tx->next;
	if (store->bulk_first == NULL)
		store->bulk_end = &store->bulk_first;
	store->bulk_queued--;
	add(group, tx);
}

static void take_queue(struct store *store, struct group *group)
{
	struct store_tx *tx;

	while (group->count < GROUP_MAX && (tx = next_of_queue(store)) != NULL) {
		store->queue_first = tx->next;
		store->queued--;
		store->urgent -= tx->lazy ? 0 : 1;
		group->prompt += tx->prompt ? 1 : 0;
		add(group, tx);
	}
	if (store->queue_first == NULL)
		store->queue_end = &store->queue_first;
	store->prompt -= group->prompt;
}

/*
 * False when the store stops and nothing is left. Bulk has every second turn while others come, alone if somebody waits for one of them:
 * who comes meanwhile waits for one bulk tx, never for two. While there is bulk, company gathers by itself.
 */
static bool take_group(struct store *store, struct group *group, const struct load *load)
{
	bool rested = false;

	*group = (struct group){ .count = 0 };
	pthread_mutex_lock(&store->lock);
	store->wake_at = 1;
	while (store->queue_first == NULL && store->bulk_first == NULL && !store->stopping)
		wait_or_rest(&store->queued_cond, &store->lock, store->writer_db, &rested);
	if (store->bulk_first == NULL && store->urgent == 0)
		wait_for_urgent(store);
	else if (store->bulk_first == NULL)
		wait_for_company(store, load);
	store->wake_at = 0;
	group->bulk = store->bulk_first != NULL && (!store->bulk_was_last || store->urgent == 0 || next_of_queue(store) == NULL);
	store->bulk_was_last = group->bulk;
	if (group->bulk)
		take_bulk(store, group);
	if (!group->bulk || store->urgent == 0)
		take_queue(store, group);
	pthread_mutex_unlock(&store->lock);
	return group->count > 0;
}

static void measure(struct load *load, const struct group *group)
{
	double count = (double)group->count;
	double ms;

	clock_gettime(CLOCK_MONOTONIC, &load->began);
	if (group->bulk)
		return;
	ms = ms_between(&load->last, &load->began);
	load->last = load->began;
	ms = ms < 0.05 ? 0.05 : ms;
	load->per_ms = load->per_ms * 0.8 + 0.2 * count / ms;
	/* Not the mean of rates, which two groups close together would lift far above what comes. */
	load->txs = load->txs * 0.95 + 0.05 * count;
	load->ms = load->ms * 0.95 + 0.05 * ms;
	load->group = load->group * 0.8 + 0.2 * count;
}

int tx_apply(struct store_tx *tx, struct db *db)
{
	int rc = 0;

	tx->new_outbox = 0;
	for (struct tx_op *op = tx->first; op != NULL && rc == 0; op = op->next)
		rc = op->apply(tx, db, op);
	return rc;
}

/* The fast way: everything in one transaction, without a way back for one of them. */
static int commit_together(struct store *store, struct group *group)
{
	struct db *db = store->writer_db;
	int rc = db->driver->begin(db);

	for (size_t i = 0; i < group->count && rc == 0; i++) {
		if (group->results[i] == 0)
			rc = tx_apply(group->txs[i], db);
	}
	if (rc == 0)
		rc = db->driver->commit(db);
	if (rc != 0)
		db->driver->rollback(db);
	return rc;
}

/* One transaction again, but each tx can be taken back alone. An error leaves results as they were. */
static int commit_with_savepoints(struct store *store, struct group *group)
{
	struct db *db = store->writer_db;
	int results[GROUP_MAX];
	int rc = db->driver->begin(db);

	for (size_t i = 0; i < group->count && rc == 0; i++) {
		results[i] = chained(group->txs[i], group->results[i]);
		if (results[i] != 0)
			continue;
		rc = db_run(db, "SAVEPOINT tx", "");
		if (rc == 0)
			results[i] = chained(group->txs[i], tx_apply(group->txs[i], db));
		if (results[i] != 0 && !db->driver->in_transaction(db))
			rc = results[i];
		else if (results[i] != 0 && rc == 0)
			rc = db_run(db, "ROLLBACK TO SAVEPOINT tx", "");
		if (rc == 0)
			rc = db_run(db, "RELEASE SAVEPOINT tx", "");
	}
	if (rc == 0)
		rc = db->driver->commit(db);
	if (rc != 0)
		db->driver->rollback(db);
	for (size_t i = 0; i < group->count && rc == 0; i++)
		group->results[i] = results[i];
	return rc;
}

static void commit_one_by_one(struct store *store, struct group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		struct group one = { .txs = { group->txs[i] }, .results = { chained(group->txs[i], group->results[i]) }, .count = 1 };

		group->results[i] = one.results[0] != 0 ? one.results[0] : chained(one.txs[0], commit_together(store, &one));
	}
}

static void commit_group(struct store *store, struct group *group)
{
	int rc = commit_together(store, group);

	if (rc == 0)
		return;
	if (group->count == 1) {
		group->results[0] = chained(group->txs[0], group->results[0] != 0 ? group->results[0] : rc);
		return;
	}
	/* One that breaks a rule is found with savepoints; a full disk may still have room for the smaller ones. */
	if (rc == STORE_CONSTRAINT || rc == STORE_NOT_FOUND)
		rc = commit_with_savepoints(store, group);
	if (rc != 0)
		commit_one_by_one(store, group);
}

/* What an operator must hear of: not the rules that a tx may break. */
static bool is_trouble(int error)
{
	return error != 0 && error != STORE_CONSTRAINT && error != STORE_NOT_FOUND && error != STORE_BROKEN;
}

static void remember_health(struct store *store, const struct group *group)
{
	int error = 0, before;

	for (size_t i = 0; i < group->count; i++) {
		if (is_trouble(group->results[i]))
			error = group->results[i];
	}
	pthread_mutex_lock(&store->lock);
	before = store->last_error;
	store->last_error = error;
	if (error == 0)
		store->stored_ms = store->wall_ms();
	if (error != 0 && before == 0)
		store->failing_since_ms = store->wall_ms();
	else if (error == 0)
		store->failing_since_ms = 0;
	pthread_mutex_unlock(&store->lock);
	if (error != 0 && error != before)
		store_warn(store, "the database refuses to store: %s (%s)", store_error_name(error),
		           store->writer_db->driver->message(store->writer_db));
	else if (error == 0 && before != 0)
		store_warn(store, "the database stores again");
}

const double store_commit_ends_ms[STORE_COMMIT_CLASSES - 1] = { 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 1000 };

/* The writer alone adds, whoever asks reads. */
static void count_commit(struct store *store, double ms)
{
	size_t class = 0;

	while (class < STORE_COMMIT_CLASSES - 1 && ms > store_commit_ends_ms[class])
		class++;
	atomic_fetch_add_explicit(&store->commit_classes[class], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&store->commit_us, (uint64_t)(ms * 1000), memory_order_relaxed);
}

static void finish_group(struct store *store, struct group *group)
{
	unsigned good = 0;

	if (store->finishing != NULL)
		store->finishing(true);
	for (size_t i = 0; i < group->count; i++) {
		struct store_tx *tx = group->txs[i];

		for (struct tx_op *op = tx->first; op != NULL && group->results[i] == 0; op = op->next) {
			if (op->committed != NULL)
				op->committed(store, store->writer_db, op);
		}
		good += group->results[i] == 0;
	}
	atomic_fetch_add(&store->txs, good);
	atomic_fetch_add(&store->commits, 1);
	for (size_t i = 0; i < group->count; i++) {
		if (group->txs[i]->done != NULL)
			group->txs[i]->done(group->txs[i]->arg, group->results[i]);
	}
	if (store->finishing != NULL)
		store->finishing(false);
	for (size_t i = 0; i < group->count; i++)
		store_tx_free(group->txs[i]);
}

/*
 * Asks for a checkpoint each time the log has grown by so much again: while one cannot finish (the log still grows), every commit
 * would ask for another.
 */
static void watch_log(struct store *store, int64_t *due)
{
	int64_t bytes = store->writer_db->log_bytes;

	atomic_store(&store->log_bytes, bytes);
	if (bytes < *due - store->checkpoint_bytes)
		*due = store->checkpoint_bytes;
	if (bytes < *due)
		return;
	*due = bytes + store->checkpoint_bytes;
	keeper_wake(store, true);
}

void *writer_main(void *arg)
{
	struct store *store = arg;
	int64_t checkpoint_due = store->checkpoint_bytes;
	struct load load = { .per_ms = 0 };
	struct timespec done;
	struct group group;

	clock_gettime(CLOCK_MONOTONIC, &load.last);
	while (take_group(store, &group, &load)) {
		measure(&load, &group);
		commit_group(store, &group);
		clock_gettime(CLOCK_MONOTONIC, &done);
		count_commit(store, ms_between(&load.began, &done));
		remember_health(store, &group);
		watch_log(store, &checkpoint_due);
		finish_group(store, &group);
	}
	return NULL;
}
