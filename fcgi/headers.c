/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CORS and security headers, see headers.h. */
#include "fcgi/headers.h"

#include <string.h>
#include <strings.h>

/* "https://host:1" names the host that this request was sent to, whatever the scheme: a TLS proxy may stand in front. */
static bool is_own_host(const struct request *r, const char *origin)
{
	const char *host = strstr(origin, "://");

	return host && *r->host && !strcasecmp(host + 3, r->host);
}

bool cors_allowed(const struct request *r)
{
	const char *origin = request_var(r, "HTTP_ORIGIN");

	if (!origin || r->settings->all_origins || is_own_host(r, origin))
		return true;
	for (char **o = r->settings->origins; *o; o++)
		if (!strcasecmp(*o, origin))
			return true;
	return false;
}

void cors_headers(const struct request *r, struct buf *out)
{
	const char *origin = request_var(r, "HTTP_ORIGIN");

	if (origin)
		buf_printf(out, "Access-Control-Allow-Origin: %s\r\n", origin);
	buf_append_text(out, "Vary: Origin\r\nAccess-Control-Allow-Credentials: true\r\n");
}

void cors_preflight_headers(struct buf *out)
{
	buf_append_text(out, "Access-Control-Allow-Methods: GET,POST,PUT,PATCH,DELETE,OPTIONS\r\n"
			     "Access-Control-Allow-Headers: Content-Type,X-WAREST-API-KEY,Authorization\r\n"
			     "Access-Control-Max-Age: 86400\r\n");
}

static void content_security_policy(const struct request *r, struct buf *out)
{
	buf_append_text(out, "Content-Security-Policy: default-src 'self' 'unsafe-inline';"
			     "script-src 'self' 'unsafe-inline' https://unpkg.com;"
			     "style-src 'self' 'unsafe-inline' https://unpkg.com;"
			     "connect-src 'self' ws: wss: https://nominatim.openstreetmap.org");
	for (char **o = r->settings->origins; *o; o++)
		buf_printf(out, " %s", *o);
	buf_append_text(out, ";img-src 'self' data: blob: https://unpkg.com https://*.openstreetmap.org https://*.whatsapp.net "
			     "https://*.fbcdn.net;font-src 'self' data:;object-src 'none';base-uri 'self';form-action 'self';"
			     "frame-ancestors 'self';script-src-attr 'none'");
	/* on plain http it would make browsers load the page's scripts from a https server that is not there */
	if (!strcmp(r->scheme, "https"))
		buf_append_text(out, ";upgrade-insecure-requests");
	buf_append_text(out, "\r\n");
}

void security_headers(const struct request *r, struct buf *out)
{
	content_security_policy(r, out);
	buf_append_text(out, "Cross-Origin-Opener-Policy: same-origin\r\n"
			     "Cross-Origin-Resource-Policy: same-origin\r\n"
			     "Origin-Agent-Cluster: ?1\r\n"
			     "Referrer-Policy: no-referrer\r\n"
			     "Strict-Transport-Security: max-age=15552000; includeSubDomains\r\n"
			     "X-Content-Type-Options: nosniff\r\n"
			     "X-DNS-Prefetch-Control: off\r\n"
			     "X-Download-Options: noopen\r\n"
			     "X-Frame-Options: SAMEORIGIN\r\n"
			     "X-Permitted-Cross-Domain-Policies: none\r\n"
			     "X-XSS-Protection: 0\r\n");
}
