/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * {{path.to.value}} in the strings of an action (webhooks.md 8): the path leads through the event's payload, else through the envelope.
 *
 *     "Hello {{message.pushName}}, {{mentions.0}}"     payload's member    "{{session.label}} {{event}} {{data.text}}"    envelope's
 *
 * Missing is empty, objects and arrays become JSON. Keys are not expanded, what was put in is not expanded again. Pure. Private to the folder.
 */
#ifndef SESSIOND_ACTIONS_TEMPLATE_H
#define SESSIOND_ACTIONS_TEMPLATE_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

/* What a path means, NULL: nothing. Borrowed from the envelope. */
struct json_object *expand_find(struct json_object *envelope, const char *path, size_t len);
/* Appends the text with its values; false when more than max bytes would be appended. */
bool expand_text(struct buf *out, struct json_object *envelope, const char *text, size_t len, size_t max);
/*
 * A copy of the value with every string in it expanded; *left is how many bytes all strings may still take and becomes less. NULL when
 * that is not enough. The value has at most the depth that the JSON reader allows.
 */
struct json_object *expand_value(struct json_object *envelope, struct json_object *value, size_t *left);

#endif
