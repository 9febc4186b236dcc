/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The HTTP part of a WebSocket's opening (RFC 6455 4.1, 4.2.2): text in, text out. Private to the folder.
 *
 *     GET /ws/chat HTTP/1.1                         HTTP/1.1 101 Switching Protocols
 *     Sec-WebSocket-Key: base64(16 random)   --->   Sec-WebSocket-Accept: base64(SHA-1(key || GUID))
 */
#ifndef SESSIOND_NET_UPGRADE_H
#define SESSIOND_NET_UPGRADE_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

/* The whole answer head must fit into this. */
#define UPGRADE_HEAD_MAX ((size_t)16384)
#define UPGRADE_KEY_SIZE 25 /* base64 of 16 bytes and the terminator */

enum upgrade_result {
	UPGRADE_DONE,    /* *head_len bytes were the head; what follows is frames */
	UPGRADE_MORE,    /* the head is not complete */
	UPGRADE_REFUSED, /* an answer, but not 101: *status */
	UPGRADE_BROKEN   /* not HTTP, too long, or headers that RFC 6455 forbids */
};

/* A fresh random key. 0, or -1 if there is no randomness. */
int upgrade_key(char key[UPGRADE_KEY_SIZE]);
/* host with its port where that is not the scheme's; origin may be NULL. None may hold control characters (-EINVAL). */
int upgrade_request(struct buf *to, const char *host, const char *target, const char *origin, const char *key);
/* The value that Sec-WebSocket-Accept must have: 28 characters and the terminator. */
void upgrade_accept(const char *key, char accept[29]);
enum upgrade_result upgrade_response(const uint8_t *bytes, size_t len, const char *key, size_t *head_len, int *status);

#endif
