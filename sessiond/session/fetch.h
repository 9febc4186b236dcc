/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The file of one message, fetched because somebody asked for it: downloaded (the phone is asked when the servers have lost it), checked,
 * stored. Whoever asks for the same message meanwhile gets the same file.
 *
 *     main loop --sessions_fetch()--> session's loop: transfer_download -> temp file -> storage_put -> commit: record RECORD_STORED
 *
 * A record says where the file of a message rests, whoever stored it (mirror.c too): kind RECORD_STORED, name = message id, value = the
 * storage's key; kept as long as the message.
 */
#ifndef SESSIOND_SESSION_FETCH_H
#define SESSIOND_SESSION_FETCH_H

#include "common/arena.h"
#include "common/buf.h"
#include "common/jid.h"
#include "sessiond/session/session.h"

struct session;
struct store_reader;
struct store_tx;

enum { RECORD_STORED = 205 };

enum fetch_error {
	FETCH_OK = 0,
	FETCH_OFFLINE = -1,    /* not connected to WhatsApp */
	FETCH_NO_FILE = -2,    /* this kind of message has none, or no address or key of it */
	FETCH_TOO_LARGE = -3,
	FETCH_GONE = -4,       /* the servers have lost it, and the phone too or it does not answer */
	FETCH_FAILED = -5,     /* servers, storage, temp file; or it is not what the message says */
	FETCH_VIEW_ONCE = -6   /* the settings do not allow it */
};

struct fetch_job {
	const char *id;        /* of the message; borrowed until done, as all here */
	struct jid chat, author; /* without device */
	bool from_me;
	struct span message;   /* serialized Message */
	enum fetch_error error; /* filled in */
	char text[160];        /* filled in with an error: a line for people */
	char *key;             /* filled in: of the stored file; the job's owner frees it */
	void (*done)(struct fetch_job *job); /* on the main loop */
	void *arg;
};

/* The job must live until done() was called. */
void sessions_fetch(struct sessions *sessions, struct session_entry *entry, struct fetch_job *job);

/* On a thread of the store's readers: *key in the arena, NULL if nothing is stored. 0 or a store error. */
int fetch_stored(struct store_reader *reader, struct arena *arena, int64_t session, const char *id, const char **key);
/* Adds the record. */
void fetch_keep(struct store_tx *tx, int64_t session, const char *id, const char *key, int64_t now_ms);
/* Session's loop: drops what is under way, nobody is told. session.c */
void fetch_free(struct session *session);

#endif
