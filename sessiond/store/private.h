/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of this folder share.
 *
 *     store_commit() -> queue (store.lock) -> writer thread -> group: begin, apply..., commit -> done()
 *                                                   | log grew
 *                                                   v
 *                                             keeper thread: checkpoints, and once a minute what is due (keeper.c)
 *     store_read()   -> reads (store.read_lock) -> reader threads
 */
#ifndef STORE_PRIVATE_H
#define STORE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "sessiond/crypto/seal.h"
#include "sessiond/store/db.h"
#include "sessiond/store/store.h"

enum { READERS_MAX = 16 };

/* One change of a tx. Applied by the writer, perhaps twice when its group had to be done again. */
struct tx_op {
	struct tx_op *next;
	int (*apply)(struct store_tx *tx, struct db *db, struct tx_op *op);
	void (*committed)(struct store *store, struct db *db, struct tx_op *op); /* may be NULL */
};

struct store_tx {
	struct store *store;
	struct arena arena;
	struct tx_op *first, **end;
	int error;            /* found while building */
	uint8_t nonce[SEAL_NONCE]; /* of the last sealed value */
	bool has_nonce, lazy;
	bool bulk;            /* waits for its turn between the others */
	bool after_bulk;      /* takes away what bulk queued before it may still bring: not applied before that */
	uint64_t queued_as;   /* number in the order of queueing */
	bool prompt;          /* readers of the journal wait for it */
	int64_t new_outbox;   /* number of the outbox row that this tx added last, while it is applied */
	bool receipt_known;   /* the last receipt's message has a row in the outbox, while the tx is applied */
	struct store_chain *chain; /* borrowed, may be NULL */
	struct store_tx *next;
	store_done *done;
	void *arg;
};

struct read_job {
	struct read_job *next;
	void (*fn)(struct store_reader *reader, void *arg);
	void *arg;
};

struct store_reader {
	struct store *store;
	struct db *db;
};

struct store_seals {
	struct sealer *records, *outbox, *journal, *sessions, *answers, *files, *messages; /* owned */
};

struct key_table;

struct store {
	const struct db_driver *driver;
	struct db_options db_options; /* strings owned */
	int window_ms;
	int64_t journal_max_bytes, outbox_keep_ms, checkpoint_bytes;
	int64_t (*wall_ms)(void);
	void (*warn)(void *ctx, const char *line);
	void *warn_ctx;
	void (*finishing)(bool begins); /* may be NULL */
	void (*appended)(void *ctx, const struct store_event *event); /* may be NULL */
	void *appended_ctx;
	int lock_fd;
	char *fence_path; /* owned */
	char fence_id[33];
	int64_t fence_epoch; /* writer thread once it runs; read by the keeper after its own commit */
	unsigned schema;
	bool restored;
	struct store_seals seals;
	uint8_t pepper[32];
	struct key_table *keys; /* owned; its own lock */

	pthread_mutex_t lock;   /* queue, writer's state */
	pthread_cond_t queued_cond;
	struct store_tx *queue_first, **queue_end; /* owned */
	uint64_t queued, urgent; /* txs in the queue, and those of them that are not lazy */
	struct store_tx *bulk_first, **bulk_end; /* owned */
	uint64_t bulk_queued, next_queued;
	bool bulk_was_last;      /* the last group had a bulk tx */
	uint64_t prompt;         /* those of them that readers of the journal wait for */
	uint64_t wake_at;        /* the writer sleeps until queued reaches this; 0: it does not sleep */
	bool wake_on_urgent;     /* ... or until an urgent one comes */
	bool wake_on_prompt;     /* ... or one that readers of the journal wait for */
	bool stopping;
	int last_error;
	int64_t failing_since_ms;
	int64_t stored_ms;       /* the last good commit */

	pthread_mutex_t read_lock;
	pthread_cond_t read_cond;
	struct read_job *reads_first, **reads_end; /* owned */
	bool readers_stopping;

