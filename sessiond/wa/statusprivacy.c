/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who sees the account's status:
 *
 *     <iq type="get" xmlns="status"><privacy/></iq>
 *     <privacy><list type="contacts|whitelist|blacklist" default="true"><user jid/>...</list>...</privacy>      404: all contacts
 *
 * The list marked as default counts, else the first one. Source: whatsmeow broadcast.go.
 */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/client.h"

#define NOT_FOUND 404
#define CODE_TIMED_OUT 408
#define USERS_MAX 65536U

struct asking {
	wa_status_privacy_done *done;
	void *arg;
};

static const struct wa_node *chosen_list(const struct wa_node *privacy)
{
	const struct wa_node *chosen = NULL;

	for (size_t i = 0; privacy != NULL && privacy->content == WA_CONTENT_NODES && i < privacy->nnodes; i++) {
		const struct wa_node *list = privacy->nodes[i];

		if (wa_node_is(list, "list") && (chosen == NULL || wa_node_get_is(list, "default", "true")))
			chosen = list;
	}
	return chosen;
}

static void read_list(const struct wa_node *list, struct wa_status_privacy *out)
{
	out->mode = WA_STATUS_CONTACTS;
	if (list == NULL)
		return;
	if (wa_node_get_is(list, "type", "whitelist"))
		out->mode = WA_STATUS_ONLY;
	else if (wa_node_get_is(list, "type", "blacklist"))
		out->mode = WA_STATUS_EXCEPT;
	if (out->mode == WA_STATUS_CONTACTS || list->content != WA_CONTENT_NODES)
		return;
	out->list = xcalloc(list->nnodes + 1, sizeof *out->list);
	for (size_t i = 0; i < list->nnodes && out->n < USERS_MAX; i++) {
		struct jid user;

		if (wa_node_is(list->nodes[i], "user") && wa_node_get_jid(list->nodes[i], "jid", &user) && jid_is_person(&user))
			out->list[out->n++] = jid_bare(&user);
	}
}

static void answered(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	struct asking *asking = arg;
	struct wa_status_privacy privacy = { 0 };
	int code = CODE_TIMED_OUT;

	(void)client;
	if (wa_iq_ok(answer, &code, NULL) || code == NOT_FOUND) {
		read_list(code == NOT_FOUND ? NULL : chosen_list(wa_node_child(answer, "privacy")), &privacy);
		asking->done(asking->arg, &privacy, 0);
	} else {
		asking->done(asking->arg, NULL, code ? code : CODE_TIMED_OUT);
	}
	free(privacy.list);
	free(asking);
}

void wa_client_status_privacy(struct wa_client *client, wa_status_privacy_done *done, void *arg)
{
	struct asking *asking = xmalloc(sizeof *asking);
	struct wa_node *iq;
	struct arena a;

	*asking = (struct asking){ done, arg };
	arena_init(&a, 0);
	iq = wa_iq_new(&a, "get", "status");
	wa_node_add_new(&a, iq, "privacy");
	wa_client_iq(client, &a, iq, answered, asking);
	arena_free(&a);
}
