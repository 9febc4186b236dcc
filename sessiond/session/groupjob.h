/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Questions about groups and communities, asked by requests. A job is made on the main loop, asked on the session's, and called back on
 * the main loop; the session owns it meanwhile.
 */
#ifndef SESSIOND_SESSION_GROUPJOB_H
#define SESSIOND_SESSION_GROUPJOB_H

#include "common/buf.h"
#include "sessiond/session/session.h"
#include "sessiond/wa/groupadmin.h"

enum group_code {
	GROUP_DONE = 0,
	GROUP_SESSION_GONE = 1, /* the session has gone or is not linked */
	/* everything else: answer.code of groupadmin.h */
};

enum group_what { GROUP_ASK, GROUP_PICTURE, GROUP_SET_PICTURE };

struct group_job {
	enum group_what what;
	/* GROUP_ASK: what to ask; the others: about ask.group; its texts and people are borrowed from the members below, or static */
	struct wa_group_ask ask;
	char *text, *description, *previous; /* owned, may be NULL; GROUP_PICTURE: text: code of the invite by which we know the group */
	struct jid *people;            /* owned, ask.n of them */
	struct buf jpeg;               /* owned; GROUP_SET_PICTURE: empty takes the picture away */
	/* how it went */
	int code;                      /* enum group_code */
	struct wa_group_answer answer; /* owned contents; GROUP_PICTURE: text: address of the full picture */
	struct jid own, own_lid;       /* the account, bare */
	/* called on the main loop; the job is the callee's again */
	void (*done)(struct group_job *job);
	void *arg;
	/* inside session/ */
	struct session *session;
	struct session_call *call;
};

struct group_job *group_job_new(enum wa_ask_kind kind, const struct jid *group);
/* About its picture. */
struct group_job *group_job_picture(enum group_what what, const struct jid *group);
void group_job_free(struct group_job *job);
void sessions_group(struct sessions *sessions, struct session_entry *entry, struct group_job *job);

#endif
