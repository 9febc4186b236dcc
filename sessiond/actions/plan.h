/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a receiver answered, read into steps (webhooks.md 8). Pure. Private to the folder.
 *
 *     {"actions":[{"type":"text",..},{"act":"queue","items":[{..},{..}]}],"delayMs":500}
 *
 *     STEP_LIST -+- STEP_ACT text
 *                +- STEP_LIST queue -+- STEP_ACT ..
 *                                    +- STEP_ACT ..
 *
 * plan_accept() checks the limits and expands the templates; what it gives is stored, and plan_read() makes steps of it, now or after a
 * restart. `when` is decided while reading: its condition does not change.
 */
#ifndef SESSIOND_ACTIONS_PLAN_H
#define SESSIOND_ACTIONS_PLAN_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

enum {
	PLAN_MAX_ACTIONS = 100,       /* of one answer, counted recursively */
	PLAN_MAX_DEPTH = 8,
	PLAN_MAX_DELAY_MS = 60000,    /* longer ones are cut to this */
	PLAN_MAX_BYTES = 1 << 20,     /* of all strings once they are expanded */
	PLAN_MAX_VALUES = 20000,      /* JSON values of an answer */
	PLAN_MAX_ATTEMPTS = 100
};

enum step_kind {
	STEP_ACT,      /* one thing to do */
	STEP_LIST,     /* queue, the chosen branch of when, and the answer itself: one after the other */
	STEP_PARALLEL, /* children all at once; fails when all have ended and one has failed */
	STEP_RETRY     /* children: [0] until it succeeds, [1] (a list, may be missing) when it never does */
};

struct act;

struct step {
	enum step_kind kind;
	const struct act *act;      /* of STEP_ACT; NULL: no action has this name */
	struct json_object *json;   /* borrowed from the plan: the action as the receiver wrote it, expanded */
	struct step *parent;        /* NULL: the answer itself */
	size_t index;               /* among the parent's children */
	struct step **children;     /* owned */
	size_t n;
	int64_t delay_ms;           /* between children, between attempts */
	unsigned attempts;          /* STEP_RETRY */
	/* while it runs (run.c) */
	size_t next;                /* child that comes next */
	size_t active;              /* children under way */
	unsigned attempt;
	bool failed;                /* a child of STEP_PARALLEL has */
};

enum plan_error { PLAN_OK = 0, PLAN_NOTHING = -1, PLAN_TOO_MANY = -2, PLAN_TOO_DEEP = -3, PLAN_TOO_LARGE = -4, PLAN_TOO_COMPLEX = -5 };

/*
 * From an answer and the envelope that it answers to what is stored: {"actions":[..],"delayMs":n}, in *plan (the caller's, also with an
 * error where the actions as they came are kept, unexpanded). default_delay_ms counts where the answer names none. PLAN_NOTHING: there are
 * no actions in it.
 */
enum plan_error plan_accept(struct json_object *answer, struct json_object *envelope, int64_t default_delay_ms, struct json_object **plan);
/* False for a text that would parse into more than PLAN_MAX_VALUES values: it is not to be parsed. */
bool plan_is_parsable(struct span text);
/* One line for people. */
const char *plan_error_text(enum plan_error error);

/* The steps of a stored plan, which must outlive them. default_delay_ms is for `delay` without a time. NULL: it is none. */
struct step *plan_read(struct json_object *plan);
void plan_free(struct step *step);
/* Pause after each send of the answer itself. */
int64_t plan_delay_ms(struct json_object *plan);

/* ---- reading of actions, for act.c too ---- */

/* The first of these members that is there and not null. */
struct json_object *plan_member(struct json_object *json, const char *a, const char *b, const char *c);
/* A finite number, also as text. */
bool plan_number(struct json_object *value, double *number);
/* A time in milliseconds within the limit; fallback when it is no number. */
int64_t plan_time_ms(struct json_object *value, int64_t factor, int64_t fallback);
/* Truth as `when` understands it. */
bool plan_truth(struct json_object *value);

#endif
