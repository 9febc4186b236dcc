/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bounded HTTP requests (see http.h). */
#include "sessiond/net/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/net/multi.h"

#define REDIRECTS_MAX 3U
/* libcurl's buffer for files, both ways. */
#define TRANSFER_BUFFER 131072L

struct http_call {
	struct net *net; /* borrowed */
	struct net_transfer transfer;
	struct net_task start;
	uv_getaddrinfo_t resolver;
	uv_timer_t *timer; /* owned */
	http_done *done;
	void *arg;
	const struct guard *guard; /* borrowed, may be NULL */
	char *method, *url;        /* owned; url of this hop */
	struct curl_slist *headers, *pins, *proxy_pin; /* owned */
	CURLU *parts;
	char *host;        /* owned: of this hop, ASCII form */
	struct buf body, answer;
	bool has_body, follow, http2, follow_get, truncated, guard_refused;
	bool has_body_file, has_answer_file, answer_full, file_failed;
	int body_fd, answer_fd; /* borrowed */
	uint64_t body_at, body_len, body_done, received;
	char *proxy;       /* owned */
	bool proxy_resolves;
	int64_t stall_ms;
	bool resolving; /* the resolver still holds this struct */
	bool over;      /* told or cancelled; only waits for the resolver */
	size_t max_answer;
	unsigned hops;
	int64_t timeout_ms;
	uint64_t started_ns;
	char error_text[CURL_ERROR_SIZE];
};

static const char not_public[] = "the address is not public; WAREST_OUTBOUND_ALLOW does not allow it";

static const char *const error_names[] = { "ok", "bad_url", "refused", "dns", "connect", "tls", "timeout", "redirects", "broken", "too_large",
	"file", "proxy" };

const char *http_error_name(enum http_error error)
{
	size_t i = (size_t)-(int)error;

	return i < sizeof(error_names) / sizeof(error_names[0]) ? error_names[i] : "unknown";
}

/* ---- the end ------------------------------------------------------------------------------------------------------------------ */

static void release(struct http_call *call)
{
	free(call->method);
	free(call->url);
	free(call->host);
	if (call->proxy)
		crypto_wipe(call->proxy, strlen(call->proxy));
	free(call->proxy);
	curl_slist_free_all(call->headers);
	curl_slist_free_all(call->pins);
	curl_slist_free_all(call->proxy_pin);
	curl_url_cleanup(call->parts);
	buf_free(&call->body);
	buf_free(&call->answer);
	free(call);
}

/* Stops everything; frees now, or when the resolver gives the struct back. */
static void stop(struct http_call *call)
{
	call->over = true;
	net_soon_cancel(call->net, &call->start);
	net_transfer_end(call->net, &call->transfer);
	if (call->timer) {
		uv_close((uv_handle_t *)call->timer, net_free_handle);
		call->timer = NULL;
	}
	if (call->resolving)
		uv_cancel((uv_req_t *)&call->resolver);
	else
		release(call);
}

static int64_t elapsed_ms(const struct http_call *call)
{
	return (int64_t)((uv_hrtime() - call->started_ns) / 1000000);
}

static void tell(struct http_call *call, enum http_error error, int status, int64_t retry_after_s, const char *text)
{
	char *type = NULL, *location = NULL;
	struct http_answer answer = {
		.error = error,
		.status = status,
		.body = buf_span(&call->answer),
		.truncated = call->truncated,
		.retry_after_s = retry_after_s,
		.round_trip_ms = elapsed_ms(call),
		.received = call->received,
		.url = call->url,
		.text = text,
	};

	if (call->transfer.easy && status != 0) {
		curl_easy_getinfo(call->transfer.easy, CURLINFO_CONTENT_TYPE, &type);
		curl_easy_getinfo(call->transfer.easy, CURLINFO_REDIRECT_URL, &location);
	}
	answer.type = type ? type : "";
	answer.location = location ? location : "";
	call->done(call->arg, &answer);
	stop(call);
}

static void fail(struct http_call *call, enum http_error error, const char *text)
{
	tell(call, error, 0, -1, text);
}

/* ---- one hop ------------------------------------------------------------------------------------------------------------------ */

/* True if len bytes now stand at this place of the file. */
static bool write_at(int fd, const char *bytes, size_t len, uint64_t at)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, bytes, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
		at += (uint64_t)n;
	}
	return true;
}

static size_t answer_to_file(struct http_call *call, const char *bytes, size_t len)
{
	if (len > call->max_answer - call->received) {
		call->answer_full = true;
		return 0;
	}
	if (!write_at(call->answer_fd, bytes, len, call->received)) {
		call->file_failed = true;
		return 0;
	}
	call->received += len;
	return len;
}

