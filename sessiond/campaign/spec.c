/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading what a campaign sends and how, see spec.h. */
#include "sessiond/campaign/spec.h"

#include <string.h>

static struct json_object *member(struct json_object *object, const char *name)
{
	return object ? json_object_object_get(object, name) : NULL;
}

static int64_t number(struct json_object *object, const char *name)
{
	int64_t value = json_object_get_int64(member(object, name));

	return value > 0 ? value : 0;
}

static struct json_object *parse(struct span text)
{
	struct json_tokener *tokener = text.n <= INT32_MAX ? json_tokener_new() : NULL;
	struct json_object *json = tokener ? json_tokener_parse_ex(tokener, (const char *)text.p, (int)text.n) : NULL;

	if (tokener)
		json_tokener_free(tokener);
	return json;
}

static enum template_missing missing_of(const char *word)
{
	if (word && strcmp(word, "empty") == 0)
		return TEMPLATE_EMPTY;
	return word && strcmp(word, "keep") == 0 ? TEMPLATE_KEEP : TEMPLATE_FAIL;
}

static int read_window(struct window *window, struct json_object *json)
{
	const char *zone = json_object_get_string(member(json, "zone"));

	if (!json_object_is_type(json, json_type_object))
		return 0;
	window->from_min = (int)number(json, "from");
	window->to_min = (int)number(json, "to");
	window->days = (unsigned)number(json, "days");
	window->zone = timefmt_zone_load(zone ? zone : "UTC");
	window->set = window->zone != NULL;
	return window->set ? 0 : -1;
}

int campaign_spec_read(struct campaign_spec *spec, struct span text)
{
	struct json_object *content, *pace;

	*spec = (struct campaign_spec){ .json = parse(text) };
	content = member(json_object_is_type(spec->json, json_type_object) ? spec->json : NULL, "content");
	spec->method = json_object_get_string(member(content, "method"));
	spec->p = member(content, "p");
	if (!spec->method || !json_object_is_type(spec->p, json_type_object) || read_window(&spec->window, member(spec->json, "window"))) {
		campaign_spec_free(spec);
		return -1;
	}
	spec->variables = member(spec->json, "variables");
	if (!json_object_is_type(spec->variables, json_type_object))
		spec->variables = NULL;
	spec->missing = missing_of(json_object_get_string(member(spec->json, "missing")));
	/* What a file is called is no text of the message. */
	spec->input = json_object_get(member(spec->p, "input"));
	json_object_object_del(spec->p, "input");
	spec->varies = template_in_tree(spec->p);
	pace = member(spec->json, "pace");
	spec->pace = (struct pace){ .gap_ms = number(pace, "gapMs"), .jitter_ms = number(pace, "jitterMs"), .per_minute = number(pace, "perMinute"),
		.per_hour = number(pace, "perHour") };
	return 0;
}

void campaign_spec_free(struct campaign_spec *spec)
{
	json_object_put(spec->input);
	json_object_put(spec->json);
	timefmt_zone_free(spec->window.zone);
	*spec = (struct campaign_spec){ .json = NULL };
}
