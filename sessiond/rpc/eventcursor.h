/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a reader of the journal stands, as the text that he brings back (Last-Event-ID, after=). To him it is opaque. base64url of
 *
 *     1 (u8) | check (4 bytes) | for each session with something told:  number, as distance from the one before (varint) | told (varint)
 *
 * check = first bytes of SHA-256 of what follows it: no secret, it finds a text that was cut off or altered on its way. What a reader may see
 * does not depend on it. Varints are LEB128.
 */
#ifndef SESSIOND_RPC_EVENTCURSOR_H
#define SESSIOND_RPC_EVENTCURSOR_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "sessiond/store/store.h"

/* Longest text that is looked at: below what web servers take in a header line. */
#define EVENTCURSOR_MAX 8000U

/* Appends the text. places in order of session, n <= LIMIT_EVENT_SESSIONS. */
void eventcursor_write(struct buf *out, const struct store_event_place *places, size_t n);
/* Fills up to LIMIT_EVENT_SESSIONS places, in order of session. False: it is no cursor. */
bool eventcursor_read(const char *text, struct store_event_place *places, size_t *n);

#endif