static bool is_success(struct http_call *call)
{
	long status = 0;

	curl_easy_getinfo(call->transfer.easy, CURLINFO_RESPONSE_CODE, &status);
	return status >= 200 && status < 300;
}

static size_t on_answer_bytes(char *bytes, size_t size, size_t count, void *call_pointer)
{
	struct http_call *call = call_pointer;
	size_t len = size * count;
	size_t room = call->max_answer - call->answer.len;

	if (call->has_answer_file) {
		/* What a refusal says is not looked at. */
		return is_success(call) ? answer_to_file(call, bytes, len) : len;
	}
	if (len > room) {
		buf_append(&call->answer, bytes, room);
		call->truncated = true;
		return 0; /* ends the transfer: the rest is not read */
	}
	buf_append(&call->answer, bytes, len);
	return len;
}

static size_t on_body_wanted(char *to, size_t size, size_t count, void *call_pointer)
{
	struct http_call *call = call_pointer;
	uint64_t left = call->body_len - call->body_done;
	size_t want = size * count < left ? size * count : (size_t)left;
	ssize_t n;

	do
		n = pread(call->body_fd, to, want, (off_t)(call->body_at + call->body_done));
	while (n < 0 && errno == EINTR);
	if (n < 0 || (n == 0 && want > 0)) {
		call->file_failed = true;
		return CURL_READFUNC_ABORT;
	}
	call->body_done += (uint64_t)n;
	return (size_t)n;
}

/* libcurl begins again when a kept connection turns out to be dead. */
static int on_body_rewind(void *call_pointer, curl_off_t to, int origin)
{
	struct http_call *call = call_pointer;

	if (origin != SEEK_SET || to < 0 || (uint64_t)to > call->body_len)
		return CURL_SEEKFUNC_FAIL;
	call->body_done = (uint64_t)to;
	return CURL_SEEKFUNC_OK;
}

/* The last word of the guard: the address that is really dialled. That of a proxy is a matter of our own settings. */
static curl_socket_t on_open_socket(void *call_pointer, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http_call *call = call_pointer;

	(void)purpose;
	if (call->guard && !call->proxy && !guard_allows(call->guard, call->host, &address->addr)) {
		call->guard_refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static void set_file_options(struct http_call *call)
{
	CURL *easy = call->transfer.easy;

	if (call->has_body_file) {
		call->body_done = 0;
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_len);
		curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_body_wanted);
		curl_easy_setopt(easy, CURLOPT_READDATA, call);
		curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_body_rewind);
		curl_easy_setopt(easy, CURLOPT_SEEKDATA, call);
		curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, TRANSFER_BUFFER);
	}
	if (call->has_answer_file)
		curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, TRANSFER_BUFFER);
	if (call->stall_ms > 0) {
		curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
		curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)((call->stall_ms + 999) / 1000));
		curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)call->stall_ms);
	}
}

static void set_proxy_options(struct http_call *call)
{
	CURL *easy = call->transfer.easy;

	if (!call->proxy)
		return;
	curl_easy_setopt(easy, CURLOPT_PROXY, call->proxy);
	/* Somebody's NO_PROXY names no way around it. */
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	/* What users ask for is none of the proxy's business, and its own answers are none of theirs. */
	if (call->guard)
		curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
	if (call->proxy_pin)
		curl_easy_setopt(easy, CURLOPT_CONNECT_TO, call->proxy_pin);
}

static void set_hop_options(struct http_call *call)
{
	CURL *easy = call->transfer.easy;
	int64_t left_ms = call->timeout_ms - elapsed_ms(call);

	curl_easy_setopt(easy, CURLOPT_CURLU, call->parts);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->error_text);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_answer_bytes);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(left_ms > 1 ? left_ms : 1));
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, call);
	if (call->pins)
		curl_easy_setopt(easy, CURLOPT_RESOLVE, call->pins);
	if (call->has_body) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body.data ? (const char *)call->body.data : "");
	}
	if (call->http2)
		curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
	set_file_options(call);
	set_proxy_options(call);
	if (call->method)
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
}

static void start_transfer(struct http_call *call)
{
	buf_clear(&call->answer);
	call->truncated = call->guard_refused = call->answer_full = call->file_failed = false;
	call->received = 0;
	call->error_text[0] = '\0';
	if (net_transfer_init(call->net, &call->transfer) != 0) {
		fail(call, HTTP_CONNECT, "no memory for a connection");
		return;
	}
	set_hop_options(call);
	if (net_transfer_start(call->net, &call->transfer) != 0)
		fail(call, HTTP_CONNECT, "no memory for a connection");
}

