/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Questions of requests to WhatsApp, and small changes by its servers: made on the main loop, worked on the session's, called back on the
 * main loop. Embedded as the first member of what a question needs besides.
 *
 *     sessions_ask() --> run(job) on the session's loop --> wa_client_...(.., ask_coded, job) --> ask_settle() --> done(job) on the main loop
 */
#ifndef SESSIOND_SESSION_ASK_H
#define SESSIOND_SESSION_ASK_H

#include "sessiond/session/session.h"
#include "sessiond/wa/profile.h"

struct session;
struct session_call;

struct ask_job {
	/* On the session's loop; ends in exactly one ask_settle(), at once or later. */
	void (*run)(struct ask_job *job);
	/* On the main loop; the job is the callee's again. */
	void (*done)(struct ask_job *job);
	void *arg;
	/* how it went: 0 or a code of wa/profile.h */
	int code;
	struct jid own_pn, own_lid; /* bare; lid may be none */
	/* inside session/ */
	struct session *session;
	struct session_call *call;
};

/* The session owns the job until it calls done. */
void sessions_ask(struct sessions *sessions, struct session_entry *entry, struct ask_job *job);

/* ---- on the session's loop, for run() ---- */

/* NULL: not connected any more; settle with 503 then. */
struct wa_client *ask_client(const struct ask_job *job);
void ask_settle(struct ask_job *job, int code);
/* wa_done: settles the job that is its argument. */
void ask_coded(void *job, int code);

/* True for what WhatsApp refuses for good reasons of the question itself (hidden, none, not allowed); else somebody may try again. */
bool ask_refused(int code);

#endif
