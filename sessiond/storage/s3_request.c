/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signed requests to the bucket, see s3_request.h. */
#include "sessiond/storage/s3_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

#include "common/mem.h"
#include "common/timefmt.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/storage/s3_xml.h"

enum { ATTEMPTS = 4, PAUSE_MS = 200, GROWTH = 3, ONCE_MS = 5000 };

static const char empty_sha256[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

struct s3_call {
	struct s3 *s3; /* borrowed */
	struct s3_call *next, *prev;
	struct arena arena;
	struct s3_ask ask; /* texts in the arena */
	struct httpstream *stream;
	struct timer again;
	int attempts;
	bool taken; /* pieces of a good answer were handed out: not to be repeated */
};

static void free_call(struct s3_call *call)
{
	if (call->prev)
		call->prev->next = call->next;
	else
		call->s3->calls = call->next;
	if (call->next)
		call->next->prev = call->prev;
	timer_stop(call->s3->storage->timers, &call->again);
	httpstream_cancel(&call->stream);
	arena_free(&call->arena);
	free(call);
}

/* ---- answers ---- */

static const struct {
	const char *code;
	int error;
} codes[] = {
	{ "NoSuchKey", STORAGE_NOT_FOUND }, { "NoSuchUpload", STORAGE_NOT_FOUND }, { "InvalidRange", STORAGE_RANGE },
	{ "QuotaExceeded", STORAGE_FULL }, { "XMinioStorageFull", STORAGE_FULL }, { "EntityTooLarge", STORAGE_FULL },
	{ "BadDigest", STORAGE_CHANGED }, { "XAmzContentSHA256Mismatch", STORAGE_CHANGED },
};

static void judge(const struct httpstream_answer *from, struct s3_answer *to)
{
	char code[64] = "", message[100] = "";

	*to = (struct s3_answer){ .status = from->status, .etag = from->etag, .body = from->text };
	if (from->error) {
		to->error = STORAGE_AWAY;
		snprintf(to->text, sizeof to->text, "the S3 server: %s", from->why);
		return;
	}
	s3_xml_text(from->text, "Code", code, sizeof code);
	s3_xml_text(from->text, "Message", message, sizeof message);
	/* The end of a multipart upload may say 200 first and think better of it. */
	if (from->status >= 200 && from->status < 300 && !code[0])
		return;
	to->error = from->status == 404 && !code[0] ? STORAGE_NOT_FOUND
		    : from->status >= 500 || from->status == 429 || from->status == 200 ? STORAGE_AWAY
		    : from->status == 416 ? STORAGE_RANGE : STORAGE_REFUSED;
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		if (strcmp(codes[i].code, code) == 0)
			to->error = codes[i].error;
	}
	snprintf(to->text, sizeof to->text, "the S3 server answers %d %s%s%s", from->status, code, message[0] ? ": " : "", message);
}

static void start(struct s3_call *call);

static void start_again(void *arg)
{
	start(arg);
}

static void on_done(void *arg, const struct httpstream_answer *from)
{
	struct s3_call *call = arg;
	struct timers *timers = call->s3->storage->timers;
	struct s3_answer answer;

	call->stream = NULL;
	judge(from, &answer);
	/* Waiting out a silence takes long enough: once more, then the caller is told. */
	if (answer.error == STORAGE_AWAY && !call->taken && !call->ask.once && ++call->attempts < (from->error == HTTP_TIMEOUT ? 2 : ATTEMPTS)) {
		int64_t pause_ms = PAUSE_MS;
		uint8_t random = 0;

		for (int i = 1; i < call->attempts; i++)
			pause_ms *= GROWTH;
		(void)crypto_random(&random, 1);
		timer_start(timers, &call->again, timefmt_monotonic_ms() + pause_ms + pause_ms * random / 512, start_again, call);
		return;
	}
	call->ask.done(call->ask.arg, &answer);
	free_call(call);
}

static bool on_piece(void *arg, int status, struct span bytes)
{
	struct s3_call *call = arg;
	bool taken = call->ask.piece(call->ask.arg, status, bytes);

	call->taken = call->taken || taken;
	return taken;
}