/* ---- resolving and judging ---------------------------------------------------------------------------------------------------- */

static bool append_address(struct buf *pin, const struct sockaddr *address)
{
	char text[INET6_ADDRSTRLEN];
	const void *bytes;

	if (address->sa_family == AF_INET)
		bytes = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
	else if (address->sa_family == AF_INET6)
		bytes = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
	else
		return false;
	if (!inet_ntop(address->sa_family, bytes, text, sizeof(text)))
		return false;
	buf_printf(pin, address->sa_family == AF_INET6 ? "[%s]" : "%s", text);
	return true;
}

static char *url_part(CURLU *parts, CURLUPart what, unsigned flags)
{
	char *text = NULL, *copy = NULL;

	if (curl_url_get(parts, what, &text, flags) == CURLUE_OK && text)
		copy = xstrdup(text);
	curl_free(text);
	return copy;
}

/* "host:port:address,address" for CURLOPT_RESOLVE; false if the guard leaves none. */
static bool pin(struct http_call *call, const struct name_addresses *addresses)
{
	char *port = url_part(call->parts, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	struct buf line = { 0 };
	unsigned n = 0;

	/* "+": libcurl forgets the entry after a minute, as it does with names it resolved itself. */
	buf_printf(&line, "+%s:%s:", call->host, port ? port : "443");
	for (size_t i = 0; i < addresses->n; i++) {
		const struct sockaddr *address = (const struct sockaddr *)(const void *)&addresses->list[i];

		if (!guard_allows(call->guard, call->host, address))
			continue;
		if (n > 0)
			buf_u8(&line, ',');
		if (append_address(&line, address))
			n++;
	}
	curl_slist_free_all(call->pins);
	/* libcurl dials an IPv6 address as it stands, and has no form to pin one. */
	call->pins = n > 0 && !strchr(call->host, ':') ? curl_slist_append(NULL, buf_text(&line)) : NULL;
	buf_free(&line);
	free(port);
	return n > 0;
}

/* The address that the proxy is to connect to, an IPv4 one first: fewer proxies have IPv6. False if the guard leaves none. */
static bool pin_for_proxy(struct http_call *call, const struct name_addresses *addresses)
{
	const struct sockaddr *chosen = NULL;
	struct buf line = { 0 };

	for (size_t i = 0; i < addresses->n; i++) {
		const struct sockaddr *address = (const struct sockaddr *)(const void *)&addresses->list[i];

		if (guard_allows(call->guard, call->host, address) && (!chosen || (chosen->sa_family != AF_INET && address->sa_family == AF_INET)))
			chosen = address;
	}
	curl_slist_free_all(call->proxy_pin);
	call->proxy_pin = NULL;
	/* Of any host, at the port of the URL. */
	buf_append_text(&line, "::");
	if (chosen && append_address(&line, chosen)) {
		buf_u8(&line, ':');
		call->proxy_pin = curl_slist_append(NULL, buf_text(&line));
	}
	buf_free(&line);
	return call->proxy_pin != NULL;
}

static void dial(struct http_call *call, const struct name_addresses *addresses)
{
	if (call->proxy ? pin_for_proxy(call, addresses) : pin(call, addresses))
		start_transfer(call);
	else
		fail(call, HTTP_REFUSED, not_public);
}

/* The proxy will look the name up: all that can be judged is the name. */
static void dial_by_name(struct http_call *call)
{
	curl_slist_free_all(call->proxy_pin);
	call->proxy_pin = NULL;
	if (guard_allows_name(call->guard, call->host))
		start_transfer(call);
	else
		fail(call, HTTP_REFUSED, not_public);
}

static int64_t clock_ms(void)
{
	return (int64_t)(uv_hrtime() / 1000000);
}

static void on_resolved(uv_getaddrinfo_t *resolver, int status, struct addrinfo *list)
{
	struct http_call *call = resolver->data;
	struct name_addresses addresses;

	call->resolving = false;
	names_of(list, &addresses);
	uv_freeaddrinfo(list);
	if (call->over) {
		release(call);
	} else if (status != 0) {
		fail(call, HTTP_DNS, "the host name could not be resolved");
	} else {
		names_keep(net_names(call->net), call->host, &addresses, clock_ms());
		dial(call, &addresses);
	}
}

/* Splits call->url; false if it is none of ours. */
static bool split_url(struct http_call *call)
{
	char *scheme, *zone;
	bool ok;

	curl_url_cleanup(call->parts);
	free(call->host);
	call->host = NULL;
	call->parts = curl_url();
	if (!call->parts || curl_url_set(call->parts, CURLUPART_URL, call->url, 0) != CURLUE_OK)
		return false;
	scheme = url_part(call->parts, CURLUPART_SCHEME, 0);
	zone = url_part(call->parts, CURLUPART_ZONEID, 0);
	call->host = url_part(call->parts, CURLUPART_HOST, CURLU_PUNYCODE);
	ok = scheme && (strcasecmp(scheme, "http") == 0 || strcasecmp(scheme, "https") == 0) && !zone && call->host &&
	     call->host[0] && curl_url_set(call->parts, CURLUPART_HOST, call->host, 0) == CURLUE_OK;
	free(scheme);
	free(zone);
	return ok;
}

static void start_hop(struct http_call *call)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct name_addresses addresses;
	size_t len;

	if (!split_url(call)) {
		fail(call, HTTP_BAD_URL, "not an absolute http or https address");
		return;
	}
	if (!call->guard) {
		start_transfer(call);
		return;
	}
	len = strlen(call->host);
	if (call->host[0] == '[' && len > 2 && call->host[len - 1] == ']') {
		/* The resolver knows IPv6 addresses without the brackets; libcurl's pins do not need them either. */
		memmove(call->host, call->host + 1, len - 2);
		call->host[len - 2] = '\0';
	}
	if (call->proxy && call->proxy_resolves && !names_literal(call->host, &addresses)) {
		dial_by_name(call);
		return;
	}
	if (names_literal(call->host, &addresses) || names_find(net_names(call->net), call->host, clock_ms(), &addresses)) {
		dial(call, &addresses);
		return;
	}
	call->resolver.data = call;
	call->resolving = uv_getaddrinfo(net_loop(call->net), &call->resolver, on_resolved, call->host, NULL, &hints) == 0;
	if (!call->resolving)
		fail(call, HTTP_DNS, "the host name could not be resolved");
}

