/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Phone numbers and hidden user ids of the same people. */
#include "sessiond/wa/lidmap.h"

#include <string.h>

bool wa_lidmap_is_pn(const struct jid *jid)
{
	return jid_is_pn(jid) || jid->server == JID_SERVER_HOSTED;
}

bool wa_lidmap_is_lid(const struct jid *jid)
{
	return jid_is_lid(jid) || jid->server == JID_SERVER_HOSTED_LID;
}

static bool is_hosted(const struct jid *jid)
{
	return jid->server == JID_SERVER_HOSTED || jid->server == JID_SERVER_HOSTED_LID;
}

void wa_lidmap_keys(struct state_keys *keys, const struct jid *user)
{
	if (wa_lidmap_is_pn(user))
		state_keys_add(keys, WA_RECORD_LID_OF_PN, user->user);
	else if (wa_lidmap_is_lid(user))
		state_keys_add(keys, WA_RECORD_PN_OF_LID, user->user);
}

bool wa_lidmap_other(struct state_op *op, const struct jid *user, struct jid *other)
{
	bool pn = wa_lidmap_is_pn(user);
	enum jid_server server;
	struct span value;

	if (!pn && !wa_lidmap_is_lid(user))
		return false;
	if (!state_op_get(op, pn ? WA_RECORD_LID_OF_PN : WA_RECORD_PN_OF_LID, user->user, &value) || value.n == 0)
		return false;
	if (is_hosted(user))
		server = pn ? JID_SERVER_HOSTED_LID : JID_SERVER_HOSTED;
	else
		server = pn ? JID_SERVER_LID : JID_SERVER_PN;
	return jid_make(other, (const char *)value.p, value.n, server, user->device) == 0;
}

static bool known(struct state_op *op, enum wa_record_kind kind, const char *name, const char *value)
{
	struct span stored;

	return state_op_has_fetched(op, kind, name) && state_op_get(op, kind, name, &stored) && span_is(stored, value);
}

/* A LID that belonged to another number before: that number may be somebody else's now. */
static void forget_old_number(struct state_op *op, const char *lid, const char *pn)
{
	struct span old;
	char name[JID_USER_MAX + 1];

	if (!state_op_has_fetched(op, WA_RECORD_PN_OF_LID, lid) || !state_op_get(op, WA_RECORD_PN_OF_LID, lid, &old))
		return;
	if (span_is(old, pn) || old.n == 0 || old.n > JID_USER_MAX)
		return;
	memcpy(name, old.p, old.n);
	name[old.n] = '\0';
	state_op_delete(op, WA_RECORD_LID_OF_PN, name);
}

bool wa_lidmap_learn(struct state_op *op, const struct jid *a, const struct jid *b)
{
	const struct jid *pn = wa_lidmap_is_pn(a) ? a : b;
	const struct jid *lid = pn == a ? b : a;

	if (!wa_lidmap_is_pn(pn) || !wa_lidmap_is_lid(lid) || pn->user[0] == '\0' || lid->user[0] == '\0')
		return false;
	if (known(op, WA_RECORD_LID_OF_PN, pn->user, lid->user) && known(op, WA_RECORD_PN_OF_LID, lid->user, pn->user))
		return false;
	forget_old_number(op, lid->user, pn->user);
	state_op_put(op, WA_RECORD_LID_OF_PN, pn->user, span_text(lid->user));
	state_op_put(op, WA_RECORD_PN_OF_LID, lid->user, span_text(pn->user));
	return true;
}

struct jid wa_lidmap_signal_address(struct state_op *op, const struct jid *device)
{
	struct jid lid;

	if (wa_lidmap_is_pn(device) && wa_lidmap_other(op, device, &lid))
		return lid;
	return *device;
}
