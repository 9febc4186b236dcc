/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What changes of app state mean for this device: events with both forms of names, own push name, the salt of privacy tokens. */
#include <string.h>

#include "sessiond/wa/lidmap.h"
#include "sessiond/wa/messaging.h"
#include "sessiond/wa/tctoken.h"

static void add_names(struct state_keys *keys, const struct wa_action *a)
{
	const struct jid *jids[] = { &a->chat, &a->pn, &a->lid, &a->participant };

	for (size_t i = 0; i < sizeof jids / sizeof jids[0]; i++)
		if (jid_is_person(jids[i]))
			wa_lidmap_keys(keys, jids[i]);
}

void appstate_effect_keys(const struct appstate_work *work, size_t from, size_t to, struct state_keys *keys)
{
	for (size_t i = from; i < to; i++) {
		const struct appstate_change *change = &work->changes[i];
		struct wa_action *a = appstate_action_read(change->index, change->value, change->operation == APPSTATE_REMOVE);

		if (a != NULL)
			add_names(keys, a);
		wa_action_free(a);
	}
}

/* What an entry says about who is who. */
static void learn(struct state_op *op, const struct wa_action *a)
{
	if (a->removed)
		return;
	if (!jid_is_none(&a->lid) && jid_is_pn(&a->chat))
		wa_lidmap_learn(op, &a->chat, &a->lid);
	if (!jid_is_none(&a->pn) && jid_is_lid(&a->chat))
		wa_lidmap_learn(op, &a->pn, &a->chat);
}

static void set_form(struct wa_action *a, const struct jid *jid)
{
	if (wa_lidmap_is_pn(jid)) {
		a->chat_pn = jid_bare(jid);
		a->chat_pn.server = JID_SERVER_PN;
	} else if (wa_lidmap_is_lid(jid)) {
		a->chat_lid = jid_bare(jid);
		a->chat_lid.server = JID_SERVER_LID;
	}
}

static void find_forms(struct state_op *op, struct wa_action *a)
{
	struct state_keys keys = { 0 };
	struct jid other;

	if (!jid_is_person(&a->chat))
		return;
	set_form(a, &a->chat);
	wa_lidmap_keys(&keys, &a->chat);
	if (keys.n > 0 && state_op_has_fetched(op, keys.keys[0].kind, keys.keys[0].name) && wa_lidmap_other(op, &a->chat, &other))
		set_form(a, &other);
	state_keys_free(&keys);
}

static void keep_salt(struct state_op *op, const struct appstate_change *change)
{
	struct span salt = appstate_action_salt(change->value);

	if (change->operation == APPSTATE_REMOVE)
		state_op_delete(op, WA_RECORD_MISC, TCTOKEN_SALT_NAME);
	else if (salt.n > 0)
		state_op_put(op, WA_RECORD_MISC, TCTOKEN_SALT_NAME, salt);
}

/* What stays inside the library. True if nobody else is told. */
static bool keep(struct wa_messaging *m, struct state_op *op, const struct appstate_change *change, const struct wa_action *a)
{
	if (strcmp(a->name, "nct_salt_sync") == 0) {
		keep_salt(op, change);
		return true;
	}
	if (strcmp(a->name, "setting_pushName") == 0 && !a->removed && a->text != NULL)
		wa_client_set_push_name(m->client, op, a->text);
	return false;
}

void appstate_effect(struct wa_messaging *m, struct state_op *op, const struct appstate_work *work, size_t from, size_t to, bool initial, bool own)
{
	for (size_t i = from; i < to; i++) {
		const struct appstate_change *change = &work->changes[i];
		struct wa_action *a = appstate_action_read(change->index, change->value, change->operation == APPSTATE_REMOVE);
		struct wa_event *event;

		if (a == NULL)
			continue;
		learn(op, a);
		find_forms(op, a);
		if (keep(m, op, change, a)) {
			wa_action_free(a);
			continue;
		}
		a->initial = initial;
		a->own = own;
		event = wa_event_new(WA_EVENT_ACTION);
		event->action = a;
		state_op_event(op, event);
	}
}
