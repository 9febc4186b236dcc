/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A message to a group, or to the audience of the status: one ciphertext for all, and the key of it for whoever does not have it yet.
 *
 *     group, list of key holders ------ complete -------------------------------+
 *        |  (asked from the server if unknown)                                  v
 *        +-> device lists of all members -> targets -> sessions -> key encrypted -> message encrypted with the key -> stanza
 *
 * Source: whatsmeow send.go, whatsapp-rust send/, Baileys messages-send.ts.
 */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/e2e_fields.h"
#include "sessiond/wa/extras.h"
#include "sessiond/wa/groupkeys.h"
#include "sessiond/wa/lidmap.h"
#include "sessiond/wa/proto_walk.h"
#include "sessiond/wa/send.h"
#include "sessiond/wa/signal_group.h"

#define USERS_PER_QUERY 250U
#define CODE_NO_AUDIENCE 400
#define CODE_ENCRYPTION 500

enum { DISTRIBUTION_GROUP = 1, DISTRIBUTION_KEY = 2 };

struct group_send {
	bool status;
	struct wa_group info;    /* of the status: its members are the audience */
	struct group_keys keys;
	bool checked;            /* the lists were gone through: the list of key holders is complete after this message */
	struct jid own;          /* this device, in the namespace of the group */
	uint32_t key_id;
	struct buf key_message;  /* Message{2: the distribution message} */
	struct jid *users;       /* owned: all members and ourselves */
	size_t nusers;
	struct jid *ask;         /* owned: whose lists are asked for */
	size_t nask, asked;
};

void wa_send_group_free(struct send_job *job)
{
	struct group_send *g = job->group;

	if (g == NULL)
		return;
	wa_group_fetch_cancel(job->m, job);
	wa_group_clear(&g->info);
	wa_group_keys_clear(&g->keys);
	buf_wipe(&g->key_message);
	free(g->users);
	free(g->ask);
	free(g);
	job->group = NULL;
}

struct span wa_send_group_message(const struct send_job *job)
{
	return buf_span(&job->group->key_message);
}

/* ---- the key ---- */

static bool make_key_message(struct send_job *job)
{
	struct group_send *g = job->group;
	struct signal_call call = wa_messaging_call(job->m, &job->op);
	char chat[JID_TEXT_MAX];
	struct buf key = { 0 };
	struct buf inner = { 0 };
	bool ok;

	ok = wa_sender_key_distribution(&call, &job->chat, &g->own, &key) == SIGNAL_OK &&
	     wa_sender_key_id(&job->op, &job->chat, &g->own, &g->key_id);
	proto_put_bytes(&inner, DISTRIBUTION_GROUP, span_text(jid_format(&job->chat, chat, sizeof chat)));
	proto_put_bytes(&inner, DISTRIBUTION_KEY, buf_span(&key));
	proto_put_bytes(&g->key_message, E2E_KEY_DISTRIBUTION, buf_span(&inner));
	buf_wipe(&key);
	buf_wipe(&inner);
	return ok;
}

/* ---- targets ---- */

static void add_device(struct send_job *job, const struct jid *user, const struct wa_group_member *member, const struct device_entry *device)
{
	struct group_send *g = job->group;
	struct send_target *t = &job->targets[job->ntargets];
	bool own = wa_messaging_is_own(job->m, user);
	struct jid other = { 0 };

	*t = (struct send_target){ .wire = jid_with_device(user, device->id), .own = own };
	if (wa_messaging_is_this_device(job->m, &t->wire) || wa_group_keys_has(&g->keys, &t->wire))
		return;
	t->address = t->wire;
	if (own)
		other = wa_lidmap_is_lid(user) ? *wa_client_own_pn(job->m->client) : *wa_client_own_lid(job->m->client);
	else if (member != NULL && !jid_is_none(&member->other))
		other = member->other;
	else
		wa_lidmap_other(&job->op, user, &other);
	if (wa_lidmap_is_pn(user) && wa_lidmap_is_lid(&other)) {
		t->address = jid_with_device(&other, device->id);
		wa_send_set_old_address(t, user);
	} else if (wa_lidmap_is_pn(&other)) {
		wa_send_set_old_address(t, &other);
	}
	job->ntargets++;
}

