/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reader threads: each with a connection of its own, all taking jobs from one queue. */
#include <stdlib.h>

#include "common/mem.h"
#include "sessiond/store/private.h"

void store_read(struct store *store, void (*fn)(struct store_reader *reader, void *arg), void *arg)
{
	struct read_job *job = xmalloc(sizeof *job);

	*job = (struct read_job){ .fn = fn, .arg = arg };
	pthread_mutex_lock(&store->read_lock);
	*store->reads_end = job;
	store->reads_end = &job->next;
	pthread_cond_signal(&store->read_cond);
	pthread_mutex_unlock(&store->read_lock);
}

struct waiting_read {
	void (*fn)(struct store_reader *reader, void *arg);
	void *arg;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool over;
};

static void run_waiting(struct store_reader *reader, void *arg)
{
	struct waiting_read *waiting = arg;

	waiting->fn(reader, waiting->arg);
	pthread_mutex_lock(&waiting->lock);
	waiting->over = true;
	pthread_cond_signal(&waiting->cond);
	pthread_mutex_unlock(&waiting->lock);
}

void store_read_wait(struct store *store, void (*fn)(struct store_reader *reader, void *arg), void *arg)
{
	struct waiting_read waiting = { .fn = fn, .arg = arg };

	pthread_mutex_init(&waiting.lock, NULL);
	pthread_cond_init(&waiting.cond, NULL);
	store_read(store, run_waiting, &waiting);
	pthread_mutex_lock(&waiting.lock);
	while (!waiting.over)
		pthread_cond_wait(&waiting.cond, &waiting.lock);
	pthread_mutex_unlock(&waiting.lock);
	pthread_cond_destroy(&waiting.cond);
	pthread_mutex_destroy(&waiting.lock);
}

static struct read_job *take_job(struct store *store, struct db *db)
{
	struct read_job *job;
	bool rested = false;

	pthread_mutex_lock(&store->read_lock);
	while (store->reads_first == NULL && !store->readers_stopping)
		wait_or_rest(&store->read_cond, &store->read_lock, db, &rested);
	job = store->reads_first;
	if (job != NULL)
		store->reads_first = job->next;
	if (store->reads_first == NULL)
		store->reads_end = &store->reads_first;
	pthread_mutex_unlock(&store->read_lock);
	return job;
}

void *reader_main(void *arg)
{
	struct store_reader *reader = arg;
	struct db *db = reader->db;
	struct read_job *job;

	while ((job = take_job(reader->store, db)) != NULL) {
		/* A begin that fails shows in fn's first query: it reads outside a transaction then, with the same error. */
		if (db->driver->begin(db) == 0) {
			job->fn(reader, job->arg);
			if (db->driver->commit(db) != 0)
				db->driver->rollback(db);
		} else {
			job->fn(reader, job->arg);
		}
		atomic_fetch_add(&reader->store->reads, 1);
		free(job);
	}
	db_close(db);
	free(reader);
	return NULL;
}
