/* SPDX-License-Identifier: GPL-3.0-or-later */
/* WebAuthn in JSON, both ways: the options that WhatsApp asks with, and the assertion that a user's browser answered over REST. */
#ifndef SESSIOND_SESSION_ASSERTION_H
#define SESSIOND_SESSION_ASSERTION_H

#include "common/buf.h"

/*
 * Reads a PublicKeyCredential in JSON. Appends the raw bytes of its id and the normal form: {id, rawId, type, response{clientDataJSON,
 * authenticatorData, signature, userHandle}}, all base64url texts, userHandle null if there is none; everything else is dropped.
 * -1 (and nothing appended) if a part is missing or it is longer than LIMIT_WA_PAIRING_TEXT. Source: whatsmeow types/passkey.go.
 */
int assertion_read(const char *json, struct buf *credential_id, struct buf *normal);

/* Appends the options as they may stand in an answer. -1 (and nothing appended) if they are no JSON object within the same bounds. */
int assertion_options(const char *json, struct buf *out);

#endif
