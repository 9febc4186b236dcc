/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From one action, as a receiver writes it, to calls of the REST routes' work (webhooks.md 8.1 to 8.5). Pure. Private to the folder.
 *
 *     {"act":"typing","to":"1@lid","ms":900}  -->  available, composing | wait 900 | paused
 *     {"type":"text","to":"0812..","text":".."} --> messages.send.text {"to":["62812..@s.whatsapp.net"],"message":".."}
 *
 * Everything that reaches a call is checked here, as warest.fcgi does for requests: addresses by the one resolver (common/recipient.h, a
 * LID stays a LID), files by http and https or as a data URI only. What a receiver may not say (extraArgs, preset, local files) is not
 * looked at or refused.
 */
#ifndef SESSIOND_ACTIONS_ACT_H
#define SESSIOND_ACTIONS_ACT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ACT_MAX_PARTS = 128, ACT_MAX_FDS = 1 };

/* A call, or a pause if there is no method. */
struct act_part {
	const char *method;      /* static; NULL: wait_ms */
	struct json_object *p;   /* owned */
	int fd;                  /* owned: {"fd":0} of the call; -1: none */
	bool once;               /* a new message: it gets an id of its own, so that it is sent once whatever happens */
	bool own_id;             /* the id of what it sends may be chosen by us: sent with the same one, it is sent once */
	bool lenient;            /* its failure is not the action's */
	int64_t wait_ms;
};

struct act_script {
	struct act_part *parts;  /* owned */
	size_t n;
};

struct act_context {
	const char *country_code;
	int64_t pause_ms;        /* of a delay without a time */
};

struct act {
	const char *name;
	bool sends;              /* the answer's pause comes after it */
	/* NULL, or why it cannot be done: static text. */
	const char *(*build)(struct act_script *script, struct json_object *action, const struct act_context *context);
};

/* Case does not matter. NULL: there is none; queue, parallel, when and retry are none (plan.h). */
const struct act *act_find(const char *name);
/* The parts of an action. NULL, or why it cannot be done; then the script is empty. */
const char *act_build(struct act_script *script, const struct act *act, struct json_object *action, const struct act_context *context);
void act_script_free(struct act_script *script);

/* ---- between the files of the table ---- */

/* A part that calls this; its parameters are to be filled in. */
struct act_part *act_call(struct act_script *script, const char *method);
void act_wait(struct act_script *script, int64_t ms);
/* The text of a string or number member, NULL if there is none. Borrowed. */
const char *act_text(struct json_object *json, const char *name);
/* Sets p.name unless the text is NULL or empty. */
void act_put(struct json_object *p, const char *name, const char *text);
bool act_is_true(struct json_object *json, const char *name);
/* Sets p.to: an array for sends, the one JID's text otherwise. NULL, or what is wrong. */
const char *act_put_to_list(struct json_object *p, struct json_object *value, const struct act_context *context);
const char *act_put_to(struct json_object *p, const char *name, struct json_object *value, const struct act_context *context);
/* An object, also written as a text. Owned by the caller; NULL: there is none. */
struct json_object *act_object(struct json_object *value);
/* The parts for a message's key: react, edit and so on; they are also what raw contents ask for. act_control.c */
const char *act_react(struct act_script *script, struct json_object *to, struct json_object *key, const char *emoji, const struct act_context *context);
const char *act_edit(struct act_script *script, struct json_object *to, struct json_object *key, const char *text, const struct act_context *context);
const char *act_revoke(struct act_script *script, struct json_object *to, struct json_object *key, bool for_me, const struct act_context *context);

extern const struct act act_sends[], act_controls[]; /* end with a NULL name */

#endif
