/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the group and community routes share (contract rest-b 3). Main loop only. Private to sessiond/rpc.
 *
 *     request --> group_work_new() --> group_ask(job, next) --> session --> next(work, job) --> group_ask(..) ... --> answer
 *
 *     group_common.c    the work, refusals, JSON of groups and people
 *     group_people.c    participants as callers write them
 *     rpc_group.c           looking
 *     rpc_group_settings.c  name, description, flags
 *     rpc_group_members.c   participants added, removed, promoted, demoted, let in
 *     rpc_group_join.c      links and invite messages, leaving
 *     rpc_group_make.c      creating, ending
 *     rpc_group_picture.c   the picture
 *     rpc_community.c       communities
 */
#ifndef SESSIOND_RPC_GROUP_H
#define SESSIOND_RPC_GROUP_H

#include "sessiond/rpc/request.h"
#include "sessiond/session/groupjob.h"

/* Somebody that a request names. */
struct group_input {
	char *given;          /* owned: as it was written */
	struct jid jid, other; /* resolved; the other form, server NONE if unknown. jid NONE: it names nobody */
	int code;             /* 0: nothing said yet; 200 done; else why not (codes of groupadmin.h), 400: cannot be an address */
	bool barred;          /* may not be changed (a superadmin), whatever the server would say */
	char *invite_code;    /* owned, may be NULL */
	uint64_t invite_expires_s;
};

struct group_work;
/* The job is freed after the call. */
typedef void group_next(struct group_work *w, struct group_job *job);

struct group_work {
	struct rpc_request *request; /* borrowed: it owns us */
	struct jid group;
	struct jid own, own_lid;     /* as of the last job */
	struct group_input *people;  /* owned */
	size_t n;
	const void *route;           /* borrowed: the table row of whoever handles it */
	struct wa_group_answer kept; /* owned: an answer that a later step needs */
	struct buf json;             /* owned: of the answer */
	group_next *next;
	group_next *resolved;        /* group_people.c */
	void *more;                  /* owned, freed by more_free */
	void (*more_free)(void *more);
};

/* Reads the id in parameter `name` (NULL: the route has none). NULL: the request is answered ("<name> is required"). */
struct group_work *group_work_new(struct rpc_request *request, const char *name);
/* Asks; next(w, job) is called with the answer, or the request is answered because the session has gone. Owns the job. */
void group_ask(struct group_work *w, struct group_job *job, group_next *next);
/* A job about w's group. */
struct group_job *group_job_of(const struct group_work *w, enum wa_ask_kind kind);

/* ---- answers; each ends the request ---- */

/* WhatsApp says no; other failures (no answer, no connection, server errors) may go away by themselves. */
bool group_is_refusal(int code);
/* "forbidden: this account is not ..": the server's word, then what it means. Into text. */
const char *group_reason(int code, const char *word, char *text, size_t cap);
/* status/code with that text, or `fallback` where nothing is known. */
void group_refuse(struct group_work *w, const struct group_job *job, int status, int code, const char *fallback);
/* [w->json] with 200/1000. */
void group_answer(struct group_work *w, const char *message);
/* ... and others. */
void group_answer_as(struct group_work *w, int status, int code, const char *message);

/* ---- JSON into w->json ---- */

/* {"sessionId":..,"phone":..  and, with a group, ,"groupId":.. */
void group_open(struct group_work *w);
void group_close(struct group_work *w);
void group_put_jid(struct buf *out, const char *name, const struct jid *jid); /* null for none */
/* The metadata object. count: members. */
void group_put_meta(struct buf *out, const struct wa_group_facts *facts, size_t count);
/* The phone form of a pair, else the other; and the LID, if it is among them. Borrowed; NULL: none. */
const struct jid *group_phone_of(const struct jid *jid, const struct jid *other);
const struct jid *group_lid_of(const struct jid *jid, const struct jid *other);
/* Digits of a phone number, or of the LID where only that is known. */
const char *group_digits_of(const struct jid *jid, const struct jid *other);

/* rpc_group_join.c: "inviteLink", null without a code. */
void group_put_link(struct buf *out, const char *code);
/* rpc_group_settings.c. Characters that WhatsApp takes; false: longer, and the request is answered. */
enum { GROUP_SUBJECT_MAX = 100, GROUP_DESCRIPTION_MAX = 2048 };
bool group_text_fits(struct group_work *w, const char *name, const char *text, size_t max);

/* ---- group_people.c ---- */

/* Reads parameter "participants". False: there are none. */
bool group_people_read(struct group_work *w);
void group_people_free(struct group_work *w);
/* Asks which of them are on the network: code 404 for those that are not. Then next. */
void group_people_resolve(struct group_work *w, group_next *next);
/* The input that somebody of an answer is; NULL: none. */
struct group_input *group_people_find(struct group_work *w, const struct jid *jid, const struct jid *other);
/* Those without a code as the people of a job. */
void group_people_take(struct group_work *w, struct group_job *job);
/* Takes over an answer: what each got; who is not in it failed. With a failed job everybody did. */
void group_people_settle(struct group_work *w, const struct group_job *job);
/* "participants" or another name: [{input, phone, jid, lid, code, status, reason?, inviteCode?, inviteExpiration?}]; done: status of code 200 */
void group_people_put(struct group_work *w, const char *name, const char *done);

#endif
