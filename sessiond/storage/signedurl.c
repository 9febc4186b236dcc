/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signed addresses of private files, see signedurl.h. */
#include "sessiond/storage/signedurl.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sessiond/crypto/crypto.h"
#include "sessiond/json_text.h"

void signedurl_token(const char *secret, const char *key, int64_t expires_s, const char *scope, const char *download, char token[65])
{
	struct buf payload = { 0 };
	uint8_t mac[CRYPTO_SHA256_LEN];

	buf_u8(&payload, '{');
	json_put_member(&payload, "key", key);
	json_put_member(&payload, "visibility", "private");
	json_put_int(&payload, "expires", expires_s);
	json_put_member(&payload, "scope", scope ? scope : "download");
	json_put_member(&payload, "downloadName", download ? download : "");
	buf_u8(&payload, '}');
	if (crypto_hmac(CRYPTO_SHA256, secret, strlen(secret), payload.data, payload.len, mac) != CRYPTO_OK)
		abort();
	crypto_hex(mac, sizeof mac, token);
	buf_free(&payload);
}

void signedurl_encode(struct buf *out, const char *text)
{
	for (const char *c = text; *c; c++) {
		if (isalnum((unsigned char)*c) || strchr("-._*", *c))
			buf_u8(out, (uint8_t)*c);
		else if (*c == ' ')
			buf_u8(out, '+');
		else
			buf_printf(out, "%%%02X", (unsigned char)*c);
	}
}

void signedurl_query(struct buf *out, const char *secret, const char *key, int64_t expires_s, const char *download)
{
	char token[65];

	signedurl_token(secret, key, expires_s, NULL, download, token);
	buf_append_text(out, "?key=");
	signedurl_encode(out, key);
	buf_printf(out, "&visibility=private&expires=%" PRId64 "&token=%s&scope=download", expires_s, token);
	if (download && download[0]) {
		buf_append_text(out, "&download=");
		signedurl_encode(out, download);
	}
}

bool signedurl_fits(const char *secret, const char *key, const char *expires, const char *token, const char *scope, const char *download, int64_t now_s)
{
	uint8_t given[CRYPTO_SHA256_LEN], right[CRYPTO_SHA256_LEN];
	char wanted[65];
	char *end;
	int64_t at_s;

	if (!key || !expires || !token || strlen(token) != 64 || !isdigit((unsigned char)expires[0]) || strlen(expires) > 15)
		return false;
	errno = 0;
	at_s = strtoll(expires, &end, 10);
	if (errno || *end || at_s < now_s)
		return false;
	signedurl_token(secret, key, at_s, scope && scope[0] ? scope : NULL, download, wanted);
	/* The original compares bytes: either case of the digits is fine. */
	return crypto_unhex(token, 64, given, sizeof given) == CRYPTO_OK && crypto_unhex(wanted, 64, right, sizeof right) == CRYPTO_OK &&
	       crypto_equal(given, right, sizeof given);
}
