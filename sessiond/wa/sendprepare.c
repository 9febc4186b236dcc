/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a message needs before it can be encrypted, step by step; each step ends in the next one, at once or when an answer comes:
 *
 *     names: both forms of the recipient   load_names
 *     device lists of both sides           load_lists -> ask_lists (usync)
 *     sessions with all devices            wa_send_sessions (sendsessions.c)
 *
 * Groups and the status have their own way: sendgroup.c. Channels: sendchannel.c.
 */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/lidmap.h"
#include "sessiond/wa/send.h"
#include "sessiond/wa/tctoken.h"

#define CODE_NOT_FOUND 404

static void load_lists(struct send_job *job);

void wa_send_unprepare(struct send_job *job)
{
	wa_usync_cancel(job->usync);
	wa_bundles_cancel(job->bundles);
	job->usync = NULL;
	job->bundles = NULL;
	if (job->timer.fn != NULL && job->phase == SEND_PREPARING)
		wa_timer_stop(job->m->client, &job->timer);
	state_op_end(&job->op);
	for (size_t i = 0; i < job->ntargets; i++)
		buf_free(&job->targets[i].ciphertext);
	for (size_t i = 0; i < job->nbundles; i++)
		buf_free(&job->waiting[i].proof);
	free(job->targets);
	free(job->waiting);
	wa_send_group_free(job);
	job->targets = NULL;
	job->waiting = NULL;
	job->ntargets = job->at = job->nbundles = 0;
	buf_wipe(&job->own_message);
}

/* A storage failure closes the connection; the job is undone there and starts anew. */
bool wa_send_lost(const struct send_job *job, bool ok)
{
	return !ok || job->phase != SEND_PREPARING;
}

/* ---- names ---- */

static void set_form(struct send_job *job, const struct jid *jid)
{
	if (wa_lidmap_is_lid(jid))
		job->lid = jid_bare(jid);
	else if (wa_lidmap_is_pn(jid))
		job->pn = jid_bare(jid);
}

/* The wire address is the LID as soon as both sides have one. Source: whatsmeow send.go; Baileys keeps what it was given. */
static void choose_chat(struct send_job *job)
{
	struct jid other;

	set_form(job, &job->to);
	if (wa_lidmap_other(&job->op, &job->to, &other))
		set_form(job, &other);
	job->chat = job->to;
	if (!jid_is_none(&job->lid) && !jid_is_none(wa_client_own_lid(job->m->client)))
		job->chat = job->lid;
	else if (!jid_is_none(&job->pn))
		job->chat = job->pn;
}

static void names_loaded(void *arg, bool ok)
{
	struct send_job *job = arg;

	if (wa_send_lost(job, ok))
		return;
	choose_chat(job);
	load_lists(job);
}

void wa_send_prepare(struct send_job *job)
{
	struct state_keys keys = { 0 };

	job->asked_devices = false;
	job->pn = job->lid = job->chat = (struct jid){ 0 };
	state_op_init(&job->op, wa_client_state(job->m->client));
	if (jid_is_group(&job->to) || jid_is_status(&job->to)) {
		wa_send_prepare_group(job);
		return;
	}
	if (job->to.server == JID_SERVER_NEWSLETTER) {
		wa_send_to_channel(job);
		return;
	}
	if (!jid_is_person(&job->to)) {
		wa_send_fail(job, CODE_NOT_FOUND, "messages to such an address cannot be sent");
		return;
	}
	wa_lidmap_keys(&keys, &job->to);
	state_op_fetch(&job->op, keys.keys, keys.n, names_loaded, job);
	state_keys_free(&keys);
}

/* ---- device lists ---- */

static struct jid own_user(const struct send_job *job)
{
	return wa_messaging_own(job->m, &job->chat);
}

bool wa_send_list_is_usable(struct send_job *job, const struct jid *user, struct device_list *list)
{
	int64_t age;

	if (!wa_devices_load(&job->op, user, list))
		return false;
	age = wa_client_wall_ms(job->m->client) - list->fetched_ms;
	return age >= 0 && age < DEVICES_MAX_AGE_MS;
}

