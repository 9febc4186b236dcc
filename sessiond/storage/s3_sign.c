/* SPDX-License-Identifier: GPL-3.0-or-later */
/* AWS Signature Version 4, see s3_sign.h. */
#include "sessiond/storage/s3_sign.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/mem.h"
#include "sessiond/crypto/crypto.h"

enum { PAIRS_MAX = 20 };

void s3_time(int64_t now_s, char out[17])
{
	time_t t = (time_t)now_s;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(out, 17, "%Y%m%dT%H%M%SZ", &tm);
}

void s3_encode(struct buf *out, const char *text, int slash)
{
	for (const char *c = text; *c; c++) {
		if (isalnum((unsigned char)*c) || strchr("-._~", *c) || (slash && *c == '/'))
			buf_u8(out, (uint8_t)*c);
		else
			buf_printf(out, "%%%02X", (unsigned char)*c);
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct s3_pair *)a)->name, ((const struct s3_pair *)b)->name);
}

static void put_query(struct buf *out, const struct s3_pair *query, size_t n)
{
	struct s3_pair sorted[PAIRS_MAX];

	if (n == 0)
		return;
	if (n > PAIRS_MAX)
		abort();
	memcpy(sorted, query, n * sizeof *query);
	qsort(sorted, n, sizeof *sorted, by_name);
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_u8(out, '&');
		s3_encode(out, sorted[i].name, 0);
		buf_u8(out, '=');
		s3_encode(out, sorted[i].value, 0);
	}
}

static void put_names(struct buf *out, const struct s3_to_sign *r)
{
	for (size_t i = 0; i < r->header_count; i++)
		buf_printf(out, "%s%s", i ? ";" : "", r->headers[i].name);
}

static void put_scope(struct buf *out, const struct s3_to_sign *r, const char *now)
{
	buf_printf(out, "%.8s/%s/s3/aws4_request", now, r->region);
}

static void hmac(const void *key, size_t key_len, const char *text, uint8_t out[32])
{
	if (crypto_hmac(CRYPTO_SHA256, key, key_len, text, strlen(text), out) != CRYPTO_OK)
		abort();
}

/* Hex of the signature over a canonical request. */
static void sign(const struct s3_to_sign *r, const char *now, struct buf *canonical, char hex[65])
{
	char *first = xasprintf("AWS4%s", r->secret), date[9];
	uint8_t digest[32], a[32], b[32];
	struct buf text = { 0 };

	crypto_sha256(canonical->data, canonical->len, digest);
	crypto_hex(digest, sizeof digest, hex);
	buf_printf(&text, "AWS4-HMAC-SHA256\n%s\n", now);
	put_scope(&text, r, now);
	buf_printf(&text, "\n%s", hex);
	snprintf(date, sizeof date, "%.8s", now);
	hmac(first, strlen(first), date, a);
	hmac(a, sizeof a, r->region, b);
	hmac(b, sizeof b, "s3", a);
	hmac(a, sizeof a, "aws4_request", b);
	hmac(b, sizeof b, buf_text(&text), a);
	crypto_hex(a, sizeof a, hex);
	crypto_wipe(first, strlen(first));
	crypto_wipe(b, sizeof b);
	free(first);
	buf_free(&text);
}

static void put_canonical(struct buf *out, const struct s3_to_sign *r, const struct s3_pair *query, size_t query_count)
{
	buf_printf(out, "%s\n", r->method);
	s3_encode(out, r->path, 1);
	buf_u8(out, '\n');
	put_query(out, query, query_count);
	buf_u8(out, '\n');
	for (size_t i = 0; i < r->header_count; i++)
		buf_printf(out, "%s:%s\n", r->headers[i].name, r->headers[i].value);
	buf_u8(out, '\n');
	put_names(out, r);
	buf_printf(out, "\n%s", r->payload);
}

void s3_authorization(struct buf *out, const struct s3_to_sign *r)
{
	struct buf canonical = { 0 };
	char now[17], hex[65];

	s3_time(r->now_s, now);
	put_canonical(&canonical, r, r->query, r->query_count);
	sign(r, now, &canonical, hex);
	buf_printf(out, "AWS4-HMAC-SHA256 Credential=%s/", r->key);
	put_scope(out, r, now);
	buf_append_text(out, ",SignedHeaders=");
	put_names(out, r);
	buf_printf(out, ",Signature=%s", hex);
	buf_free(&canonical);
}

void s3_presign(struct buf *out, const struct s3_to_sign *r, int64_t ttl_s, const char *session)
{
	struct buf canonical = { 0 }, credential = { 0 }, names = { 0 };
	struct s3_pair query[PAIRS_MAX];
	size_t n = 0;
	char now[17], ttl[24], hex[65];

	s3_time(r->now_s, now);
	snprintf(ttl, sizeof ttl, "%" PRId64, ttl_s);
	buf_printf(&credential, "%s/", r->key);
	put_scope(&credential, r, now);
	put_names(&names, r);
	query[n++] = (struct s3_pair){ "X-Amz-Algorithm", "AWS4-HMAC-SHA256" };
	query[n++] = (struct s3_pair){ "X-Amz-Credential", buf_text(&credential) };
	query[n++] = (struct s3_pair){ "X-Amz-Date", now };
	query[n++] = (struct s3_pair){ "X-Amz-Expires", ttl };
	query[n++] = (struct s3_pair){ "X-Amz-SignedHeaders", buf_text(&names) };
	if (session && session[0])
		query[n++] = (struct s3_pair){ "X-Amz-Security-Token", session };
	for (size_t i = 0; i < r->query_count && n < PAIRS_MAX; i++)
		query[n++] = r->query[i];
	put_canonical(&canonical, r, query, n);
	sign(r, now, &canonical, hex);
	put_query(out, query, n);
	buf_printf(out, "&X-Amz-Signature=%s", hex);
	buf_free(&canonical);
	buf_free(&credential);
	buf_free(&names);
}
