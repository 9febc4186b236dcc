/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether others are told what this account reads. Asked for at every login, and told by notifications when another device changes it:
 *
 *     <privacy><category name="readreceipts" value="all|none"/>...</privacy>
 *
 * Source: Baileys messages-send.ts (readMessages), whatsmeow privacysettings.go, receipt.go.
 */
#include "sessiond/wa/messaging.h"

void wa_read_privacy(struct wa_messaging *m, const struct wa_node *privacy)
{
	for (size_t i = 0; privacy != NULL && privacy->content == WA_CONTENT_NODES && i < privacy->nnodes; i++) {
		const struct wa_node *category = privacy->nodes[i];

		if (wa_node_is(category, "category") && wa_node_get_is(category, "name", "readreceipts"))
			m->hides_reading = !wa_node_get_is(category, "value", "all");
	}
}
