/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The media servers (see mediawork.h). */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "sessiond/daemon.h"
#include "sessiond/session/mediawork.h"

#define WELL_KNOWN_HOST "mmg.whatsapp.net"
#define OWN_DOMAIN ".whatsapp.net"

void media_forget_conn(struct session_media *media)
{
	free(media->auth);
	media->auth = NULL;
	for (size_t i = 0; i < media->nhosts; i++)
		free(media->hosts[i]);
	media->nhosts = 0;
}

/* Those that wait may end, or ask again, while the list is walked. */
static void tell_waiting(struct session *session)
{
	struct media_transfer *t;

	do {
		for (t = session->media->first; t && !t->wants_conn; t = t->next)
			;
		if (t) {
			t->wants_conn = false;
			t->conn_ready(t);
		}
	} while (t);
}

static void answered(void *arg, const struct wa_media_conn *conn)
{
	struct session *session = arg;
	struct session_media *media = session->media;

	if (!media)
		return;
	media->asking = false;
	media_forget_conn(media);
	if (conn) {
		media->auth = xstrdup(conn->auth);
		for (size_t i = 0; i < conn->nhosts; i++)
			media->hosts[media->nhosts++] = xstrdup(conn->hosts[i]);
		media->expires_ms = timefmt_monotonic_ms() + conn->ttl_s * 1000;
	}
	tell_waiting(session);
}

static void tell_soon(void *arg)
{
	struct media_transfer *t = arg;

	if (!t->wants_conn)
		return;
	t->wants_conn = false;
	t->conn_ready(t);
}

void media_want_conn(struct media_transfer *t, bool fresh, void (*conn_ready)(struct media_transfer *t))
{
	struct session *session = t->session;
	struct session_media *media = session->media;

	t->wants_conn = true;
	t->conn_ready = conn_ready;
	if (media->asking && media->life == session->life)
		return;
	if (fresh || timefmt_monotonic_ms() >= media->expires_ms)
		media_forget_conn(media);
	/* Known already, or nobody can be asked. */
	if (media->auth || !session->client || !wa_client_is_open(session->client)) {
		media_later(t, 0, tell_soon);
		return;
	}
	media->asking = true;
	media->life = session->life;
	wa_client_media_conn(session->client, answered, session);
}

const char *media_host(const struct session *session, unsigned n)
{
	const struct session_media *media = session->media;

	if (n < media->nhosts)
		return media->hosts[n];
	return n == 0 ? WELL_KNOWN_HOST : NULL;
}

/* ---- addresses ----------------------------------------------------------------------------------------------------------------- */

static char *part_of(CURLU *parts, CURLUPart what)
{
	char *text = NULL, *copy = NULL;

	if (curl_url_get(parts, what, &text, 0) == CURLUE_OK && text)
		copy = xstrdup(text);
	curl_free(text);
	return copy;
}

static bool below_own_domain(const char *host)
{
	size_t n = strlen(host), m = strlen(OWN_DOMAIN);

	return n > m && strcasecmp(host + n - m, OWN_DOMAIN) == 0;
}

static bool host_allowed(const struct session *session, const char *host, const char *port)
{
	const struct session_media *media = session->media;
	char *both = port ? xasprintf("%s:%s", host, port) : xstrdup(host);
	bool ok = below_own_domain(host) && (!port || strcmp(port, "443") == 0);

	for (size_t i = 0; i < media->nhosts && !ok; i++)
		ok = strcasecmp(media->hosts[i], both) == 0;
	free(both);
	return ok;
}

static bool split(const struct session *session, const char *url, CURLU *parts)
{
	char *scheme, *host, *port, *user;
	bool ok;

	if (!parts || curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK)
		return false;
	scheme = part_of(parts, CURLUPART_SCHEME);
	host = part_of(parts, CURLUPART_HOST);
	port = part_of(parts, CURLUPART_PORT);
	user = part_of(parts, CURLUPART_USER);
	ok = scheme && host && !user && strcasecmp(scheme, "https") == 0 && host_allowed(session, host, port);
	free(scheme);
	free(host);
	free(port);
	free(user);
	return ok;
}

bool media_address_allowed(const struct session *session, const char *url)
{
	CURLU *parts = curl_url();
	bool ok = split(session, url, parts);

	curl_url_cleanup(parts);
	return ok;
}

char *media_path_of(const struct session *session, const char *url)
{
	CURLU *parts = curl_url();
	char *path = NULL, *query, *both = NULL;

	if (split(session, url, parts)) {
		path = part_of(parts, CURLUPART_PATH);
		query = part_of(parts, CURLUPART_QUERY);
		both = path ? xasprintf("%s%s%s", path, query ? "?" : "", query ? query : "") : NULL;
		free(query);
	}
	free(path);
	curl_url_cleanup(parts);
	return both;
}
