/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One question about groups from beginning to end, see groupadmin.h. */
#include "sessiond/wa/groupadmin.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/groupkeys.h"
#include "sessiond/wa/groupwire.h"
#include "sessiond/wa/lidmap.h"

#define CODE_STORAGE 500
#define CODE_GONE 503
/* Smaller numbers are no errors of the server. */
#define CODE_LEAST 300

struct group_ask {
	struct group_ask *next;   /* list of the messaging */
	struct wa_messaging *m;   /* borrowed */
	struct wa_group_ask ask;  /* what it points to is owned */
	struct jid *people, *others; /* owned, ask.n of each */
	struct wa_group_answer answer;
	struct state_op op;
	struct wa_timer timer;
	wa_group_answered *done;
	void *arg;
};

/* ---- ends ---- */

static void unlink_ask(struct group_ask *q)
{
	struct group_ask **at = &q->m->group_asks;

	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
}

/* Out of the list already. */
static void tell(struct group_ask *q)
{
	q->done(q->arg, &q->answer);
	state_op_end(&q->op);
	wa_group_answer_clear(&q->answer);
	free((char *)q->ask.text);
	free((char *)q->ask.description);
	free((char *)q->ask.previous);
	free(q->people);
	free(q->others);
	free(q);
}

static void finish(struct group_ask *q)
{
	unlink_ask(q);
	tell(q);
}

static void fail(struct group_ask *q, int code)
{
	wa_group_answer_clear(&q->answer);
	q->answer.code = code;
	finish(q);
}

void wa_group_asks_free(struct wa_messaging *m)
{
	/* The IQs are gone by now. */
	while (m->group_asks != NULL) {
		struct group_ask *q = m->group_asks;

		m->group_asks = q->next;
		wa_timer_stop(m->client, &q->timer);
		wa_group_answer_clear(&q->answer);
		q->answer.code = CODE_GONE;
		tell(q);
	}
}

/* ---- taking over an answer ---- */

/* Both forms of somebody: what is missing is looked up, what came is remembered. */
static void complete(struct group_ask *q, const struct jid *jid, struct jid *other)
{
	struct jid found;

	if (!jid_is_person(jid))
		return;
	if (!jid_is_none(other))
		wa_lidmap_learn(&q->op, jid, other);
	else if (wa_lidmap_other(&q->op, jid, &found))
		*other = jid_bare(&found);
}

typedef void visit_person(struct group_ask *q, const struct jid *jid, struct jid *other, void *arg);

static void each_of_facts(struct group_ask *q, struct wa_group_facts *f, visit_person *visit, void *arg)
{
	for (size_t i = 0; i < f->group.n; i++)
		visit(q, &f->group.members[i].jid, &f->group.members[i].other, arg);
	/* Of owners only the phone form is kept beside the addressed one. */
	if (wa_lidmap_is_lid(&f->group.owner))
		visit(q, &f->group.owner, &f->owner_pn, arg);
	if (wa_lidmap_is_lid(&f->subject_owner))
		visit(q, &f->subject_owner, &f->subject_owner_pn, arg);
	if (wa_lidmap_is_lid(&f->description_owner))
		visit(q, &f->description_owner, &f->description_owner_pn, arg);
}

static void each_person(struct group_ask *q, visit_person *visit, void *arg)
{
	for (size_t i = 0; i < q->answer.ngroups; i++)
		each_of_facts(q, &q->answer.groups[i], visit, arg);
	for (size_t i = 0; i < q->answer.n; i++)
		visit(q, &q->answer.people[i].jid, &q->answer.people[i].other, arg);
}

static void want_record(struct group_ask *q, const struct jid *jid, struct jid *other, void *arg)
{
	(void)q;
	wa_lidmap_keys(arg, jid);
	if (!jid_is_none(other))
		wa_lidmap_keys(arg, other);
}

static void complete_person(struct group_ask *q, const struct jid *jid, struct jid *other, void *arg)
{
	(void)arg;
	complete(q, jid, other);
}

/* Does the group look different afterwards; does somebody leave it who has our key? */
static bool changes_group(enum wa_ask_kind kind)
{
	static const bool changing[] = {
		[WA_ASK_LEAVE] = true,   [WA_ASK_SUBJECT] = true, [WA_ASK_DESCRIPTION] = true, [WA_ASK_ANNOUNCE] = true, [WA_ASK_LOCKED] = true,
		[WA_ASK_EPHEMERAL] = true, [WA_ASK_MEMBER_ADD] = true, [WA_ASK_APPROVAL] = true, [WA_ASK_ADD] = true, [WA_ASK_REMOVE] = true,
		[WA_ASK_PROMOTE] = true, [WA_ASK_DEMOTE] = true,  [WA_ASK_APPROVE] = true,     [WA_ASK_ACCEPT] = true, [WA_ASK_USERS] = false,
	};

	return changing[kind];
}