/* Members that the server tells no list of are left out: they ask by retry receipt. Hosted devices get no group messages. */
static void make_targets(struct send_job *job)
{
	struct group_send *g = job->group;
	struct device_list list;
	struct jid *all;
	size_t n = 0;
	size_t room = 1;
	bool this_device = false;

	for (size_t i = 0; i < g->nusers; i++)
		room += wa_devices_load(&job->op, &g->users[i], &list) ? list.n : 0;
	all = xcalloc(room, sizeof *all);
	free(job->targets);
	job->targets = xcalloc(room, sizeof *job->targets);
	job->ntargets = job->at = job->answered = 0;
	for (size_t i = 0; i < g->nusers; i++) {
		const struct wa_group_member *member = i < g->info.n ? &g->info.members[i] : NULL;

		if (!wa_devices_load(&job->op, &g->users[i], &list))
			continue;
		for (size_t k = 0; k < list.n; k++) {
			if (list.devices[k].hosted)
				continue;
			all[n] = jid_with_device(&g->users[i], list.devices[k].id);
			this_device = this_device || wa_messaging_is_this_device(job->m, &all[n]);
			n++;
			add_device(job, &g->users[i], member, &list.devices[k]);
		}
	}
	if (!this_device)
		all[n++] = g->own;
	wa_devices_hash(all, n, g->keys.hash);
	free(all);
}

static void lists_ready(struct send_job *job)
{
	make_targets(job);
	job->group->checked = true;
	if (!make_key_message(job))
		wa_send_fail(job, CODE_ENCRYPTION, "no sender key for the group could be made");
	else
		wa_send_sessions(job);
}

/* ---- device lists ---- */

static void ask_lists(struct send_job *job);

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
	if (result == USYNC_REFUSED) {
		wa_send_fail(job, code != 0 ? code : CODE_ENCRYPTION, text != NULL && text[0] != '\0' ? text : "the device query was refused");
		return;
	}
	ask_lists(job);
}

static void ask_lists(struct send_job *job)
{
	struct group_send *g = job->group;
	size_t n = g->nask - g->asked < USERS_PER_QUERY ? g->nask - g->asked : USERS_PER_QUERY;

	if (n == 0) {
		job->fresh_lists = false;
		lists_ready(job);
		return;
	}
	job->usync = wa_usync_devices(job->m->client, &job->op, g->ask + g->asked, n, "message", lists_answered, job);
	g->asked += n;
}

static void lists_loaded(void *arg, bool ok)
{
	struct send_job *job = arg;
	struct group_send *g = job->group;
	struct device_list list;

	if (wa_send_lost(job, ok))
		return;
	free(g->ask);
	g->ask = xcalloc(g->nusers + 1, sizeof *g->ask);
	g->nask = g->asked = 0;
	for (size_t i = 0; i < g->nusers; i++)
		if (job->fresh_lists || !wa_send_list_is_usable(job, &g->users[i], &list))
			g->ask[g->nask++] = g->users[i];
	ask_lists(job);
}

static void load_lists(struct send_job *job)
{
	struct group_send *g = job->group;
	struct state_keys keys = { 0 };
	bool own_listed = false;

	free(g->users);
	g->users = xcalloc(g->info.n + 1, sizeof *g->users);
	g->nusers = 0;
	for (size_t i = 0; i < g->info.n; i++) {
		g->users[g->nusers++] = g->info.members[i].jid;
		own_listed = own_listed || wa_messaging_is_own(job->m, &g->info.members[i].jid);
	}
	if (!own_listed)
		g->users[g->nusers++] = jid_bare(&g->own);
	for (size_t i = 0; i < g->nusers; i++) {
		wa_devices_keys(&keys, &g->users[i]);
		wa_lidmap_keys(&keys, &g->users[i]);
	}
	for (size_t i = 0; i < g->info.n; i++) {
		if (jid_is_none(&g->info.members[i].other))
			continue;
		wa_devices_keys(&keys, &g->info.members[i].other);
		wa_lidmap_keys(&keys, &g->info.members[i].other);
	}
	state_op_fetch(&job->op, keys.keys, keys.n, lists_loaded, job);
	state_keys_free(&keys);
}

