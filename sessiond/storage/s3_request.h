/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One signed request to the bucket, tried again with growing pauses when the server is busy, silent or gone. Private to sessiond/storage; main loop.
 */
#ifndef STORAGE_S3_REQUEST_H
#define STORAGE_S3_REQUEST_H

#include "sessiond/net/httpstream.h"
#include "sessiond/storage/driver.h"
#include "sessiond/storage/s3_sign.h"

struct s3_call;
struct s3_reader;

/* The bucket and how to get there. */
struct s3 {
	struct storage *storage; /* borrowed */
	char *origin;            /* owned: "https://bucket.s3.eu-west-1.amazonaws.com" */
	char *host;              /* owned: host[:port], as the Host header says it */
	char *root;              /* owned: what comes before a key: "/", "/bucket/" */
	char *key, *secret, *session, *region; /* owned */
	char *sse_md5;           /* owned: base64 MD5 of the SSE-C key; NULL: none */
	bool sends_acl;
	unsigned putting;        /* uploads that hold a buffer */
	struct storage_op *waiting; /* borrowed list of uploads that wait for their turn */
	struct s3_call *calls;   /* owned list */
	struct s3_reader *readers; /* owned list */
};

/* How it ended. */
struct s3_answer {
	int error;       /* enum storage_error; STORAGE_NOT_FOUND for 404 */
	int status;
	const char *etag;
	struct span body;
	char text[256];  /* with an error */
};

enum { S3_HEADERS_MAX = 12, S3_QUERY_MAX = 2 };

struct s3_ask {
	const char *method;
	const char *key;          /* object; copied */
	struct s3_pair query[S3_QUERY_MAX]; /* copied */
	size_t query_count;
	struct s3_pair headers[S3_HEADERS_MAX]; /* beside host, x-amz-date, -content-sha256, -security-token; lower-case; copied */
	size_t header_count;
	bool once;                /* a failure is told at once, a silence after ONCE_MS */
	const char *range;        /* header that is not signed; copied; NULL: none */
	struct span body;         /* borrowed until done */
	const char *payload;      /* hex of its SHA-256; NULL: of nothing */
	bool (*piece)(void *arg, int status, struct span bytes); /* as in httpstream.h */
	void (*done)(void *arg, const struct s3_answer *answer);
	void *arg;
};

struct s3_call *s3_call_start(struct s3 *s3, const struct s3_ask *ask);
void s3_call_cancel(struct s3_call *call);
/* The taker of pieces has room again. */
void s3_call_resume(struct s3_call *call);

/* Reads the settings. 0, or -1 with a line for the operator. */
int s3_configure(struct s3 *s3, const struct config *config, char *why, size_t why_len);
void s3_unconfigure(struct s3 *s3);
/* Adds SSE-C headers. */
void s3_customer_key(const struct s3 *s3, struct s3_ask *ask);

#endif
