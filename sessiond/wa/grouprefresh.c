/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * <ib><dirty type="groups">: groups changed while notifications were lost. The list of groups is asked for, without members; what is known of
 * a group that is not as it was is forgotten, so that the next message to it asks; then the server is told that its list is read.
 * Source: Baileys Socket/groups.ts (groupFetchAllParticipating, then cleanDirtyBits), which asks for all members at once.
 */
#include <stdlib.h>

#include "common/mem.h"
#include "sessiond/wa/group.h"
#include "sessiond/wa/groupadmin.h"

struct group_refresh {
	struct wa_messaging *m;       /* borrowed */
	struct wa_group_facts *groups; /* owned */
	size_t n;
	struct state_op op;
	bool storing;                 /* op is under way */
	wa_groups_refreshed *done;
	void *arg;
};

static void groups_free(struct wa_group_facts *groups, size_t n)
{
	struct wa_group_answer answer = { .groups = groups, .ngroups = n };

	wa_group_answer_clear(&answer);
}

static void refresh_free(struct group_refresh *r)
{
	if (r->storing)
		state_op_end(&r->op);
	groups_free(r->groups, r->n);
	free(r);
}

void wa_groups_refresh_free(struct wa_messaging *m)
{
	if (m->group_refresh)
		refresh_free(m->group_refresh);
	m->group_refresh = NULL;
}

static void end(struct group_refresh *r, bool read)
{
	struct wa_client *client = r->m->client;
	wa_groups_refreshed *done = r->done;
	void *arg = r->arg;

	r->m->group_refresh = NULL;
	refresh_free(r);
	done(client, read, arg);
}

static bool same(const struct wa_group *old, const struct wa_group *now)
{
	return old->version != 0 && old->version == now->version && old->lid_addressed == now->lid_addressed && old->announce == now->announce &&
	       old->locked == now->locked && old->expiration_s == now->expiration_s;
}

static void stored(void *arg, bool ok)
{
	end(arg, ok);
}

static void loaded(void *arg, bool ok)
{
	struct group_refresh *r = arg;

	if (!ok) {
		end(r, false);
		return;
	}
	for (size_t i = 0; i < r->n; i++) {
		struct wa_group old;

		if (wa_group_load(&r->op, &r->groups[i].group.jid, &old) && !same(&old, &r->groups[i].group))
			wa_group_forget(&r->op, &r->groups[i].group.jid);
		wa_group_clear(&old);
	}
	state_op_commit(&r->op, stored, r);
}

static void answered(void *arg, struct wa_group_answer *answer)
{
	struct group_refresh *r = arg;
	struct state_keys keys = { 0 };

	/* 503: the client is going. */
	if (answer->code == 503) {
		wa_groups_refresh_free(r->m);
		return;
	}
	if (answer->code) {
		end(r, false);
		return;
	}
	r->groups = answer->groups;
	r->n = answer->ngroups;
	answer->groups = NULL;
	answer->ngroups = 0;
	for (size_t i = 0; i < r->n; i++)
		wa_group_keys(&keys, &r->groups[i].group.jid);
	state_op_init(&r->op, wa_client_state(r->m->client));
	r->storing = true;
	state_op_fetch(&r->op, keys.keys, keys.n, loaded, r);
	state_keys_free(&keys);
}

void wa_groups_refresh(struct wa_client *client, wa_groups_refreshed *done, void *arg)
{
	const struct wa_group_ask ask = { .kind = WA_ASK_GROUPS };
	struct wa_messaging *m = wa_client_messaging(client);
	struct group_refresh *r;

	/* One at a time; the server says so again when it has more. */
	if (m->group_refresh)
		return;
	r = xcalloc(1, sizeof *r);
	r->m = m;
	r->done = done;
	r->arg = arg;
	m->group_refresh = r;
	wa_client_group_ask(client, &ask, answered, r);
}
