/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ClientPayload: what the client says about itself when it registers (not linked yet) or logs in. */
#ifndef SESSIOND_WA_PAYLOAD_H
#define SESSIOND_WA_PAYLOAD_H

#include "common/buf.h"
#include "sessiond/wa/creds.h"
#include "sessiond/wa/wa.h"

/*
 * Appends the serialized payload: registration if the record has no phone-number JID, login otherwise. -1: OpenSSL failed (MD5 of
 * the version), or the own JID is no phone number.
 */
int payload_write(const struct wa_creds *creds, const struct wa_config *config, struct buf *out);

/* DeviceProps.platformType of a browser's name ("Chrome": 1). */
int payload_platform_type(const char *browser_name);
/* One character, as the fifth field of the QR text and as companion_platform_id ('1' Chrome, ..., '9' other). */
char payload_client_type(const char *browser_name);
/* "Chrome (Mac OS)": the server takes names of real browsers and systems only, so others become the nearest known. */
void payload_platform_display(const struct wa_config *config, struct buf *out);

#endif
