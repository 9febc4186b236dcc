/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, what the server says about profiles, people, businesses and calls is misread, or a strange answer is taken for a good one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/mem.h"
#include "sessiond/wa/profile.h"
#include "tests/unit/fake_client.h"

struct world {
	struct fake_host host;
	struct wa_client *client;
	struct arena arena;
	int code;          /* of the last answer; -1: none yet */
	size_t n;
	char text[256];
};

static struct jid jid_of(const char *text)
{
	struct jid jid;

	assert_int_equal(jid_parse_text(&jid, text), 0);
	return jid;
}

static void add_jid(struct world *w, struct wa_node *n, const char *key, const char *text)
{
	struct jid jid = jid_of(text);

	wa_node_attr_jid(&w->arena, n, key, &jid);
}

static int open_world(void **state)
{
	struct world *w = xcalloc(1, sizeof *w);

	fake_host_init(&w->host);
	arena_init(&w->arena, 0);
	w->client = fake_client_new(&w->host, "111:2@s.whatsapp.net", "911:2@lid", 1);
	fake_client_connect(w->client);
	w->code = -1;
	*state = w;
	return 0;
}

static int close_world(void **state)
{
	struct world *w = *state;

	fake_client_free(w->client);
	fake_host_free(&w->host);
	arena_free(&w->arena);
	free(w);
	return 0;
}

static struct wa_node *result(struct world *w)
{
	struct wa_node *iq = wa_node_new(&w->arena, "iq");

	wa_node_attr(&w->arena, iq, "type", "result");
	return iq;
}

static struct wa_node *refusal(struct world *w, const char *code)
{
	struct wa_node *iq = wa_node_new(&w->arena, "iq");

	wa_node_attr(&w->arena, iq, "type", "error");
	wa_node_attr(&w->arena, wa_node_add_new(&w->arena, iq, "error"), "code", code);
	return iq;
}

static void answer(struct world *w, const struct wa_node *iq)
{
	fake_client_run(w->client);
	assert_true(fake_client_answer(w->client, iq));
	fake_client_run(w->client);
	assert_int_not_equal(w->code, -1);
}

static void add_text(struct world *w, struct wa_node *parent, const char *tag, const char *text)
{
	wa_node_add_bytes(&w->arena, parent, tag, span_text(text));
}

/* ---- pictures ---- */

static void got_picture(void *arg, const struct wa_picture *picture, int code)
{
	struct world *w = arg;

	w->code = code;
	assert_true((picture != NULL) == (code == 0));
	snprintf(w->text, sizeof w->text, "%s %s", picture ? picture->id : "", picture ? picture->url : "");
}

static void ask_picture(struct world *w, const char *who)
{
	struct jid jid = jid_of(who);

	w->code = -1;
	wa_client_picture(w->client, &jid, true, NULL, got_picture, w);
	assert_int_equal(w->code, -1);
	fake_client_run(w->client);
}

static void pictures(void **state)
{
	struct world *w = *state;
	struct wa_node *iq = result(w), *picture = wa_node_add_new(&w->arena, iq, "picture");

	wa_node_attr(&w->arena, picture, "id", "17");
	wa_node_attr(&w->arena, picture, "url", "https://p/1");
	ask_picture(w, "222@s.whatsapp.net");
	assert_non_null(wa_node_child(w->client->iqs->node, "picture"));
	answer(w, iq);
	assert_int_equal(w->code, 0);
	assert_string_equal(w->text, "17 https://p/1");
	ask_picture(w, "222@s.whatsapp.net");
	answer(w, refusal(w, "401"));
	assert_int_equal(w->code, 401);
	/* Nested error, no address, nothing at all. */
	iq = result(w);
	wa_node_attr(&w->arena, wa_node_add_new(&w->arena, wa_node_add_new(&w->arena, iq, "picture"), "error"), "code", "401");
	ask_picture(w, "120363000000000001@g.us");
	answer(w, iq);
	assert_int_equal(w->code, 401);
	ask_picture(w, "111@s.whatsapp.net");
	answer(w, result(w));
	assert_int_equal(w->code, 404);
	/* The connection goes while we wait. */
	ask_picture(w, "222@s.whatsapp.net");
	fake_client_disconnect(w->client);
	fake_client_run(w->client);
	assert_true(w->code == 408 || w->code == 503);
}

/* ---- people ---- */