static void add_target(struct send_job *job, const struct jid *user, const struct device_entry *device, bool own)
{
	struct send_target *t = &job->targets[job->ntargets];

	*t = (struct send_target){ .wire = wa_device_jid(user, device), .own = own };
	if (wa_messaging_is_this_device(job->m, &t->wire))
		return;
	t->address = t->wire;
	if (wa_lidmap_is_pn(&t->wire) && !jid_is_none(&job->lid) && !own) {
		t->address.server = t->wire.server == JID_SERVER_HOSTED ? JID_SERVER_HOSTED_LID : JID_SERVER_LID;
		memcpy(t->address.user, job->lid.user, sizeof t->address.user);
	} else if (wa_lidmap_is_pn(&t->wire) && own && !jid_is_none(wa_client_own_lid(job->m->client))) {
		t->address.server = JID_SERVER_LID;
		memcpy(t->address.user, wa_client_own_lid(job->m->client)->user, sizeof t->address.user);
	}
	wa_send_set_old_address(t, own ? wa_client_own_pn(job->m->client) : &job->pn);
	job->ntargets++;
}

static void make_targets(struct send_job *job, const struct device_list *theirs, const struct device_list *ours)
{
	struct jid own = own_user(job);
	bool to_self = wa_messaging_is_own(job->m, &job->chat);

	free(job->targets);
	job->targets = xcalloc(theirs->n + ours->n + 1, sizeof *job->targets);
	job->ntargets = job->at = 0;
	for (size_t i = 0; i < theirs->n && !to_self; i++)
		add_target(job, &job->chat, &theirs->devices[i], false);
	for (size_t i = 0; i < ours->n; i++)
		add_target(job, &own, &ours->devices[i], true);
}

static void lists_answered(void *arg, int result, const bool *found, int code, const char *text)
{
	struct send_job *job = arg;

	(void)found;
	job->usync = NULL;
	if (job->phase != SEND_PREPARING)
		return;
	if (result == USYNC_NO_ANSWER || (result == USYNC_REFUSED && wa_send_is_passing(code))) {
		wa_send_unanswered(job, code, "the server does not answer the query for devices");
		return;
	}
	job->asked_devices = true;
	job->fresh_lists = false;
	if (result == USYNC_REFUSED) {
		wa_send_fail(job, code != 0 ? code : CODE_NOT_FOUND, text != NULL && text[0] != '\0' ? text : "the device query was refused");
		return;
	}
	/* The answer may have told the LID of a number that had none. */
	choose_chat(job);
	load_lists(job);
}

static void ask_lists(struct send_job *job, bool theirs, bool ours)
{
	struct jid users[2];
	size_t n = 0;

	if (theirs)
		users[n++] = job->chat;
	if (ours)
		users[n++] = own_user(job);
	job->usync = wa_usync_devices(job->m->client, &job->op, users, n, "message", lists_answered, job);
}

static void lists_loaded(void *arg, bool ok)
{
	struct send_job *job = arg;
	struct device_list theirs;
	struct device_list ours = { 0 };
	struct jid own;
	bool have_theirs;
	bool have_ours;

	if (wa_send_lost(job, ok))
		return;
	own = own_user(job);
	have_theirs = wa_send_list_is_usable(job, &job->chat, &theirs);
	have_ours = wa_send_list_is_usable(job, &own, &ours);
	if (!job->asked_devices && (job->fresh_lists || !have_theirs || !have_ours)) {
		ask_lists(job, job->fresh_lists || !have_theirs, job->fresh_lists || !have_ours);
		return;
	}
	/* No newer list could be had: an old one is better than none. */
	if (!have_theirs && !wa_devices_load(&job->op, &job->chat, &theirs)) {
		wa_send_fail(job, CODE_NOT_FOUND, "the recipient has no devices: the number is not on WhatsApp");
		return;
	}
	if (!have_ours)
		wa_devices_load(&job->op, &own, &ours);
	make_targets(job, &theirs, &ours);
	wa_send_sessions(job);
}

static void load_lists(struct send_job *job)
{
	struct state_keys keys = { 0 };
	struct jid own = own_user(job);

	wa_devices_keys(&keys, &job->chat);
	wa_devices_keys(&keys, &own);
	wa_tctoken_keys(&keys, jid_is_none(&job->lid) ? &job->chat : &job->lid);
	/* The LID's record of a PN that is asked for, so that an answer can be compared with what is known. */
	if (!jid_is_none(&job->lid))
		wa_lidmap_keys(&keys, &job->lid);
	if (!jid_is_none(&job->pn))
		wa_lidmap_keys(&keys, &job->pn);
	state_op_fetch(&job->op, keys.keys, keys.n, lists_loaded, job);
	state_keys_free(&keys);
}
