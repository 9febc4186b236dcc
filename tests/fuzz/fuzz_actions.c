/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * If this fails, a receiver's answer takes the daemon down or gets past a limit. The input's first line is the envelope, the rest the
 * answer; all actions that are accepted are made into calls.
 */
#include <stdlib.h>
#include <string.h>

#include "sessiond/actions/accept.h"
#include "sessiond/actions/act.h"
#include "sessiond/actions/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The number of actions below. */
static size_t build_all(const struct step *step, unsigned depth)
{
	const struct act_context context = { .country_code = "62", .pause_ms = 1 };
	size_t count = step->kind == STEP_ACT ? 1 : 0;
	struct act_script script;

	/* The answer itself, and lists that retry makes, are levels, too. */
	if (depth > 2 * PLAN_MAX_DEPTH + 2)
		abort();
	if (step->act) {
		if (act_build(&script, step->act, step->json, &context) && script.n)
			abort();
		for (size_t i = 0; i < script.n; i++)
			if (!script.parts[i].method && script.parts[i].wait_ms > PLAN_MAX_DELAY_MS)
				abort();
		act_script_free(&script);
	}
	for (size_t i = 0; i < step->n; i++)
		count += build_all(step->children[i], depth + 1);
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	size_t head = end ? (size_t)(end - data) : 0;
	struct json_object *plan = NULL;
	struct buf stored = { 0 };
	struct step *root;

	accept_pack(&stored, span_of(data + head, size - head), span_of(data, head));
	if (accept_unpack(buf_span(&stored), 1200, &plan) == PLAN_OK) {
		root = plan_read(plan);
		if (!root || build_all(root, 0) > PLAN_MAX_ACTIONS)
			abort();
		plan_free(root);
	}
	json_object_put(plan);
	buf_free(&stored);
	/* What is stored may be damaged. */
	accept_unpack(span_of(data, size), 1200, &plan);
	json_object_put(plan);
	return 0;
}
