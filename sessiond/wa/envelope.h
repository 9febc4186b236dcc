/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who wrote what to whom, out of the attributes of a <message>.
 *
 *     from              recipient   chat        author        from me
 *     person            -           from        from          own user
 *     own user          person      recipient   from          yes
 *     group, status     -           from        participant   participant is own
 *     broadcast list    -           participant participant   no
 *     own list          -           from        participant   yes
 *     newsletter        -           from        from          no
 *
 * Source: whatsmeow message.go, Baileys Utils/decode-wa-message.ts.
 */
#ifndef WA_ENVELOPE_H
#define WA_ENVELOPE_H

#include "sessiond/wa/messaging.h"

/* Longest message id that is taken. Clients make 16 to 40 characters. */
#define ENVELOPE_ID_MAX 256

/* Acks that refuse a stanza for good. Source: whatsmeow, Baileys (Utils/generics.ts). */
enum nack { NACK_PARSING = 487, NACK_UNRECOGNIZED = 488, NACK_PROTOBUF = 491, NACK_SECRET = 495, NACK_UNHANDLED = 500 };

enum envelope_kind { ENVELOPE_PERSON, ENVELOPE_GROUP, ENVELOPE_STATUS, ENVELOPE_BROADCAST, ENVELOPE_NEWSLETTER, ENVELOPE_OTHER };

struct envelope {
	enum envelope_kind kind;
	const char *id;       /* borrowed from the stanza */
	struct jid from;      /* as it came, with device: where answers go */
	struct jid chat;      /* bare; hosted forms turned into PN or LID */
	struct jid author;    /* with device */
	struct jid recipient; /* server NONE if absent */
	bool from_me;
	bool offline;
	bool peer;            /* between own devices */
	int64_t time_ms;
	/* The other forms (PN of a LID, LID of a PN) that the stanza tells; server NONE if it does not. Bare. */
	struct jid chat_other, author_other;
	const char *type, *category, *edit, *push_name; /* borrowed, NULL if absent */
};

/* False: not a message that can be understood (id, sender or chat are missing or contradict each other). */
bool wa_envelope_read(const struct wa_messaging *m, const struct wa_node *message, struct envelope *out);
/* "chat/author/id", cut to fit. */
void wa_envelope_name(const struct envelope *e, char *out, size_t cap);

#endif
