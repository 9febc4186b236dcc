/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Signed addresses of private files, as the original makes them (config.md 3.2). Private to sessiond/storage. Any thread.
 *
 *     <base>?key=K&visibility=private&expires=E&token=T&scope=S[&download=D]
 *     T = hex(HMAC-SHA256(secret, {"key":K,"visibility":"private","expires":E,"scope":S,"downloadName":D}))
 */
#ifndef STORAGE_SIGNEDURL_H
#define STORAGE_SIGNEDURL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"

/* 64 hex digits and NUL. scope, download: NULL = "download", "". */
void signedurl_token(const char *secret, const char *key, int64_t expires_s, const char *scope, const char *download, char token[65]);
/* Appends the query, with its '?'. */
void signedurl_query(struct buf *out, const char *secret, const char *key, int64_t expires_s, const char *download);
/* expires and token as they came; NULL fits nothing. */
bool signedurl_fits(const char *secret, const char *key, const char *expires, const char *token, const char *scope, const char *download, int64_t now_s);
/* Appends form-encoded text: A-Z a-z 0-9 - . _ * as they are, blank as '+'. */
void signedurl_encode(struct buf *out, const char *text);

#endif
