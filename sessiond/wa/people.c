/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asking about people: registered or not, identities, about text, business name.
 *
 *     <usync mode="query" context="interactive" ..><query><contact/><lid/><status/>..</query>
 *         <list><user><contact>+15550001</contact></user><user jid=JID/>..</list></usync>
 *  -> <list><user jid=PN|LID [pn_jid]><contact type="in|out">+15550001</contact><lid val=LID/><status t>text</status>
 *         <business><verified_name>VerifiedNameCertificate</verified_name></business></user>..</list>
 *
 * Source: Baileys WAUSync, whatsmeow user.go.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/ask.h"
#include "sessiond/wa/lidmap.h"
#include "sessiond/wa/proto_walk.h"

struct people_ask {
	struct wa_client *client;
	struct arena arena;        /* of the questions and what is answered */
	struct wa_user *people;  /* of the arena */
	size_t n;
	unsigned what;
	wa_people_done *done;
	void *arg;
};

/* ---- reading an answer ---- */

/* VerifiedNameCertificate details(1) -> Details verifiedName(4) */
static const char *verified_name(struct arena *a, const struct wa_node *business)
{
	struct span certificate = wa_node_child_content(business, "verified_name");
	struct span details, name;

	if (!proto_find(certificate, 1, &details) || !proto_find(details, 4, &name) || name.n == 0)
		return NULL;
	return arena_text(a, name.p, name.n);
}

/* The digits of "+15550001" or "15550001@c.us". */
static size_t digits_of(struct span text, char *out, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n && text.p[i] != '@' && n + 1 < cap; i++)
		if (isdigit(text.p[i]))
			out[n++] = (char)text.p[i];
	out[n] = '\0';
	return n;
}

static bool is_about(const struct wa_user *person, const struct jid *pn, const struct jid *lid, const char *phone)
{
	if (person->phone != NULL)
		return (phone[0] != '\0' && strcmp(person->phone, phone) == 0) || (phone[0] == '\0' && !jid_is_none(pn) && strcmp(person->phone, pn->user) == 0);
	return (!jid_is_none(pn) && jid_same_user(&person->jid, pn)) || (!jid_is_none(lid) && jid_same_user(&person->jid, lid));
}

static void take_about(struct people_ask *ask, struct wa_user *person, const struct wa_node *status)
{
	uint64_t t;

	if (status == NULL || wa_node_child(status, "error") != NULL)
		return;
	person->about_hidden = wa_node_get_is(status, "code", "401");
	person->about_s = wa_node_get_u64(status, "t", &t) && t < INT64_MAX / 1000 ? (int64_t)t : 0;
	if (wa_node_content(status).n > 0)
		person->about = arena_text(&ask->arena, wa_node_content(status).p, wa_node_content(status).n);
}

static void take_into(struct people_ask *ask, struct wa_user *person, const struct wa_node *user, const struct jid *pn, const struct jid *lid)
{
	const struct wa_node *contact = wa_node_child(user, "contact");
	uint64_t seconds;

	person->answered = true;
	person->registered = ask->what & WA_ASK_CONTACT ? wa_node_get_is(contact, "type", "in") : true;
	person->pn = *pn;
	person->lid = *lid;
	take_about(ask, person, wa_node_child(user, "status"));
	person->verified_name = verified_name(&ask->arena, wa_node_child(user, "business"));
	if (wa_node_get_u64(wa_node_child(user, "disappearing_mode"), "duration", &seconds) && seconds <= UINT32_MAX)
		person->timer_s = (int64_t)seconds;
}

static void take_user(struct people_ask *ask, struct state_op *op, const struct wa_node *user)
{
	struct jid pn = { .server = JID_SERVER_NONE }, lid = { .server = JID_SERVER_NONE }, jid;
	char phone[32];

	if (!wa_node_is(user, "user"))
		return;
	if (wa_node_get_jid(user, "jid", &jid) && jid_is_person(&jid))
		*(wa_lidmap_is_lid(&jid) ? &lid : &pn) = jid_bare(&jid);
	if (wa_node_get_jid(user, "pn_jid", &jid) && wa_lidmap_is_pn(&jid))
		pn = jid_bare(&jid);
	if (wa_node_get_jid(wa_node_child(user, "lid"), "val", &jid) && wa_lidmap_is_lid(&jid))
		lid = jid_bare(&jid);
	digits_of(wa_node_child_content(user, "contact"), phone, sizeof phone);
	if (!jid_is_none(&pn) && !jid_is_none(&lid))
		wa_lidmap_learn(op, &pn, &lid);
	for (size_t i = 0; i < ask->n; i++)
		if (is_about(&ask->people[i], &pn, &lid, phone))
			take_into(ask, &ask->people[i], user, &pn, &lid);
}

