/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Notifications that change whom messages are encrypted for: re-installed phones, added and removed devices, privacy tokens.
 * All of them are acked once their effect is stored. Source: whatsmeow notification.go, Baileys messages-recv.ts.
 */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/devices.h"
#include "sessiond/wa/job.h"
#include "sessiond/wa/lidmap.h"
#include "sessiond/wa/tctoken.h"

struct notify_job {
	struct stanza_job job; /* first member */
	struct jid user;       /* whom it is about, bare */
	struct jid other;      /* the other form, server NONE if unknown */
	void (*handle)(struct notify_job *job);
};

/* ---- loading what all of them need: both names, both device lists, the token ---- */

static void ready(void *arg, bool ok)
{
	struct notify_job *job = arg;

	if (!ok) {
		wa_job_done(&job->job);
		return;
	}
	job->handle(job);
	wa_job_commit_and_ack(&job->job);
}

static const struct jid *token_user(const struct notify_job *job)
{
	return wa_lidmap_is_lid(&job->other) ? &job->other : &job->user;
}

static void names_loaded(void *arg, bool ok)
{
	struct notify_job *job = arg;
	struct state_keys keys = { 0 };
	struct jid other;

	if (!ok) {
		wa_job_done(&job->job);
		return;
	}
	if (!jid_is_none(&job->other))
		wa_lidmap_learn(&job->job.op, &job->user, &job->other);
	else if (wa_lidmap_other(&job->job.op, &job->user, &other))
		job->other = other;
	wa_devices_keys(&keys, &job->user);
	if (!jid_is_none(&job->other))
		wa_devices_keys(&keys, &job->other);
	wa_tctoken_keys(&keys, token_user(job));
	state_op_fetch(&job->job.op, keys.keys, keys.n, ready, job);
	state_keys_free(&keys);
}

static void start(struct wa_client *client, struct wa_stanza *stanza, const char *other_key, void (*handle)(struct notify_job *job))
{
	const struct wa_node *node = wa_stanza_node(stanza);
	struct notify_job *job = wa_job_new(wa_client_messaging(client), stanza, sizeof *job);
	struct state_keys keys = { 0 };
	struct jid other;

	job->handle = handle;
	if (!wa_node_get_jid(node, "from", &job->user) || !jid_is_person(&job->user)) {
		wa_stanza_ack(client, stanza, 0);
		wa_job_done(&job->job);
		return;
	}
	job->user = jid_bare(&job->user);
	if (other_key != NULL && wa_node_get_jid(node, other_key, &other) && wa_lidmap_is_lid(&other) != wa_lidmap_is_lid(&job->user))
		job->other = jid_bare(&other);
	wa_lidmap_keys(&keys, &job->user);
	if (!jid_is_none(&job->other))
		wa_lidmap_keys(&keys, &job->other);
	state_op_fetch(&job->job.op, keys.keys, keys.n, names_loaded, job);
	state_keys_free(&keys);
}

/* ---- forgetting ---- */

static void forget_device(struct notify_job *job, uint16_t device)
{
	const struct jid *forms[] = { &job->user, &job->other };

	for (size_t i = 0; i < 2; i++) {
		struct jid jid;

		if (jid_is_none(forms[i]))
			continue;
		jid = jid_with_device(forms[i], device);
		wa_signal_delete_session(&job->job.op, &jid);
		wa_signal_delete_identity(&job->job.op, &jid);
	}
}

static void forget_lists(struct notify_job *job)
{
	wa_devices_forget(&job->job.op, &job->user);
	if (!jid_is_none(&job->other))
		wa_devices_forget(&job->job.op, &job->other);
}

static void forget_known_devices(struct notify_job *job)
{
	const struct jid *forms[] = { &job->user, &job->other };
	struct device_list list;

	forget_device(job, 0);
	for (size_t i = 0; i < 2; i++) {
		if (jid_is_none(forms[i]) || !wa_devices_load(&job->job.op, forms[i], &list))
			continue;
		for (size_t k = 0; k < list.n; k++)
			forget_device(job, list.devices[k].id);
	}
}

/* ---- a phone was re-installed ---- */

static void identity_changed(struct notify_job *job)
{
	struct wa_client *client = job->job.m->client;
	int64_t now_s = wa_client_wall_ms(client) / 1000;
	struct wa_event *event;

	if (wa_messaging_is_own(job->job.m, &job->user))
		return;
	forget_known_devices(job);
	forget_lists(job);
	event = wa_event_new(WA_EVENT_IDENTITY_CHANGED);
	event->jid = job->user;
	event->other = job->other;
	state_op_event(&job->job.op, event);
	/* The new phone does not have the token that the old one got. */
	if (wa_tctoken_was_given(&job->job.op, token_user(job)) && wa_tctoken_mark_given(&job->job.op, token_user(job), now_s, true))
		wa_tctoken_issue(client, &job->user, token_user(job), now_s);
}

void wa_on_identity_change(struct wa_client *client, struct wa_stanza *stanza)
{
	start(client, stanza, "lid", identity_changed);
}

/* ---- devices were added or removed ---- */

static void devices_changed(struct notify_job *job)
{
	const struct wa_node *notification = wa_stanza_node(job->job.stanza);
	const struct wa_node *removed = wa_node_child(notification, "remove");
	struct jid device;

	for (size_t i = 0; removed != NULL && i < removed->nnodes; i++)
		if (wa_node_get_jid(removed->nodes[i], "jid", &device) && device.device != 0)
			forget_device(job, device.device);
	/* The next message asks for the list: a change applied here could only be as right as its hash says. */
	forget_lists(job);
}

void wa_on_devices(struct wa_client *client, struct wa_stanza *stanza)
{
	start(client, stanza, "lid", devices_changed);
}

static void own_devices_changed(struct notify_job *job)
{
	const struct jid *own[] = { wa_client_own_pn(job->job.m->client), wa_client_own_lid(job->job.m->client) };

	for (size_t i = 0; i < 2; i++)
		if (!jid_is_none(own[i]))
			wa_devices_forget(&job->job.op, own[i]);
}

void wa_on_account_sync_devices(struct wa_client *client, struct wa_stanza *stanza)
{
	start(client, stanza, NULL, own_devices_changed);
}

/* ---- tokens ---- */

static void token_came(struct notify_job *job)
{
	/* Whose token it is says the sender; the token's own jid attribute is ours. */
	wa_tctoken_take(&job->job.op, token_user(job), wa_node_child(wa_stanza_node(job->job.stanza), "tokens"));
}

void wa_on_privacy_token(struct wa_client *client, struct wa_stanza *stanza)
{
	start(client, stanza, "sender_lid", token_came);
}
