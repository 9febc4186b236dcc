/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * misc.hash, misc.hmac, misc.base64 (contract rest-b 5.8, rest-a D26, C6).
 *
 *     text ("text" of the frame) --------+--> decoded as inputEncoding says --> worker thread: digest, or a file of the bytes
 *     file (media_input.h: fd, url) -----+    taken as it is
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/crypto/named.h"
#include "sessiond/daemon.h"
#include "sessiond/json_text.h"
#include "sessiond/loop.h"
#include "sessiond/rpc/media_input.h"
#include "sessiond/rpc/misc_output.h"

enum { CHUNK = 65536, AUTO_MIN = 16 };

struct tool {
	struct rpc_request *request; /* borrowed; NULL: gone while a thread works */
	struct daemon *daemon;       /* borrowed */
	struct media_input input;
	bool has_input, working;
	int fd;                      /* borrowed or own (memory); -1: none yet */
	bool own_fd;
	char *text;                  /* borrowed from the request; NULL: a file */
	size_t text_len;
	const char *encoding;        /* static */
	struct named_digest *digest; /* owned; NULL: base64 */
	bool decode, lenient;
	uint8_t out[NAMED_DIGEST_MAX];
	int out_len;                 /* -1: failed */
	struct buf bytes;            /* owned: decoded text */
	int64_t size;
	bool bad_text;               /* not of its encoding */
};

static void tool_free(void *arg)
{
	struct tool *t = arg;

	if (t->working) {
		t->request = NULL;
		return;
	}
	if (t->has_input)
		media_input_free(&t->input);
	if (t->own_fd)
		close(t->fd);
	named_digest_free(t->digest);
	buf_wipe(&t->bytes);
	free(t->text);
	free(t);
}

static void refuse_input(struct tool *t)
{
	rpc_answer(t->request, 400, 2002, "input cannot be read", NULL);
}

/* ---- text to bytes ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Appends what lenient base64 stands for: blanks and padding do not matter. */
static int read_base64(const char *text, size_t n, struct buf *out)
{
	char *packed = xmalloc(n + 1);
	size_t len = 0, got = 0;
	int rc;

	for (size_t i = 0; i < n; i++)
		if (!is_blank(text[i]))
			packed[len++] = text[i];
	while (len > 0 && packed[len - 1] == '=')
		len--;
	rc = crypto_unbase64(packed, len, buf_reserve(out, len / 4 * 3 + 3), &got);
	if (!rc)
		buf_commit(out, got);
	free(packed);
	return rc ? -1 : 0;
}

/* At least 16 characters, a multiple of four, and encoding gives the same text: it could be nothing else. */
static bool is_canonical_base64(const char *text, size_t n, struct buf *out)
{
	size_t mark = out->len;
	char *again;
	bool same;

	if (n < AUTO_MIN || n % 4 != 0 || read_base64(text, n, out))
		return false;
	again = xmalloc(CRYPTO_BASE64_ROOM(out->len - mark));
	same = crypto_base64(CRYPTO_BASE64, out->data + mark, out->len - mark, again) == n && memcmp(again, text, n) == 0;
	free(again);
	if (!same)
		out->len = mark;
	return same;
}

static void decode_text(struct tool *t)
{
	if (t->lenient || strcmp(t->encoding, "base64") == 0) {
		t->bad_text = read_base64(t->text, t->text_len, &t->bytes) != 0 && !t->lenient;
		if (t->lenient && t->bytes.len == 0)
			buf_append(&t->bytes, t->text, t->text_len);
	} else if (strcmp(t->encoding, "hex") == 0) {
		t->bad_text = t->text_len % 2 != 0 || crypto_unhex(t->text, t->text_len, buf_reserve(&t->bytes, t->text_len / 2 + 1), t->text_len / 2) != 0;
		if (!t->bad_text)
			buf_commit(&t->bytes, t->text_len / 2);
	} else if (strcmp(t->encoding, "auto") != 0 || !is_canonical_base64(t->text, t->text_len, &t->bytes)) {
		buf_append(&t->bytes, t->text, t->text_len);
	}
}

/* ---- on a worker thread ---- */

static void digest_file(struct tool *t)
{
	uint8_t *chunk = xmalloc(CHUNK);
	int64_t at = 0;
	ssize_t n;

	while ((n = pread(t->fd, chunk, CHUNK, (off_t)at)) > 0) {
		if (named_digest_update(t->digest, chunk, (size_t)n))
			break;
		at += n;
	}
	t->out_len = n == 0 ? named_digest_end(t->digest, t->out) : -1;
	free(chunk);
}

static void bytes_to_file(struct tool *t)
{
	size_t at = 0;

	t->fd = memfd_create("base64", MFD_CLOEXEC);
	t->own_fd = t->fd >= 0;
	while (t->own_fd && at < t->bytes.len) {
		ssize_t n = write(t->fd, t->bytes.data + at, t->bytes.len - at);

		if (n <= 0) {
			close(t->fd);
			t->own_fd = false;
		} else {
			at += (size_t)n;
		}
	}
	t->size = (int64_t)t->bytes.len;
	t->out_len = t->own_fd ? 0 : -1;
}

static void work(void *arg)
{
	struct tool *t = arg;

	if (t->text)
		decode_text(t);
	if (t->bad_text)
		return;
	if (t->digest && !t->text)
		digest_file(t);
	else if (t->digest)
		t->out_len = named_digest_update(t->digest, t->bytes.data, t->bytes.len) ? -1 : named_digest_end(t->digest, t->out);
	else if (t->text)
		bytes_to_file(t);
}

/* ---- answers ---- */