static void on_start(struct net_task *task)
{
	start_hop((struct http_call *)((char *)task - offsetof(struct http_call, start)));
}

/* ---- answers ------------------------------------------------------------------------------------------------------------------ */

static const struct {
	CURLcode result;
	enum http_error error;
	const char *text;
} results[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, HTTP_DNS, "the host name could not be resolved" },
	{ CURLE_COULDNT_CONNECT, HTTP_CONNECT, "no connection to the host" },
	{ CURLE_OPERATION_TIMEDOUT, HTTP_TIMEOUT, "no answer in time" },
	{ CURLE_SSL_CONNECT_ERROR, HTTP_TLS, "the TLS handshake failed" },
	{ CURLE_PEER_FAILED_VERIFICATION, HTTP_TLS, "the certificate was refused" },
	{ CURLE_SSL_CACERT_BADFILE, HTTP_TLS, "the CA bundle cannot be read" },
	{ CURLE_GOT_NOTHING, HTTP_BROKEN, "the connection ended without an answer" },
	{ CURLE_PARTIAL_FILE, HTTP_BROKEN, "the answer ended early" },
	{ CURLE_RECV_ERROR, HTTP_BROKEN, "the connection broke" },
	{ CURLE_SEND_ERROR, HTTP_BROKEN, "the connection broke" },
	/* The address was looked at before: this is how libcurl names bytes without a status line (HTTP/0.9). */
	{ CURLE_UNSUPPORTED_PROTOCOL, HTTP_BROKEN, "what came is not HTTP" },
};

/* True if nothing came to the host or from it: the proxy is missing, refuses, or did not get there. */
static bool proxy_failed(const struct http_call *call, CURLcode result)
{
	long connect_status = 0;

	if (!call->proxy)
		return false;
	curl_easy_getinfo(call->transfer.easy, CURLINFO_HTTP_CONNECTCODE, &connect_status);
	return result == CURLE_COULDNT_RESOLVE_PROXY || result == CURLE_COULDNT_CONNECT || result == CURLE_PROXY || connect_status >= 300;
}

static void fail_transfer(struct http_call *call, CURLcode result)
{
	/* It may have moved. */
	if (call->host && (result == CURLE_COULDNT_CONNECT || result == CURLE_OPERATION_TIMEDOUT))
		names_forget(net_names(call->net), call->host);
	if (call->guard_refused) {
		fail(call, HTTP_REFUSED, not_public);
		return;
	}
	if (proxy_failed(call, result)) {
		fail(call, HTTP_PROXY, "the proxy is not there or does not connect");
		return;
	}
	if (call->answer_full || call->file_failed) {
		fail(call, call->answer_full ? HTTP_TOO_LARGE : HTTP_FILE, call->answer_full ? "the answer is larger than allowed" : "a file cannot be read or written");
		return;
	}
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		if (results[i].result == result) {
			fail(call, results[i].error, results[i].text);
			return;
		}
	}
	fail(call, HTTP_BROKEN, curl_easy_strerror(result));
}

