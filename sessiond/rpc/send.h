/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What all send routes share: the common parameters, the job, idempotency, the answer (rest-a 1.12, 1.15, D9, D30). Main loop only.
 * Private to sessiond/rpc.
 *
 *     do_send_x() --> send_begin(request, build_x)      a repetition is answered here and goes no further
 *                       build_x(request)                fills a plan: contents and how the answer reads; at once or later
 *                         send_go(request, plan)        common parameters -> job -> session -> job done -> answer
 *
 * build_x() answers by itself (rpc_answer()) when it has nothing to send. request->work belongs to the idempotency key between
 * send_begin() and the answer; a builder that works asynchronously keeps its own state and the request's pointer.
 *
 * Parameters that send_go() reads: to (array of JIDs), presence, replyMessageId, isForwarded, forwardingScore, messageId, wait,
 * send_at (ms), priority, dry_run, audience (array of JIDs).
 */
#ifndef SESSIOND_RPC_SEND_H
#define SESSIOND_RPC_SEND_H

#include "sessiond/rpc/request.h"
#include "sessiond/session/session.h"

/* One of the files of a request, as the answer tells of it. */
struct send_file {
	char *name, *mime, *caption, *reply; /* owned; caption and reply may be NULL */
	uint64_t size;
	char *blocked;      /* owned: why it was not sent; NULL: it was */
};

/* How the answer of a route reads. Texts are copied into the outbox, so that the answer can be given after a crash, too. */
struct send_shape {
	char label[48];     /* "Text message": "Text message sent (2 recipients)" */
	char kind[64];      /* "text": status "text success", "text failed" */
	char noun[32];      /* "text": "Failed to send text to all recipients" */
	size_t per;         /* messages per recipient; the answer has one entry for them, that of the first. Filled in by send_go() */
	bool forwarded;     /* filled in by send_go() */
	char *quoted_id;    /* owned; filled in by send_go() */
	struct buf extras;  /* JSON members of advancedInfo behind quotedMessageId, "" or "\"displayName\":\"Ann\"" */
	/* several files: the answer lists them (files_answer.c); their messages are in the order of those that are not blocked */
	struct send_file *files; /* owned, n of them */
	size_t nfiles;
	bool album;         /* the first message of a recipient is the album that holds the others */
};

struct send_plan {
	struct send_shape shape;
	struct send_content *contents; /* owned; every recipient gets all of them, in order */
	size_t ncontents;
	struct jid *mentions;          /* owned */
	size_t nmentions;
	bool mention_all;
	struct send_group_mention *group_mentions; /* owned */
	size_t ngroup_mentions;
	uint32_t forwarding_score;     /* 0: the parameter's */
};

/* A plan with room for n contents, to be filled in. */
struct send_plan *send_plan_new(size_t ncontents, const char *label, const char *kind, const char *noun);
void send_plan_free(struct send_plan *plan);

/* Goes on with build(request) unless the request's Idempotency-Key has its answer already. */
void send_begin(struct rpc_request *request, rpc_work *build);
/* Sends the plan (owned from here on) and answers. */
void send_go(struct rpc_request *request, struct send_plan *plan);

/* A colour parameter ("#RRGGBB", opaque, or "#AARRGGBB"); *argb 0: not given. False: the request was refused. */
bool send_color(struct rpc_request *request, const char *name, uint32_t *argb);
/* Takes over what the common parameters say about a job as a whole. */
void send_job_common(const struct rpc_request *request, struct send_job *job);
/* The same about its recipients, which are set: the audience of a status. NULL, or why this cannot be sent. */
const char *send_job_audience(const struct rpc_request *request, struct send_job *job);
/* The answer of a job that was not stored (its state is not SEND_DONE). Returns the HTTP status. */
int send_answer_refused(struct buf *out, enum send_state state);
/* How long to wait, as far as a restriction or a hold says; 0: nothing does. */
int64_t send_retry_after_s(const struct send_job *job);
/* What would have been sent, without sending it; the job and the shape stay the caller's. */
void send_dry(struct rpc_request *request, struct send_job *job, const struct send_shape *shape);

/* ---- send_answer.c ---- */

void send_shape_free(struct send_shape *shape);
/* The text that a row keeps (store_outbox.info), and back; items: how many rows belong to the request. */
char *send_shape_store(const struct send_shape *shape, size_t items);
bool send_shape_load(struct send_shape *shape, const char *info, size_t *items);
/* The whole answer of a job that is done. Returns the HTTP status. */
int send_answer(struct buf *out, const struct send_job *job, const struct send_shape *shape);
/* The same for a job that was only tried out. */
int send_answer_dry(struct buf *out, const struct send_job *job, const struct send_shape *shape);
/* files_answer.c: the same for a shape with files. */
int send_answer_files(struct buf *out, const struct send_job *job, const struct send_shape *shape);
/* "success", "queued", "scheduled": how far the messages of the job got. */
const char *send_word(const struct send_job *job);
/* "advancedInfo":{ with the members that every entry of an answer has; the caller adds its own and closes it. */
void send_put_advanced(struct buf *out, const struct send_shape *shape, const struct send_result *result);
void send_file_free(struct send_file *file);
/* {"status":..,"code":..,"message":..}, with the JSON of result and failed unless NULL. */
void send_answer_put(struct buf *out, int status, int code, const char *message, const struct buf *result, const struct buf *failed);

#endif
