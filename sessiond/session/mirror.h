/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The media of incoming messages: fetched from WhatsApp, checked, stored, and only then told.
 *
 *     message (commit: record "waiting", no event yet)
 *        |-- queue, MIRROR_PARALLEL at a time, while connected
 *        |      transfer_download -> temp file -> storage_put -> commit: event with the stored address, record gone
 *        |-- cannot be had (gone, false, too large, tried MIRROR_ATTEMPTS times) -> event with the reason, record gone
 *        +-- WAREST_DOWNLOAD_MEDIA_WAIT_SEC are over -> event without it, record says "told"; what comes then is message_media
 *
 * A record outlives the process: the next life goes on with it. Records are of kind RECORD_MIRROR, name = server's time and message id; value:
 *
 *     version(1) | told(1) | flags(1) | time ms(8) | 6 JIDs and 3 texts, each length(2) bytes | serialized Message
 *
 * More than MIRROR_WAITING_MAX per session are told at once, without their media. On the session's loop.
 */
#ifndef SESSIOND_SESSION_MIRROR_H
#define SESSIOND_SESSION_MIRROR_H

#include <stdbool.h>

#include "common/buf.h"
#include "sessiond/session/content.h"
#include "sessiond/session/transfer.h"
#include "sessiond/store/store.h"

enum { MIRROR_PARALLEL = 2, MIRROR_WAITING_MAX = 1000, MIRROR_ATTEMPTS = 5, RECORD_MIRROR = 202 };

struct session;
struct storage_meta;

/* Is this a message whose media the settings want, and is there room in the queue? */
bool mirror_wanted(const struct session *session, const struct wa_message *message);
/* Adds the record of a message to the transaction that would have its event. */
void mirror_keep(struct session *session, struct store_tx *tx, const struct wa_message *message);
/* That transaction is stored. */
void mirror_stored(struct session *session, const struct wa_message *message);
/* A new life: what the last one left. */
void mirror_reload(struct session *session);
/* Connected, or an end came in: goes on where it can. */
void mirror_pump(struct session *session);
void mirror_free(struct session *session);

/* ---- parts, for tests and for fetching on demand ---- */

/* type/subtype against the list of the settings: exact, "type/...", "*". "" is refused. */
bool mirror_mime_allowed(const struct config *config, const char *mime);
/* What the message says about its file. False: nothing that could be fetched. To be freed with transfer_file_free(). */
bool mirror_file_of(const struct content *c, struct transfer_file *out);
/* Is it a message that is to be viewed once? */
bool mirror_is_view_once(const struct content *c);
/*
 * What the storage should know of a file that was fetched; mime is filled in and borrowed, as is got. The chat and the message's id are the
 * caller's. Returns the file's name, to be freed when meta is not needed any more; may be NULL.
 */
char *mirror_meta(struct storage_meta *meta, const struct session *session, const struct content *c, const struct transfer_file *got,
	char mime[static CONTENT_MIME_MAX]);
/* The record's value. */
void mirror_write(struct buf *out, bool told, const struct wa_message *message);
/* NULL if it is malformed; freed with mirror_message_free(). */
struct wa_message *mirror_read(struct span value, bool *told);
void mirror_message_free(struct wa_message *message);

#endif
