/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, an answer about groups (subjects, descriptions and names in it are made by strangers) crashes the daemon. */
#include <stdlib.h>

#include "sessiond/wa/groupwire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct wa_group_answer *answer)
{
	char text[JID_TEXT_MAX];

	for (size_t i = 0; i < answer->ngroups; i++) {
		const struct wa_group_facts *f = &answer->groups[i];

		if (!jid_is_group(&f->group.jid) || f->group.n > f->group.cap)
			abort();
		for (size_t k = 0; k < f->group.n; k++)
			jid_format(&f->group.members[k].jid, text, sizeof text);
	}
	for (size_t i = 0; i < answer->n; i++)
		if (jid_is_none(&answer->people[i].jid) || answer->people[i].code < 1 || answer->people[i].code > 999)
			abort();
}

/* First byte: the question; the rest: the frame that answers it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jid people[2];
	struct wa_group_ask ask = { .people = people, .n = 2, .text = "" };
	struct wa_group_answer answer = { 0 };
	struct wa_node *node;
	struct arena arena;

	if (size == 0)
		return 0;
	ask.kind = (enum wa_ask_kind)(WA_ASK_GROUPS + data[0] % WA_ASK_USERS);
	jid_parse_text(&ask.group, "120363000000000001@g.us");
	jid_parse_text(&people[0], "15550001111@s.whatsapp.net");
	jid_parse_text(&people[1], "222333444@lid");
	arena_init(&arena, 0);
	if (wa_node_decode(&arena, span_of(data + 1, size - 1), &node) == 0 && wa_group_answer_read(&ask, node, 1000, &answer))
		use(&answer);
	wa_group_answer_clear(&answer);
	arena_free(&arena);
	return 0;
}
