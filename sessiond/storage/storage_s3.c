/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Objects in an S3 bucket, named by their keys.
 *
 *     up to 6 MiB    read, hash (thread) -> PUT
 *     more           POST ?uploads -> (read, hash a part (thread) -> PUT ?partNumber)* -> POST ?uploadId        two uploads at a time
 *     reading        GET with a range -> socket, paused while nobody reads
 *
 * At most two buffers of 6 MiB exist, whatever the files' sizes; further uploads wait their turn. The id of a multipart upload stands in the index
 * before its first part leaves, so that the next start can end it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "common/mem.h"
#include "common/timefmt.h"
#include "sessiond/async.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/loop.h"
#include "sessiond/storage/s3_request.h"
#include "sessiond/storage/s3_xml.h"
#include "sessiond/storage/sealedfile.h"

#define PART_BYTES ((int64_t)6 << 20)
#define PARTS_MAX 10000
#define PUTTING_MAX 2U
#define BUFFER_BYTES (64U << 10)

static struct s3 *s3_of(const struct storage_op *op)
{
	return op->storage->s3;
}

/* An error of the server becomes the operation's. */
static void take_error(struct storage_op *op, const struct s3_answer *answer)
{
	if (answer->error)
		storage_fail(op, answer->error, "%s", answer->text);
}

/* ---- putting ---- */

struct s3_put {
	struct storage_op *next;  /* waits for its turn */
	uint8_t *buffer;          /* owned: PART_BYTES */
	EVP_MD_CTX *hash;         /* owned: of the whole */
	int64_t at;               /* of the file */
	size_t filled;
	char payload[65];         /* hex of the buffer's SHA-256 */
	int64_t part;             /* number of the one in the buffer, from 1 */
	struct buf parts;         /* of the last request: <Part>.. */
	struct s3_call *call;
};

static void put_next_part(struct storage_op *op);
static void put_run(struct storage_op *op);

static void put_free(struct storage_op *op)
{
	struct s3_put *put = op->work;

	if (put->buffer)
		explicit_bzero(put->buffer, (size_t)PART_BYTES);
	free(put->buffer);
	EVP_MD_CTX_free(put->hash);
	buf_free(&put->parts);
	free(put);
	op->work = NULL;
}

static void put_over(struct storage_op *op)
{
	struct s3 *s3 = s3_of(op);
	struct storage_op *next = s3->waiting;

	put_free(op);
	s3->putting--;
	storage_moved(op);
	if (next) {
		struct s3_put *put = next->work;

		s3->waiting = put->next;
		put->next = NULL;
		put_run(next);
	}
}

/* Reads the next part and hashes it: a thread. */
static void read_part(void *arg)
{
	struct storage_op *op = arg;
	struct s3_put *put = op->work;
	int64_t left = op->file.size - put->at;
	uint8_t digest[32];

	put->filled = (size_t)(left < PART_BYTES ? left : PART_BYTES);
	if (put->filled && storage_pread(op->fd, put->buffer, put->filled, (uint64_t)put->at)) {
		storage_fail(op, STORAGE_CHANGED, "the file ended before its announced size");
		return;
	}
	EVP_DigestUpdate(put->hash, put->buffer, put->filled);
	crypto_sha256(put->buffer, put->filled, digest);
	crypto_hex(digest, sizeof digest, put->payload);
	put->at += (int64_t)put->filled;
	put->part++;
	if (put->at < op->file.size)
		return;
	/* Checked before the last part leaves: what is not what it should be never becomes an object. */
	EVP_DigestFinal_ex(put->hash, op->file.sha256, NULL);
	if (op->has_want && memcmp(op->want, op->file.sha256, sizeof op->want) != 0)
		storage_fail(op, STORAGE_CHANGED, "the file's SHA-256 is not the announced one");
}

static void add_header(struct s3_ask *ask, const char *name, const char *value)
{
	if (value && value[0])
		ask->headers[ask->header_count++] = (struct s3_pair){ name, value };
}

