/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * AWS Signature Version 4 for S3: requests (Authorization header) and presigned addresses. Pure functions on text; private to sessiond/storage.
 *
 *     canonical request = method \n path \n query \n headers \n names \n payload hash
 *     string to sign    = AWS4-HMAC-SHA256 \n time \n date/region/s3/aws4_request \n SHA-256(canonical request)
 *     key               = HMAC(HMAC(HMAC(HMAC("AWS4" + secret, date), region), "s3"), "aws4_request")
 *
 * Source: "Authenticating Requests (AWS Signature Version 4)" of the Amazon S3 API reference, whose examples are the unit test. libcurl's own
 * signer (CURLOPT_AWS_SIGV4) of 7.88 neither presigns nor orders query parameters.
 */
#ifndef STORAGE_S3_SIGN_H
#define STORAGE_S3_SIGN_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

#define S3_UNSIGNED "UNSIGNED-PAYLOAD"

struct s3_pair {
	const char *name, *value; /* headers: lower-case name; query: as it is, not encoded */
};

struct s3_to_sign {
	const char *method;
	const char *path;             /* not encoded, with '/' first */
	const struct s3_pair *query;  /* any order */
	size_t query_count;
	const struct s3_pair *headers; /* sorted by name; "host" among them */
	size_t header_count;
	const char *payload;          /* hex of SHA-256, or S3_UNSIGNED */
	const char *key, *secret, *region;
	int64_t now_s;
};

/* "20130524T000000Z" */
void s3_time(int64_t now_s, char out[17]);
/* Percent-encodes all but A-Z a-z 0-9 - . _ ~ and, where slash says so, '/'. */
void s3_encode(struct buf *out, const char *text, int slash);
/* Appends the value of the Authorization header. */
void s3_authorization(struct buf *out, const struct s3_to_sign *request);
/* Appends the encoded query of a presigned address, X-Amz-Signature last, without '?'. At most 12 query parameters of its own. session: token or NULL. */
void s3_presign(struct buf *out, const struct s3_to_sign *request, int64_t ttl_s, const char *session);

#endif
