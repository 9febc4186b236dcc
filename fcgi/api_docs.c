/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The generated documents: OpenAPI as JSON and YAML, the table of application codes (contract rest-a 3, K15). */
#include "common/appcode.h"
#include "fcgi/answer.h"
#include "fcgi/json_out.h"
#include "fcgi/openapi.h"
#include "fcgi/request.h"

static void answer_document(struct request *r, struct answer *answer, struct buf *document, const char *type)
{
	answer_set(answer, 200, 0, NULL);
	answer->type = type;
	answer->bare = span_of(arena_dup(r->arena, document->data, document->len), document->len);
	buf_free(document);
}

static void openapi_as_json(struct request *r, struct answer *answer)
{
	struct buf b;

	buf_init(&b);
	openapi_json(&b, *r->host ? arena_printf(r->arena, "%s://%s", r->scheme, r->host) : NULL, r->settings->port);
	answer_document(r, answer, &b, NULL);
}

static void openapi_as_yaml(struct request *r, struct answer *answer, const char *type)
{
	struct buf json, yaml;

	buf_init(&json);
	buf_init(&yaml);
	openapi_json(&json, NULL, r->settings->port);
	yaml_from_json(&yaml, buf_span(&json));
	buf_free(&json);
	answer_document(r, answer, &yaml, type);
}

static void guarded_yaml(struct request *r, struct answer *answer)
{
	openapi_as_yaml(r, answer, "application/yaml; charset=utf-8");
}

static void public_yaml(struct request *r, struct answer *answer)
{
	openapi_as_yaml(r, answer, "text/yaml; charset=UTF-8");
	answer_header(answer, "Cache-Control", span_text("public, max-age=604800"));
}

static void code_table(struct request *r, struct answer *answer)
{
	size_t count;
	const struct appcode_row *rows = appcode_rows(&count);
	struct buf b;

	buf_init(&b);
	json_open(&b, '[');
	for (size_t i = 0; i < count; i++) {
		const struct appcode_row *c = &rows[i];

		json_open(&b, '{');
		json_name(&b, "app_code");
		json_int(&b, c->code);
		json_member(&b, "app_name", c->name);
		json_member(&b, "message", c->message);
		json_name(&b, "http_status");
		json_int(&b, c->http);
		json_member(&b, "category", c->category);
		json_close(&b, '}');
	}
	json_close(&b, ']');
	answer_document(r, answer, &b, NULL);
}

#define DOCS_ROUTE(where, does, by) .method = "GET", .path = where, .name = does, .local = by, .family = FAMILY_FILE, .tag = "Documentation"

static const struct route routes[] = {
	{ DOCS_ROUTE("/docs/openapi.yaml", "docs.openapi_yaml", guarded_yaml), .auth = AUTH_DOCS, .title = "This document as YAML",
	  .text = "The key is read from X-WAREST-API-KEY, Authorization: Bearer, or the cookie WAREST_DOCS_SESSION.",
	  .successes = (const struct success[]){ { 200, 0, NULL, "" }, { 0 } } },
	{ DOCS_ROUTE("/docs/openapi.json", "docs.openapi_json", openapi_as_json), .auth = AUTH_DOCS, .title = "This document as JSON",
	  .text = "servers starts with the address that this request came to.",
	  .successes = (const struct success[]){ { 200, 0, NULL, "openapi info servers[].url servers[].description paths" }, { 0 } } },
	{ DOCS_ROUTE("/docs/code-table.json", "docs.code_table", code_table), .auth = AUTH_DOCS, .title = "All application codes",
	  .text = "A bare array.",
	  .successes = (const struct success[]){
		  { 200, 0, NULL, "[].app_code [].app_name [].message [].http_status [].category" }, { 0 } } },
	{ DOCS_ROUTE("/openapi.yaml", "docs.openapi_public", public_yaml), .auth = AUTH_NONE, .title = "This document, public",
	  .text = "The same as /docs/openapi.yaml, without a key.",
	  .successes = (const struct success[]){ { 200, 0, NULL, "" }, { 0 } } },
};

extern const struct route_group docs_routes;
const struct route_group docs_routes = { routes, COUNT(routes) };