/* What makes an object: its type, who may read it, how it rests there. */
static void object_headers(struct storage_op *op, struct s3_ask *ask)
{
	const struct s3 *s3 = s3_of(op);
	const struct config *config = op->storage->config;

	add_header(ask, "content-type", op->file.mime);
	add_header(ask, "x-amz-meta-visibility", op->file.is_public ? "public" : "private");
	if (s3->sends_acl)
		add_header(ask, "x-amz-acl", op->file.is_public ? "public-read" : config->s3_acl);
	add_header(ask, "x-amz-server-side-encryption", config->s3_sse);
	if (config->s3_sse[0])
		add_header(ask, "x-amz-server-side-encryption-aws-kms-key-id", config->s3_sse_kms_key);
	s3_customer_key(s3, ask);
}

static void object_put(void *arg, const struct s3_answer *answer)
{
	struct storage_op *op = arg;

	take_error(op, answer);
	put_over(op);
}

static void single_read(struct storage_op *op)
{
	struct s3_put *put = op->work;
	struct s3_ask ask = { .method = "PUT", .key = op->file.object, .body = span_of(put->buffer, put->filled), .payload = put->payload, .done = object_put,
			      .arg = op };

	if (op->error) {
		put_over(op);
		return;
	}
	object_headers(op, &ask);
	put->call = s3_call_start(s3_of(op), &ask);
}

/* ---- in parts ---- */

static void upload_completed(void *arg, const struct s3_answer *answer)
{
	struct storage_op *op = arg;

	take_error(op, answer);
	/* Only a failed one is there to be ended. */
	if (!op->error)
		op->file.upload = NULL;
	put_over(op);
}

static void complete_upload(struct storage_op *op)
{
	struct s3_put *put = op->work;
	uint8_t digest[32];
	struct s3_ask ask = { .method = "POST", .key = op->file.object, .query = { { "uploadId", op->file.upload } }, .query_count = 1, .done = upload_completed,
			      .arg = op };

	buf_append_text(&put->parts, "</CompleteMultipartUpload>");
	crypto_sha256(put->parts.data, put->parts.len, digest);
	crypto_hex(digest, sizeof digest, put->payload);
	ask.body = buf_span(&put->parts);
	ask.payload = put->payload;
	add_header(&ask, "content-type", "application/xml");
	put->call = s3_call_start(s3_of(op), &ask);
}

static void put_xml(struct buf *out, const char *text)
{
	for (const char *c = text; *c; c++) {
		if (strchr("&<>\"", *c))
			buf_printf(out, "&#%d;", *c);
		else
			buf_u8(out, (uint8_t)*c);
	}
}

static void part_put(void *arg, const struct s3_answer *answer)
{
	struct storage_op *op = arg;
	struct s3_put *put = op->work;

	take_error(op, answer);
	if (!op->error && !answer->etag[0])
		storage_fail(op, STORAGE_REFUSED, "the S3 server gives a part no ETag");
	if (op->error) {
		put_over(op);
		return;
	}
	buf_printf(&put->parts, "<Part><PartNumber>%" PRId64 "</PartNumber><ETag>", put->part);
	put_xml(&put->parts, answer->etag);
	buf_append_text(&put->parts, "</ETag></Part>");
	if (put->at < op->file.size)
		put_next_part(op);
	else
		complete_upload(op);
}

static void part_read(struct storage_op *op)
{
	struct s3_put *put = op->work;
	char number[24];
	struct s3_ask ask = { .method = "PUT", .key = op->file.object, .query = { { "partNumber", number }, { "uploadId", op->file.upload } }, .query_count = 2,
			      .body = span_of(put->buffer, put->filled), .payload = put->payload, .done = part_put, .arg = op };

	if (op->error) {
		put_over(op);
		return;
	}
	snprintf(number, sizeof number, "%" PRId64, put->part);
	add_header(&ask, "content-type", "application/octet-stream");
	s3_customer_key(s3_of(op), &ask);
	put->call = s3_call_start(s3_of(op), &ask);
}

static void put_next_part(struct storage_op *op)
{
	storage_offload(op, read_part, part_read);
}

static void upload_noted(void *arg, int error)
{
	struct storage_op *op = arg;

	if (error)
		storage_fail(op, STORAGE_IO, "the index of stored files: %s", store_error_name(error));
	if (op->error)
		put_over(op);
	else
		put_next_part(op);
}

