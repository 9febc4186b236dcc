/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The addresses of a WebSocket connection (see ws_url.h). */
#include "sessiond/net/ws_url.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"

static const struct {
	const char *ws, *http, *port;
	bool tls;
} schemes[] = {
	{ "wss", "https", "443", true },
	{ "ws", "http", "80", false },
};

/* One part as a string of ours, or NULL. */
static char *part(CURLU *url, CURLUPart what)
{
	char *text = NULL, *copy = NULL;

	if (curl_url_get(url, what, &text, 0) == CURLUE_OK && text)
		copy = xstrdup(text);
	curl_free(text);
	return copy;
}

static int translate_scheme(struct ws_url *url, const char **default_port)
{
	char *scheme = part(url->connect, CURLUPART_SCHEME);
	int error = -EINVAL;

	for (size_t i = 0; scheme && i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (strcasecmp(scheme, schemes[i].ws) != 0)
			continue;
		url->tls = schemes[i].tls;
		*default_port = schemes[i].port;
		error = curl_url_set(url->connect, CURLUPART_SCHEME, schemes[i].http, 0) == CURLUE_OK ? 0 : -EINVAL;
	}
	free(scheme);
	return error;
}

int ws_url_parse(struct ws_url *url, const char *text)
{
	char *host = NULL, *port = NULL, *user = NULL, *path = NULL, *query = NULL;
	const char *default_port = NULL;
	int error = -EINVAL;

	memset(url, 0, sizeof(*url));
	url->connect = curl_url();
	if (!url->connect)
		return -ENOMEM;
	if (!text || curl_url_set(url->connect, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
		goto out;
	if (translate_scheme(url, &default_port) != 0)
		goto out;
	user = part(url->connect, CURLUPART_USER);
	host = part(url->connect, CURLUPART_HOST);
	port = part(url->connect, CURLUPART_PORT);
	path = part(url->connect, CURLUPART_PATH);
	query = part(url->connect, CURLUPART_QUERY);
	if (user || !host || !host[0])
		goto out;
	url->host = port && strcmp(port, default_port) != 0 ? xasprintf("%s:%s", host, port) : xstrdup(host);
	url->target = query ? xasprintf("%s?%s", path ? path : "/", query) : xstrdup(path ? path : "/");
	error = 0;
out:
	free(user);
	free(host);
	free(port);
	free(path);
	free(query);
	if (error)
		ws_url_free(url);
	return error;
}

void ws_url_free(struct ws_url *url)
{
	curl_url_cleanup(url->connect);
	free(url->host);
	free(url->target);
	memset(url, 0, sizeof(*url));
}

int ws_url_check_proxy(const char *text, bool *tls_proxy)
{
	static const char *const known[] = { "http", "https", "socks5", "socks5h" };
	CURLU *url = curl_url();
	char *scheme = NULL, *host = NULL;
	int error = -EINVAL;

	if (!url)
		return -ENOMEM;
	*tls_proxy = false;
	if (curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
		goto out;
	scheme = part(url, CURLUPART_SCHEME);
	host = part(url, CURLUPART_HOST);
	for (size_t i = 0; scheme && host && host[0] && i < sizeof(known) / sizeof(known[0]); i++)
		if (strcasecmp(scheme, known[i]) == 0)
			error = 0;
	*tls_proxy = !error && strcasecmp(scheme, "https") == 0;
out:
	free(scheme);
	free(host);
	curl_url_cleanup(url);
	return error;
}

CURLcode ws_url_tls_modes(CURL *easy, void *ssl_ctx, void *arg)
{
	(void)easy;
	(void)arg;
	/* AUTO_RETRY: without it a read that met only session tickets returns with its 16 KiB buffer still held. */
	SSL_CTX_set_mode(ssl_ctx, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
	return CURLE_OK;
}
