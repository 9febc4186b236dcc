/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kinds by the field numbers of WAProto's Message, see messagekind.h. */
#include "sessiond/session/messagekind.h"

#include <assert.h>
#include <stddef.h>

#include "sessiond/wa/proto_walk.h"

static_assert((int)KIND_COUNT <= METRICS_KINDS, "struct metrics counts every kind");

enum { MAX_WRAPPERS = 4, WRAPPED = 1 /* FutureProofMessage.message */ };

static const struct {
	uint16_t field;
	uint8_t kind;
} kinds[] = {
	{ 1, KIND_TEXT }, { 3, KIND_IMAGE }, { 4, KIND_CONTACT }, { 5, KIND_LOCATION }, { 6, KIND_TEXT }, { 7, KIND_DOCUMENT }, { 8, KIND_AUDIO },
	{ 9, KIND_VIDEO }, { 12, KIND_CHANGE }, { 13, KIND_CONTACT }, { 18, KIND_LOCATION }, { 25, KIND_INTERACTIVE }, { 26, KIND_STICKER },
	{ 29, KIND_INTERACTIVE }, { 36, KIND_INTERACTIVE }, { 39, KIND_INTERACTIVE }, { 42, KIND_INTERACTIVE }, { 43, KIND_INTERACTIVE },
	{ 45, KIND_INTERACTIVE }, { 46, KIND_REACTION }, { 48, KIND_INTERACTIVE }, { 49, KIND_POLL }, { 50, KIND_POLL }, { 56, KIND_REACTION },
	{ 60, KIND_POLL }, { 63, KIND_CHANGE }, { 64, KIND_POLL }, { 66, KIND_VIDEO }, { 74, KIND_STICKER },
	{ 75, KIND_EVENT }, { 76, KIND_EVENT }, { 82, KIND_CHANGE }, { 93, KIND_POLL }, { 111, KIND_POLL },
};
/* view once (three of them), ephemeral, document with caption, edited, group mention, child of an album */
static const uint16_t wrappers[] = { 37, 40, 53, 55, 58, 59, 62, 91 };

static void look(const struct proto_field *f, enum message_kind *kind, struct span *inner)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (kinds[i].field == f->number) {
			*kind = (enum message_kind)kinds[i].kind;
			return;
		}
	}
	for (size_t i = 0; i < sizeof wrappers / sizeof *wrappers; i++)
		if (wrappers[i] == f->number)
			proto_find(f->bytes, WRAPPED, inner);
}

enum message_kind message_kind_of(struct span plaintext)
{
	enum message_kind kind = KIND_OTHER;

	for (int depth = 0; depth <= MAX_WRAPPERS && plaintext.n; depth++) {
		struct reader r = reader_of(plaintext.p, plaintext.n);
		struct span inner = { NULL, 0 };
		struct proto_field f;

		while (!inner.n && kind == KIND_OTHER && proto_next(&r, &f))
			if (f.wire == PROTO_BYTES)
				look(&f, &kind, &inner);
		if (kind != KIND_OTHER)
			return kind;
		plaintext = inner;
	}
	return KIND_OTHER;
}

const char *message_kind_name(enum message_kind kind)
{
	static const char *const names[] = {
		[KIND_OTHER] = "other", [KIND_TEXT] = "text", [KIND_IMAGE] = "image", [KIND_VIDEO] = "video", [KIND_AUDIO] = "audio",
		[KIND_DOCUMENT] = "document", [KIND_STICKER] = "sticker", [KIND_LOCATION] = "location", [KIND_CONTACT] = "contact", [KIND_POLL] = "poll",
		[KIND_EVENT] = "event", [KIND_INTERACTIVE] = "interactive", [KIND_REACTION] = "reaction", [KIND_CHANGE] = "change",
	};

	return kind < KIND_COUNT ? names[kind] : names[KIND_OTHER];
}