/* ---- the group ---- */

/* Everybody has the key, as far as all that is known goes. */
static bool is_complete(const struct send_job *job)
{
	const struct group_send *g = job->group;
	int64_t age = wa_client_wall_ms(job->m->client) - g->keys.checked_ms;

	return !g->status && !job->fresh_lists && g->keys.mark == g->info.mark && age >= 0 && age < GROUP_KEYS_MAX_AGE_MS &&
	       g->keys.devices_version == wa_state_version(wa_client_state(job->m->client), WA_RECORD_DEVICES);
}

static void with_group(struct send_job *job)
{
	struct group_send *g = job->group;
	uint16_t device = wa_client_own_pn(job->m->client)->device;
	struct jid own = wa_group_own(job->m, &g->info);

	g->own = jid_with_device(&own, device);
	wa_group_keys_clear(&g->keys);
	wa_group_keys_load(&job->op, &job->chat, &g->keys);
	if (!wa_sender_key_id(&job->op, &job->chat, &g->own, &g->key_id) || g->key_id != g->keys.key_id) {
		int64_t refreshed_ms = g->keys.refreshed_ms;

		/* The list is about another key: nobody has this one. */
		wa_group_keys_clear(&g->keys);
		g->keys.refreshed_ms = refreshed_ms;
		load_lists(job);
	} else if (is_complete(job)) {
		wa_send_encrypt(job);
	} else {
		load_lists(job);
	}
}

static void group_fetched_now(void *arg, int code)
{
	struct send_job *job = arg;

	if (job->phase != SEND_PREPARING)
		return;
	if (code != 0 && wa_send_is_passing(code)) {
		wa_send_unanswered(job, code, "the server does not answer the query for the group");
	} else if (code != 0) {
		wa_send_fail(job, code, code == 403 ? "this account is not a member of the group" : "there is no such group");
	} else {
		job->fresh_group = false;
		wa_group_clear(&job->group->info);
		if (wa_group_load(&job->op, &job->to, &job->group->info))
			with_group(job);
		else
			wa_send_fail(job, CODE_ENCRYPTION, "what the server tells of the group cannot be used");
	}
}

static void group_loaded(void *arg, bool ok)
{
	struct send_job *job = arg;

	if (wa_send_lost(job, ok))
		return;
	wa_group_clear(&job->group->info);
	if (!job->fresh_group && wa_group_load(&job->op, &job->to, &job->group->info))
		with_group(job);
	else
		wa_group_fetch(job->m, &job->to, group_fetched_now, job);
}

/* ---- the status ---- */

static void audience_loaded(void *arg, bool ok)
{
	struct send_job *job = arg;
	struct group_send *g;
	struct jid other;

	if (wa_send_lost(job, ok))
		return;
	g = job->group;
	g->info.lid_addressed = true;
	for (size_t i = 0; i < job->naudience; i++) {
		struct wa_group_member member = { .jid = jid_bare(&job->audience[i]) };

		if (wa_lidmap_other(&job->op, &member.jid, &other)) {
			member.other = wa_lidmap_is_lid(&other) ? member.jid : other;
			member.jid = wa_lidmap_is_lid(&other) ? jid_bare(&other) : member.jid;
		}
		if (!wa_messaging_is_own(job->m, &member.jid))
			wa_group_put_member(&g->info, &member);
	}
	with_group(job);
}

