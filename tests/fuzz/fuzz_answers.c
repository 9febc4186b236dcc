/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * If this fails, what the server answers to a question (people, businesses and channels write much of it) takes the daemon down, or a
 * question is answered twice or never.
 *
 *     byte 0: which question; then answers in the order of the IQs that went out: two bytes of length, a frame
 */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/appstate.h"
#include "sessiond/wa/bundle.h"
#include "sessiond/wa/media.h"
#include "sessiond/wa/profile.h"
#include "sessiond/wa/query.h"
#include "sessiond/wa/tctoken.h"
#include "sessiond/wa/usync.h"
#include "tests/unit/fake_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUTS_PER_WORLD 2000

struct world {
	struct fake_host host;
	struct wa_client *client;
	struct jid pn, lid, group, channel;
	struct state_op op;   /* of the device query */
	unsigned inputs;
	int asked, answered;
	volatile size_t seen; /* what was read of answers, so that it is read */
};

static struct world *world;

/* ---- answers: every text and number is touched ---- */

static void text(const char *t)
{
	world->seen += t ? strlen(t) : 0;
}

static void name(const struct jid *jid)
{
	char out[JID_TEXT_MAX];

	if (!jid_is_none(jid))
		text(jid_format(jid, out, sizeof out));
}

static void done(void *arg, int code)
{
	(void)arg;
	world->seen += (size_t)(code != 0);
	world->answered++;
}

static void got_picture(void *arg, const struct wa_picture *picture, int code)
{
	if ((picture == NULL) != (code != 0))
		abort();
	if (picture) {
		text(picture->id);
		text(picture->type);
		text(picture->url);
		text(picture->direct_path);
	}
	done(arg, code);
}

static void got_privacy(void *arg, const struct wa_privacy *settings, size_t n, int code)
{
	for (size_t i = 0; i < n; i++) {
		text(settings[i].name);
		text(settings[i].value);
		text(settings[i].dhash);
	}
	done(arg, code);
}

static void got_blocked(void *arg, const struct jid *blocked, size_t n, int code)
{
	for (size_t i = 0; i < n; i++)
		name(&blocked[i]);
	done(arg, code);
}

static void got_people(void *arg, const struct wa_user *people, size_t n, int code)
{
	if (n != 3)
		abort();
	for (size_t i = 0; i < n; i++) {
		name(&people[i].pn);
		name(&people[i].lid);
		text(people[i].about);
		text(people[i].verified_name);
	}
	done(arg, code);
}

static void got_business(void *arg, const struct wa_business *b, int code)
{
	if ((b == NULL) != (code != 0))
		abort();
	if (b) {
		const char *const texts[] = { b->email, b->address, b->description, b->timezone };

		name(&b->jid);
		for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
			text(texts[i]);
		for (size_t i = 0; i < b->nwebsites; i++)
			text(b->websites[i]);
		for (size_t i = 0; i < b->ncategories; i++)
			text(b->categories[i]);
		for (size_t i = 0; i < b->nhours; i++) {
			text(b->hours[i].day);
			text(b->hours[i].mode);
			if (b->hours[i].open_min < -1 || b->hours[i].close_min < -1)
				abort();
		}
	}
	done(arg, code);
}

static void got_catalog(void *arg, const struct wa_product *products, size_t n, const char *after, int code)
{
	for (size_t i = 0; i < n; i++) {
		const char *const texts[] = { products[i].id, products[i].name, products[i].description, products[i].retailer_id, products[i].url,
					      products[i].currency, products[i].status, products[i].image_url, products[i].original_image_url };

		for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
			text(texts[k]);
		if (products[i].price < -1)
			abort();
	}
	text(after);
	done(arg, code);
}

static void got_audience(void *arg, const struct wa_status_privacy *privacy, int code)
{
	for (size_t i = 0; privacy && i < privacy->n; i++)
		name(&privacy->list[i]);
	done(arg, code);
}

static void got_hosts(void *arg, const struct wa_media_conn *conn)
{
	if (conn && (conn->nhosts == 0 || conn->ttl_s <= 0))
		abort();
	for (size_t i = 0; conn && i < conn->nhosts; i++)
		text(conn->hosts[i]);
	done(arg, 0);
}

static void got_query(void *arg, const struct wa_query_answer *answer)
{
	for (size_t i = 0; i < answer->nposts; i++) {
		const struct wa_post *post = &answer->posts[i];

		text(post->id);
		text(post->type);
		world->seen += post->message.n;
		for (size_t k = 0; k < post->nreactions; k++)
			text(post->reactions[k].code);
	}
	text(answer->text);
	done(arg, answer->code);
}

static void got_bundles(void *arg, const struct bundle_answer *answers, size_t n, int code)
{
	for (size_t i = 0; i < n; i++) {
		name(&answers[i].device);
		if (answers[i].error == 0)
			world->seen += wa_companion_is_genuine(answers[i].device_identity, answers[i].bundle.identity, NULL);
	}
	done(arg, code);
}

static void got_devices(void *arg, int result, const bool *found, int code, const char *why)
{
	world->seen += (size_t)(found[0] + found[1]) + (size_t)(result != 0);
	text(why);
	state_op_end(&world->op);
	done(arg, code);
}

static void got_group(void *arg, const struct wa_group *group, int code)
{
	for (size_t i = 0; group && i < group->n; i++)
		name(&group->members[i].jid);
	done(arg, code);
}

/* ---- questions ---- */

