/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session with the keys of a device that was linked elsewhere (sessiond/import/import.h makes the records). On the main loop. */
#ifndef SESSIOND_SESSION_IMPORT_H
#define SESSIOND_SESSION_IMPORT_H

#include "sessiond/session/session.h"

struct session_import {
	const char *registry, *id;
	struct jid pn, lid;              /* own device; lid may be none */
	const char *push_name, *device;  /* may be NULL */
	const char *label;               /* NULL: the id */
	const char *webhook_url, *webhook_secret; /* may be NULL */
	struct span records;             /* the file of import.h */
};

/* How many records there are; -1: not such a file. Any thread. */
long session_import_count(struct span records);
/*
 * Stores session and records, then starts it. Everything is copied. entry: NULL: a new session; else one that is not linked: it gets the device
 * and keeps its owner, label and webhook (one that has no URL takes the imported one). done: STORE_CONSTRAINT: the id exists, there is no such
 * owner, or the session has been linked meanwhile. After an error nothing is there.
 */
void sessions_import(struct sessions *sessions, struct session_entry *entry, const struct session_import *import, sessions_done *done, void *arg);

#endif