void wa_send_prepare_group(struct send_job *job)
{
	const struct jid *lid = wa_client_own_lid(job->m->client);
	struct state_keys keys = { 0 };

	job->group = xcalloc(1, sizeof *job->group);
	job->group->status = jid_is_status(&job->to);
	job->chat = job->to;
	if (job->group->status && job->naudience == 0) {
		wa_send_fail(job, CODE_NO_AUDIENCE, "a status needs an audience");
		return;
	}
	wa_group_keys(&keys, &job->to);
	wa_group_keys_keys(&keys, &job->to);
	wa_sender_key_keys(&keys, &job->to, wa_client_own_pn(job->m->client));
	if (!jid_is_none(lid)) {
		struct jid own = jid_with_device(lid, wa_client_own_pn(job->m->client)->device);

		wa_sender_key_keys(&keys, &job->to, &own);
	}
	for (size_t i = 0; i < job->naudience; i++)
		wa_lidmap_keys(&keys, &job->audience[i]);
	state_op_fetch(&job->op, keys.keys, keys.n, job->group->status ? audience_loaded : group_loaded, job);
	state_keys_free(&keys);
}

/* ---- the stanza ---- */

static bool encrypt_message(struct send_job *job, struct buf *out)
{
	struct group_send *g = job->group;
	struct signal_call call = wa_messaging_call(job->m, &job->op);
	struct buf padded = { 0 };
	uint32_t key_id;
	uint8_t random;
	bool ok;

	/* Somebody may have left in the meantime: then the key that was given away is not the key any more. */
	if (!wa_sender_key_id(&job->op, &job->chat, &g->own, &key_id) || key_id != g->key_id)
		return false;
	wa_client_random(job->m->client, &random, sizeof random);
	buf_append_span(&padded, buf_span(&job->message));
	e2e_pad(&padded, random);
	ok = wa_sender_key_encrypt(&call, &job->chat, &g->own, buf_span(&padded), out) == SIGNAL_OK;
	buf_wipe(&padded);
	return ok;
}

static bool is_target(const struct send_job *job, const struct jid *user)
{
	for (size_t i = 0; i < job->ntargets; i++)
		if (!job->targets[i].dropped && jid_same_user(&job->targets[i].wire, user))
			return true;
	return false;
}

/* True if somebody gets the key by a first message of a session. */
static bool add_participants(struct send_job *job, struct arena *a, struct wa_node *message, const struct e2e_attributes *attributes)
{
	struct group_send *g = job->group;
	struct wa_node *list = NULL;
	bool prekey = false;

	for (size_t i = 0; i < job->ntargets; i++) {
		const struct send_target *t = &job->targets[i];
		struct wa_node *to;

		if (t->dropped)
			continue;
		if (list == NULL)
			list = wa_node_add_new(a, message, "participants");
		to = wa_node_add_new(a, list, "to");
		wa_node_attr_jid(a, to, "jid", &t->wire);
		wa_send_add_enc(a, to, t, attributes);
		prekey = prekey || t->prekey;
	}
	/* The server knows the audience of a status by this list alone: who has the key already is named in it, too. */
	for (size_t i = 0; g->status && i < g->info.n; i++) {
		if (is_target(job, &g->info.members[i].jid))
			continue;
		if (list == NULL)
			list = wa_node_add_new(a, message, "participants");
		wa_node_attr_jid(a, wa_node_add_new(a, list, "to"), "jid", &g->info.members[i].jid);
	}
	return prekey;
}

static void note_holders(struct send_job *job)
{
	struct group_send *g = job->group;

	memcpy(job->hash_sent, g->keys.hash, sizeof job->hash_sent);
	memcpy(job->hash_all, g->keys.hash, sizeof job->hash_all);
	if (!g->checked)
		return;
	job->gave_keys = false;
	for (size_t i = 0; i < job->ntargets; i++) {
		if (job->targets[i].dropped)
			continue;
		wa_group_keys_add(&g->keys, &job->targets[i].wire);
		job->gave_keys = true;
	}
	g->keys.key_id = g->key_id;
	g->keys.mark = g->info.mark;
	g->keys.checked_ms = wa_client_wall_ms(job->m->client);
	g->keys.devices_version = wa_state_version(wa_client_state(job->m->client), WA_RECORD_DEVICES);
	wa_group_keys_store(&job->op, &job->chat, &g->keys);
}