static bool loses_members(enum wa_ask_kind kind)
{
	return kind == WA_ASK_LEAVE || kind == WA_ASK_REMOVE || kind == WA_ASK_ACCEPT;
}

static void stored(void *arg, bool ok)
{
	if (ok)
		finish(arg);
	else
		fail(arg, CODE_STORAGE);
}

static void names_loaded(void *arg, bool ok)
{
	struct group_ask *q = arg;

	if (!ok) {
		fail(q, CODE_STORAGE);
		return;
	}
	each_person(q, complete_person, NULL);
	if (changes_group(q->ask.kind))
		wa_group_forget(&q->op, &q->ask.group);
	if (loses_members(q->ask.kind))
		wa_group_rotate(q->m, &q->op, &q->ask.group);
	state_op_commit(&q->op, stored, q);
}

/* A server that does not give the list without members, or does not count them then, is asked once more, for the members, too. */
static bool wants_members(const struct group_ask *q, int code)
{
	if (q->ask.kind != WA_ASK_GROUPS || q->ask.on)
		return false;
	if (code >= 400 && code < 408)
		return true;
	for (size_t i = 0; i < q->answer.ngroups; i++)
		if (q->answer.groups[i].size == 0)
			return true;
	return false;
}

static void send_ask(struct group_ask *q);

static void ask_for_members(struct group_ask *q)
{
	wa_group_answer_clear(&q->answer);
	q->ask.on = true;
	send_ask(q);
}

static void on_answer(struct wa_client *client, const struct wa_node *iq, void *arg)
{
	struct group_ask *q = arg;
	struct state_keys keys = { 0 };
	const char *reason = NULL;
	int code = 0;

	if (!wa_iq_ok(iq, &code, &reason)) {
		if (wants_members(q, code)) {
			ask_for_members(q);
			return;
		}
		q->answer.reason = reason != NULL && reason[0] != '\0' ? xstrdup(reason) : NULL;
		q->answer.code = code >= CODE_LEAST ? code : CODE_STORAGE;
		finish(q);
		return;
	}
	if (!wa_group_answer_read(&q->ask, iq, wa_client_wall_ms(client), &q->answer)) {
		fail(q, q->answer.code);
		return;
	}
	if (wants_members(q, 0)) {
		ask_for_members(q);
		return;
	}
	each_person(q, want_record, &keys);
	if (changes_group(q->ask.kind))
		wa_group_keys(&keys, &q->ask.group);
	state_op_fetch(&q->op, keys.keys, keys.n, names_loaded, q);
	state_keys_free(&keys);
}

/* ---- asking ---- */

static void send_ask(struct group_ask *q)
{
	struct wa_client *client = q->m->client;
	uint8_t token[8];
	struct arena a;

	wa_client_random(client, token, sizeof token);
	arena_init(&a, 0);
	wa_client_iq(client, &a, wa_group_ask_node(&a, &q->ask, q->others, token), on_answer, q);
	arena_free(&a);
}

static void people_loaded(void *arg, bool ok)
{
	struct group_ask *q = arg;
	struct jid other;

	if (!ok) {
		fail(q, CODE_STORAGE);
		return;
	}
	for (size_t i = 0; i < q->ask.n; i++)
		if (jid_is_person(&q->people[i]) && wa_lidmap_other(&q->op, &q->people[i], &other))
			q->others[i] = jid_bare(&other);
	send_ask(q);
}

static void first_turn(struct wa_client *client, void *arg)
{
	struct group_ask *q = arg;
	struct state_keys keys = { 0 };

	(void)client;
	for (size_t i = 0; i < q->ask.n; i++)
		wa_lidmap_keys(&keys, &q->people[i]);
	state_op_fetch(&q->op, keys.keys, keys.n, people_loaded, q);
	state_keys_free(&keys);
}

static const char *copy_text(const char *text)
{
	return text == NULL ? NULL : xstrdup(text);
}

void wa_client_group_ask(struct wa_client *client, const struct wa_group_ask *ask, wa_group_answered *done, void *arg)
{
	struct wa_messaging *m = wa_client_messaging(client);
	struct group_ask *q = xcalloc(1, sizeof *q);

	q->m = m;
	q->ask = *ask;
	q->ask.text = copy_text(ask->text);
	q->ask.description = copy_text(ask->description);
	q->ask.previous = copy_text(ask->previous);
	q->people = xcalloc(ask->n + 1, sizeof *q->people);
	q->others = xcalloc(ask->n + 1, sizeof *q->others);
	for (size_t i = 0; i < ask->n; i++)
		q->people[i] = jid_bare(&ask->people[i]);
	q->ask.people = q->people;
	q->done = done;
	q->arg = arg;
	q->next = m->group_asks;
	m->group_asks = q;
	state_op_init(&q->op, wa_client_state(client));
	/* Not inside this call. */
	wa_timer_start(client, &q->timer, wa_client_mono_ms(client), first_turn, q);
}