	pthread_mutex_t keeper_lock;
	pthread_cond_t keeper_cond;
	bool keeper_stopping, keeper_wanted, checkpoint_wanted;

	pthread_t writer_thread, keeper_thread, reader_threads[READERS_MAX];
	unsigned readers;
	struct db *writer_db;   /* owned; writer thread only once it runs */
	struct db *keeper_db;   /* owned; keeper thread only */

	atomic_uint_fast64_t txs, commits, reads;
	atomic_uint_fast64_t commit_classes[STORE_COMMIT_CLASSES], commit_us;
	atomic_int_fast64_t journal_bytes, log_bytes, checkpoints;
	atomic_int_fast64_t next_outbox; /* number of the next outbox row */
	int64_t next_message;    /* number of the next message; writer thread once it runs */
	atomic_int_fast64_t last_message, last_indexed; /* written by the writer; the second one is what full-text search knows */
	atomic_int_fast64_t audit_keep_ms; /* 0: for ever */
	atomic_int_fast64_t campaigns_keep_ms; /* the same of those that have ended */
	atomic_int_fast64_t retention_age_ms, retention_per_chat; /* 0: no limit */
	uint8_t cursor_key[32];  /* authenticates cursors */
	int64_t uncounted_events; /* after an unclean end: journal_bytes lacks events up to this number; keeper thread */
};

/* ---- outbox.c ---- */

/* Finds the first free row number at the start. */
int outbox_open(struct store *store, struct db *db);

/* ---- chats.c, messages.c, search.c, retention.c, cursor.c ---- */

/* Every chat of a session changes over to those that the keeper removes. */
int chats_give_up(struct db *db, int64_t session);
/* writer.c: the same as store_commit_bulk(), and waits. */
int commit_bulk_wait(struct store *store, struct store_tx *tx);
int labels_forget(struct db *db, int64_t session);
/* Finds the first free number of a message and how far the index is, at the start. */
int search_open(struct store *store, struct db *db);
/* Messages were added: the keeper is woken when the index is far behind. Writer's thread. */
void search_grown(struct store *store);
/* Brings the index up to the messages if it is far behind, or in every case; keeper thread. */
void search_follow(struct store *store, bool whole);
/* Removes some of what was given up or is too old; keeper thread. */
void retention_round(struct store *store);
int message_open_content(struct store_reader *reader, struct arena *arena, int64_t session, const char *id, struct span sealed, struct span *plain);

/* Where a page ended: the values that the rows are ordered by. */
struct cursor {
	int64_t a, b;
	char text[256];
};

/* scope: what the list is of, so that a cursor fits no other list. In the arena. */
char *cursor_write(struct store *store, struct arena *arena, struct span scope, const struct cursor *cursor);
/* False: it is none of this list. */
bool cursor_read(struct store *store, struct span scope, const char *text, struct cursor *cursor);

/* ---- tx.c ---- */

/* Room for an op of this size at the end of the tx, with its function set. */
void *tx_op_add(struct store_tx *tx, size_t size, int (*apply)(struct store_tx *tx, struct db *db, struct tx_op *op));
/* Copies for ops; NULL stays NULL. */
const char *tx_text(struct store_tx *tx, const char *text);
struct span tx_bytes(struct store_tx *tx, struct span bytes);
/* Seals into the tx's arena; an empty span with p NULL stays so. Failure becomes the tx's error. */
struct span tx_seal(struct store_tx *tx, const struct sealer *sealer, struct span aad, struct span plain);

/* Runs the ops in the connection's open transaction: the writer, and the start before there is one. */
int tx_apply(struct store_tx *tx, struct db *db);

/* ---- reading sealed values (tx.c) ---- */

/* Opens into the arena; p NULL stays NULL. 0 or STORE_SEAL. */
int seal_open(const struct sealer *sealer, struct span aad, struct span sealed, struct arena *arena, struct span *plain);