static void put_latin1(struct buf *out, const uint8_t *bytes, size_t n)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < n; i++) {
		if (bytes[i] < 0x80) {
			buf_u8(&text, bytes[i]);
		} else {
			buf_u8(&text, (uint8_t)(0xc0 | bytes[i] >> 6));
			buf_u8(&text, (uint8_t)(0x80 | (bytes[i] & 0x3f)));
		}
	}
	json_put_span(out, buf_span(&text));
	buf_free(&text);
}

static void put_digest(struct buf *out, const struct tool *t, const char *form)
{
	char text[2 * NAMED_DIGEST_MAX + 8];
	size_t n = (size_t)t->out_len;

	if (strcmp(form, "latin1") == 0) {
		put_latin1(out, t->out, n);
		return;
	}
	if (strcmp(form, "utf8") == 0) {
		json_put_span(out, span_of(t->out, n));
		return;
	}
	if (strcmp(form, "hex") == 0)
		crypto_hex(t->out, n, text);
	else
		crypto_base64(strcmp(form, "base64") == 0 ? CRYPTO_BASE64 : CRYPTO_BASE64_URL_BARE, t->out, n, text);
	json_put_string(out, text);
}

static void answer_digest(struct tool *t)
{
	struct buf result = { 0 };

	buf_append_text(&result, "{\"data\":");
	put_digest(&result, t, rpc_param_text(t->request, "output"));
	buf_u8(&result, '}');
	rpc_answer(t->request, 200, 1000, strcmp(t->request->method->name, "misc.hash") == 0 ? "Hash generated" : "HMAC generated", buf_text(&result));
	buf_free(&result);
}

static void put(void *arg, int error, const char *data, const char *meta)
{
	struct tool *t = arg;
	struct buf result = { 0 };

	if (error) {
		misc_output_refuse(t->request, error);
		return;
	}
	buf_append_text(&result, "{\"data\":");
	buf_append_text(&result, data);
	if (t->decode)
		json_put_raw(&result, "meta", meta);
	buf_u8(&result, '}');
	rpc_answer(t->request, 200, 1000, t->decode ? "Decoded from base64" : "Encoded to base64", buf_text(&result));
	buf_free(&result);
}

static void answer_coded(struct tool *t)
{
	const char *mode = rpc_param_text(t->request, "output");
	const struct misc_output output = { .mode = t->decode && mode ? mode : "base64", .mime = "application/octet-stream", .fd = t->fd, .size = t->size };

	misc_output_put(t->daemon, &output, put, t);
}

static void worked(void *arg)
{
	struct tool *t = arg;

	t->working = false;
	if (!t->request)
		tool_free(t);
	else if (t->bad_text)
		refuse_input(t);
	else if (t->out_len < 0)
		rpc_answer(t->request, 500, 8000, "Internal error", NULL);
	else if (t->digest)
		answer_digest(t);
	else
		answer_coded(t);
}

/* ---- starting ---- */

static void start_work(struct tool *t)
{
	t->working = true;
	if (rpc_offload(t->request->context, work, worked, t))
		abort();
}

static void input_ready(void *arg, struct media_input *input)
{
	struct tool *t = arg;

	if (input->error == INPUT_TOO_LARGE) {
		rpc_answer(t->request, 413, 2006, "input exceeds limit (50.0 MB)", NULL);
	} else if (input->error == INPUT_SYSTEM) {
		rpc_answer(t->request, 500, 8000, "Internal error", NULL);
	} else if (input->error) {
		refuse_input(t);
	} else {
		t->fd = input->fd;
		t->size = (int64_t)input->size;
		start_work(t);
	}
}

static void start(struct rpc_request *request, struct named_digest *digest)
{
	const char *text = rpc_param_text(request, "text"), *encoding = rpc_param_text(request, "inputEncoding");
	const char *action = rpc_param_text(request, "action");
	struct tool *t = xcalloc(1, sizeof *t);

	t->request = request;
	t->daemon = request->context->daemon;
	t->fd = -1;
	t->digest = digest;
	t->decode = !digest && action && strcmp(action, "decode") == 0;
	t->encoding = t->decode ? "base64" : encoding && strcmp(encoding, "hex") == 0 ? "hex" : encoding && strcmp(encoding, "base64") == 0 ? "base64" :
		      encoding && strcmp(encoding, "auto") == 0 ? "auto" : "utf8";
	/* C6: what the original did. */
	t->lenient = digest && t->daemon->config->compat_hash_base64;
	request->work = t;
	request->work_free = tool_free;
	if (text) {
		t->text_len = strlen(text);
		t->text = xstrndup(text, t->text_len);
		start_work(t);
		return;
	}
	t->has_input = true;
	media_input_get(&t->input, request, json_object_object_get(request->p, "input"), LIMIT_MISC_FILE_BYTES, "file", input_ready, t);
}

static void do_hash(struct rpc_request *request)
{
	struct named_digest *digest = named_digest_new(rpc_param_text(request, "algo"), NULL, 0);

	if (digest)
		start(request, digest);
	else
		rpc_answer(request, 400, 2002, "Unsupported hash algorithm", NULL);
}

static void do_hmac(struct rpc_request *request)
{
	const char *key = rpc_param_text(request, "key");
	struct named_digest *digest = named_digest_new(rpc_param_text(request, "algo"), key, strlen(key));

	if (digest)
		start(request, digest);
	else
		rpc_answer(request, 400, 2002, "Unsupported HMAC algorithm", NULL);
}

static void do_base64(struct rpc_request *request)
{
	start(request, NULL);
}

const struct rpc_method rpc_tools_methods[] = {
	{ "misc.hash", do_hash },
	{ "misc.hmac", do_hmac },
	{ "misc.base64", do_base64 },
	{ NULL, NULL },
};