static void on_answer(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	struct people_ask *ask = arg;
	const struct wa_node *usync = wa_node_child(answer, "usync");
	const struct wa_node *list = wa_node_child(usync, "list");
	int code = wa_ask_code(client, answer);
	struct state_op op;

	if (code == 0 && list == NULL)
		code = ASK_MALFORMED;
	if (code == 0) {
		state_op_init(&op, wa_client_state(client));
		for (size_t i = 0; i < list->nnodes; i++)
			take_user(ask, &op, list->nodes[i]);
		/* Nobody waits for it: what is learnt is a help for later. */
		state_op_commit(&op, NULL, NULL);
		state_op_end(&op);
	}
	ask->done(ask->arg, ask->people, ask->n, code);
	arena_free(&ask->arena);
	free(ask);
}

/* ---- asking ---- */

static void add_query(struct arena *a, struct wa_node *usync, unsigned what)
{
	struct wa_node *query = wa_node_add_new(a, usync, "query");

	if (what & WA_ASK_CONTACT)
		wa_node_add_new(a, query, "contact");
	if (what & WA_ASK_BUSINESS)
		wa_node_add_new(a, wa_node_add_new(a, query, "business"), "verified_name");
	if (what & WA_ASK_ABOUT)
		wa_node_add_new(a, query, "status");
	if (what & WA_ASK_TIMER)
		wa_node_add_new(a, query, "disappearing_mode");
	if (what & WA_ASK_LID)
		wa_node_add_new(a, query, "lid");
}

static struct wa_node *build(struct wa_client *client, struct arena *a, const struct people_ask *ask)
{
	struct wa_node *iq = wa_iq_new(a, "get", "usync");
	struct wa_node *usync = wa_node_add_new(a, iq, "usync");
	struct wa_node *list;
	uint32_t random;

	wa_client_random(client, &random, sizeof random);
	wa_node_attr(a, usync, "sid", arena_printf(a, "%08x", (unsigned)random));
	wa_node_attr(a, usync, "mode", "query");
	wa_node_attr(a, usync, "context", "interactive");
	wa_node_attr(a, usync, "index", "0");
	wa_node_attr(a, usync, "last", "true");
	add_query(a, usync, ask->what);
	list = wa_node_add_new(a, usync, "list");
	for (size_t i = 0; i < ask->n; i++) {
		struct wa_node *user = wa_node_add_new(a, list, "user");

		if (ask->people[i].phone != NULL)
			wa_node_set_text(a, wa_node_add_new(a, user, "contact"), arena_printf(a, "+%s", ask->people[i].phone));
		else
			wa_node_attr_jid(a, user, "jid", &ask->people[i].jid);
	}
	return iq;
}

void wa_client_people(struct wa_client *client, unsigned what, const struct wa_user *people, size_t n, wa_people_done *done, void *arg)
{
	struct people_ask *ask = xcalloc(1, sizeof *ask);
	struct arena a;

	ask->client = client;
	arena_init(&ask->arena, 0);
	ask->people = arena_alloc(&ask->arena, (n + 1) * sizeof *ask->people);
	for (size_t i = 0; i < n; i++) {
		ask->people[i] = (struct wa_user){ .jid = jid_bare(&people[i].jid), .timer_s = -1 };
		if (people[i].phone != NULL)
			ask->people[i].phone = arena_strdup(&ask->arena, people[i].phone);
	}
	ask->n = n;
	ask->what = what;
	ask->done = done;
	ask->arg = arg;
	arena_init(&a, 0);
	wa_client_iq(client, &a, build(client, &a, ask), on_answer, ask);
	arena_free(&a);
}

/* ---- names that are known ---- */

struct names_ask {
	struct state_op op;
	struct jid *jids; /* owned */
	size_t n;
	wa_names_done *done;
	void *arg;
};

static void names_loaded(void *arg, bool ok)
{
	struct names_ask *ask = arg;

	for (size_t i = 0; ok && i < ask->n; i++) {
		struct jid other;

		ask->jids[i] = wa_lidmap_other(&ask->op, &ask->jids[i], &other) ? jid_bare(&other) : (struct jid){ .server = JID_SERVER_NONE };
	}
	state_op_end(&ask->op);
	ask->done(ask->arg, ask->jids, ok ? ask->n : 0, ok ? 0 : ASK_STORAGE);
	free(ask->jids);
	free(ask);
}

void wa_client_names(struct wa_client *client, const struct jid *jids, size_t n, wa_names_done *done, void *arg)
{
	struct names_ask *ask = xcalloc(1, sizeof *ask);
	struct state_keys keys = { 0 };

	ask->jids = xcalloc(n + 1, sizeof *ask->jids);
	for (size_t i = 0; i < n; i++) {
		ask->jids[i] = jid_bare(&jids[i]);
		wa_lidmap_keys(&keys, &ask->jids[i]);
	}
	ask->n = n;
	ask->done = done;
	ask->arg = arg;
	state_op_init(&ask->op, wa_client_state(client));
	state_op_fetch(&ask->op, keys.keys, keys.n, names_loaded, ask);
	state_keys_free(&keys);
}
