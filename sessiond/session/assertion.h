/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The WebAuthn assertion that a user's browser made, as it came in over REST, in the form that WhatsApp clients send on. */
#ifndef SESSIOND_SESSION_ASSERTION_H
#define SESSIOND_SESSION_ASSERTION_H

#include "common/buf.h"

/*
 * Reads a PublicKeyCredential in JSON. Appends the raw bytes of its id and the normal form: {id, rawId, type, response{clientDataJSON,
 * authenticatorData, signature, userHandle}}, all base64url texts, userHandle null if there is none; everything else is dropped.
 * -1 (and nothing appended) if a part is missing or it is longer than LIMIT_WA_PAIRING_TEXT. Source: whatsmeow types/passkey.go.
 */
int assertion_read(const char *json, struct buf *credential_id, struct buf *normal);

#endif
