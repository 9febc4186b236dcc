/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, a question about a group is asked in words that WhatsApp does not know, or its answer is understood wrongly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/mem.h"
#include "sessiond/wa/group.h"
#include "sessiond/wa/groupkeys.h"
#include "sessiond/wa/groupwire.h"
#include "sessiond/wa/lidmap.h"
#include "tests/unit/fake_client.h"

#define GROUP "120363000000000001@g.us"

struct world {
	struct fake_host host;
	struct wa_client *client;
	struct arena arena;
	struct wa_group_answer got; /* what the last question brought */
	size_t answers;
};

static struct jid jid_of(const char *text)
{
	struct jid jid;

	assert_int_equal(jid_parse_text(&jid, text), 0);
	return jid;
}

static void world_open(struct world *w)
{
	*w = (struct world){ 0 };
	fake_host_init(&w->host);
	arena_init(&w->arena, 0);
	w->client = fake_client_new(&w->host, "111:2@s.whatsapp.net", "911:2@lid", 1);
	fake_client_connect(w->client);
}

static void world_close(struct world *w)
{
	fake_client_free(w->client);
	fake_host_free(&w->host);
	arena_free(&w->arena);
	wa_group_answer_clear(&w->got);
}

/* ---- the words of questions ---- */

static void write_node(struct buf *out, const struct wa_node *n)
{
	const struct span content = n->nnodes ? span_of(NULL, 0) : wa_node_content(n);

	buf_printf(out, "<%s", n->tag);
	for (size_t i = 0; i < n->nattrs; i++)
		buf_printf(out, " %s='%s'", n->attrs[i].key, n->attrs[i].text);
	buf_append_text(out, ">");
	buf_append_span(out, content);
	for (size_t i = 0; i < n->nnodes; i++)
		write_node(out, n->nodes[i]);
	buf_printf(out, "</%s>", n->tag);
}

static void check_words(const struct wa_group_ask *ask, const struct jid *others, const char *expected)
{
	static const uint8_t token[8] = { 1, 2, 3, 4, 5, 6, 7, 0xab };
	struct buf text = { 0 };
	struct arena a;

	arena_init(&a, 0);
	write_node(&text, wa_group_ask_node(&a, ask, others, token));
	assert_string_equal(buf_text(&text), expected);
	buf_free(&text);
	arena_free(&a);
}

