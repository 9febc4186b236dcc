/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The media servers (see transferwork.h). */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "sessiond/daemon.h"
#include "sessiond/session/transferwork.h"

#define WELL_KNOWN_HOST "mmg.whatsapp.net"
#define OWN_DOMAIN ".whatsapp.net"
#define REDIRECTS_MAX 5

void transfer_forget_conn(struct transfers *media)
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
	struct transfer *t;

	do {
		for (t = session->transfers->first; t && !t->wants_conn; t = t->next)
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
	struct transfers *media = session->transfers;

	if (!media)
		return;
	media->asking = false;
	transfer_forget_conn(media);
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
	struct transfer *t = arg;

	if (!t->wants_conn)
		return;
	t->wants_conn = false;
	t->conn_ready(t);
}

void transfer_want_conn(struct transfer *t, bool fresh, void (*conn_ready)(struct transfer *t))
{
	struct session *session = t->session;
	struct transfers *media = session->transfers;

	t->wants_conn = true;
	t->conn_ready = conn_ready;
	if (media->asking && media->life == session->life)
		return;
	if (fresh || timefmt_monotonic_ms() >= media->expires_ms)
		transfer_forget_conn(media);
	/* Known already, or nobody can be asked. */
	if (media->auth || !session->client || !wa_client_is_open(session->client)) {
		transfer_later(t, 0, tell_soon);
		return;
	}
	media->asking = true;
	media->life = session->life;
	wa_client_media_conn(session->client, answered, session);
}

const char *transfer_host(const struct session *session, unsigned n)
{
	const struct transfers *media = session->transfers;

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
	const struct transfers *media = session->transfers;
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

static bool address_allowed(const struct session *session, const char *url)
{
	CURLU *parts = curl_url();
	bool ok = split(session, url, parts);

	curl_url_cleanup(parts);
	return ok;
}

bool transfer_redirected(struct transfer *t, const struct http_answer *answer, void (*again)(void *arg))
{
	if (answer->status < 300 || answer->status > 399 || !answer->location[0] || !address_allowed(t->session, answer->location) ||
	    ++t->redirects > REDIRECTS_MAX)
		return false;
	free(t->address);
	t->address = xstrdup(answer->location);
	transfer_later(t, 0, again);
	return true;
}

char *transfer_path_of(const struct session *session, const char *url)
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
