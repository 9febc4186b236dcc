/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The account's own profile: about text, default of disappearing messages, privacy.
 *
 *     <iq xmlns="status" type="set"><status>text</status></iq>
 *     <iq xmlns="disappearing_mode" type="set"><disappearing_mode duration="86400"/></iq>
 *     <iq xmlns="privacy" type="get"><privacy/></iq>   ->   <privacy><category name value [dhash]/>...</privacy>
 *     <iq xmlns="privacy" type="set"><privacy [addressing_mode="lid"]><category name value [dhash]>
 *             [<user action="add|remove" jid=LID pn_jid=PN/>...]</category></privacy></iq>
 *
 * Source: Baileys Socket/chats.ts, whatsmeow privacysettings.go, whatsapp-rust's notes on lists.
 */
#include <stdlib.h>

#include "common/mem.h"
#include "sessiond/wa/ask.h"

void wa_client_set_about(struct wa_client *client, const char *text, wa_done *done, void *arg)
{
	struct wa_node *iq;
	struct arena a;

	arena_init(&a, 0);
	iq = wa_iq_new(&a, "set", "status");
	wa_node_add_bytes(&a, iq, "status", span_text(text));
	wa_ask_done(client, &a, iq, done, arg);
	arena_free(&a);
}

void wa_client_set_default_timer(struct wa_client *client, uint32_t seconds, wa_done *done, void *arg)
{
	struct wa_node *iq;
	struct arena a;

	arena_init(&a, 0);
	iq = wa_iq_new(&a, "set", "disappearing_mode");
	wa_node_attr_u64(&a, wa_node_add_new(&a, iq, "disappearing_mode"), "duration", seconds);
	wa_ask_done(client, &a, iq, done, arg);
	arena_free(&a);
}

/* ---- privacy ---- */

struct privacy_ask {
	wa_privacy_done *done;
	void *arg;
};

static void on_privacy(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	struct privacy_ask *ask = arg;
	const struct wa_node *privacy = wa_node_child(answer, "privacy");
	struct wa_privacy *settings = NULL;
	int code = wa_ask_code(client, answer);
	size_t n = 0;

	if (code == 0 && privacy == NULL)
		code = ASK_MALFORMED;
	if (code == 0)
		settings = xcalloc(privacy->nnodes + 1, sizeof *settings);
	for (size_t i = 0; code == 0 && i < privacy->nnodes; i++) {
		const struct wa_node *category = privacy->nodes[i];

		if (!wa_node_is(category, "category") || wa_node_get(category, "name") == NULL)
			continue;
		settings[n++] = (struct wa_privacy){ wa_node_get_or_empty(category, "name"), wa_node_get_or_empty(category, "value"),
						     wa_node_get_or_empty(category, "dhash") };
	}
	ask->done(ask->arg, settings, n, code);
	free(settings);
	free(ask);
}

void wa_client_privacy(struct wa_client *client, wa_privacy_done *done, void *arg)
{
	struct privacy_ask *ask = xmalloc(sizeof *ask);
	struct wa_node *iq;
	struct arena a;

	*ask = (struct privacy_ask){ done, arg };
	arena_init(&a, 0);
	iq = wa_iq_new(&a, "get", "privacy");
	wa_node_add_new(&a, iq, "privacy");
	wa_client_iq(client, &a, iq, on_privacy, ask);
	arena_free(&a);
}

void wa_client_set_privacy(struct wa_client *client, const struct wa_privacy_change *change, wa_done *done, void *arg)
{
	struct wa_node *iq, *privacy, *category;
	struct arena a;

	arena_init(&a, 0);
	iq = wa_iq_new(&a, "set", "privacy");
	privacy = wa_node_add_new(&a, iq, "privacy");
	if (change->n > 0)
		wa_node_attr(&a, privacy, "addressing_mode", "lid");
	category = wa_node_add_new(&a, privacy, "category");
	wa_node_attr(&a, category, "name", change->name);
	wa_node_attr(&a, category, "value", change->value);
	if (change->n > 0)
		wa_node_attr(&a, category, "dhash", change->dhash != NULL && change->dhash[0] ? change->dhash : "none");
	for (size_t i = 0; i < change->n; i++) {
		struct wa_node *user = wa_node_add_new(&a, category, "user");

		wa_node_attr(&a, user, "action", change->users[i].add ? "add" : "remove");
		wa_node_attr_jid(&a, user, "jid", &change->users[i].lid);
		wa_node_attr_jid(&a, user, "pn_jid", &change->users[i].pn);
	}
	wa_ask_done(client, &a, iq, done, arg);
	arena_free(&a);
}