static void got_people(void *arg, const struct wa_user *people, size_t n, int code)
{
	struct world *w = arg;
	char pn[JID_TEXT_MAX], lid[JID_TEXT_MAX];

	w->code = code;
	w->n = n;
	w->text[0] = '\0';
	for (size_t i = 0; i < n && code == 0; i++) {
		size_t len = strlen(w->text);

		snprintf(w->text + len, sizeof w->text - len, "[%d%d %s %s %s %s]", people[i].answered, people[i].registered, jid_format(&people[i].pn, pn, sizeof pn),
			 jid_format(&people[i].lid, lid, sizeof lid), people[i].about ? people[i].about : people[i].about_hidden ? "hidden" : "-",
			 people[i].verified_name ? people[i].verified_name : "-");
	}
}

static void people(void **state)
{
	static const uint8_t certificate[] = { 0x0a, 5, 0x22, 3, 'I', 'n', 'c' }, broken[] = { 0x0a, 200, 1 };
	const struct wa_user asked[] = { { .phone = "222" }, { .phone = "333" }, { .jid = jid_of("944@lid") }, { .phone = "555" } };
	struct world *w = *state;
	struct wa_node *iq = result(w), *list = wa_node_add_new(&w->arena, wa_node_add_new(&w->arena, iq, "usync"), "list"), *user, *child;

	wa_client_people(w->client, WA_ASK_CONTACT | WA_ASK_LID | WA_ASK_ABOUT | WA_ASK_BUSINESS, asked, 4, got_people, w);
	/* Out of order, by LID with the number beside it, with rubbish between. */
	user = wa_node_add_new(&w->arena, list, "user");
	add_jid(w, user, "jid", "944@lid");
	add_jid(w, user, "pn_jid", "444@s.whatsapp.net");
	wa_node_attr(&w->arena, wa_node_add_new(&w->arena, user, "contact"), "type", "in");
	wa_node_attr(&w->arena, wa_node_add_new(&w->arena, user, "status"), "code", "401");
	wa_node_add_bytes(&w->arena, wa_node_add_new(&w->arena, user, "business"), "verified_name", span_of(broken, sizeof broken));
	wa_node_add_new(&w->arena, list, "user");
	wa_node_add_new(&w->arena, list, "nonsense");
	user = wa_node_add_new(&w->arena, list, "user");
	add_jid(w, user, "jid", "222@s.whatsapp.net");
	child = wa_node_add_bytes(&w->arena, user, "contact", span_text("+222"));
	wa_node_attr(&w->arena, child, "type", "in");
	add_jid(w, wa_node_add_new(&w->arena, user, "lid"), "val", "922@lid");
	add_text(w, user, "status", "busy");
	wa_node_add_bytes(&w->arena, wa_node_add_new(&w->arena, user, "business"), "verified_name", span_of(certificate, sizeof certificate));
	user = wa_node_add_new(&w->arena, list, "user");
	wa_node_attr(&w->arena, wa_node_add_bytes(&w->arena, user, "contact", span_text("+333")), "type", "out");
	answer(w, iq);
	assert_int_equal(w->code, 0);
	assert_string_equal(w->text, "[11 222@s.whatsapp.net 922@lid busy Inc][10   - -][11 444@s.whatsapp.net 944@lid hidden -][00   - -]");
	w->code = -1;
	wa_client_people(w->client, WA_ASK_LID, asked, 1, got_people, w);
	answer(w, result(w));
	assert_int_equal(w->code, 502);
}

static void got_names(void *arg, const struct jid *others, size_t n, int code)
{
	struct world *w = arg;
	char text[JID_TEXT_MAX];

	w->code = code;
	w->n = n;
	w->text[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(w->text);

		snprintf(w->text + len, sizeof w->text - len, "%s;", jid_format(&others[i], text, sizeof text));
	}
}

static void names(void **state)
{
	const struct wa_user asked[] = { { .jid = jid_of("222@s.whatsapp.net") } };
	struct jid jids[2] = { jid_of("922:5@lid"), jid_of("333@s.whatsapp.net") };
	struct world *w = *state;
	struct wa_node *iq = result(w), *list = wa_node_add_new(&w->arena, wa_node_add_new(&w->arena, iq, "usync"), "list");
	struct wa_node *user = wa_node_add_new(&w->arena, list, "user");

	add_jid(w, user, "jid", "222@s.whatsapp.net");
	add_jid(w, wa_node_add_new(&w->arena, user, "lid"), "val", "922@lid");
	wa_client_people(w->client, WA_ASK_LID, asked, 1, got_people, w);
	answer(w, iq);
	wa_client_names(w->client, jids, 2, got_names, w);
	fake_client_run(w->client);
	assert_int_equal(w->code, 0);
	assert_string_equal(w->text, "222@s.whatsapp.net;;");
}

/* ---- privacy, block list ---- */