/* True if the answer sends us elsewhere and the next hop is under way (or has failed). */
static bool redirected(struct http_call *call, long status)
{
	char *url = NULL;

	if (!(call->follow && (status == 307 || status == 308)) && !(call->follow_get && (status == 301 || status == 302 || status == 303)))
		return false;
	if (curl_easy_getinfo(call->transfer.easy, CURLINFO_REDIRECT_URL, &url) != CURLE_OK || !url)
		return false;
	if (++call->hops > REDIRECTS_MAX) {
		fail(call, HTTP_REDIRECTS, "too many redirects");
		return true;
	}
	free(call->url);
	call->url = xstrdup(url);
	net_transfer_end(call->net, &call->transfer);
	start_hop(call);
	return true;
}

static void on_transfer_done(struct net_transfer *transfer, CURLcode result)
{
	struct http_call *call = (struct http_call *)((char *)transfer - offsetof(struct http_call, transfer));
	curl_off_t retry_after = 0;
	long status = 0;

	if (result != CURLE_OK && !(result == CURLE_WRITE_ERROR && call->truncated)) {
		fail_transfer(call, result);
		return;
	}
	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	if (redirected(call, status))
		return;
	curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &retry_after);
	tell(call, HTTP_OK, (int)status, retry_after > 0 ? (int64_t)retry_after : -1, "");
}

static void on_timeout(uv_timer_t *timer)
{
	fail(timer->data, HTTP_TIMEOUT, "no answer in time");
}

/* ---- the caller's side -------------------------------------------------------------------------------------------------------- */

static bool add_header(struct http_call *call, const char *line)
{
	struct curl_slist *grown;

	/* A line break would add headers of somebody else's choice. */
	if (strpbrk(line, "\r\n"))
		return true;
	grown = curl_slist_append(call->headers, line);
	if (grown)
		call->headers = grown;
	return grown != NULL;
}

int http_send(struct http_call **out, struct net *net, const struct http_request *request, http_done *done, void *arg)
{
	struct http_call *call = xcalloc(1, sizeof(*call));
	bool ok;

	call->net = net;
	call->done = done;
	call->arg = arg;
	call->guard = request->guard;
	call->follow = request->follow;
	call->http2 = request->http2;
	call->follow_get = request->follow_get && !request->method && !request->body.p && !request->has_body_file;
	call->has_body_file = request->has_body_file;
	call->body_fd = request->body_fd;
	call->body_at = request->body_at;
	call->body_len = request->body_len;
	call->has_answer_file = request->has_answer_file;
	call->answer_fd = request->answer_fd;
	call->stall_ms = request->stall_ms;
	call->proxy = request->proxy && request->proxy[0] ? xstrdup(request->proxy) : NULL;
	call->proxy_resolves = request->proxy_resolves;
	call->timeout_ms = request->timeout_ms;
	call->max_answer = request->max_answer;
	call->url = xstrdup(request->url);
	call->method = request->method ? xstrdup(request->method) : NULL;
	call->has_body = request->body.p != NULL;
	buf_append_span(&call->body, request->body);
	call->transfer.done = on_transfer_done;
	call->start.run = on_start;
	call->started_ns = uv_hrtime();
	/* No waiting for "100 Continue". */
	ok = add_header(call, "Expect:");
	for (size_t i = 0; i < request->header_count; i++)
		ok = add_header(call, request->headers[i]) && ok;
	if (!ok) {
		release(call);
		return -ENOMEM;
	}
	call->timer = xcalloc(1, sizeof(*call->timer));
	uv_timer_init(net_loop(net), call->timer);
	call->timer->data = call;
	uv_update_time(net_loop(net));
	uv_timer_start(call->timer, on_timeout, (uint64_t)call->timeout_ms, 0);
	net_soon(net, &call->start);
	*out = call;
	return 0;
}

void http_cancel(struct http_call **call_pointer)
{
	struct http_call *call = *call_pointer;

	if (!call)
		return;
	*call_pointer = NULL;
	stop(call);
}

bool http_url_is_valid(const char *url)
{
	struct http_call probe = { .url = (char *)(uintptr_t)url };
	bool ok = url && split_url(&probe);

	curl_url_cleanup(probe.parts);
	free(probe.host);
	return ok;
}
