/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HTTP requests with streamed answers, see httpstream.h. */
#include "sessiond/net/httpstream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/net/multi.h"

enum { TEXT_MAX = 64 << 10 };

struct httpstream {
	struct net *net; /* borrowed */
	struct net_transfer transfer;
	struct curl_slist *headers; /* owned */
	struct buf text;
	bool (*piece)(void *arg, int status, struct span bytes);
	void (*done)(void *arg, const struct httpstream_answer *answer);
	void *arg;
};

static void release(struct httpstream *stream)
{
	net_transfer_end(stream->net, &stream->transfer);
	curl_slist_free_all(stream->headers);
	buf_free(&stream->text);
	free(stream);
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *pointer)
{
	struct httpstream *stream = pointer;
	size_t n = size * count;
	long status = 0;

	curl_easy_getinfo(stream->transfer.easy, CURLINFO_RESPONSE_CODE, &status);
	if (stream->piece && status >= 200 && status < 300)
		return stream->piece(stream->arg, (int)status, span_of(bytes, n)) ? n : CURL_WRITEFUNC_PAUSE;
	/* What is longer tells nobody more; the transfer goes on so that the connection can be used again. */
	buf_append(&stream->text, bytes, n < TEXT_MAX - stream->text.len ? n : TEXT_MAX - stream->text.len);
	return n;
}

static const struct {
	CURLcode result;
	enum http_error error;
	const char *why;
} results[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, HTTP_DNS, "its name could not be resolved" },
	{ CURLE_COULDNT_CONNECT, HTTP_CONNECT, "nobody answers there" },
	{ CURLE_OPERATION_TIMEDOUT, HTTP_TIMEOUT, "it fell silent" },
	{ CURLE_SSL_CONNECT_ERROR, HTTP_TLS, "the TLS handshake failed" },
	{ CURLE_PEER_FAILED_VERIFICATION, HTTP_TLS, "its certificate was refused" },
	{ CURLE_URL_MALFORMAT, HTTP_BAD_URL, "its address cannot be used" },
};

static void on_done(struct net_transfer *transfer, CURLcode result)
{
	struct httpstream *stream = (struct httpstream *)((char *)transfer - offsetof(struct httpstream, transfer));
	struct httpstream_answer answer = { .error = HTTP_OK, .text = buf_span(&stream->text), .etag = "", .why = "" };
	struct curl_header *etag = NULL;
	long status = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	answer.status = (int)status;
	if (curl_easy_header(transfer->easy, "ETag", 0, CURLH_HEADER, -1, &etag) == CURLHE_OK)
		answer.etag = etag->value;
	if (result != CURLE_OK) {
		answer.error = HTTP_BROKEN;
		answer.why = "the connection broke";
		for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
			if (results[i].result == result) {
				answer.error = results[i].error;
				answer.why = results[i].why;
			}
		}
	}
	stream->done(stream->arg, &answer);
	release(stream);
}

static bool add_header(struct httpstream *stream, const char *line)
{
	struct curl_slist *grown = strpbrk(line, "\r\n") ? stream->headers : curl_slist_append(stream->headers, line);

	if (grown)
		stream->headers = grown;
	return grown != NULL;
}

static void set_options(struct httpstream *stream, const struct httpstream_request *request)
{
	CURL *easy = stream->transfer.easy;

	curl_easy_setopt(easy, CURLOPT_URL, request->url);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, stream->headers);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, stream);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)request->idle_ms);
	/* Not counted while the answer is paused. */
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)((request->idle_ms + 999) / 1000));
	if (request->body.p) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.n);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body.p);
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

int httpstream_start(struct httpstream **out, struct net *net, const struct httpstream_request *request)
{
	struct httpstream *stream = xcalloc(1, sizeof *stream);
	bool ok;

	stream->net = net;
	stream->piece = request->piece;
	stream->done = request->done;
	stream->arg = request->arg;
	stream->transfer.done = on_done;
	/* No waiting for "100 Continue". */
	ok = add_header(stream, "Expect:");
	for (size_t i = 0; i < request->header_count; i++)
		ok = add_header(stream, request->headers[i]) && ok;
	if (!ok || net_transfer_init(net, &stream->transfer) != 0) {
		release(stream);
		return -ENOMEM;
	}
	set_options(stream, request);
	if (net_transfer_start(net, &stream->transfer) != 0) {
		release(stream);
		return -ENOMEM;
	}
	*out = stream;
	return 0;
}

void httpstream_resume(struct httpstream *stream)
{
	curl_easy_pause(stream->transfer.easy, CURLPAUSE_CONT);
}

void httpstream_cancel(struct httpstream **stream_pointer)
{
	struct httpstream *stream = *stream_pointer;

	if (!stream)
		return;
	*stream_pointer = NULL;
	release(stream);
}
