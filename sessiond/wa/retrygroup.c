/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Retry receipts for messages with a sender key: who may ask, and the key that goes with the answer. */
#include "sessiond/wa/retrygroup.h"

#include "common/mem.h"
#include "sessiond/wa/e2e_fields.h"
#include "sessiond/wa/groupkeys.h"
#include "sessiond/wa/proto_walk.h"
#include "sessiond/wa/signal_group.h"

enum { DISTRIBUTION_GROUP = 1, DISTRIBUTION_KEY = 2 };

static struct jid own_as(const struct wa_messaging *m, bool lid)
{
	const struct jid *own_lid = wa_client_own_lid(m->client);
	const struct jid *own = lid && !jid_is_none(own_lid) ? own_lid : wa_client_own_pn(m->client);

	return jid_with_device(own, wa_client_own_pn(m->client)->device);
}

void wa_retry_group_keys(struct stanza_job *job, struct state_keys *keys, const struct jid *chat)
{
	struct jid pn = own_as(job->m, false);
	struct jid lid = own_as(job->m, true);

	wa_group_keys(keys, chat);
	wa_group_keys_keys(keys, chat);
	wa_sender_key_keys(keys, chat, &pn);
	wa_sender_key_keys(keys, chat, &lid);
}

bool wa_retry_group_member(struct stanza_job *job, const struct jid *chat, const struct jid *device)
{
	struct jid user = jid_bare(device);
	struct group_keys keys = { 0 };
	struct wa_group info;
	bool member;

	if (wa_messaging_is_own(job->m, device))
		return true;
	if (wa_group_load(&job->op, chat, &info))
		member = wa_group_member_find(&info, device) != NULL;
	else
		member = wa_group_keys_load(&job->op, chat, &keys) && wa_group_keys_has_user(&keys, &user);
	wa_group_clear(&info);
	wa_group_keys_clear(&keys);
	return member;
}

void wa_retry_group_lacks(struct stanza_job *job, const struct jid *chat, const struct jid *device)
{
	struct group_keys keys;

	if (wa_group_keys_load(&job->op, chat, &keys)) {
		wa_group_keys_remove(&keys, device);
		/* One that is on no list yet: its account has a new device. */
		wa_group_keys_store(&job->op, chat, &keys);
	}
	wa_group_keys_clear(&keys);
}

void wa_retry_group_key(struct stanza_job *job, const struct jid *chat, struct buf *out)
{
	struct signal_call call = wa_messaging_call(job->m, &job->op);
	struct wa_group info;
	struct jid own = own_as(job->m, !wa_group_load(&job->op, chat, &info) || info.lid_addressed);
	struct buf inner = { 0 };
	struct buf key = { 0 };
	char text[JID_TEXT_MAX];

	wa_group_clear(&info);
	if (wa_sender_key_distribution(&call, chat, &own, &key) == SIGNAL_OK) {
		proto_put_bytes(&inner, DISTRIBUTION_GROUP, span_text(jid_format(chat, text, sizeof text)));
		proto_put_bytes(&inner, DISTRIBUTION_KEY, buf_span(&key));
		proto_put_bytes(out, E2E_KEY_DISTRIBUTION, buf_span(&inner));
	}
	buf_wipe(&inner);
	buf_wipe(&key);
}
