/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of this folder share: operations under way, and the driver interface. Private to sessiond/storage; main loop unless it
 * says otherwise.
 *
 *     storage.c   key, row, commit  ->  driver->put(op)  ->  storage_moved(op)   ->  row, commit, answer
 *                                       driver->open(op) ->  storage_opened(op)  ->  answer
 *                                       driver->drop(op) ->  storage_dropped(op) ->  row away, answer
 */
#ifndef STORAGE_DRIVER_H
#define STORAGE_DRIVER_H

#include "common/arena.h"
#include "sessiond/loop.h"
#include "sessiond/storage/keyring.h"
#include "sessiond/storage/legacy.h"
#include "sessiond/storage/storage.h"
#include "sessiond/store/store.h"
#include "sessiond/timers.h"

struct pump;
struct storage_op;

struct storage_driver {
	const char *name;
	/* 0, or -1 with a line for the operator. */
	int (*start)(struct storage *storage, char *why, size_t why_len);
	/* Ends what is under way; NULL: nothing but the thread pool's. Then, when the pool has given all back: frees. */
	void (*halt)(struct storage *storage);
	void (*stop)(struct storage *storage);
	/* Moves op->file.size bytes of op->fd into the object; fills in op->file.sha256 and key_id; checks op->want. */
	void (*put)(struct storage_op *op);
	/* op->file and op->from, op->length are set: makes op->out. */
	void (*open)(struct storage_op *op);
	/* Takes the object of op->file away, and what a broken upload left. A missing one is fine. */
	void (*drop)(struct storage_op *op);
	/* storage_check(). */
	void (*check)(struct storage_op *op);
	/* storage_url(). */
	void (*url)(struct storage *storage, const char *key, bool is_public, const char *download, int64_t ttl_sec, struct buf *url, int64_t *expires_ms);
	/* Gives op->file the ring's present key, then op->done. NULL: the driver has no keys. */
	void (*rewrap)(struct storage_op *op);
};

extern const struct storage_driver storage_local, storage_s3;

/* Files read through sockets at the same time. */
enum { PUMPS_MAX = 512 };

enum storage_step { STORAGE_PUT, STORAGE_OPEN, STORAGE_DELETE, STORAGE_ROTATE, STORAGE_CHECK, STORAGE_TIDY /* nobody waits */ };

/* One operation from its call to its answer. */
struct storage_op {
	struct storage *storage;        /* borrowed */
	struct storage_op *next, *prev; /* list of the storage, while listed */
	bool listed;
	enum storage_step step;
	struct loop *loop;              /* who asked; borrowed */
	struct arena arena;
	const struct storage_driver *driver; /* of the file */
	const struct keyring *ring;     /* as it was at the begin; lives as long as the storage */
	struct store_file file;         /* texts in the arena */
	const char *key;
	int fd;                         /* owned: PUT's source, -1 */
	bool has_want;
	uint8_t want[32];               /* SHA-256 the content must have */
	struct storage_range range;
	int64_t from, length;           /* resolved */
	int out;                        /* owned: OPEN's descriptor, -1 */
	struct legacy_file legacy;      /* OPEN of a file of the original */
	int error;
	char text[200];                 /* with an error */
	void *work;                     /* the driver's, freed by it */
	void (*done)(struct storage_op *op); /* TIDY: instead of an answer */
	void *done_arg;
	union {
		storage_put_done *put;
		storage_open_done *open;
		storage_done *done;
	} answer;
	void *arg;
};

struct storage {
	const struct config *config;
	struct loop *loop;
	struct timers *timers;
	struct net *net;
	struct store *store;
	struct log log;
	const struct storage_driver *driver; /* for new files */
	struct keyring *ring;         /* owned list; the first is the present one */
	char *sign_secret;            /* owned */
	int public_root, private_root, metadata_root; /* descriptors of folders, owned; -1: missing */
	struct storage_op *ops;       /* owned list */
	struct pump *pumps;           /* owned list */
	size_t pump_count;
	struct copying *copies;       /* owned list; copy.c */
	struct loop_tasks tasks;      /* in the thread pool */
	bool stopping;
	struct s3 *s3;                /* owned; storage_s3.c */
	struct sweep *sweep;          /* owned; sweep.c */
	struct storage_status status;
};

/* ---- storage.c ---- */

/* A fresh operation at the end of the list. */
struct storage_op *storage_op_new(struct storage *storage, enum storage_step step, struct loop *loop);
void storage_op_free(struct storage_op *op);
/* Any thread: the operation goes to the main loop. */
void storage_submit(struct storage_op *op);
/* Sets error and text once; later ones are ignored. */
void storage_fail(struct storage_op *op, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The driver has done its part; op->error says how. */
void storage_moved(struct storage_op *op);
void storage_opened(struct storage_op *op);
void storage_dropped(struct storage_op *op);
/* loop_offload() that storage_stop() waits for; done is not called when the storage has stopped meanwhile. */
void storage_offload(struct storage_op *op, void (*work)(void *op), void (*done)(struct storage_op *op));
/* The driver a row names; NULL: none of ours, or not set up. */
const struct storage_driver *storage_driver_of(struct storage *storage, const char *name);
/* Ends an operation: tells who asked, or calls op->done. */
void storage_answer(struct storage_op *op);
/* Takes a file's bytes and row away, then op->done. */
void storage_remove(struct storage_op *op);
/* Gives an encrypted file the present key, then op->done. */
void storage_rewrap(struct storage_op *op);
const char *storage_base_url(struct storage *storage, char room[64]);

/* ---- storage_local.c ---- */

void storage_local_open_legacy(struct storage_op *op);

/* ---- pump.c ---- */

/*
 * Feeds a socket with op's range of the file at fd (taken over): sealed under op->ring, or of the original (op->legacy, also taken over), or plain.
 * op->out becomes the end to read from. False: no descriptors left.
 */
enum pump_kind { PUMP_PLAIN, PUMP_SEALED, PUMP_LEGACY };
bool pump_start(struct storage_op *op, enum pump_kind kind, int fd);
void pump_stop_all(struct storage *storage);
size_t pump_count(const struct storage *storage);

/* ---- copy.c ---- */

void storage_copy_stop_all(struct storage *storage);

/* ---- sweep.c ---- */

void sweep_start(struct storage *storage);
void sweep_stop(struct storage *storage);
void sweep_free(struct storage *storage);
/* Something ended in the state GOING, or there is more than before: look again soon. */
void sweep_soon(struct storage *storage);
/* The same in a minute: now it would not help. */
void sweep_later(struct storage *storage);
/* STORAGE_ROTATE. */
void sweep_rotate(struct storage_op *op);

#endif
