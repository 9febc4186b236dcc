/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Steps, see plan.h. */
#include "sessiond/actions/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "sessiond/actions/act.h"
#include "sessiond/actions/template.h"

#define RETRY_ATTEMPTS 3
#define RETRY_DELAY_MS 500

/* ---- values ---- */

struct json_object *plan_member(struct json_object *json, const char *a, const char *b, const char *c)
{
	const char *const names[] = { a, b, c };

	for (size_t i = 0; i < sizeof names / sizeof *names && names[i]; i++) {
		struct json_object *value = json_object_is_type(json, json_type_object) ? json_object_object_get(json, names[i]) : NULL;

		if (value)
			return value;
	}
	return NULL;
}

bool plan_number(struct json_object *value, double *number)
{
	const char *text;
	char *end;

	if (json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double)) {
		*number = json_object_get_double(value);
		return isfinite(*number) != 0;
	}
	if (!json_object_is_type(value, json_type_string))
		return false;
	text = json_object_get_string(value);
	*number = strtod(text, &end);
	return end != text && !end[strspn(end, " ")] && isfinite(*number) && !strpbrk(text, "xXpPnN");
}

int64_t plan_time_ms(struct json_object *value, int64_t factor, int64_t fallback)
{
	double number;

	if (!plan_number(value, &number))
		return fallback;
	number *= (double)factor;
	return number <= 0 ? 0 : number >= PLAN_MAX_DELAY_MS ? PLAN_MAX_DELAY_MS : (int64_t)number;
}

bool plan_truth(struct json_object *value)
{
	static const char *const no[] = { "", "0", "false", "null", "undefined", "no" };
	const char *text;
	double number;

	switch (json_object_get_type(value)) {
	case json_type_null:
		return false;
	case json_type_boolean:
		return json_object_get_boolean(value);
	case json_type_int:
	case json_type_double:
		return plan_number(value, &number) && fpclassify(number) != FP_ZERO;
	case json_type_string:
		text = json_object_get_string(value);
		text += strspn(text, " \t\r\n");
		for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
			size_t n = strlen(no[i]);

			if (strncasecmp(text, no[i], n) == 0 && !text[n + strspn(text + n, " \t\r\n")])
				return false;
		}
		return true;
	case json_type_array:
	case json_type_object:
		break;
	}
	return true;
}

/* ---- which children an action has ---- */

enum shape { SHAPE_NONE, SHAPE_QUEUE, SHAPE_PARALLEL, SHAPE_WHEN, SHAPE_RETRY };

static enum shape shape_of(struct json_object *json)
{
	static const struct {
		const char *name;
		enum shape shape;
	} shapes[] = { { "queue", SHAPE_QUEUE }, { "parallel", SHAPE_PARALLEL }, { "when", SHAPE_WHEN }, { "retry", SHAPE_RETRY } };
	const char *const members[] = { "act", "action", "type" };

	for (size_t m = 0; m < sizeof members / sizeof *members; m++) {
		struct json_object *value = plan_member(json, members[m], NULL, NULL);
		const char *name = json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;

		for (size_t i = 0; name && i < sizeof shapes / sizeof *shapes; i++)
			if (strcasecmp(shapes[i].name, name) == 0)
				return shapes[i].shape;
		if (name && act_find(name))
			return SHAPE_NONE;
	}
	return SHAPE_NONE;
}


static const struct act *act_of(struct json_object *json)
{
	const char *const members[] = { "act", "action", "type" };

	for (size_t m = 0; m < sizeof members / sizeof *members; m++) {
		struct json_object *value = plan_member(json, members[m], NULL, NULL);
		const struct act *act = json_object_is_type(value, json_type_string) ? act_find(json_object_get_string(value)) : NULL;

		if (act)
			return act;
	}
	return NULL;
}

static struct json_object *branch_then(struct json_object *json)
{
	return plan_member(json, "then", "do", "items");
}

static struct json_object *branch_else(struct json_object *json)
{
	return plan_member(json, "else", "otherwise", NULL);
}

