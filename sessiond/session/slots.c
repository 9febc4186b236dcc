/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The node's handshakes: sessions wait in line so that a start or a lost network does not connect all of them at once. */
#include "sessiond/daemon.h"
#include "sessiond/session/private.h"

static void grant(struct sessions *sessions)
{
	size_t limit = (size_t)sessions->daemon->config->handshakes;

	while (sessions->slot_first && sessions->slots_used < limit) {
		struct session_entry *entry = sessions->slot_first;
		struct session_private *p = entry->priv;

		sessions->slot_first = p->slot_next;
		if (!sessions->slot_first)
			sessions->slot_last = NULL;
		p->slot_next = NULL;
		p->waits = false;
		p->holds = true;
		sessions->slots_used++;
		registry_call(entry, session_granted, proxies_for(sessions, entry), NULL, NULL, NULL);
	}
}

void slots_want(struct session_entry *entry)
{
	struct sessions *sessions = entry->priv->sessions;

	if (entry->priv->waits || entry->priv->holds)
		return;
	entry->priv->waits = true;
	if (sessions->slot_last)
		sessions->slot_last->priv->slot_next = entry;
	else
		sessions->slot_first = entry;
	sessions->slot_last = entry;
	grant(sessions);
}

static void leave_line(struct sessions *sessions, struct session_entry *entry)
{
	struct session_entry *before = NULL;
	struct session_entry *e = sessions->slot_first;

	while (e && e != entry) {
		before = e;
		e = e->priv->slot_next;
	}
	if (!e)
		return;
	if (before)
		before->priv->slot_next = entry->priv->slot_next;
	else
		sessions->slot_first = entry->priv->slot_next;
	if (sessions->slot_last == entry)
		sessions->slot_last = before;
	entry->priv->slot_next = NULL;
}

void slots_free(struct session_entry *entry, enum dial_outcome outcome, const char *why)
{
	struct session_private *p = entry->priv;
	struct sessions *sessions = p->sessions;

	if (p->waits)
		leave_line(sessions, entry);
	if (p->holds)
		sessions->slots_used--;
	proxies_told(sessions, entry, outcome, why);
	p->waits = p->holds = false;
	grant(sessions);
}