static void test_words(void **state)
{
	const struct jid group = jid_of(GROUP), other = jid_of("120363000000000002@g.us"), admin = jid_of("922@lid");
	const struct jid people[] = { jid_of("922@lid"), jid_of("333@s.whatsapp.net") };
	const struct jid groups[] = { other };
	const struct jid others[] = { jid_of("222@s.whatsapp.net"), { 0 } };
	const struct {
		struct wa_group_ask ask;
		const char *type, *inside; /* type NULL: inside is all of it */
	} cases[] = {
		{ { .kind = WA_ASK_GROUPS }, NULL, "<iq to='@g.us' type='get' xmlns='w:g2'><participating><description></description></participating></iq>" },
		{ { .kind = WA_ASK_GROUP }, "get", "<query request='interactive'></query>" },
		{ { .kind = WA_ASK_LEAVE }, NULL, "<iq to='@g.us' type='set' xmlns='w:g2'><leave><group id='" GROUP "'></group></leave></iq>" },
		{ { .kind = WA_ASK_SUBJECT, .text = "Us & them" }, "set", "<subject>Us & them</subject>" },
		{ { .kind = WA_ASK_DESCRIPTION, .text = "New", .previous = "OLD" }, "set", "<description id='3EB001020304050607AB01' prev='OLD'><body>New</body></description>" },
		{ { .kind = WA_ASK_DESCRIPTION, .text = "", .previous = "OLD" }, "set", "<description id='3EB001020304050607AB01' prev='OLD' delete='true'></description>" },
		{ { .kind = WA_ASK_ANNOUNCE, .on = true }, "set", "<announcement></announcement>" },
		{ { .kind = WA_ASK_ANNOUNCE }, "set", "<not_announcement></not_announcement>" },
		{ { .kind = WA_ASK_LOCKED, .on = true }, "set", "<locked></locked>" },
		{ { .kind = WA_ASK_LOCKED }, "set", "<unlocked></unlocked>" },
		{ { .kind = WA_ASK_EPHEMERAL, .seconds = 86400 }, "set", "<ephemeral expiration='86400'></ephemeral>" },
		{ { .kind = WA_ASK_EPHEMERAL }, "set", "<not_ephemeral></not_ephemeral>" },
		{ { .kind = WA_ASK_MEMBER_ADD, .on = true }, "set", "<member_add_mode>all_member_add</member_add_mode>" },
		{ { .kind = WA_ASK_APPROVAL }, "set", "<membership_approval_mode><group_join state='off'></group_join></membership_approval_mode>" },
		{ { .kind = WA_ASK_ADD, .people = people, .n = 2 }, "set",
		  "<add><participant jid='922@lid' phone_number='222@s.whatsapp.net'></participant><participant jid='333@s.whatsapp.net'></participant></add>" },
		{ { .kind = WA_ASK_REMOVE, .people = people + 1, .n = 1, .on = true }, "set",
		  "<remove linked_groups='true'><participant jid='333@s.whatsapp.net'></participant></remove>" },
		{ { .kind = WA_ASK_APPROVE, .people = people + 1, .n = 1 }, "set",
		  "<membership_requests_action><approve><participant jid='333@s.whatsapp.net'></participant></approve></membership_requests_action>" },
		{ { .kind = WA_ASK_REQUESTS }, "get", "<membership_approval_requests></membership_approval_requests>" },
		{ { .kind = WA_ASK_INVITE }, "get", "<invite></invite>" },
		{ { .kind = WA_ASK_NEW_INVITE }, "set", "<invite></invite>" },
		{ { .kind = WA_ASK_JOIN, .text = "CODE" }, NULL, "<iq to='@g.us' type='set' xmlns='w:g2'><invite code='CODE'></invite></iq>" },
		{ { .kind = WA_ASK_ACCEPT, .text = "CODE", .expires_s = 99, .admin = admin }, "set", "<accept code='CODE' expiration='99' admin='922@lid'></accept>" },
		{ { .kind = WA_ASK_INVITATION, .text = "CODE", .expires_s = 99, .admin = admin }, "get",
		  "<query><add_request code='CODE' expiration='99' admin='922@lid'></add_request></query>" },
		{ { .kind = WA_ASK_LINK, .people = groups, .n = 1 }, "set",
		  "<links><link link_type='sub_group'><group jid='120363000000000002@g.us'></group></link></links>" },
		{ { .kind = WA_ASK_UNLINK, .people = groups, .n = 1, .on = true }, "set",
		  "<unlink unlink_type='sub_group'><group jid='120363000000000002@g.us' remove_orphaned_members='true'></group></unlink>" },
		{ { .kind = WA_ASK_DEACTIVATE }, "set", "<delete_parent></delete_parent>" },
		{ { .kind = WA_ASK_USERS, .people = people + 1, .n = 1 }, NULL,
		  "<iq to='@s.whatsapp.net' type='get' xmlns='usync'><usync sid='01020304' mode='query' context='interactive' index='0' last='true'>"
		  "<query><contact></contact><lid></lid></query><list><user><contact>+333</contact></user></list></usync></iq>" },
		{ { .kind = WA_ASK_CREATE, .text = "New", .people = people + 1, .n = 1, .description = "D", .parent = other }, NULL,
		  "<iq to='@g.us' type='set' xmlns='w:g2'><create subject='New' key='3EB001020304050607AB00'><participant jid='333@s.whatsapp.net'></participant>"
		  "<description id='3EB001020304050607AB01'><body>D</body></description><linked_parent jid='120363000000000002@g.us'></linked_parent></create></iq>" },
		{ { .kind = WA_ASK_CREATE, .text = "Town", .community = true }, NULL,
		  "<iq to='@g.us' type='set' xmlns='w:g2'><create subject='Town' key='3EB001020304050607AB00'><parent default_membership_approval_mode='request_required'>"
		  "</parent><allow_non_admin_sub_group_creation></allow_non_admin_sub_group_creation><create_general_chat></create_general_chat></create></iq>" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct wa_group_ask ask = cases[i].ask;
		char *expected = cases[i].type ? xasprintf("<iq to='" GROUP "' type='%s' xmlns='w:g2'>%s</iq>", cases[i].type, cases[i].inside) : xstrdup(cases[i].inside);

		ask.group = group;
		check_words(&ask, ask.n == 1 ? others + 1 : others, expected);
		free(expected);
	}
}

/* ---- answers ---- */

static struct wa_node *result(struct world *w)
{
	struct wa_node *iq = wa_node_new(&w->arena, "iq");

	wa_node_attr(&w->arena, iq, "type", "result");
	return iq;
}

static struct wa_node *add(struct world *w, struct wa_node *parent, const char *tag, const char *const *attrs)
{
	struct wa_node *node = wa_node_add_new(&w->arena, parent, tag);
	struct jid jid;

	for (; attrs && attrs[0]; attrs += 2) {
		if (strchr(attrs[1], '@') && jid_parse_text(&jid, attrs[1]) == 0)
			wa_node_attr_jid(&w->arena, node, attrs[0], &jid);
		else
			wa_node_attr(&w->arena, node, attrs[0], attrs[1]);
	}
	return node;
}
#define ADD(w, parent, tag, ...) add(w, parent, tag, (const char *const[]){ __VA_ARGS__, NULL })

static void answered(void *arg, struct wa_group_answer *answer)
{
	struct world *w = arg;

	wa_group_answer_clear(&w->got);
	w->got = *answer;
	*answer = (struct wa_group_answer){ 0 };
	w->answers++;
}

static void ask(struct world *w, struct wa_group_ask question)
{
	question.group = jid_of(GROUP);
	wa_client_group_ask(w->client, &question, answered, w);
	assert_int_equal(w->answers, 0);
	fake_client_run(w->client);
	assert_non_null(w->client->iqs);
}

static void reply(struct world *w, const struct wa_node *iq)
{
	assert_true(fake_client_answer(w->client, iq));
	fake_client_run(w->client);
	assert_int_equal(w->answers, 1);
	w->answers = 0;
}

static struct wa_node *add_group(struct world *w, struct wa_node *parent, const char *id, const char *size)
{
	return ADD(w, parent, "group", "id", id, "subject", "Us", "addressing_mode", "lid", "creation", "1700000000", "creator", "911@lid", "s_t", "1700000001",
		   "s_o", "922@lid", "s_o_pn", "222@s.whatsapp.net", "size", size, "creator_country_code", "ID");
}

static void test_group(void **state)
{
	struct world w;
	struct wa_node *iq, *group, *description;
	const struct wa_group_facts *f;

	(void)state;
	world_open(&w);
	ask(&w, (struct wa_group_ask){ .kind = WA_ASK_GROUP });
	iq = result(&w);
	group = add_group(&w, iq, "120363000000000001", "2");
	ADD(&w, group, "participant", "jid", "911@lid", "phone_number", "111@s.whatsapp.net", "type", "superadmin");
	ADD(&w, group, "participant", "jid", "922@lid");
	description = ADD(&w, group, "description", "id", "D1", "participant", "922@lid", "t", "1700000002");
	wa_node_add_bytes(&w.arena, description, "body", span_text("About us"));
	add(&w, group, "locked", NULL);
	reply(&w, iq);
	assert_int_equal(w.got.code, 0);
	assert_int_equal(w.got.ngroups, 1);
	f = &w.got.groups[0];
	assert_int_equal(f->size, 2);
	assert_string_equal(f->country, "ID");
	assert_string_equal(f->group.description_id, "D1");
	assert_true(f->group.locked);
	assert_int_equal(f->subject_time_s, 1700000001);
	assert_int_equal(f->description_time_s, 1700000002);
	assert_int_equal(f->group.members[0].role, WA_GROUP_SUPERADMIN);
	/* Forms that this answer brought somewhere are known everywhere in the next. */
	ask(&w, (struct wa_group_ask){ .kind = WA_ASK_GROUP });
	reply(&w, iq);
	f = &w.got.groups[0];
	assert_string_equal(f->owner_pn.user, "111");
	assert_string_equal(f->description_owner_pn.user, "222");
	assert_string_equal(f->group.members[1].other.user, "222");
	world_close(&w);
}

/* No members are asked for and none are kept; a server that does not count them is asked for them. */
static void test_list(void **state)
{
	struct world w;
	struct wa_node *iq, *group;

	(void)state;
	world_open(&w);
	ask(&w, (struct wa_group_ask){ .kind = WA_ASK_GROUPS });
	assert_null(wa_node_child(wa_node_child(w.client->iqs->node, "participating"), "participants"));
	iq = result(&w);
	add_group(&w, add(&w, iq, "groups", NULL), "120363000000000001", "256");
	reply(&w, iq);
	assert_int_equal(w.got.groups[0].size, 256);

	ask(&w, (struct wa_group_ask){ .kind = WA_ASK_GROUPS });
	iq = result(&w);
	add_group(&w, add(&w, iq, "groups", NULL), "120363000000000001", "");
	assert_true(fake_client_answer(w.client, iq));
	fake_client_run(w.client);
	assert_int_equal(w.answers, 0);
	assert_non_null(wa_node_child(wa_node_child(w.client->iqs->node, "participating"), "participants"));
	iq = result(&w);
	group = add_group(&w, add(&w, iq, "groups", NULL), "120363000000000001", "");
	ADD(&w, group, "participant", "jid", "911@lid");
	reply(&w, iq);
	assert_int_equal(w.got.groups[0].size, 1);
	assert_int_equal(w.got.groups[0].group.n, 0);

	/* Refused without the members; communities apart, no list at all. */
	ask(&w, (struct wa_group_ask){ .kind = WA_ASK_GROUPS });
	iq = wa_node_new(&w.arena, "iq");
	wa_node_attr(&w.arena, iq, "type", "error");
	ADD(&w, iq, "error", "code", "400", "text", "bad-request");
	assert_true(fake_client_answer(w.client, iq));
	iq = result(&w);
	add_group(&w, add(&w, iq, "groups", NULL), "120363000000000001", "2");
	ADD(&w, add(&w, iq, "communities", NULL), "community", "id", "120363000000000002", "subject", "Town");
	reply(&w, iq);
	assert_int_equal(w.got.ngroups, 2);
	assert_string_equal(w.got.groups[1].group.subject, "Town");
	ask(&w, (struct wa_group_ask){ .kind = WA_ASK_GROUPS });
	reply(&w, result(&w));
	assert_int_equal(w.got.code, 0);
	assert_int_equal(w.got.ngroups, 0);
	world_close(&w);
}

static void keep_group(struct world *w)
{
	struct wa_group group = { .jid = jid_of(GROUP) };
	struct group_keys keys = { .key_id = 5 };
	struct state_op op;

	state_op_init(&op, wa_client_state(w->client));
	wa_group_store(&op, &group);
	wa_group_keys_store(&op, &group.jid, &keys);
	state_op_commit(&op, NULL, NULL);
	state_op_end(&op);
	fake_client_run(w->client);
}

static bool has_record(struct world *w, enum wa_record_kind kind)
{
	return fake_host_find(&w->host, kind, GROUP) != NULL;
}

static void test_people(void **state)
{
	const struct jid people[] = { jid_of("222@s.whatsapp.net"), jid_of("933@lid") };
	struct world w;
	struct wa_node *iq, *list, *refused;

	(void)state;
	world_open(&w);
	keep_group(&w);
	ask(&w, (struct wa_group_ask){ .kind = WA_ASK_ADD, .people = people, .n = 2 });
	iq = result(&w);
	list = add(&w, iq, "add", NULL);
	ADD(&w, list, "participant", "jid", "922@lid", "phone_number", "222@s.whatsapp.net");
	refused = ADD(&w, list, "participant", "jid", "933@lid", "error", "403");
	ADD(&w, refused, "add_request", "code", "INVITE", "expiration", "1700000000");
	ADD(&w, list, "participant", "jid", "nobody", "error", "400");
	ADD(&w, list, "participant", "jid", "944@lid", "error", "x");
	reply(&w, iq);
	assert_int_equal(w.got.n, 3);
	assert_int_equal(w.got.people[0].code, 200);
	assert_string_equal(w.got.people[0].other.user, "222");
	assert_int_equal(w.got.people[1].code, 403);
	assert_string_equal(w.got.people[1].invite_code, "INVITE");
	assert_int_equal(w.got.people[1].invite_expires_s, 1700000000);
	assert_int_equal(w.got.people[2].code, 502);
	/* The group is another one now; who was in it may still read what comes. */
	assert_false(has_record(&w, WA_RECORD_GROUP));
	assert_true(has_record(&w, WA_RECORD_GROUP_KEYS));

	ask(&w, (struct wa_group_ask){ .kind = WA_ASK_REMOVE, .people = people, .n = 1 });
	iq = result(&w);
	ADD(&w, add(&w, iq, "remove", NULL), "participant", "jid", "922@lid");
	reply(&w, iq);
	assert_false(has_record(&w, WA_RECORD_GROUP_KEYS));
	world_close(&w);
}

static void test_users(void **state)
{
	const struct jid people[] = { jid_of("222@s.whatsapp.net"), jid_of("333@s.whatsapp.net"), jid_of("444@s.whatsapp.net") };
	struct world w;
	struct wa_node *iq, *list, *user;

	(void)state;
	world_open(&w);
	ask(&w, (struct wa_group_ask){ .kind = WA_ASK_USERS, .people = people, .n = 3 });
	iq = result(&w);
	list = add(&w, add(&w, iq, "usync", NULL), "list", NULL);
	user = add(&w, list, "user", NULL);
	wa_node_attr(&w.arena, wa_node_add_bytes(&w.arena, user, "contact", span_text("+333")), "type", "out");
	user = ADD(&w, list, "user", "jid", "222@s.whatsapp.net");
	ADD(&w, user, "contact", "type", "in");
	ADD(&w, user, "lid", "val", "922@lid");
	reply(&w, iq);
	assert_int_equal(w.got.n, 3);
	assert_int_equal(w.got.people[0].code, 200);
	assert_string_equal(w.got.people[0].other.user, "922");
	assert_int_equal(w.got.people[1].code, 404);
	assert_int_equal(w.got.people[2].code, 404);
	world_close(&w);
}

static void test_other_answers(void **state)
{
	struct world w;
	struct wa_node *iq;

	(void)state;
	world_open(&w);
	ask(&w, (struct wa_group_ask){ .kind = WA_ASK_JOIN, .text = "CODE" });
	iq = result(&w);
	ADD(&w, iq, "membership_approval_request", "jid", GROUP);
	reply(&w, iq);
	assert_true(w.got.pending);
	assert_true(jid_is_group(&w.got.group));

	ask(&w, (struct wa_group_ask){ .kind = WA_ASK_LEAVE });
	iq = result(&w);
	ADD(&w, add(&w, iq, "leave", NULL), "group", "id", GROUP, "error", "404");
	reply(&w, iq);
	assert_int_equal(w.got.code, 404);

	/* An answer about another group, or without one. */
	ask(&w, (struct wa_group_ask){ .kind = WA_ASK_GROUP });
	iq = result(&w);
	add_group(&w, iq, "120363000000000002", "2");
	reply(&w, iq);
	assert_int_equal(w.got.code, 502);
	ask(&w, (struct wa_group_ask){ .kind = WA_ASK_INVITE });
	reply(&w, result(&w));
	assert_int_equal(w.got.code, 502);
	world_close(&w);
}

static void test_refusals(void **state)
{
	struct world w;
	struct wa_node *iq = NULL;

	(void)state;
	world_open(&w);
	ask(&w, (struct wa_group_ask){ .kind = WA_ASK_SUBJECT, .text = "New" });
	iq = wa_node_new(&w.arena, "iq");
	wa_node_attr(&w.arena, iq, "type", "error");
	ADD(&w, iq, "error", "code", "403", "text", "forbidden");
	reply(&w, iq);
	assert_int_equal(w.got.code, 403);
	assert_string_equal(w.got.reason, "forbidden");
	ask(&w, (struct wa_group_ask){ .kind = WA_ASK_GROUPS });
	fake_client_disconnect(w.client);
	fake_client_run(w.client);
	assert_int_equal(w.got.code, 408);
	/* Whoever still waits at the end is told. */
	w.answers = 0;
	fake_client_connect(w.client);
	ask(&w, (struct wa_group_ask){ .kind = WA_ASK_GROUPS });
	world_close(&w);
	assert_int_equal(w.answers, 1);
}

/* ---- 500 groups of 256 ---- */

enum { GROUPS = 500, MEMBERS = 256, MEMBERSHIPS = GROUPS * MEMBERS, BOUND = 100 };

static struct wa_node *big_list(struct world *w, bool members)
{
	struct wa_node *iq = result(w), *list = add(w, iq, "groups", NULL);

	for (size_t g = 0; g < GROUPS; g++) {
		char id[32], lid[32], pn[40];
		struct wa_node *group;

		snprintf(id, sizeof id, "1203630000%08zu", g);
		group = add_group(w, list, id, "256");
		for (size_t m = 0; members && m < MEMBERS; m++) {
			snprintf(lid, sizeof lid, "1000000%08zu@lid", g * MEMBERS + m);
			snprintf(pn, sizeof pn, "62812%08zu@s.whatsapp.net", g * MEMBERS + m);
			ADD(w, group, "participant", "jid", lid, "phone_number", pn);
		}
	}
	return iq;
}

/* What a list costs while it is read (the stanza) and then (the answer). */
static void weigh(struct world *w, bool members, size_t *stanza, size_t *answer)
{
	const struct wa_group_ask question = { .kind = WA_ASK_GROUPS };
	struct wa_group_answer got = { 0 };
	struct buf frame = { 0 };
	struct wa_node *read;
	struct arena a;

	arena_init(&a, 0);
	assert_int_equal(wa_node_encode(&frame, big_list(w, members)), 0);
	assert_int_equal(wa_node_decode(&a, buf_span(&frame), &read), 0);
	assert_true(wa_group_answer_read(&question, read, 1, &got));
	assert_int_equal(got.ngroups, GROUPS);
	*stanza = a.used + frame.len;
	*answer = 0;
	for (size_t i = 0; i < got.ngroups; i++) {
		assert_int_equal(got.groups[i].size, MEMBERS);
		assert_null(got.groups[i].group.members);
		*answer += sizeof got.groups[i] + strlen(got.groups[i].group.subject) + 1;
	}
	wa_group_answer_clear(&got);
	buf_free(&frame);
	arena_free(&a);
}

static size_t weigh_record(struct world *w)
{
	struct wa_group group = { .jid = jid_of(GROUP) };
	struct state_op op;
	struct span record = { 0 };
	size_t n;

	for (size_t m = 0; m < MEMBERS; m++) {
		char lid[32], pn[40];
		struct wa_group_member member = { 0 };

		snprintf(lid, sizeof lid, "1000000%08zu@lid", m);
		snprintf(pn, sizeof pn, "62812%08zu@s.whatsapp.net", m);
		member.jid = jid_of(lid);
		member.other = jid_of(pn);
		wa_group_put_member(&group, &member);
	}
	state_op_init(&op, wa_client_state(w->client));
	wa_group_store(&op, &group);
	assert_true(state_op_get(&op, WA_RECORD_GROUP, GROUP, &record));
	n = record.n;
	state_op_commit(&op, NULL, NULL);
	state_op_end(&op);
	fake_client_run(w->client);
	wa_group_clear(&group);
	return n;
}

static void test_weight(void **state)
{
	struct world w;
	size_t asked, with_members, answer, record;

	(void)state;
	world_open(&w);
	record = weigh_record(&w);
	weigh(&w, true, &with_members, &answer);
	weigh(&w, false, &asked, &answer);
	print_message("bytes a membership: list %.1f (while it is read %.1f, with members %.1f), record %.1f\n", (double)answer / MEMBERSHIPS,
		      (double)asked / MEMBERSHIPS, (double)with_members / MEMBERSHIPS, (double)record / MEMBERS);
	assert_in_range(answer + asked, 1, MEMBERSHIPS * BOUND);
	assert_in_range(record, 1, MEMBERS * BOUND);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),         cmocka_unit_test(test_group),    cmocka_unit_test(test_list),     cmocka_unit_test(test_people),
		cmocka_unit_test(test_users),         cmocka_unit_test(test_other_answers), cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_weight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
