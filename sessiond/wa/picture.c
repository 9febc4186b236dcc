/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pictures of people and groups: where they are, setting and removing them.
 *
 *     <iq xmlns="w:profile:picture" type="get" target=JID><picture type="image|preview" query="url">[<tctoken>]</picture></iq>
 *     <iq xmlns="w:profile:picture" type="set" [target=GROUP]>[<picture type="image">JPEG</picture>]</iq>
 *
 * Source: whatsmeow user.go; Baileys Socket/chats.ts.
 */
#include <stdlib.h>

#include "common/mem.h"
#include "sessiond/wa/ask.h"
#include "sessiond/wa/lidmap.h"
#include "sessiond/wa/messaging.h"
#include "sessiond/wa/tctoken.h"

struct picture_ask {
	struct wa_client *client;
	struct state_op op;
	struct jid who, token_user;
	bool full;
	char *invite; /* owned, may be NULL */
	wa_picture_done *done;
	void *arg;
};

static void finish(struct picture_ask *ask, const struct wa_picture *picture, int code)
{
	state_op_end(&ask->op);
	ask->done(ask->arg, picture, code);
	free(ask->invite);
	free(ask);
}

static void on_answer(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	struct picture_ask *ask = arg;
	const struct wa_node *picture = wa_node_child(answer, "picture");
	const struct wa_node *error = wa_node_child(picture, "error");
	int code = wa_ask_code(client, answer);
	struct wa_picture out;
	uint64_t inner;

	if (code == 0 && error != NULL)
		code = wa_node_get_u64(error, "code", &inner) && inner > 0 && inner < 1000 ? (int)inner : 404;
	out = (struct wa_picture){
		.id = wa_node_get_or_empty(picture, "id"), .type = wa_node_get_or_empty(picture, "type"),
		.url = wa_node_get_or_empty(picture, "url"), .direct_path = wa_node_get_or_empty(picture, "direct_path"),
	};
	/* No address, or status 204: there is none. */
	if (code == 0 && out.url[0] == '\0')
		code = 404;
	finish(ask, code == 0 ? &out : NULL, code);
}

static void loaded(void *arg, bool ok)
{
	static const struct jid none = { .server = JID_SERVER_NONE };
	struct picture_ask *ask = arg;
	struct wa_node *iq, *picture;
	struct arena a;

	if (!ok) {
		finish(ask, NULL, ASK_STORAGE);
		return;
	}
	arena_init(&a, 0);
	iq = wa_iq_new(&a, "get", "w:profile:picture");
	wa_node_attr_jid(&a, iq, "target", &ask->who);
	picture = wa_node_add_new(&a, iq, "picture");
	wa_node_attr(&a, picture, "type", ask->full ? "image" : "preview");
	wa_node_attr(&a, picture, "query", "url");
	wa_node_attr(&a, picture, "invite", ask->invite);
	if (!jid_is_none(&ask->token_user))
		wa_tctoken_attach(&ask->op, &a, picture, &ask->token_user, &none, wa_client_wall_ms(ask->client) / 1000);
	wa_client_iq(ask->client, &a, iq, on_answer, ask);
	arena_free(&a);
}

/* The token is kept under the LID where that is known. */
static void name_loaded(void *arg, bool ok)
{
	struct picture_ask *ask = arg;
	struct state_keys keys = { 0 };
	struct jid lid;

	if (!ok) {
		finish(ask, NULL, ASK_STORAGE);
		return;
	}
	if (wa_lidmap_is_pn(&ask->token_user) && wa_lidmap_other(&ask->op, &ask->token_user, &lid))
		ask->token_user = jid_bare(&lid);
	wa_tctoken_keys(&keys, &ask->token_user);
	state_op_fetch(&ask->op, keys.keys, keys.n, loaded, ask);
	state_keys_free(&keys);
}

void wa_client_picture(struct wa_client *client, const struct jid *who, bool full, const char *invite, wa_picture_done *done, void *arg)
{
	struct picture_ask *ask = xcalloc(1, sizeof *ask);
	struct state_keys keys = { 0 };

	*ask = (struct picture_ask){ .client = client, .who = jid_bare(who), .full = full, .invite = invite ? xstrdup(invite) : NULL,
				     .done = done, .arg = arg };
	state_op_init(&ask->op, wa_client_state(client));
	/* With a token for the own account the server does not answer. */
	if (!jid_is_person(&ask->who) || wa_messaging_is_own(wa_client_messaging(client), &ask->who)) {
		loaded(ask, true);
		return;
	}
	ask->token_user = ask->who;
	wa_lidmap_keys(&keys, &ask->who);
	state_op_fetch(&ask->op, keys.keys, keys.n, name_loaded, ask);
	state_keys_free(&keys);
}

void wa_client_set_picture(struct wa_client *client, const struct jid *group, struct span jpeg, wa_done *done, void *arg)
{
	struct wa_node *iq;
	struct arena a;

	arena_init(&a, 0);
	iq = wa_iq_new(&a, "set", "w:profile:picture");
	if (group != NULL)
		wa_node_attr_jid(&a, iq, "target", group);
	if (jpeg.n > 0)
		wa_node_attr(&a, wa_node_add_bytes(&a, iq, "picture", jpeg), "type", "image");
	wa_ask_done(client, &a, iq, done, arg);
	arena_free(&a);
}
