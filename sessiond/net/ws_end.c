/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the end of a WebSocket connection is told (see ws_end.h). */
#include "sessiond/net/ws_end.h"

#include <stddef.h>

static const char *const names[] = {
	[WS_END_CLOSED] = "closed",
	[WS_END_PEER_CLOSE] = "peer_close",
	[WS_END_LOST] = "lost",
	[WS_END_DNS] = "dns",
	[WS_END_CONNECT] = "connect",
	[WS_END_TLS] = "tls",
	[WS_END_PROXY] = "proxy",
	[WS_END_UPGRADE] = "upgrade",
	[WS_END_TIMEOUT] = "timeout",
	[WS_END_PROTOCOL] = "protocol",
	[WS_END_TOO_BIG] = "too_big",
	[WS_END_QUEUE_FULL] = "queue_full",
};

static const struct {
	CURLcode result;
	enum ws_reason direct, proxied;
} results[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, WS_END_DNS, WS_END_DNS },
	{ CURLE_COULDNT_RESOLVE_PROXY, WS_END_PROXY, WS_END_PROXY },
	{ CURLE_PROXY, WS_END_PROXY, WS_END_PROXY },
	{ CURLE_COULDNT_CONNECT, WS_END_CONNECT, WS_END_PROXY },
	{ CURLE_OPERATION_TIMEDOUT, WS_END_TIMEOUT, WS_END_TIMEOUT },
	{ CURLE_SSL_CONNECT_ERROR, WS_END_TLS, WS_END_TLS },
	{ CURLE_PEER_FAILED_VERIFICATION, WS_END_TLS, WS_END_TLS },
	{ CURLE_SSL_CERTPROBLEM, WS_END_TLS, WS_END_TLS },
	{ CURLE_SSL_CIPHER, WS_END_TLS, WS_END_TLS },
	{ CURLE_SSL_CACERT_BADFILE, WS_END_TLS, WS_END_TLS },
	{ CURLE_SSL_ISSUER_ERROR, WS_END_TLS, WS_END_TLS },
	{ CURLE_SSL_INVALIDCERTSTATUS, WS_END_TLS, WS_END_TLS },
	{ CURLE_RECV_ERROR, WS_END_CONNECT, WS_END_PROXY },
	{ CURLE_SEND_ERROR, WS_END_CONNECT, WS_END_PROXY },
};

const char *ws_reason_name(enum ws_reason reason)
{
	return (size_t)reason < sizeof(names) / sizeof(names[0]) ? names[reason] : "unknown";
}

void ws_end_text(struct ws_end *end, const char *text)
{
	size_t n = 0;

	for (; text[n] && n + 1 < sizeof(end->text); n++)
		end->text[n] = (unsigned char)text[n] < ' ' ? ' ' : text[n];
	end->text[n] = '\0';
}

void ws_end_from_curl(struct ws_end *end, bool *ended, CURL *easy, CURLcode result, bool proxied, const char *detail)
{
	long connect_status = 0;

	if (*ended)
		return;
	*ended = true;
	end->reason = WS_END_CONNECT;
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
		if (results[i].result == result)
			end->reason = proxied ? results[i].proxied : results[i].direct;
	if (proxied && curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &connect_status) == CURLE_OK && connect_status >= 300) {
		end->reason = WS_END_PROXY;
		end->http_status = (int)connect_status;
	}
	ws_end_text(end, detail[0] ? detail : curl_easy_strerror(result));
}
