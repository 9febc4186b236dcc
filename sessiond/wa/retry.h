/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Retry receipts: a device that could not decrypt a message asks its sender for it again.
 *
 * Ours (asking): the count per message is the record RECEIVED "chat/author/id": version(1) | count(1); deleted when it is decrypted.
 *
 * Theirs (answering): what was sent is the record SENT "id", kept by the host for RETRY_AGE_MS
 * (wa_sent_askers() in wa.h):
 *
 *     version(1) | sent ms(8) | chat length(1) chat | askers(1) { device length(1) device | asked(1) | base key(33) }* | Message
 *
 * What was answered is the record SENT "id/device": count(1) | stanza. A request that comes once more (its ack was lost) gets the same
 * bytes again: a second answer would use the asker's one-time key for two sessions.
 *
 * Source: whatsmeow retry.go, Baileys messages-recv.ts, whatsapp-rust retry.rs.
 */
#ifndef WA_RETRY_H
#define WA_RETRY_H

#include "sessiond/wa/messaging.h"

/* We ask so often; a peer is answered so often per message. */
#define RETRY_ASK_MAX 5U
#define RETRY_ANSWER_MAX 5U
/* Resends remembered as written on the present connection. */
#define RETRY_WRITTEN_MAX 64U
/* Devices remembered per sent message. */
#define RETRY_ASKERS_MAX 64U
/* Older messages are not sent again. The records need not be kept longer. */
#define RETRY_AGE_MS (INT64_C(14) * 24 * 3600 * 1000)

wa_stanza_handler wa_on_retry;

#endif
