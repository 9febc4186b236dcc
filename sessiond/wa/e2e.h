/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The plaintext of messages: framing, the envelope for own devices, and the few things the library itself reads. Works on serialized
 * bytes (proto_walk.h), so that unknown fields survive and nothing foreign is unpacked here.
 *
 *     plaintext of a chat message   Message || n bytes of value n           1 <= n <= 16
 *     ... for own other devices     Message{ 31: DeviceSentMessage{ 1: chat, 2: Message }, 35: MessageContextInfo of the inner one }
 *
 * Source: Baileys Utils/generics.ts, messages-send.ts; whatsmeow send.go, message.go.
 */
#ifndef WA_E2E_H
#define WA_E2E_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"

#define E2E_PAD_MAX 16U

enum e2e_protocol_type {
	E2E_REVOKE = 0,
	E2E_EPHEMERAL_SETTING = 3,
	E2E_EPHEMERAL_SYNC_RESPONSE = 4,
	E2E_HISTORY_SYNC_NOTIFICATION = 5,
	E2E_APP_STATE_SYNC_KEY_SHARE = 6,
	E2E_APP_STATE_SYNC_KEY_REQUEST = 7,
	E2E_INITIAL_SECURITY_SETTING_SYNC = 9,
	E2E_APP_STATE_FATAL_EXCEPTION = 10,
	E2E_MESSAGE_EDIT = 14,
	E2E_PEER_DATA_REQUEST = 16,
	E2E_PEER_DATA_RESPONSE = 17,
	E2E_LID_MIGRATION_MAPPING_SYNC = 22
};

/* Appends n padding bytes, n = random modulo 16 plus 1. */
void e2e_pad(struct buf *message, uint8_t random);
/* Cuts the padding off. False if it is not n bytes of value n with 1 <= n <= 16. */
bool e2e_unpad(struct span *message);
/* True if the bytes are a Message within the limits of depth and size (LIMIT_WA_PROTO_*). */
bool e2e_acceptable(struct span message);

/* Appends the envelope for own devices. chat: the conversation, text form without device. */
void e2e_wrap_device_sent(struct buf *out, const char *chat, struct span message);
/* Takes the envelope off: appends the inner message with the outer MessageContextInfo if it has none of its own. False if there is no
 * envelope. chat is borrowed from `message`. */
bool e2e_unwrap_device_sent(struct span message, struct span *chat, struct buf *inner);

/* The ProtocolMessage of a message, also inside editedMessage and ephemeralMessage. False if there is none. */
struct e2e_protocol {
	uint32_t type;
	struct span bytes;      /* the ProtocolMessage */
	struct span key_id;     /* target message id, may be empty */
};
bool e2e_protocol_message(struct span message, struct e2e_protocol *out);
/* True for kinds that only an own device may send (GHSA-qvv5-jq5g-4cgg: anybody could feed history or keys otherwise). */
bool e2e_protocol_self_only(uint32_t type);

/* True if nothing but a sender key distribution (and context info) is in it: no visible message. */
bool e2e_only_key_distribution(struct span message);
/* Name of the content field after wrappers (view once, ephemeral, device sent) are removed; NULL if unknown or none. Static. */
const char *e2e_content_name(struct span message);
/* Number and bytes of the content field inside all wrappers; 0 if it is unknown or there is none. */
uint32_t e2e_content(struct span message, struct span *content);
/* The message inside the outermost wrapper of any kind; p NULL if it is none. */
struct span e2e_unwrap_once(struct span message);
/* Text or caption of the message; owned by the caller, NULL if it has none or it is not text. */
char *e2e_text(struct span message);

/* What may stand inside a quote: the content field alone, without wrappers and without its own ContextInfo. Appends to out; nothing if
 * the message has no known content. */
void e2e_quotable(struct span message, struct buf *out);

/* Values of the stanza attributes that follow from the content. Static; NULL: leave the attribute out. */
struct e2e_attributes {
	const char *type;      /* of <message>: text, media, reaction, poll, event */
	const char *mediatype; /* of <enc> */
	const char *edit;      /* of <message> */
	bool hide_failure;     /* decrypt-fail="hide" on <enc> */
	bool token_exempt;     /* protocol messages cause no privacy token to be issued */
};
void e2e_attributes(struct span message, struct e2e_attributes *out);

#endif
