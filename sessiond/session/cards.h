/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What can be learnt about people, as one job: a usync question for all of them, then pictures and business profiles, a few people at a
 * time.
 *
 *     cards_job   [jid or phone] [jid or phone] ...
 *       usync ------> pn, lid, registered, about, verified_name
 *       pictures ---> picture_full, picture_preview        of those who are registered
 *       business ---> business                             likewise
 *
 * What somebody hides or has not stays NULL; trouble (no answer, no connection, server errors) makes the job's code.
 */
#ifndef SESSIOND_SESSION_CARDS_H
#define SESSIOND_SESSION_CARDS_H

#include "common/buf.h"
#include "sessiond/session/ask.h"

struct card {
	/* whom */
	struct jid jid;           /* server NONE: by phone */
	char *phone;              /* owned; digits; NULL: by jid */
	/* what was learnt */
	bool registered;
	struct jid pn, lid;       /* server NONE if unknown */
	char *about;              /* owned, like those below; NULL: none or hidden */
	char *verified_name;
	char *picture_full, *picture_preview; /* addresses */
	struct buf business;      /* owned; JSON object of contract rest-b 4.6 without jid and phone's braces: whole; empty: no business */
};

struct cards_job {
	struct ask_job ask;       /* first member */
	unsigned what;            /* WA_ASK_*; 0: no usync, all cards count as registered */
	bool full, preview;       /* which pictures */
	bool business;
	struct card *cards;       /* owned */
	size_t n;
	/* inside session/ */
	size_t next, running;
	bool starting;            /* further up the stack */
	int trouble;
};

struct cards_job *cards_job_new(size_t n);
/* NULL is allowed. */
void cards_job_free(struct cards_job *job);
/* run() of such a job. */
void cards_run(struct ask_job *job);

/* Writes the object of contract rest-b 4.6; business NULL: of somebody who has none. */
void cards_put_business(struct buf *out, const struct jid *who, const struct wa_business *business);

#endif
