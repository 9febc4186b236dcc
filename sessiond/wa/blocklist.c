/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whom the account has blocked.
 *
 *     <iq xmlns="blocklist" type="get"/>   ->   <list dhash><item jid=LID/>...</list>, or the items at once
 *     <iq xmlns="blocklist" type="set"><item action="block|unblock" jid=LID [pn_jid=PN]/></iq>
 *
 * Source: Baileys Socket/chats.ts, whatsmeow user.go.
 */
#include <stdlib.h>

#include "common/mem.h"
#include "sessiond/wa/ask.h"

struct list_ask {
	wa_blocklist_done *done;
	void *arg;
};

static void on_list(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	struct list_ask *ask = arg;
	const struct wa_node *list = wa_node_child(answer, "list") ? wa_node_child(answer, "list") : answer;
	int code = wa_ask_code(client, answer);
	struct jid *blocked = NULL;
	size_t n = 0;

	if (code == 0)
		blocked = xcalloc(list->nnodes + 1, sizeof *blocked);
	for (size_t i = 0; code == 0 && i < list->nnodes; i++) {
		if (wa_node_is(list->nodes[i], "item") && wa_node_get_jid(list->nodes[i], "jid", &blocked[n]) && jid_is_person(&blocked[n]))
			n++;
	}
	ask->done(ask->arg, blocked, n, code);
	free(blocked);
	free(ask);
}

void wa_client_blocklist(struct wa_client *client, wa_blocklist_done *done, void *arg)
{
	struct list_ask *ask = xmalloc(sizeof *ask);
	struct arena a;

	*ask = (struct list_ask){ done, arg };
	arena_init(&a, 0);
	wa_client_iq(client, &a, wa_iq_new(&a, "get", "blocklist"), on_list, ask);
	arena_free(&a);
}

void wa_client_block(struct wa_client *client, const struct jid *lid, const struct jid *pn, bool block, wa_done *done, void *arg)
{
	struct wa_node *iq, *item;
	struct arena a;

	arena_init(&a, 0);
	iq = wa_iq_new(&a, "set", "blocklist");
	item = wa_node_add_new(&a, iq, "item");
	wa_node_attr(&a, item, "action", block ? "block" : "unblock");
	wa_node_attr_jid(&a, item, "jid", lid);
	if (block)
		wa_node_attr_jid(&a, item, "pn_jid", pn);
	wa_ask_done(client, &a, iq, done, arg);
	arena_free(&a);
}
