/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sessiond/storage: where media rest. The face of the folder; includes common/, and crypto/, net/ and store/ below it.
 *
 *     storage_put(fd) --> row "arriving" (commit) --> driver moves the bytes --> row "stored" (commit) --> done(key, url)
 *                                                      |
 *                                                      +-- storage_local.c   encrypted files on this machine (sealedfile.h)
 *                                                      +-- storage_s3.c      objects in an S3 bucket
 *     storage_open(key, range) --> a descriptor that gives exactly those bytes: a plain file, or a socket that a pump feeds
 *
 * What a crash leaves is a row that says "arriving" or "going": nobody finds it, and the next start takes its bytes away.
 *
 * Every call may come from any thread. Work is done on the main loop, its thread pool and its libcurl; nothing here blocks or holds a
 * file in memory. done() runs on the loop that was named, once, never from inside the call; not at all when that loop or the storage
 * has stopped.
 */
#ifndef SESSIOND_STORAGE_H
#define SESSIOND_STORAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/config.h"
#include "common/log.h"

struct loop;
struct net;
struct storage;
struct store;
struct timers;

enum storage_error {
	STORAGE_OK = 0,
	STORAGE_NOT_FOUND = -1,
	STORAGE_FULL = -2,    /* the disk is full, or the bucket's owner pays no more */
	STORAGE_IO = -3,      /* file system or database */
	STORAGE_CHANGED = -4, /* the bytes are not what they were announced as: size or SHA-256 */
	STORAGE_DAMAGED = -5, /* a stored file was cut or altered */
	STORAGE_KEY = -6,     /* encrypted under a key that is not there any more */
	STORAGE_REFUSED = -7, /* by the S3 server: credentials, bucket, permission */
	STORAGE_AWAY = -8,    /* the S3 server does not answer, or says come back later */
	STORAGE_INVALID = -9, /* something asked for makes no sense */
	STORAGE_RANGE = -10   /* the range lies behind the end */
};

/* "not_found", "full", ... Static. */
const char *storage_error_name(int error);

/* ---- life ------------------------------------------------------------------------------------------------------------------------ */

struct storage_options {
	const struct config *config; /* the settings of its sections; borrowed */
	struct loop *loop;           /* the main loop; borrowed, as all here */
	struct timers *timers;
	struct net *net;
	struct store *store;
	const struct log *log;
};

/* Main thread, before the loop runs. Loads keys, makes folders. 0, or an error with a line for the operator in why. */
int storage_new(struct storage **out, const struct storage_options *options, char *why, size_t why_len);
/* Before the loop runs, blocks for a moment: looks what the last run left, cleans that up from the loop, and sweeps from then on. */
void storage_start(struct storage *storage);
/* After the main loop has ended and before the store is closed: waits for the thread pool's share and drops what is under way. */
void storage_stop(struct storage *storage);
/* After the store is closed. NULLs the pointer. */
void storage_free(struct storage **storage);

/* ---- putting --------------------------------------------------------------------------------------------------------------------- */

enum storage_visibility { STORAGE_DEFAULT, STORAGE_PUBLIC, STORAGE_PRIVATE };

/* What the storage should know of a file. Texts are copied. */
struct storage_meta {
	const char *folder;     /* first part of the key: "incoming-media", "misc"; at most two parts */
	const char *session;    /* second part and owner: the session's id; may be NULL */
	const char *kind;       /* third part: "imageMessage"; may be NULL */
	const char *message_id; /* kept, encrypted; may be NULL */
	const char *chat;       /* as above */
	const char *mime;       /* type and subtype decide the key's extension, parameters are kept; NULL: application/octet-stream */
	const char *file_name;  /* the sender's word for it: kept, encrypted, never part of a path; may be NULL */
	int64_t size;           /* bytes at the descriptor, -1: as many as its file has */
	const uint8_t *sha256;  /* 32 bytes the content must hash to; NULL: whatever it is */
	enum storage_visibility visibility; /* STORAGE_DEFAULT: the setting */
	int64_t ttl_ms;         /* deleted after this time; 0: after the retention of the settings */
};