/* The item of a retry: "item", else the first of "items". */
static struct json_object *retried(struct json_object *json)
{
	struct json_object *item = plan_member(json, "item", NULL, NULL), *items = plan_member(json, "items", NULL, NULL);

	if (item)
		return item;
	return json_object_is_type(items, json_type_array) && json_object_array_length(items) ? json_object_array_get_idx(items, 0) : NULL;
}

/* A list of actions is an array, or one action. */
static size_t length(struct json_object *list)
{
	if (json_object_is_type(list, json_type_array))
		return json_object_array_length(list);
	return json_object_is_type(list, json_type_object) ? 1 : 0;
}

static struct json_object *item_of(struct json_object *list, size_t i)
{
	return json_object_is_type(list, json_type_array) ? json_object_array_get_idx(list, i) : list;
}

/* ---- limits ---- */

static enum plan_error measure(struct json_object *list, unsigned depth, size_t *count);

static enum plan_error measure_one(struct json_object *json, unsigned depth, size_t *count)
{
	struct json_object *lists[2] = { NULL, NULL };
	enum plan_error error = PLAN_OK;

	if (++*count > PLAN_MAX_ACTIONS)
		return PLAN_TOO_MANY;
	switch (shape_of(json)) {
	case SHAPE_NONE:
		return PLAN_OK;
	case SHAPE_QUEUE:
	case SHAPE_PARALLEL:
		lists[0] = plan_member(json, "items", NULL, NULL);
		break;
	case SHAPE_WHEN:
		lists[0] = branch_then(json);
		lists[1] = branch_else(json);
		break;
	case SHAPE_RETRY:
		lists[0] = retried(json);
		lists[1] = plan_member(json, "onFail", NULL, NULL);
		break;
	}
	for (size_t i = 0; i < 2 && error == PLAN_OK; i++)
		error = measure(lists[i], depth + 1, count);
	return error;
}

static enum plan_error measure(struct json_object *list, unsigned depth, size_t *count)
{
	size_t n = length(list);
	enum plan_error error = n > 0 && depth > PLAN_MAX_DEPTH ? PLAN_TOO_DEEP : PLAN_OK;

	for (size_t i = 0; i < n && error == PLAN_OK; i++)
		error = measure_one(item_of(list, i), depth, count);
	return error;
}

enum plan_error plan_accept(struct json_object *answer, struct json_object *envelope, int64_t default_delay_ms, struct json_object **plan)
{
	struct json_object *actions = plan_member(answer, "actions", NULL, NULL), *expanded = NULL;
	int64_t delay_ms = plan_time_ms(plan_member(answer, "delayMs", NULL, NULL), 1, 0);
	size_t count = 0, left = PLAN_MAX_BYTES;
	enum plan_error error;

	*plan = NULL;
	if (!json_object_is_type(actions, json_type_array) || json_object_array_length(actions) == 0)
		return PLAN_NOTHING;
	error = measure(actions, 1, &count);
	if (error == PLAN_OK) {
		expanded = expand_value(envelope, actions, &left);
		error = expanded ? PLAN_OK : PLAN_TOO_LARGE;
	}
	*plan = json_object_new_object();
	json_object_object_add(*plan, "actions", expanded ? expanded : json_object_new_array());
	json_object_object_add(*plan, "delayMs", json_object_new_int64(delay_ms ? delay_ms : default_delay_ms));
	json_object_object_add(*plan, "pauseMs", json_object_new_int64(default_delay_ms));
	return error;
}

bool plan_is_parsable(struct span text)
{
	size_t values = 0;
	bool quoted = false;

	for (size_t i = 0; i < text.n && values <= PLAN_MAX_VALUES; i++) {
		if (text.p[i] == '\\' && quoted)
			i++;
		else if (text.p[i] == '"')
			quoted = !quoted;
		else if (!quoted && (text.p[i] == ',' || text.p[i] == '[' || text.p[i] == '{'))
			values++;
	}
	return values <= PLAN_MAX_VALUES;
}