static void got_privacy(void *arg, const struct wa_privacy *settings, size_t n, int code)
{
	struct world *w = arg;

	w->code = code;
	w->n = n;
	snprintf(w->text, sizeof w->text, "%s=%s/%s", n ? settings[0].name : "", n ? settings[0].value : "", n ? settings[0].dhash : "");
}

static void coded(void *arg, int code)
{
	((struct world *)arg)->code = code;
}

static void privacy(void **state)
{
	const struct wa_privacy_user user = { jid_of("922@lid"), jid_of("222@s.whatsapp.net"), true };
	const struct wa_privacy_change change = { "last", "contact_blacklist", "abc", &user, 1 };
	struct world *w = *state;
	struct wa_node *iq = result(w), *list = wa_node_add_new(&w->arena, iq, "privacy"), *category = wa_node_add_new(&w->arena, list, "category");
	const struct wa_node *sent;

	wa_node_attr(&w->arena, category, "name", "new_one");
	wa_node_attr(&w->arena, category, "value", "odd");
	wa_node_attr(&w->arena, category, "dhash", "h");
	wa_node_add_new(&w->arena, list, "category");
	wa_client_privacy(w->client, got_privacy, w);
	answer(w, iq);
	assert_int_equal(w->n, 1);
	assert_string_equal(w->text, "new_one=odd/h");
	w->code = -1;
	wa_client_privacy(w->client, got_privacy, w);
	answer(w, result(w));
	assert_int_equal(w->code, 502);
	w->code = -1;
	wa_client_set_privacy(w->client, &change, coded, w);
	sent = wa_node_child(wa_node_child(w->client->iqs->node, "privacy"), "category");
	assert_string_equal(wa_node_get(sent, "dhash"), "abc");
	assert_string_equal(wa_node_get(wa_node_child(sent, "user"), "action"), "add");
	answer(w, refusal(w, "409"));
	assert_int_equal(w->code, 409);
}

static void got_blocked(void *arg, const struct jid *blocked, size_t n, int code)
{
	struct world *w = arg;

	(void)blocked;
	w->code = code;
	w->n = n;
}

static void blocklist(void **state)
{
	struct world *w = *state;

	/* Under <list>, or at once; with rubbish. */
	for (int nested = 0; nested < 2; nested++) {
		struct wa_node *iq = result(w), *list = nested ? wa_node_add_new(&w->arena, iq, "list") : iq;

		add_jid(w, wa_node_add_new(&w->arena, list, "item"), "jid", "922@lid");
		add_jid(w, wa_node_add_new(&w->arena, list, "item"), "jid", "120363000000000001@g.us");
		wa_node_add_new(&w->arena, list, "item");
		w->code = -1;
		wa_client_blocklist(w->client, got_blocked, w);
		answer(w, iq);
		assert_int_equal(w->code, 0);
		assert_int_equal(w->n, 1);
	}
}

/* ---- business ---- */

static void got_business(void *arg, const struct wa_business *business, int code)
{
	struct world *w = arg;

	w->code = code;
	if (business)
		snprintf(w->text, sizeof w->text, "%s %s %zu %zu %zu %d %d", business->email, business->address ? business->address : "-", business->nwebsites,
			 business->ncategories, business->nhours, business->hours[0].open_min, business->hours[0].close_min);
}

static void got_catalog(void *arg, const struct wa_product *products, size_t n, const char *after, int code)
{
	struct world *w = arg;

	w->code = code;
	w->n = n;
	if (n)
		snprintf(w->text, sizeof w->text, "%s %lld %s", products[0].name, (long long)products[0].price, after ? after : "-");
}

static void business(void **state)
{
	struct world *w = *state;
	struct jid who = jid_of("222@s.whatsapp.net");
	struct wa_node *iq = result(w), *profile = wa_node_add_new(&w->arena, wa_node_add_new(&w->arena, iq, "business_profile"), "profile"), *hours, *product;

	add_text(w, profile, "email", "a@b");
	add_text(w, profile, "website", "https://x");
	add_text(w, profile, "website", "");
	add_text(w, wa_node_add_new(&w->arena, profile, "categories"), "category", "Shop");
	hours = wa_node_add_new(&w->arena, wa_node_add_new(&w->arena, profile, "business_hours"), "business_hours_config");
	wa_node_attr(&w->arena, hours, "open_time", "540");
	wa_node_attr(&w->arena, hours, "close_time", "99999999");
	wa_client_business(w->client, &who, got_business, w);
	answer(w, iq);
	assert_string_equal(w->text, "a@b - 1 1 1 540 -1");
	w->code = -1;
	wa_client_business(w->client, &who, got_business, w);
	answer(w, result(w));
	assert_int_equal(w->code, 404);
	iq = result(w);
	product = wa_node_add_new(&w->arena, wa_node_add_new(&w->arena, iq, "product_catalog"), "product");
	add_text(w, product, "name", "Rope");
	add_text(w, product, "price", "12x");
	w->code = -1;
	wa_client_catalog(w->client, &who, 10, NULL, got_catalog, w);
	answer(w, iq);
	assert_string_equal(w->text, "Rope -1 -");
}