/* A stored file as the outside sees it. Texts live as long as the call of done. */
struct storage_object {
	const char *key;       /* "incoming-media/sales/imageMessage/<32 hex digits>.jpeg" */
	const char *driver;    /* "local", "s3": storageDriver of webhooks */
	const char *url;       /* absolute: public, or signed until url_expires_ms */
	int64_t url_expires_ms; /* 0: never */
	const char *mime, *file_name, *session; /* may be NULL */
	int64_t size;
	uint8_t sha256[32];
	bool is_public;
	int64_t created_ms, expires_ms; /* of the file; 0: no end of its own */
};

typedef void storage_put_done(void *arg, int error, const char *text, const struct storage_object *object);

/*
 * Stores the content of a regular file (memfd, nameless or named; read with pread from offset 0). The descriptor stays the caller's
 * and may be closed at once. text: one line for people with an error, else "". object: NULL with an error.
 */
void storage_put(struct storage *storage, struct loop *loop, int fd, const struct storage_meta *meta, storage_put_done *done, void *arg);

/* ---- reading --------------------------------------------------------------------------------------------------------------------- */

/* from < 0: the last -from bytes. length < 0: up to the end. A length that goes further ends with the file. */
struct storage_range {
	int64_t from, length;
};

/*
 * fd: gives object's bytes from .. from + length - 1 from its present position on, then ends; the callee's to close, at any time. It may be a
 * socket that delivers as fast as it is read, and one that ends early was cut off by an error. length 0: fd is -1. object is there with
 * STORAGE_RANGE, too.
 */
typedef void storage_open_done(void *arg, int error, const char *text, const struct storage_object *object, int fd, int64_t from, int64_t length);

/* range NULL: everything; length 0 in it asks for no descriptor (what stat does). Reads files of the original, too. */
void storage_open(struct storage *storage, struct loop *loop, const char *key, const struct storage_range *range, storage_open_done *done, void *arg);

/* object: key, mime, file_name, session and size of it; NULL with an error. */
typedef void storage_copy_done(void *arg, int error, const char *text, const struct storage_object *object);

/*
 * Main loop. Copies a file of that session (id) into `to`, an empty file, which stays the caller's and open until done. STORAGE_NOT_FOUND: there is
 * none, or it belongs to somebody else. After an error `to` holds part of it at most.
 */
void storage_copy(struct storage *storage, const char *key, const char *session, int to, storage_copy_done *done, void *arg);

typedef void storage_done(void *arg, int error, const char *text);

/* STORAGE_NOT_FOUND when there is none. Who reads it meanwhile reads on. */
void storage_delete(struct storage *storage, struct loop *loop, const char *key, storage_done *done, void *arg);

/* ---- addresses ------------------------------------------------------------------------------------------------------------------- */

/*
 * Appends the address of a file: public, or signed for ttl_sec (0: the setting). download: the name a browser saves it under, NULL:
 * none. *expires_ms (may be NULL) as in storage_object. Any thread, no waiting. It does not ask whether the file is there.
 */
void storage_url(struct storage *storage, const char *driver, const char *key, bool is_public, const char *download, int64_t ttl_sec, struct buf *url,
	int64_t *expires_ms);
/* Is this the token of a signed address that is still good? Texts may be NULL (then it is not). */
bool storage_token_fits(struct storage *storage, const char *key, const char *expires, const char *token, const char *scope, const char *download);

/* ---- operation ------------------------------------------------------------------------------------------------------------------- */

struct storage_status {
	const char *driver;
	int64_t files, bytes;    /* as of the last sweep, and what came and went since */
	int64_t other_key;       /* files that still wait for the present key */
	uint32_t key_id;         /* of the present key */
	int64_t swept, put, failed; /* since the start */
	int64_t sweep_ms;        /* wall clock, end of the last sweep */
	bool sweeping, rotating;
	char last_error[200];
};

/* Main loop. */
void storage_status(struct storage *storage, struct storage_status *status);
/* Any thread: can something be stored at this moment? Locally that is asked of the folders; an S3 server is asked to take a small object. */
void storage_check(struct storage *storage, struct loop *loop, storage_done *done, void *arg);
/* Main loop: looks at once for what is too old or too much. */
void storage_sweep(struct storage *storage);
/*
 * Makes a new key (unless the key is a setting: then that is the new one) and gives it to every file, in the background: storage_status() tells
 * how many are left. done: the new key is in force.
 */
void storage_rotate(struct storage *storage, struct loop *loop, storage_done *done, void *arg);

#endif
