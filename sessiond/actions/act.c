/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of actions and what all of them need, see act.h. */
#include "sessiond/actions/act.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/recipient.h"
#include "sessiond/actions/plan.h"

const struct act *act_find(const char *name)
{
	const struct act *const tables[] = { act_sends, act_controls };

	for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
		for (const struct act *act = tables[t]; act->name; act++)
			if (strcasecmp(act->name, name) == 0)
				return act;
	return NULL;
}

void act_script_free(struct act_script *script)
{
	for (size_t i = 0; i < script->n; i++) {
		json_object_put(script->parts[i].p);
		if (script->parts[i].fd >= 0)
			close(script->parts[i].fd);
	}
	free(script->parts);
	*script = (struct act_script){ 0 };
}

const char *act_build(struct act_script *script, const struct act *act, struct json_object *action, const struct act_context *context)
{
	const char *fault;

	*script = (struct act_script){ 0 };
	fault = act->build(script, action, context);
	if (fault)
		act_script_free(script);
	return fault;
}

static struct act_part *add(struct act_script *script)
{
	/* One action has few parts; only `read` names as many as it has keys, and it stops at the bound. */
	if (!script->parts)
		script->parts = xcalloc(ACT_MAX_PARTS, sizeof *script->parts);
	if (script->n == ACT_MAX_PARTS)
		abort();
	script->parts[script->n].fd = -1;
	return &script->parts[script->n++];
}

struct act_part *act_call(struct act_script *script, const char *method)
{
	struct act_part *part = add(script);

	part->method = method;
	part->p = json_object_new_object();
	return part;
}

void act_wait(struct act_script *script, int64_t ms)
{
	add(script)->wait_ms = ms;
}

const char *act_text(struct json_object *json, const char *name)
{
	struct json_object *value = plan_member(json, name, NULL, NULL);
	enum json_type type = json_object_get_type(value);

	return type == json_type_string || type == json_type_int || type == json_type_double ? json_object_get_string(value) : NULL;
}

void act_put(struct json_object *p, const char *name, const char *text)
{
	if (text && text[0])
		json_object_object_add(p, name, json_object_new_string(text));
}

bool act_is_true(struct json_object *json, const char *name)
{
	return plan_truth(plan_member(json, name, NULL, NULL));
}

struct json_object *act_object(struct json_object *value)
{
	struct json_object *parsed;

	if (json_object_is_type(value, json_type_object))
		return json_object_get(value);
	if (!json_object_is_type(value, json_type_string) || json_object_get_string(value)[strspn(json_object_get_string(value), " \t\r\n")] != '{')
		return NULL;
	parsed = json_tokener_parse(json_object_get_string(value));
	if (json_object_is_type(parsed, json_type_object))
		return parsed;
	json_object_put(parsed);
	return NULL;
}

const char *act_put_to_list(struct json_object *p, struct json_object *value, const struct act_context *context)
{
	struct json_object *list = json_object_new_array();
	struct recipient_list to;
	char text[JID_TEXT_MAX];
	int error;

	recipient_list_init(&to);
	error = value ? recipient_list_read(&to, value, context->country_code) : RECIPIENT_NOTHING;
	for (size_t i = 0; !error && i < to.count; i++)
		json_object_array_add(list, json_object_new_string(jid_format(&to.items[i], text, sizeof text)));
	recipient_list_free(&to);
	json_object_object_add(p, "to", list);
	return error == RECIPIENT_NOTHING ? "\"to\" is missing" : error ? "\"to\" is no address" : NULL;
}

const char *act_put_to(struct json_object *p, const char *name, struct json_object *value, const struct act_context *context)
{
	char text[JID_TEXT_MAX];
	struct jid to;
	const char *written = json_object_is_type(value, json_type_string) || json_object_is_type(value, json_type_int) ? json_object_get_string(value) : NULL;

	if (!written || recipient_resolve(&to, written, strlen(written), context->country_code))
		return written && written[0] ? "\"to\" is no address" : "\"to\" is missing";
	act_put(p, name, jid_format(&to, text, sizeof text));
	return NULL;
}