enum { AAD_MAX = 1024 };

/* What binds a sealed value to its row: fixed-length parts first, then texts divided by NUL. */
struct aad {
	size_t len;
	uint8_t bytes[AAD_MAX];
};

void aad_start(struct aad *aad, char what);
void aad_int(struct aad *aad, int64_t value);
void aad_text(struct aad *aad, const char *text);
struct span aad_span(const struct aad *aad);

/* A growing array of rows of one size, in the caller's arena (rows.c). */
struct rows {
	struct arena *arena;
	void *data; /* NULL while empty */
	size_t count, room, size;
};

void rows_init(struct rows *rows, struct arena *arena, size_t size);
/* Room for one more row, zeroed. */
void *rows_add(struct rows *rows);

/* ---- threads ---- */

/*
 * Waits once for cond, with lock held. The first time that nothing comes for some seconds the connection lets its cache go; *rested
 * is false when the caller begins to wait.
 */
void wait_or_rest(pthread_cond_t *cond, pthread_mutex_t *lock, struct db *db, bool *rested);
void *writer_main(void *arg);
void *reader_main(void *arg);
void *keeper_main(void *arg);
/* Keeper thread, in the middle of long work: the log must not grow without end meanwhile. */
void keeper_checkpoint(struct store *store);
/* Asks the keeper to look whether the journal must be trimmed, and for a checkpoint; any thread. */
void keeper_wake(struct store *store, bool checkpoint);
/* One round of what the keeper does every minute; its thread, or a test before closing. */
void keeper_round(struct store *store);
void store_warn(struct store *store, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- keys.c ---- */

struct key_table *key_table_new(void);
void key_table_free(struct key_table *table);
int key_table_load(struct store *store, struct db *db);
/* committed() of whatever changes keys or what their users may do. */
void key_table_reload(struct store *store, struct db *db, struct tx_op *op);
/* HMAC(pepper, SHA-256(text)); 0 or an enum crypto_error. */
int key_digest(const struct store *store, const char *text, uint8_t digest[32]);
/* Adds the uses of keys that are not stored yet to a tx. */
void key_table_flush(struct store *store, struct store_tx *tx);
/* Makes text the one fixed key of this user; NULL: none. Blocks. */
int key_seed_fixed(struct store *store, int64_t user, const char *text);
/* Removes expired keys. */
void tx_keys_expire(struct store_tx *tx, int64_t now_ms);

/* ---- once a minute, in parts ---- */

void tx_records_expire(struct store_tx *tx, int64_t now_ms);
void tx_outbox_expire(struct store_tx *tx, int64_t before_ms);
void tx_action_runs_expire(struct store_tx *tx, int64_t before_ms);
void tx_idempotency_expire(struct store_tx *tx, int64_t before_ms);
/* Removes the campaigns that ended too long ago, in parts. campaigns.c */
void campaigns_expire_round(struct store *store);
void tx_audit_expire(struct store_tx *tx, int64_t before_ms);
/* Columns of an event as event_of_row() (events.c) reads them, up to the table. */
#define EVENT_COLUMNS "SELECT session, sequence, event_id, kind, chat, time_ms, payload FROM events "
int event_of_row(struct store_reader *reader, struct db_statement *query, struct arena *arena, struct store_event *event);
/* Takes the oldest events away until the journal is within its bound; keeper thread, with its connection. */
int journal_trim(struct store *store, struct db *db);
/* Restores the journal's size as the last clean end left it, or notes up to where the keeper must count. */
int journal_open(struct store *store, struct db *db);
/* Counts what journal_open() could not know. */
int journal_count(struct store *store, struct db *db);
/* Leaves the size for the next start. */
int journal_close(struct store *store, struct db *db);
/* Reads a setting into value; leaves it as it was when there is none. */
int setting_read(struct db *db, const char *name, char *value, size_t room);
int setting_write(struct db *db, const char *name, const char *value);

#endif