static void ask_people(void)
{
	const struct wa_user people[] = { { .jid = world->pn }, { .jid = world->lid }, { .jid = { .server = JID_SERVER_NONE }, .phone = "15550001111" } };

	wa_client_people(world->client, WA_ASK_CONTACT | WA_ASK_LID | WA_ASK_ABOUT | WA_ASK_BUSINESS | WA_ASK_TIMER, people, 3, got_people, NULL);
}

static void devices_loaded(void *arg, bool ok)
{
	const struct jid users[] = { world->pn, world->lid };

	(void)arg;
	if (!ok)
		abort();
	wa_usync_devices(world->client, &world->op, users, 2, "message", got_devices, NULL);
}

static void ask_devices(void)
{
	struct state_keys keys = { 0 };
	char id[JID_TEXT_MAX];

	state_op_init(&world->op, wa_client_state(world->client));
	state_keys_add(&keys, WA_RECORD_DEVICES, jid_format(&world->pn, id, sizeof id));
	state_op_fetch(&world->op, keys.keys, keys.n, devices_loaded, NULL);
	state_keys_free(&keys);
}

static void ask_bundles(void)
{
	const struct jid devices[] = { world->pn, world->lid };

	wa_bundles_fetch(world->client, devices, 2, true, got_bundles, NULL);
}

static void ask_picture(void)
{
	wa_client_picture(world->client, &world->pn, true, NULL, got_picture, NULL);
}

static void ask_privacy(void)
{
	wa_client_privacy(world->client, got_privacy, NULL);
}

static void ask_blocked(void)
{
	wa_client_blocklist(world->client, got_blocked, NULL);
}

static void ask_business(void)
{
	wa_client_business(world->client, &world->pn, got_business, NULL);
}

static void ask_catalog(void)
{
	wa_client_catalog(world->client, &world->pn, 10, NULL, got_catalog, NULL);
}

static void ask_audience(void)
{
	wa_client_status_privacy(world->client, got_audience, NULL);
}

static void ask_hosts(void)
{
	wa_client_media_conn(world->client, got_hosts, NULL);
}

static void ask_query(enum wa_query_kind kind)
{
	const struct wa_query query = { .kind = kind, .id = "1", .variables = "{}", .channel = world->channel, .count = 10 };

	wa_client_query(world->client, &query, got_query, NULL);
}

static void ask_mex(void)
{
	ask_query(WA_QUERY_MEX);
}

static void ask_posts(void)
{
	ask_query(WA_QUERY_POSTS);
}

static void ask_updates(void)
{
	ask_query(WA_QUERY_UPDATES);
}

static void ask_live(void)
{
	ask_query(WA_QUERY_LIVE);
}

static void ask_group(void)
{
	wa_client_group(world->client, &world->group, true, got_group, NULL);
}

/* Tell nobody. */
static void ask_token(void)
{
	wa_tctoken_issue(world->client, &world->pn, &world->lid, 1700000000);
	world->answered++;
}

static void ask_app_state(void)
{
	wa_appstate_dirty(world->client, 1);
	world->answered++;
}

static void ask_done(void)
{
	wa_client_set_about(world->client, "about", done, NULL);
}

static void (*const questions[])(void) = {
	ask_people, ask_devices, ask_bundles, ask_picture, ask_privacy, ask_blocked, ask_business, ask_catalog, ask_audience,
	ask_hosts, ask_mex, ask_posts, ask_updates, ask_live, ask_group, ask_token, ask_app_state, ask_done,
};

/* ---- a linked device ---- */

static void drop_world(void)
{
	fake_client_free(world->client);
	fake_host_free(&world->host);
	free(world);
	world = NULL;
}

/* One key, so that app state is asked for: length, id, 32 bytes, time. */
static void put_app_state_key(void)
{
	static const uint8_t zeros[APPSTATE_KEY_BYTES];
	struct buf ring = { 0 };

	buf_u8(&ring, 1);
	buf_u8(&ring, 'k');
	buf_append(&ring, zeros, sizeof zeros);
	buf_be64(&ring, 1);
	fake_host_put(&world->host, WA_RECORD_APPSTATE, "keys", buf_span(&ring));
	buf_free(&ring);
}

static void make_world(void)
{
	world = xcalloc(1, sizeof *world);
	fake_host_init(&world->host);
	world->client = fake_client_new(&world->host, "222:2@s.whatsapp.net", "922:2@lid", 1);
	put_app_state_key();
	jid_parse_text(&world->pn, "15550001111@s.whatsapp.net");
	jid_parse_text(&world->lid, "222333444@lid");
	jid_parse_text(&world->group, "120363000000000001@g.us");
	jid_parse_text(&world->channel, "120363000000000002@newsletter");
	fake_client_connect(world->client);
}

static void answer(struct span frame)
{
	struct wa_node *node;
	struct arena a;

	arena_init(&a, 0);
	if (wa_node_decode(&a, frame, &node) == WA_NODE_OK)
		fake_client_answer(world->client, node);
	arena_free(&a);
	fake_client_run(world->client);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader in = reader_of(data, size);
	uint8_t which = read_u8(&in);

	if (size < 1)
		return 0;
	if (world != NULL && world->inputs >= INPUTS_PER_WORLD)
		drop_world();
	if (world == NULL)
		make_world();
	world->inputs++;
	fake_client_run(world->client);
	while (fake_client_answer(world->client, NULL))
		fake_client_run(world->client);
	world->asked++;
	questions[which % (sizeof questions / sizeof *questions)]();
	fake_client_run(world->client);
	while (in.left > 2) {
		size_t n = read_be16(&in);

		answer(read_span(&in, n < in.left ? n : in.left));
	}
	while (fake_client_answer(world->client, NULL))
		fake_client_run(world->client);
	if (world->answered != world->asked)
		abort();
	return 0;
}
