/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What kind of message a serialized one is, as far as figures tell them apart. Pure; any thread. */
#ifndef SESSIOND_SESSION_MESSAGEKIND_H
#define SESSIOND_SESSION_MESSAGEKIND_H

#include "common/buf.h"
#include "sessiond/daemon.h"

enum message_kind {
	KIND_OTHER, KIND_TEXT, KIND_IMAGE, KIND_VIDEO, KIND_AUDIO, KIND_DOCUMENT, KIND_STICKER, KIND_LOCATION, KIND_CONTACT, KIND_POLL, KIND_EVENT,
	KIND_INTERACTIVE, KIND_REACTION, KIND_CHANGE, KIND_COUNT
};

/* By its first content field, inside wrappers. CHANGE: edits, revocations, pins and the like. */
enum message_kind message_kind_of(struct span plaintext);
/* "text". Static. */
const char *message_kind_name(enum message_kind kind);

#endif
