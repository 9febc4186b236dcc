/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Life of the message part of a client, and what its files share. */
#include "sessiond/wa/job.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "common/mem.h"
#include "sessiond/wa/group.h"
#include "sessiond/wa/lidmap.h"
#include "sessiond/wa/query.h"

struct wa_messaging *wa_messaging_new(struct wa_client *client)
{
	struct wa_messaging *m = xcalloc(1, sizeof *m);

	m->client = client;
	wa_appstate_init(&m->appstate, m);
	return m;
}

void wa_messaging_free(struct wa_messaging *m)
{
	if (m == NULL)
		return;
	m->open = false;
	wa_timer_stop(m->client, &m->decode_timer);
	wa_send_free(m);
	wa_appstate_free(&m->appstate);
	wa_learns_free(m);
	wa_peers_free(m);
	wa_jobs_free(m);
	wa_group_asks_free(m);
	wa_queries_free(m);
	wa_group_requests_free(m);
	wa_group_queries_free(m);
	wa_groups_refresh_free(m);
	free(m->suspect);
	OPENSSL_cleanse(&m->account, sizeof m->account);
	free(m);
}

void wa_messaging_opened(struct wa_messaging *m)
{
	m->open = true;
	m->available = wa_client_config(m->client)->mark_online;
	wa_send_opened(m);
	wa_presence_opened(m);
	wa_appstate_opened(&m->appstate);
}

void wa_messaging_closed(struct wa_messaging *m)
{
	m->open = false;
	m->available = false;
	m->nresends = 0;
	wa_send_closed(m);
	wa_appstate_closed(&m->appstate);
}

void wa_client_suspect(struct wa_client *client, const char *name)
{
	struct wa_messaging *m = wa_client_messaging(client);

	free(m->suspect);
	m->suspect = name == NULL ? NULL : xstrdup(name);
}

struct signal_call wa_messaging_call(struct wa_messaging *m, struct state_op *op)
{
	const struct wa_creds *creds = wa_client_creds(m->client);

	memcpy(m->account.identity_public, creds->identity.public_key, SIGNAL_KEY_BYTES);
	memcpy(m->account.identity_private, creds->identity.private_key, SIGNAL_KEY_BYTES);
	m->account.registration_id = creds->registration_id;
	return (struct signal_call){ .env = wa_client_signal(m->client), .op = op, .account = &m->account };
}

struct jid wa_messaging_own(const struct wa_messaging *m, const struct jid *like)
{
	const struct jid *lid = wa_client_own_lid(m->client);

	if (wa_lidmap_is_lid(like) && !jid_is_none(lid))
		return jid_bare(lid);
	return jid_bare(wa_client_own_pn(m->client));
}

static bool same_account(const struct jid *own, const struct jid *user)
{
	if (jid_is_none(own) || strcmp(own->user, user->user) != 0)
		return false;
	return wa_lidmap_is_pn(own) ? wa_lidmap_is_pn(user) : wa_lidmap_is_lid(user);
}

bool wa_messaging_is_own(const struct wa_messaging *m, const struct jid *user)
{
	return same_account(wa_client_own_pn(m->client), user) || same_account(wa_client_own_lid(m->client), user);
}

bool wa_messaging_is_this_device(const struct wa_messaging *m, const struct jid *device)
{
	return wa_messaging_is_own(m, device) && device->device == wa_client_own_pn(m->client)->device;
}

void wa_messaging_add_identity(struct wa_messaging *m, struct arena *a, struct wa_node *parent)
{
	wa_node_add_bytes(a, parent, "device-identity", buf_span(&wa_client_creds(m->client)->account));
}

void wa_messaging_add_registration(struct wa_messaging *m, struct arena *a, struct wa_node *parent)
{
	uint8_t bytes[4];

	creds_registration_bytes(wa_client_creds(m->client)->registration_id, bytes);
	wa_node_add_bytes(a, parent, "registration", span_of(bytes, sizeof bytes));
}