/* ---- calls ---- */

static const struct wa_node *call(struct world *w, const char *tag, const char *id, bool video)
{
	struct wa_node *node = wa_node_new(&w->arena, "call"), *action;

	add_jid(w, node, "from", "922@lid");
	wa_node_attr(&w->arena, node, "id", "s1");
	wa_node_attr(&w->arena, node, "t", "1700000000");
	if (!tag)
		return node;
	action = wa_node_add_new(&w->arena, node, tag);
	wa_node_attr(&w->arena, action, "call-id", id);
	add_jid(w, action, "call-creator", "922:3@lid");
	add_jid(w, action, "caller_pn", "222@s.whatsapp.net");
	if (video)
		wa_node_add_new(&w->arena, action, "video");
	return node;
}

static void calls(void **state)
{
	static const char *const odd[] = { NULL, "offer", "", "raise_hand", "terminate" };
	struct world *w = *state;
	struct jid creator = jid_of("922:3@lid");
	const struct wa_node *sent;
	struct wa_node *ack;

	fake_client_receive(w->client, wa_on_call, call(w, "offer", "C1", true));
	fake_client_run(w->client);
	assert_int_equal(fake_client_count(w->client, "ack"), 1);
	/* Without an action, an id, or of a kind that nobody knows: acked all the same. */
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
		fake_client_receive(w->client, wa_on_call, call(w, odd[i] && odd[i][0] ? odd[i] : NULL, i == 1 ? "" : "C1", false));
	fake_client_run(w->client);
	assert_int_equal(fake_client_count(w->client, "ack"), 1 + sizeof odd / sizeof *odd);
	w->code = -1;
	wa_client_reject_call(w->client, "C1", &creator, coded, w);
	sent = w->client->iqs->node;
	assert_string_equal(sent->tag, "call");
	assert_string_equal(wa_node_get(sent, "to"), "922@lid");
	assert_string_equal(wa_node_get(sent, "from"), "911@lid");
	assert_string_equal(wa_node_get(wa_node_child(sent, "reject"), "call-creator"), "922:3@lid");
	ack = wa_node_new(&w->arena, "ack");
	wa_node_attr(&w->arena, ack, "class", "call");
	answer(w, ack);
	assert_int_equal(w->code, 0);
}

/* ---- notifications ---- */

static void notices(void **state)
{
	static const char *const types[] = { "picture", "status", "disappearing_mode", "contacts" };
	static const char *const children[] = { "set", "delete", "request", "modify", "disappearing_mode", "blocklist", "privacy" };
	struct world *w = *state;
	size_t acks = 0;

	/* Every type with every child: all are acked, whatever they say. */
	for (size_t t = 0; t < sizeof types / sizeof *types + 1; t++) {
		for (size_t c = 0; c <= sizeof children / sizeof *children; c++) {
			struct wa_node *node = wa_node_new(&w->arena, "notification");
			bool own = t == sizeof types / sizeof *types;

			wa_node_attr(&w->arena, node, "id", "n");
			wa_node_attr(&w->arena, node, "type", own ? "account_sync" : types[t]);
			add_jid(w, node, "from", c % 2 ? "222@s.whatsapp.net" : "120363000000000001@g.us");
			if (c < sizeof children / sizeof *children) {
				struct wa_node *child = wa_node_add_new(&w->arena, node, children[c]);

				add_jid(w, wa_node_add_new(&w->arena, child, "item"), "jid", "922@lid");
				add_jid(w, child, "old", "222@s.whatsapp.net");
				add_jid(w, child, "new", "223@s.whatsapp.net");
			}
			fake_client_receive(w->client, own ? wa_on_account_sync : wa_on_contact_change, node);
			fake_client_run(w->client);
			assert_int_equal(fake_client_count(w->client, "ack"), ++acks);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pictures, open_world, close_world),  cmocka_unit_test_setup_teardown(people, open_world, close_world),
		cmocka_unit_test_setup_teardown(names, open_world, close_world),     cmocka_unit_test_setup_teardown(privacy, open_world, close_world),
		cmocka_unit_test_setup_teardown(blocklist, open_world, close_world), cmocka_unit_test_setup_teardown(business, open_world, close_world),
		cmocka_unit_test_setup_teardown(calls, open_world, close_world),     cmocka_unit_test_setup_teardown(notices, open_world, close_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