static void upload_begun(void *arg, const struct s3_answer *answer)
{
	struct storage_op *op = arg;
	char id[1100];
	struct store_tx *tx;

	take_error(op, answer);
	if (!op->error && (!s3_xml_text(answer->body, "UploadId", id, sizeof id) || !id[0]))
		storage_fail(op, STORAGE_REFUSED, "the S3 server begins an upload without an id");
	if (op->error) {
		put_over(op);
		return;
	}
	op->file.upload = arena_strdup(&op->arena, id);
	tx = store_tx_new(op->storage->store);
	store_tx_file_upload(tx, op->file.number, id);
	async_commit(op->storage->loop, op->storage->store, tx, upload_noted, op);
}

static void put_run(struct storage_op *op)
{
	struct s3 *s3 = s3_of(op);
	struct s3_put *put = op->work;
	struct s3_ask ask = { .method = "POST", .key = op->file.object, .query = { { "uploads", "" } }, .query_count = 1, .body = span_of("", 0),
			      .done = upload_begun, .arg = op };

	s3->putting++;
	put->buffer = xmalloc((size_t)PART_BYTES);
	put->hash = EVP_MD_CTX_new();
	if (!put->hash || EVP_DigestInit_ex(put->hash, EVP_sha256(), NULL) != 1)
		abort();
	if (op->file.size > PART_BYTES * PARTS_MAX) {
		storage_fail(op, STORAGE_INVALID, "the file is too long for S3");
		put_over(op);
	} else if (op->file.size <= PART_BYTES) {
		storage_offload(op, read_part, single_read);
	} else {
		object_headers(op, &ask);
		buf_append_text(&put->parts, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
		put->call = s3_call_start(s3, &ask);
	}
}

static void s3_put(struct storage_op *op)
{
	struct s3 *s3 = s3_of(op);
	struct s3_put *put = xcalloc(1, sizeof *put);

	op->work = put;
	if (s3->putting < PUTTING_MAX) {
		put_run(op);
		return;
	}
	if (s3->waiting) {
		struct s3_put *last = s3->waiting->work;

		while (last->next)
			last = last->next->work;
		last->next = op;
	} else {
		s3->waiting = op;
	}
}

/* ---- deleting ---- */

static void object_dropped(void *arg, const struct s3_answer *answer)
{
	struct storage_op *op = arg;

	if (answer->error != STORAGE_NOT_FOUND)
		take_error(op, answer);
	storage_dropped(op);
}

static void drop_object(struct storage_op *op)
{
	s3_call_start(s3_of(op), &(struct s3_ask){ .method = "DELETE", .key = op->file.object, .done = object_dropped, .arg = op });
}

static void upload_dropped(void *arg, const struct s3_answer *answer)
{
	struct storage_op *op = arg;

	/* Some servers cannot end an upload (405, 501): then nothing of it can be seen, and their own rules clean up. */
	if (answer->error && answer->error != STORAGE_NOT_FOUND && answer->status != 405 && answer->status != 501) {
		take_error(op, answer);
		storage_dropped(op);
		return;
	}
	drop_object(op);
}

static void s3_drop(struct storage_op *op)
{
	if (!op->file.upload) {
		drop_object(op);
		return;
	}
	s3_call_start(s3_of(op), &(struct s3_ask){ .method = "DELETE", .key = op->file.object, .query = { { "uploadId", op->file.upload } }, .query_count = 1,
						   .done = upload_dropped, .arg = op });
}

/* ---- reading ---- */

/* One object on its way to a socket. */
struct s3_reader {
	uv_poll_t poll;          /* first: freed with it */
	struct s3 *s3;
	struct s3_reader *next, *prev;
	struct storage_op *op;   /* until it is answered */
	struct s3_call *call;    /* NULL: the answer is over */
	int socket;              /* owned */
	int64_t left;            /* that the taker was promised */
	size_t sent, filled;
	bool polling, paused, ranged, wrong;
	uint8_t buffer[BUFFER_BYTES]; /* libcurl hands out at most 16 KiB */
};

static void free_reader(uv_handle_t *handle)
{
	struct s3_reader *reader = handle->data;

	close(reader->socket);
	free(reader);
}

static void end_reader(struct s3_reader *reader)
{
	if (reader->prev)
		reader->prev->next = reader->next;
	else
		reader->s3->readers = reader->next;
	if (reader->next)
		reader->next->prev = reader->prev;
	reader->s3->storage->pump_count--;
	if (reader->call)
		s3_call_cancel(reader->call);
	uv_close((uv_handle_t *)&reader->poll, free_reader);
}

static void on_room(uv_poll_t *poll, int status, int events);

/* False: the taker has left. */
static bool send_some(struct s3_reader *reader)
{
	while (reader->sent < reader->filled) {
		ssize_t n = send(reader->socket, reader->buffer + reader->sent, reader->filled - reader->sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			if (!reader->polling)
				reader->polling = uv_poll_start(&reader->poll, UV_WRITABLE | UV_DISCONNECT, on_room) == 0;
			return true;
		}
		if (n < 0)
			return false;
		reader->sent += (size_t)n;
	}
	return true;
}

static void on_room(uv_poll_t *poll, int status, int events)
{
	struct s3_reader *reader = poll->data;

	(void)events;
	uv_poll_stop(poll);
	reader->polling = false;
	if (status < 0 || !send_some(reader)) {
		end_reader(reader);
		return;
	}
	if (reader->sent < reader->filled)
		return;
	if (!reader->call) {
		end_reader(reader);
	} else if (reader->paused) {
		reader->paused = false;
		s3_call_resume(reader->call);
	}
}

static void tell_opened(struct s3_reader *reader)
{
	struct storage_op *op = reader->op;

	reader->op = NULL;
	if (op)
		storage_opened(op);
}

static bool on_piece(void *arg, int status, struct span bytes)
{
	struct s3_reader *reader = arg;

	/* A server that knows no ranges sends the beginning: that must not be taken for the part. */
	reader->wrong = reader->wrong || (reader->ranged && status != 206);
	if (reader->wrong)
		return true;
	tell_opened(reader);
	if (reader->sent < reader->filled) {
		reader->paused = true;
		return false;
	}
	/* Never more than was promised, whatever the server thinks a range is. */
	reader->filled = (int64_t)bytes.n < reader->left ? bytes.n : (size_t)reader->left;
	reader->left -= (int64_t)reader->filled;
	reader->sent = 0;
	if (reader->filled)
		memcpy(reader->buffer, bytes.p, reader->filled);
	/* The call cannot be ended from in here: the poll of a broken socket comes at once, and ends it. */
	if (!send_some(reader) && !reader->polling)
		reader->polling = uv_poll_start(&reader->poll, UV_WRITABLE | UV_DISCONNECT, on_room) == 0;
	return true;
}

static void on_read(void *arg, const struct s3_answer *answer)
{
	struct s3_reader *reader = arg;
	struct storage_op *op = reader->op;

	reader->call = NULL;
	if (op) {
		/* Nothing came, or not what was asked for. */
		reader->op = NULL;
		if (answer->error == STORAGE_NOT_FOUND)
			storage_fail(op, STORAGE_DAMAGED, "the bucket has lost the object");
		take_error(op, answer);
		storage_fail(op, STORAGE_DAMAGED, reader->wrong ? "the S3 server does not know ranges" : "the object in the bucket is empty");
		close(op->out);
		op->out = -1;
		storage_opened(op);
		end_reader(reader);
		return;
	}
	if (answer->error)
		log_warn(&reader->s3->storage->log, "an object cannot be read to its end", LOG_STR("reason", answer->text));
	if (!reader->polling)
		end_reader(reader);
}

static void s3_open(struct storage_op *op)
{
	struct s3 *s3 = s3_of(op);
	struct s3_reader *reader;
	struct s3_ask ask = { .method = "GET", .key = op->file.object, .piece = on_piece, .done = on_read };
	char range[64];
	int pair[2];

	if (pump_count(op->storage) >= PUMPS_MAX || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		storage_fail(op, STORAGE_IO, "too many files are being read");
		storage_opened(op);
		return;
	}
	reader = xcalloc(1, sizeof *reader);
	if (uv_poll_init(loop_uv(op->storage->loop), &reader->poll, pair[0]))
		abort();
	reader->poll.data = reader;
	reader->s3 = s3;
	reader->op = op;
	reader->socket = pair[0];
	reader->left = op->length;
	op->out = pair[1];
	reader->next = s3->readers;
	if (reader->next)
		reader->next->prev = reader;
	s3->readers = reader;
	op->storage->pump_count++;
	snprintf(range, sizeof range, "bytes=%" PRId64 "-%" PRId64, op->from, op->from + op->length - 1);
	ask.range = op->from > 0 || op->length < op->file.size ? range : NULL;
	reader->ranged = ask.range != NULL;
	ask.arg = reader;
	s3_customer_key(s3, &ask);
	reader->call = s3_call_start(s3, &ask);
}

/* ---- addresses ---- */

static void s3_url(struct storage *storage, const char *key, bool is_public, const char *download, int64_t ttl_sec, struct buf *url, int64_t *expires_ms)
{
	const struct s3 *s3 = storage->s3;
	const struct config *config = storage->config;
	int64_t now_s = timefmt_now_ms() / 1000, ttl = ttl_sec > 0 ? ttl_sec : config->s3_signed_ttl_sec;
	const struct s3_pair host = { "host", s3->host };
	struct s3_pair query = { "response-content-disposition", NULL };
	struct buf path = { 0 }, disposition = { 0 };
	struct s3_to_sign sign = { "GET", NULL, &query, 0, &host, 1, S3_UNSIGNED, s3->key, s3->secret, s3->region, now_s };

	/* An object under a key of ours can be had through us alone. */
	if (s3->sse_md5) {
		storage_local.url(storage, key, is_public, download, ttl_sec, url, expires_ms);
		return;
	}
	*expires_ms = 0;
	if (is_public) {
		const char *base = config->s3_public_url;
		size_t n = strlen(base);

		while (n && base[n - 1] == '/')
			n--;
		if (n)
			buf_printf(url, "%.*s/%s", (int)n, base, key);
		else
			buf_printf(url, "%s%s%s", s3->origin, s3->root, key);
		return;
	}
	ttl = ttl > 604800 ? 604800 : ttl;
	buf_printf(&path, "%s%s", s3->root, key);
	sign.path = buf_text(&path);
	if (download && download[0]) {
		buf_append_text(&disposition, "attachment; filename*=UTF-8''");
		s3_encode(&disposition, download, 0);
		query.value = buf_text(&disposition);
		sign.query_count = 1;
	}
	buf_append_text(url, s3->origin);
	s3_encode(url, sign.path, 1);
	buf_u8(url, '?');
	s3_presign(url, &sign, ttl, s3->session);
	*expires_ms = (now_s + ttl) * 1000;
	buf_free(&path);
	buf_free(&disposition);
}

/* ---- checking ---- */

static void checked(void *arg, const struct s3_answer *answer)
{
	struct storage_op *op = arg;

	take_error(op, answer);
	storage_answer(op);
}

/* The same small object each time: it proves the address, the credentials and the right to write. */
static void s3_check(struct storage_op *op)
{
	static const uint8_t content[] = { 'o', 'k', '\n' };
	uint8_t digest[32];
	char payload[65];
	struct s3_ask ask = { .method = "PUT", .key = ".warest-health", .body = { content, sizeof content }, .payload = payload, .once = true, .done = checked, .arg = op };

	crypto_sha256(content, sizeof content, digest);
	crypto_hex(digest, sizeof digest, payload);
	op->file.mime = "text/plain";
	object_headers(op, &ask);
	s3_call_start(s3_of(op), &ask);
}

/* ---- life ---- */

static int s3_start(struct storage *storage, char *why, size_t why_len)
{
	storage->s3 = xcalloc(1, sizeof *storage->s3);
	storage->s3->storage = storage;
	return s3_configure(storage->s3, storage->config, why, why_len);
}

static void s3_stop(struct storage *storage)
{
	struct s3 *s3 = storage->s3;

	while (s3->readers)
		end_reader(s3->readers);
	while (s3->calls)
		s3_call_cancel(s3->calls);
}

/* After the thread pool has given everything back. */
static void s3_free(struct storage *storage)
{
	for (struct storage_op *op = storage->ops; op; op = op->next) {
		if (op->step == STORAGE_PUT && op->driver == &storage_s3 && op->work)
			put_free(op);
	}
	s3_unconfigure(storage->s3);
	free(storage->s3);
	storage->s3 = NULL;
}

const struct storage_driver storage_s3 = {
	.name = "s3",
	.start = s3_start,
	.halt = s3_stop,
	.stop = s3_free,
	.put = s3_put,
	.open = s3_open,
	.drop = s3_drop,
	.check = s3_check,
	.url = s3_url,
};
