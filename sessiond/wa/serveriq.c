/* SPDX-License-Identifier: GPL-3.0-or-later */
/* IQs that the server sends: pings and the two steps of pairing. They are answered, never acked. */
#include <string.h>

#include "sessiond/wa/connection.h"

/* whatsapp-rust: a ping may come without id, without child and without type; unanswered it costs the connection. */
static bool is_ping(const struct wa_node *iq)
{
	return wa_node_get_is(iq, "xmlns", "urn:xmpp:ping") || wa_node_child(iq, "ping") != NULL;
}

static void answer(struct wa_client *client, const struct wa_node *iq, const char *type, unsigned code, const char *text)
{
	struct wa_node *result, *error;
	struct arena arena;

	arena_init(&arena, 0);
	result = wa_node_new(&arena, "iq");
	wa_node_attr_server(&arena, result, "to");
	wa_node_attr(&arena, result, "type", type);
	wa_node_attr_copy(&arena, result, "id", iq, "id");
	if (code != 0) {
		error = wa_node_add_new(&arena, result, "error");
		wa_node_attr_u64(&arena, error, "code", code);
		wa_node_attr(&arena, error, "text", text);
	}
	wa_client_write(client, result);
	arena_free(&arena);
}

void server_iq(struct wa_client *client, const struct wa_node *iq)
{
	if (is_ping(iq))
		answer(client, iq, "result", 0, NULL);
	else if (!wa_node_get_server(iq, "from") && wa_node_get(iq, "from") != NULL)
		return;
	else if (client->phase == PHASE_UNLINKED && wa_node_child(iq, "pair-device") != NULL)
		pair_on_device(client, iq);
	else if (client->phase == PHASE_UNLINKED && wa_node_child(iq, "pair-success") != NULL)
		pair_on_success(client, iq);
	else if (wa_node_get(iq, "id") != NULL)
		answer(client, iq, "error", 501, "feature-not-implemented");
}
