/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Requests that bring files (contract rest-a 1.4, 1.13, 7.2): multipart/form-data, a form, JSON, or the body itself as one file. The
 * files lie in nameless spool files whose descriptors go to the daemon with the RPC frame; the frame's parameters say what they are:
 *
 *     {"fd":0,"size":1234,"name":"a.png","type":"image/png","declared":true}    descriptor number 0 of the frame
 *     {"url":"https://..","name":".."}                                                      fetched by the daemon
 *     {"stored":"<key>"}                                                                    rests in the storage, a file of the chosen session
 *     {"broken":true}                                                                       a data URI or base64 that is none
 */
#ifndef FCGI_UPLOAD_H
#define FCGI_UPLOAD_H

#include "fcgi/answer.h"
#include "fcgi/form.h"
#include "fcgi/request.h"

#define UPLOAD_MAX_KEYS 8

/* How a route takes its one file. */
struct upload_rules {
	const char *keys[UPLOAD_MAX_KEYS]; /* parameters that may hold it, in order; ends with NULL */
	struct fault invalid;
	int too_large_code;
	const char *noun;                  /* "Media": "Media too large (limit 1024MB)"; NULL: the words of the misc routes */
};

/* Reads the body; sets r->upload and r->body (fields), or r->body_fault. */
void upload_read(struct request *r);
/* Closes what the daemon did not need. */
void upload_free(struct request *r);
/* Writes the member "input". 0, or -1 with the fault in the answer. */
int upload_put_one(struct request *r, const struct upload_rules *rules, struct buf *p, struct answer *answer);
/*
 * Writes the member "input" for a value of the body of any JSON route: what it means, as above, or null if it means no file, or one that is
 * too large.
 */
void upload_put_optional(struct request *r, const struct json *v, struct buf *p);
/* True if a request of messages/send/files brings anything that could be a file. */
bool upload_has_any(struct request *r);
/* Writes the member "inputs", an array. 0, or -1 with the fault in the answer. */
int upload_put_all(struct request *r, struct buf *p, struct answer *answer);
/* The options of a request for compression, merged (rest-a 1.14), as member "compression"; nothing without any. */
void upload_put_compression(struct request *r, struct buf *p);

#endif
