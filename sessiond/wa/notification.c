/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Notifications by type. Every one is acknowledged, also those that mean nothing to us: else they come again at each connect. */
#include <string.h>

#include "sessiond/wa/channel.h"
#include "sessiond/wa/connection.h"
#include "sessiond/wa/group.h"
#include "sessiond/wa/messaging.h"

static void ack_only(struct wa_client *client, struct wa_stanza *stanza)
{
	wa_stanza_ack(client, stanza, 0);
	wa_stanza_done(client, stanza);
}

static void on_encrypt(struct wa_client *client, struct wa_stanza *stanza)
{
	const struct wa_node *node = wa_stanza_node(stanza);

	if (wa_node_child(node, "count") != NULL && wa_node_get_server(node, "from"))
		prekeys_on_low(client, stanza);
	else if (wa_node_child(node, "identity") != NULL)
		wa_on_identity_change(client, stanza);
	else
		ack_only(client, stanza);
}

static void on_account_sync(struct wa_client *client, struct wa_stanza *stanza)
{
	wa_read_privacy(client->messaging, wa_node_child(wa_stanza_node(stanza), "privacy"));
	if (wa_node_child(wa_stanza_node(stanza), "devices") != NULL)
		wa_on_account_sync_devices(client, stanza);
	else
		wa_on_account_sync(client, stanza);
}

static const struct {
	const char *type;
	wa_stanza_handler *handler;
	bool unlinked; /* pairing only */
} kinds[] = {
	{ "encrypt", on_encrypt, false },
	{ "devices", wa_on_devices, false },
	{ "account_sync", on_account_sync, false },
	{ "mediaretry", wa_on_media_retry, false },
	{ "privacy_token", wa_on_privacy_token, false },
	{ "server_sync", wa_on_server_sync, false },
	{ "w:gp2", wa_on_group, false },
	{ "newsletter", wa_on_channel, false },
	{ "picture", wa_on_contact_change, false },
	{ "status", wa_on_contact_change, false },
	{ "disappearing_mode", wa_on_contact_change, false },
	{ "contacts", wa_on_contact_change, false },
	{ "mex", wa_on_mex, false },
	{ "link_code_companion_reg", paircode_on_notification, true },
	{ "passkey_prologue_request", passkey_on_request, true },
	{ "crsc_continuation", passkey_on_continuation, true },
	{ "companion_reg_refresh", pair_on_refresh, true },
};

void notification_on_notification(struct wa_client *client, struct wa_stanza *stanza)
{
	const char *type = wa_node_get_or_empty(wa_stanza_node(stanza), "type");
	bool unlinked = client->phase == PHASE_UNLINKED;

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strcmp(kinds[i].type, type) != 0)
			continue;
		/* What belongs to pairing comes from the server alone. */
		if (kinds[i].unlinked != unlinked || (unlinked && !wa_node_get_server(wa_stanza_node(stanza), "from")))
			break;
		kinds[i].handler(client, stanza);
		return;
	}
	ack_only(client, stanza);
}
