/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Member "message" of raw, forward, poll, button and list: a content as Baileys' clients write it (webhooks.md 8.2), as far as a route
 * makes it. Pure. Private to the folder.
 *
 *     {"text":..}  {"image":{"url":..},"caption":..}  {"location":{..}}  {"contacts":{..}}  {"poll":{..}}  {"react":{..}}  {"delete":key}
 *     {"edit":key,"text":..}  {"forward":{"key":..}}  {"pin":key,"type":1 or 2,"time":seconds}
 *     {"conversation":..}  {"extendedTextMessage":{"text":..}}: texts as they stand in messages that came
 */
#ifndef SESSIOND_ACTIONS_ACT_CONTENT_H
#define SESSIOND_ACTIONS_ACT_CONTENT_H

#include "sessiond/actions/act.h"

const char *act_content(struct act_script *script, struct json_object *action, const struct act_context *context);

/* p.input: an http or https address, or a data URI (its bytes go with the call). NULL, or what is wrong. */
const char *act_put_file(struct act_part *part, struct json_object *value);
/* p.mentions: numbers or JIDs. */
void act_put_mentions(struct json_object *p, struct json_object *value, const struct act_context *context);
/* p.latitude, p.longitude. */
const char *act_put_place(struct json_object *p, struct json_object *latitude, struct json_object *longitude);

#endif
