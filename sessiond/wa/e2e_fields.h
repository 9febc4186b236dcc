/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the top-level fields of a Message are, in one table. Source: WAProto of Baileys, whatsmeow waE2E. */
#ifndef WA_E2E_FIELDS_H
#define WA_E2E_FIELDS_H

#include <stdbool.h>
#include <stdint.h>

/* Fields the code names. */
enum {
	E2E_CONVERSATION = 1,
	E2E_KEY_DISTRIBUTION = 2,
	E2E_IMAGE = 3,
	E2E_CONTACT = 4,
	E2E_LOCATION = 5,
	E2E_EXTENDED_TEXT = 6,
	E2E_PROTOCOL = 12,
	E2E_CONTACTS = 13,
	E2E_LIVE_LOCATION = 18,
	E2E_GROUP_INVITE = 28,
	E2E_DEVICE_SENT = 31,
	E2E_CONTEXT_INFO = 35,
	E2E_LIST = 36,
	E2E_VIEW_ONCE = 37,
	E2E_BUTTONS = 42,
	E2E_INTERACTIVE = 45,
	E2E_REACTION = 46,
	E2E_POLL = 49,
	E2E_POLL_UPDATE = 50,
	E2E_ENC_REACTION = 56,
	E2E_PIN = 63,
	E2E_POLL_ONE = 64, /* one choice only */
	E2E_ENC_COMMENT = 71,
	E2E_EVENT = 75,
	E2E_EVENT_RESPONSE = 76,
	E2E_SECRET_ENCRYPTED = 82,
	E2E_ALBUM = 83
};

enum e2e_wrapper {
	E2E_WRAPPER_NONE,
	E2E_WRAPPER_SHOWN_THROUGH, /* removed before the content is named: view once, ephemeral, device sent */
	E2E_WRAPPER_OTHER          /* holds a message as its field 1, but is a content of its own */
};

/* Where the text is: nowhere, the field itself, or this field number inside. */
enum { E2E_TEXT_NONE = 0, E2E_TEXT_WHOLE = 1000 };

struct e2e_field {
	uint32_t number;
	const char *name;
	enum e2e_wrapper wrapper;
	uint32_t text;
	uint32_t context;        /* field number of its ContextInfo, 0: none */
	const char *stanza_type; /* attribute type of <message> */
	const char *mediatype;   /* attribute of <enc>, NULL: none */
	bool hide_failure;
};

/* NULL for a field that this version does not know. */
const struct e2e_field *e2e_field_find(uint32_t number);

#endif
