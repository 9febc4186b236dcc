/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a message says: its class, text, quote, mentions and media (webhooks.md 4.1, 7). Pure. Private to sessiond/session. */
#ifndef SESSIOND_SESSION_CONTENT_H
#define SESSIOND_SESSION_CONTENT_H

#include "common/config.h"
#include "sessiond/session/message_json.h"
#include "sessiond/wa/wa.h"

enum { CONTENT_MIME_MAX = 128 };

struct content {
	bool legacy;                 /* C7: exactly what the original derives */
	struct message_part whole;   /* as it came, with its wrappers; borrowed */
	struct message_part inner;   /* the message inside the wrappers */
	struct message_part body;    /* the content submessage, bytes.p NULL for "conversation" and none */
	const char *type;            /* static: "conversation", "imageMessage", ...; NULL: no content */
	struct message_part text_from; /* the message that holds media_type */
	const char *media_type;      /* static: the content that text and media are taken from */
	struct message_part media;   /* its body */
	const char *tag;             /* static */
	struct buf text;             /* never with a terminator */
};

/* Where the file of a message was stored. All borrowed. */
struct content_file {
	const char *url, *key, *driver; /* url NULL: it was not */
	const char *error;              /* why, NULL: it was not wanted */
};

/* plaintext: a serialized Message; borrowed by the content. */
void content_read(struct content *c, struct span plaintext, bool legacy);
void content_free(struct content *c);
/* The protocol message, also inside editedMessage; bytes.p NULL if there is none. */
struct message_part content_protocol(const struct content *c);

/* ,"quoted":{...} if a message with text is quoted */
void content_put_quoted(struct buf *out, const struct content *c);
/* ,"media":{...} for the kinds that have it; file NULL: not stored */
void content_put_media(struct buf *out, const struct content *c, const struct config *config, const struct content_file *file);
/* True for the kinds whose file can be fetched. */
bool content_has_file(const struct content *c);
/* mimetype without parameters, in lower case; "" if there is none. */
void content_mime(const struct content *c, char out[static CONTENT_MIME_MAX]);
/* ,"mentions":[...] as phone number addresses */
void content_put_mentions(struct buf *out, const struct content *c, const struct wa_message *m);

/* ---- answers.c: members that the original does not have ---- */
/* ,"reply":{"id","title","source"} for answers to buttons, lists and flows; ,"poll":{"name","options","selectableCount"} for new polls;
 * ,"raw":"base64" for a kind of message that this version does not know (its contentType is "unknown") */
void content_put_more(struct buf *out, const struct content *c);
bool content_is_unknown(const struct content *c);

#endif