/* ---- asking ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct s3_pair *)a)->name, ((const struct s3_pair *)b)->name);
}

static const char *url_of(struct s3_call *call, const char *path)
{
	struct buf url = { 0 };
	const char *text;

	buf_append_text(&url, call->s3->origin);
	s3_encode(&url, path, 1);
	for (size_t i = 0; i < call->ask.query_count; i++) {
		buf_u8(&url, i ? '&' : '?');
		s3_encode(&url, call->ask.query[i].name, 0);
		buf_u8(&url, '=');
		s3_encode(&url, call->ask.query[i].value, 0);
	}
	text = arena_strdup(&call->arena, buf_text(&url));
	buf_free(&url);
	return text;
}

/* Each attempt has a time, and so a signature, of its own. */
static void start(struct s3_call *call)
{
	const struct s3 *s3 = call->s3;
	const struct s3_ask *ask = &call->ask;
	struct s3_pair headers[S3_HEADERS_MAX + 4];
	const char *lines[S3_HEADERS_MAX + 8];
	const char *path = arena_printf(&call->arena, "%s%s", s3->root, ask->key), *payload = ask->payload ? ask->payload : empty_sha256;
	struct buf authorization = { 0 };
	char now[17];
	int64_t silent_ms = s3->storage->config->s3_timeout_ms;
	size_t n = 0, line_count = 0;

	if (ask->once && silent_ms > ONCE_MS)
		silent_ms = ONCE_MS;
	s3_time(timefmt_now_ms() / 1000, now);
	for (size_t i = 0; i < ask->header_count; i++)
		headers[n++] = ask->headers[i];
	headers[n++] = (struct s3_pair){ "host", s3->host };
	headers[n++] = (struct s3_pair){ "x-amz-date", now };
	headers[n++] = (struct s3_pair){ "x-amz-content-sha256", payload };
	if (s3->session)
		headers[n++] = (struct s3_pair){ "x-amz-security-token", s3->session };
	qsort(headers, n, sizeof *headers, by_name);
	s3_authorization(&authorization, &(struct s3_to_sign){ ask->method, path, ask->query, ask->query_count, headers, n, payload, s3->key, s3->secret,
			 s3->region, timefmt_now_ms() / 1000 });
	for (size_t i = 0; i < n; i++) {
		if (strcmp(headers[i].name, "host") != 0)
			lines[line_count++] = arena_printf(&call->arena, "%s: %s", headers[i].name, headers[i].value);
	}
	lines[line_count++] = arena_printf(&call->arena, "Authorization: %s", buf_text(&authorization));
	if (ask->range)
		lines[line_count++] = arena_printf(&call->arena, "Range: %s", ask->range);
	if (httpstream_start(&call->stream, s3->storage->net,
		    &(struct httpstream_request){ ask->method, url_of(call, path), lines, line_count, ask->body, silent_ms,
						  ask->piece ? on_piece : NULL, on_done, call }))
		abort();
	buf_free(&authorization);
}

struct s3_call *s3_call_start(struct s3 *s3, const struct s3_ask *ask)
{
	struct s3_call *call = xcalloc(1, sizeof *call);

	call->s3 = s3;
	arena_init(&call->arena, 0);
	call->ask = *ask;
	call->ask.key = arena_strdup(&call->arena, ask->key);
	call->ask.range = ask->range ? arena_strdup(&call->arena, ask->range) : NULL;
	call->ask.payload = ask->payload ? arena_strdup(&call->arena, ask->payload) : NULL;
	for (size_t i = 0; i < ask->query_count; i++)
		call->ask.query[i] = (struct s3_pair){ ask->query[i].name, arena_strdup(&call->arena, ask->query[i].value) };
	for (size_t i = 0; i < ask->header_count; i++)
		call->ask.headers[i] = (struct s3_pair){ ask->headers[i].name, arena_strdup(&call->arena, ask->headers[i].value) };
	call->next = s3->calls;
	if (call->next)
		call->next->prev = call;
	s3->calls = call;
	/* From the loop, so that done() is never called from in here. */
	timer_start(s3->storage->timers, &call->again, 0, start_again, call);
	return call;
}

void s3_call_cancel(struct s3_call *call)
{
	free_call(call);
}

void s3_call_resume(struct s3_call *call)
{
	if (call->stream)
		httpstream_resume(call->stream);
}

/* ---- settings ---- */

static char *value_or(const char *value, const char *variable)
{
	const char *inherited = getenv(variable);

	return value[0] ? xstrdup(value) : inherited && inherited[0] ? xstrdup(inherited) : NULL;
}

static int fail(char *why, size_t why_len, const char *text)
{
	snprintf(why, why_len, "%s", text);
	return -1;
}