static int encode(struct send_job *job, struct span ciphertext)
{
	struct group_send *g = job->group;
	struct e2e_attributes attributes;
	struct wa_node *message;
	struct wa_node *enc;
	struct arena a;
	int rc;

	arena_init(&a, 0);
	e2e_attributes(buf_span(&job->message), &attributes);
	message = wa_node_new(&a, "message");
	wa_node_attr(&a, message, "id", job->id);
	wa_node_attr_jid(&a, message, "to", &job->chat);
	wa_node_attr(&a, message, "type", attributes.type);
	wa_node_attr(&a, message, "edit", attributes.edit);
	if (!g->status) {
		wa_node_attr(&a, message, "addressing_mode", g->info.lid_addressed ? "lid" : "pn");
		wa_node_attr(&a, message, "phash", g->keys.hash);
		if (g->info.expiration_s > 0)
			wa_node_attr_u64(&a, message, "expiration", g->info.expiration_s);
	}
	if (add_participants(job, &a, message, &attributes))
		wa_messaging_add_identity(job->m, &a, message);
	enc = wa_node_add_new(&a, message, "enc");
	wa_node_attr(&a, enc, "v", "2");
	wa_node_attr(&a, enc, "type", "skmsg");
	wa_node_attr(&a, enc, "mediatype", attributes.mediatype);
	wa_node_attr(&a, enc, "decrypt-fail", attributes.hide_failure ? "hide" : NULL);
	wa_node_set_bytes(&a, enc, ciphertext);
	wa_stanza_extras(&a, message, buf_span(&job->message), &job->chat, wa_client_wall_ms(job->m->client) / 1000);
	buf_clear(&job->stanza);
	rc = wa_node_encode(&job->stanza, message);
	arena_free(&a);
	return rc;
}

void wa_send_group_build(struct send_job *job)
{
	struct buf ciphertext = { 0 };
	int rc;

	if (!encrypt_message(job, &ciphertext)) {
		buf_free(&ciphertext);
		wa_send_restart(job);
		return;
	}
	rc = encode(job, buf_span(&ciphertext));
	buf_free(&ciphertext);
	if (rc != WA_NODE_OK) {
		wa_send_fail(job, CODE_ENCRYPTION, wa_node_error_text(rc));
		return;
	}
	note_holders(job);
	wa_send_built(job);
}

/* ---- what is known was wrong ---- */

struct stale {
	struct wa_messaging *m;
	struct jid chat;
	struct state_op op;
};

static void stale_loaded(void *arg, bool ok)
{
	struct stale *s = arg;
	struct group_keys keys = { 0 };
	struct wa_group info = { 0 };
	int64_t now_ms = wa_client_wall_ms(s->m->client);

	if (ok && wa_group_keys_load(&s->op, &s->chat, &keys) && now_ms - keys.refreshed_ms >= GROUP_REFRESH_MIN_MS) {
		if (wa_group_load(&s->op, &s->chat, &info))
			for (size_t i = 0; i < info.n; i++)
				wa_devices_forget(&s->op, &info.members[i].jid);
		wa_group_forget(&s->op, &s->chat);
		keys.refreshed_ms = now_ms;
		keys.devices_version = 0;
		wa_group_keys_store(&s->op, &s->chat, &keys);
		state_op_commit(&s->op, NULL, NULL);
	}
	wa_group_clear(&info);
	wa_group_keys_clear(&keys);
	state_op_end(&s->op);
	free(s);
}

void wa_send_group_stale(struct send_job *job)
{
	struct stale *s = xcalloc(1, sizeof *s);
	struct state_keys keys = { 0 };

	s->m = job->m;
	s->chat = job->chat;
	state_op_init(&s->op, wa_client_state(job->m->client));
	wa_group_keys(&keys, &s->chat);
	wa_group_keys_keys(&keys, &s->chat);
	state_op_fetch(&s->op, keys.keys, keys.n, stale_loaded, s);
	state_keys_free(&keys);
}
