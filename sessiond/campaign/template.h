/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Texts with variables: "Hello {{name}}", "Hello {{ name | friend }}". A name has letters, digits, '_', '.', '-' (at most 64 of them); what
 * has another form stays as it stands. Values are looked up in the recipient's variables, then in the campaign's; {{phone}} is the
 * recipient's number unless one of them says otherwise; then comes what stands behind '|'. A value is never looked into again.
 */
#ifndef SESSIOND_CAMPAIGN_TEMPLATE_H
#define SESSIOND_CAMPAIGN_TEMPLATE_H

#include <json-c/json.h>
#include <stdbool.h>

#include "common/buf.h"

enum { TEMPLATE_NAME_MAX = 64 };

/* What becomes of a variable without a value. */
enum template_missing {
	TEMPLATE_FAIL = 0, /* nothing is sent to this recipient */
	TEMPLATE_EMPTY,    /* it counts as "" */
	TEMPLATE_KEEP      /* it stays as it stands: {{name}} */
};

struct template_values {
	struct json_object *own, *common; /* borrowed objects; NULL: none */
	const char *phone;                /* borrowed; NULL: none */
	enum template_missing missing;
	char lacking[TEMPLATE_NAME_MAX + 1]; /* filled in on failure: the name */
};

/* Appends text with its variables replaced. False: one is missing, and that is to fail. */
bool template_text(struct buf *out, struct span text, struct template_values *values);
/* A deep copy in which every text was replaced so; NULL: one is missing. */
struct json_object *template_tree(struct json_object *tree, struct template_values *values);
/* Is there a variable in any text of it? */
bool template_in_tree(struct json_object *tree);

#endif