/* Bucket names that would end up in a host name or path as something else. */
static bool bucket_is_valid(const char *bucket)
{
	return strlen(bucket) >= 3 && strlen(bucket) <= 63 && strspn(bucket, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == strlen(bucket) &&
	       !strstr(bucket, "..") && bucket[0] != '.' && bucket[0] != '-';
}

static void set_places(struct s3 *s3, const struct config *config)
{
	const char *bucket = config->s3_bucket, *host = strstr(config->s3_endpoint, "://");
	size_t host_len = host ? strcspn(host + 3, "/?#") : 0, path_len = host ? strcspn(host + 3 + host_len, "?#") : 0;
	const char *path = host ? host + 3 + host_len : "";
	bool own = host != NULL, address = own && strspn(host + 3, "0123456789.:") == host_len;
	/* A dot in the bucket's name does not fit Amazon's certificate, an address has no subdomains. */
	bool path_style = config->s3_force_path_style || address || (own && host[3] == '[') || strchr(bucket, '.');

	while (path_len && path[path_len - 1] == '/')
		path_len--;
	if (own) {
		s3->host = path_style ? xstrndup(host + 3, host_len) : xasprintf("%s.%.*s", bucket, (int)host_len, host + 3);
		s3->origin = xasprintf("%.*s%s", (int)(host + 3 - config->s3_endpoint), config->s3_endpoint, s3->host);
	} else {
		if (config->s3_accelerate && !path_style)
			s3->host = xasprintf("%s.s3-accelerate.amazonaws.com", bucket);
		else
			s3->host = xasprintf("%s%ss3.%s.amazonaws.com", path_style ? "" : bucket, path_style ? "" : ".", s3->region);
		s3->origin = xasprintf("https://%s", s3->host);
	}
	s3->root = xasprintf("%.*s/%s%s", (int)path_len, path, path_style ? bucket : "", path_style ? "/" : "");
	/* libcurl leaves the usual port out of the Host header. */
	if (strlen(s3->host) > 3 && strncmp(s3->origin, "http:", 5) == 0 && strcmp(s3->host + strlen(s3->host) - 3, ":80") == 0)
		s3->host[strlen(s3->host) - 3] = '\0';
	else if (strlen(s3->host) > 4 && strncmp(s3->origin, "https:", 6) == 0 && strcmp(s3->host + strlen(s3->host) - 4, ":443") == 0)
		s3->host[strlen(s3->host) - 4] = '\0';
}

static int set_customer_key(struct s3 *s3, const struct config *config, char *why, size_t why_len)
{
	uint8_t key[64], digest[EVP_MAX_MD_SIZE];
	size_t len = 0;

	if (!config->s3_sse_customer_key[0])
		return 0;
	if (strlen(config->s3_sse_customer_key) > 48 ||
	    crypto_unbase64(config->s3_sse_customer_key, strlen(config->s3_sse_customer_key), key, &len) != CRYPTO_OK || len != 32)
		return fail(why, why_len, "WAREST_STORAGE_S3_SSE_CUSTOMER_KEY: base64 of 32 bytes is needed");
	/* RFC 1321 for the checksum header that S3 demands; nothing rests on it. */
	if (EVP_Digest(key, len, digest, NULL, EVP_md5(), NULL) != 1)
		return fail(why, why_len, "WAREST_STORAGE_S3_SSE_CUSTOMER_KEY: no MD5 here");
	s3->sse_md5 = xmalloc(CRYPTO_BASE64_ROOM(16));
	crypto_base64(CRYPTO_BASE64, digest, 16, s3->sse_md5);
	crypto_wipe(key, sizeof key);
	return 0;
}

int s3_configure(struct s3 *s3, const struct config *config, char *why, size_t why_len)
{
	if (!bucket_is_valid(config->s3_bucket))
		return fail(why, why_len, "WAREST_STORAGE_S3_BUCKET: the name of a bucket is needed");
	s3->key = value_or(config->s3_key, "AWS_ACCESS_KEY_ID");
	s3->secret = value_or(config->s3_secret, "AWS_SECRET_ACCESS_KEY");
	s3->session = value_or(config->s3_session, config->s3_key[0] ? "" : "AWS_SESSION_TOKEN");
	s3->region = xstrdup(!config->s3_region[0] || strcasecmp(config->s3_region, "auto") == 0 ? "us-east-1" : config->s3_region);
	if (!s3->key || !s3->secret)
		return fail(why, why_len, "WAREST_STORAGE_S3_KEY and WAREST_STORAGE_S3_SECRET are needed: roles of machines and profiles of AWS tools are not asked for keys");
	if (config->s3_sse[0] && strcmp(config->s3_sse, "AES256") != 0 && strncmp(config->s3_sse, "aws:kms", 7) != 0)
		return fail(why, why_len, "WAREST_STORAGE_S3_SSE: AES256 or aws:kms");
	s3->sends_acl = config_is_set(config, "WAREST_STORAGE_S3_ACL");
	set_places(s3, config);
	return set_customer_key(s3, config, why, why_len);
}

void s3_unconfigure(struct s3 *s3)
{
	char *secrets[] = { s3->secret, s3->session };

	for (size_t i = 0; i < 2; i++) {
		if (secrets[i])
			crypto_wipe(secrets[i], strlen(secrets[i]));
	}
	free(s3->origin);
	free(s3->host);
	free(s3->root);
	free(s3->key);
	free(s3->secret);
	free(s3->session);
	free(s3->region);
	free(s3->sse_md5);
}

void s3_customer_key(const struct s3 *s3, struct s3_ask *ask)
{
	const struct config *config = s3->storage->config;

	if (!s3->sse_md5)
		return;
	ask->headers[ask->header_count++] = (struct s3_pair){ "x-amz-server-side-encryption-customer-algorithm",
		config->s3_sse_customer_algo[0] ? config->s3_sse_customer_algo : "AES256" };
	ask->headers[ask->header_count++] = (struct s3_pair){ "x-amz-server-side-encryption-customer-key", config->s3_sse_customer_key };
	ask->headers[ask->header_count++] = (struct s3_pair){ "x-amz-server-side-encryption-customer-key-md5", s3->sse_md5 };
}
