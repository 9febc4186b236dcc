/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Business profiles and catalogues.
 *
 *     <iq xmlns="w:biz" type="get"><business_profile v="244"><profile jid/></business_profile></iq>
 *     <iq xmlns="w:biz:catalog" type="get"><product_catalog jid allow_shop_source="true"><limit/><width/><height/>[<after/>]</product_catalog></iq>
 *
 * Source: Baileys Socket/business.ts, whatsmeow user.go.
 */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/limits.h"
#include "sessiond/wa/ask.h"

#define PICTURE_SIDE "100"

/* ---- profile ---- */

struct business_ask {
	struct jid who;
	wa_business_done *done;
	void *arg;
};

static size_t texts_of(struct arena *a, const struct wa_node *parent, const char *tag, const char ***out)
{
	size_t n = 0;

	*out = arena_alloc(a, ((parent ? parent->nnodes : 0) + 1) * sizeof **out);
	for (size_t i = 0; parent != NULL && i < parent->nnodes; i++) {
		struct span content = wa_node_content(parent->nodes[i]);

		if (wa_node_is(parent->nodes[i], tag) && content.n > 0)
			(*out)[n++] = arena_text(a, content.p, content.n);
	}
	return n;
}

static int minutes(const struct wa_node *config, const char *key)
{
	uint64_t n;

	return wa_node_get_u64(config, key, &n) && n <= 7 * 1440 ? (int)n : -1;
}

static void read_hours(struct arena *a, const struct wa_node *hours, struct wa_business *out)
{
	out->timezone = wa_node_get(hours, "timezone");
	out->hours = arena_alloc(a, ((hours ? hours->nnodes : 0) + 1) * sizeof *out->hours);
	for (size_t i = 0; hours != NULL && i < hours->nnodes; i++) {
		const struct wa_node *config = hours->nodes[i];

		if (!wa_node_is(config, "business_hours_config"))
			continue;
		out->hours[out->nhours++] = (struct wa_business_hours){
			wa_node_get_or_empty(config, "day_of_week"), wa_node_get_or_empty(config, "mode"),
			minutes(config, "open_time"), minutes(config, "close_time"),
		};
	}
}

static void on_profile(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	struct business_ask *ask = arg;
	const struct wa_node *profile = wa_node_child(wa_node_child(answer, "business_profile"), "profile");
	struct wa_business out = { .jid = ask->who };
	int code = wa_ask_code(client, answer);
	struct arena a;

	arena_init(&a, 0);
	if (code == 0 && profile == NULL)
		code = 404;
	if (code == 0) {
		if (!wa_node_get_jid(profile, "jid", &out.jid))
			out.jid = ask->who;
		out.email = wa_ask_text(&a, profile, "email");
		out.address = wa_ask_text(&a, profile, "address");
		out.description = wa_ask_text(&a, profile, "description");
		out.nwebsites = texts_of(&a, profile, "website", &out.websites);
		out.ncategories = texts_of(&a, wa_node_child(profile, "categories"), "category", &out.categories);
		read_hours(&a, wa_node_child(profile, "business_hours"), &out);
	}
	ask->done(ask->arg, code == 0 ? &out : NULL, code);
	arena_free(&a);
	free(ask);
}

void wa_client_business(struct wa_client *client, const struct jid *who, wa_business_done *done, void *arg)
{
	struct business_ask *ask = xmalloc(sizeof *ask);
	struct wa_node *iq, *profile;
	struct arena a;

	*ask = (struct business_ask){ jid_bare(who), done, arg };
	arena_init(&a, 0);
	iq = wa_iq_new(&a, "get", "w:biz");
	profile = wa_node_add_new(&a, iq, "business_profile");
	wa_node_attr(&a, profile, "v", "244");
	wa_node_attr_jid(&a, wa_node_add_new(&a, profile, "profile"), "jid", &ask->who);
	wa_client_iq(client, &a, iq, on_profile, ask);
	arena_free(&a);
}

/* ---- catalogue ---- */

struct catalog_ask {
	wa_catalog_done *done;
	void *arg;
};

static int64_t price_of(const struct wa_node *product)
{
	struct span text = wa_node_child_content(product, "price");
	int64_t price = 0;

	if (text.n == 0 || text.n > 15)
		return -1;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return -1;
		price = price * 10 + (text.p[i] - '0');
	}
	return price;
}

static struct wa_product read_product(struct arena *a, const struct wa_node *node)
{
	const struct wa_node *image = wa_node_child(wa_node_child(node, "media"), "image");

	return (struct wa_product){
		.id = wa_ask_text(a, node, "id"), .name = wa_ask_text(a, node, "name"), .description = wa_ask_text(a, node, "description"),
		.retailer_id = wa_ask_text(a, node, "retailer_id"), .url = wa_ask_text(a, node, "url"), .currency = wa_ask_text(a, node, "currency"),
		.status = wa_ask_text(a, wa_node_child(node, "status_info"), "status"),
		.image_url = wa_ask_text(a, image, "request_image_url"), .original_image_url = wa_ask_text(a, image, "original_image_url"),
		.price = price_of(node), .hidden = wa_node_get_is(node, "is_hidden", "true"),
	};
}

static void on_catalog(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	struct catalog_ask *ask = arg;
	const struct wa_node *catalog = wa_node_child(answer, "product_catalog");
	struct wa_product *products = NULL;
	int code = wa_ask_code(client, answer);
	struct arena a;
	size_t n = 0;

	arena_init(&a, 0);
	if (code == 0)
		products = arena_alloc(&a, ((catalog ? catalog->nnodes : 0) + 1) * sizeof *products);
	for (size_t i = 0; code == 0 && catalog != NULL && i < catalog->nnodes; i++)
		if (wa_node_is(catalog->nodes[i], "product"))
			products[n++] = read_product(&a, catalog->nodes[i]);
	ask->done(ask->arg, products, n, wa_ask_text(&a, wa_node_child(catalog, "paging"), "after"), code);
	arena_free(&a);
	free(ask);
}

void wa_client_catalog(struct wa_client *client, const struct jid *who, unsigned limit, const char *after, wa_catalog_done *done, void *arg)
{
	struct catalog_ask *ask = xmalloc(sizeof *ask);
	struct wa_node *iq, *catalog;
	struct jid bare = jid_bare(who);
	struct arena a;

	*ask = (struct catalog_ask){ done, arg };
	arena_init(&a, 0);
	iq = wa_iq_new(&a, "get", "w:biz:catalog");
	catalog = wa_node_add_new(&a, iq, "product_catalog");
	wa_node_attr_jid(&a, catalog, "jid", &bare);
	wa_node_attr(&a, catalog, "allow_shop_source", "true");
	wa_node_add_bytes(&a, catalog, "limit", span_text(arena_printf(&a, "%u", limit)));
	wa_node_add_bytes(&a, catalog, "width", span_text(PICTURE_SIDE));
	wa_node_add_bytes(&a, catalog, "height", span_text(PICTURE_SIDE));
	if (after != NULL && after[0])
		wa_node_add_bytes(&a, catalog, "after", span_text(after));
	wa_client_iq(client, &a, iq, on_catalog, ask);
	arena_free(&a);
}