const char *plan_error_text(enum plan_error error)
{
	switch (error) {
	case PLAN_TOO_MANY:
		return "more than 100 actions in one answer";
	case PLAN_TOO_DEEP:
		return "actions are nested more than 8 deep";
	case PLAN_TOO_LARGE:
		return "the actions' texts are larger than 1 MiB";
	case PLAN_TOO_COMPLEX:
		return "the answer holds more than 20,000 values";
	case PLAN_NOTHING:
		return "no actions";
	case PLAN_OK:
		break;
	}
	return "";
}

/* ---- steps ---- */

static struct step *read_one(struct json_object *json, struct step *parent, size_t index);

static struct step *step_new(enum step_kind kind, struct json_object *json, struct step *parent, size_t index, size_t room)
{
	struct step *step = xcalloc(1, sizeof *step);

	*step = (struct step){ .kind = kind, .json = json, .parent = parent, .index = index };
	step->children = xcalloc(room ? room : 1, sizeof *step->children);
	return step;
}

static void read_children(struct step *step, struct json_object *list)
{
	size_t n = length(list);

	for (size_t i = 0; i < n; i++)
		step->children[step->n++] = read_one(item_of(list, i), step, i);
}

static struct step *read_list(enum step_kind kind, struct json_object *json, struct json_object *list, struct step *parent, size_t index)
{
	struct step *step = step_new(kind, json, parent, index, length(list));

	read_children(step, list);
	return step;
}

static struct step *read_retry(struct json_object *json, struct step *parent, size_t index)
{
	struct step *step = step_new(STEP_RETRY, json, parent, index, 2);
	struct json_object *item = retried(json), *on_fail = plan_member(json, "onFail", NULL, NULL);
	double attempts;

	if (!plan_number(plan_member(json, "attempts", "times", NULL), &attempts))
		attempts = RETRY_ATTEMPTS;
	step->attempts = attempts < 1 ? 1 : attempts > PLAN_MAX_ATTEMPTS ? PLAN_MAX_ATTEMPTS : (unsigned)attempts;
	step->delay_ms = plan_time_ms(plan_member(json, "delayMs", "backoffMs", NULL), 1, RETRY_DELAY_MS);
	if (!item)
		return step;
	step->children[step->n++] = read_one(item, step, 0);
	if (length(on_fail))
		step->children[step->n++] = read_list(STEP_LIST, json, on_fail, step, 1);
	return step;
}

static struct step *read_one(struct json_object *json, struct step *parent, size_t index)
{
	struct step *step;

	switch (shape_of(json)) {
	case SHAPE_QUEUE:
		step = read_list(STEP_LIST, json, plan_member(json, "items", NULL, NULL), parent, index);
		step->delay_ms = plan_time_ms(plan_member(json, "delayMs", NULL, NULL), 1, 0);
		return step;
	case SHAPE_PARALLEL:
		return read_list(STEP_PARALLEL, json, plan_member(json, "items", NULL, NULL), parent, index);
	case SHAPE_WHEN:
		return read_list(STEP_LIST, json, plan_truth(plan_member(json, "cond", "condition", NULL)) ? branch_then(json) : branch_else(json), parent, index);
	case SHAPE_RETRY:
		return read_retry(json, parent, index);
	case SHAPE_NONE:
		break;
	}
	step = step_new(STEP_ACT, json, parent, index, 0);
	step->act = act_of(json);
	return step;
}

struct step *plan_read(struct json_object *plan)
{
	struct json_object *actions = plan_member(plan, "actions", NULL, NULL);

	return json_object_is_type(actions, json_type_array) ? read_list(STEP_LIST, NULL, actions, NULL, 0) : NULL;
}

void plan_free(struct step *step)
{
	if (!step)
		return;
	for (size_t i = 0; i < step->n; i++)
		plan_free(step->children[i]);
	free(step->children);
	free(step);
}

int64_t plan_delay_ms(struct json_object *plan)
{
	return plan_time_ms(plan_member(plan, "delayMs", NULL, NULL), 1, 0);
}
