/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Control actions (webhooks.md 8.3): what is done to chats and messages that are there already. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sessiond/actions/act.h"
#include "sessiond/actions/plan.h"

static const char no_key[] = "\"key\" has no id";

/* Where a control action goes: what it says, else the chat of the message that it names. */
static struct json_object *destination(struct json_object *action, struct json_object *key)
{
	struct json_object *to = plan_member(action, "to", "chat", "jid");

	return to ? to : plan_member(key, "remoteJid", NULL, NULL);
}

/* ---- waiting and presences ---- */

static const char *presence_word(const char *text)
{
	static const struct {
		const char *name, *word;
	} words[] = {
		{ "composing", "composing" }, { "typing", "composing" }, { "recording", "recording" }, { "paused", "paused" },
		{ "available", "available" }, { "online", "available" }, { "true", "available" },
		{ "unavailable", "unavailable" }, { "offline", "unavailable" }, { "false", "unavailable" },
	};

	for (size_t i = 0; text && i < sizeof words / sizeof *words; i++)
		if (strcasecmp(words[i].name, text) == 0)
			return words[i].word;
	return NULL;
}

/* One state for the chat, or for everybody. */
static const char *show(struct act_script *script, const char *word, struct json_object *to, const struct act_context *context)
{
	struct act_part *part = act_call(script, "profile.presence.set");

	act_put(part->p, "presence", word);
	return to ? act_put_to(part->p, "to", to, context) : NULL;
}

static const char *wait_as(struct act_script *script, const char *word, struct json_object *to, int64_t ms, const struct act_context *context)
{
	struct act_part *part = act_call(script, "profile.presence.subscribe");
	const char *fault = act_put_to(part->p, "jid", to, context);

	part->lenient = true;
	if (!fault)
		fault = show(script, "available", NULL, context);
	if (!fault)
		fault = show(script, word, to, context);
	if (fault)
		return fault;
	act_wait(script, ms);
	return show(script, "paused", to, context);
}

static int64_t delay_of(struct json_object *action, const struct act_context *context)
{
	struct json_object *ms = plan_member(action, "ms", "delayMs", NULL), *s = plan_member(action, "seconds", "sec", NULL);

	return ms ? plan_time_ms(ms, 1, context->pause_ms) : plan_time_ms(s, 1000, context->pause_ms);
}

static const char *build_delay(struct act_script *script, struct json_object *action, const struct act_context *context)
{
	const char *word = presence_word(act_text(action, "state"));
	struct json_object *to = destination(action, NULL);
	bool shown = word && (strcmp(word, "composing") == 0 || strcmp(word, "recording") == 0);

	if (shown && to)
		return wait_as(script, word, to, delay_of(action, context), context);
	act_wait(script, delay_of(action, context));
	return NULL;
}

static const char *build_typing(struct act_script *script, struct json_object *action, const struct act_context *context)
{
	struct json_object *to = destination(action, NULL);

	if (!to)
		return "\"to\" is missing";
	return wait_as(script, "composing", to, plan_time_ms(plan_member(action, "ms", NULL, NULL), 1, context->pause_ms), context);
}

static const char *build_presence(struct act_script *script, struct json_object *action, const struct act_context *context)
{
	struct json_object *value = plan_member(action, "state", "status", "available"), *to = destination(action, NULL);
	const char *word = presence_word(json_object_get_string(value));
	bool of_chat;

	if (!word)
		return "\"state\" is none of composing, recording, paused, available, unavailable";
	of_chat = strcmp(word, "available") != 0 && strcmp(word, "unavailable") != 0;
	if (of_chat && !to)
		return "\"to\" is missing";
	return show(script, word, of_chat ? to : NULL, context);
}

/* ---- messages ---- */

/* A call about the message of this key; many: "to" is a list. */
static const char *about(struct act_script *script, const char *method, struct json_object *to, struct json_object *key, bool many,
			 const struct act_context *context)
{
	struct act_part *part = act_call(script, method);
	const char *id = act_text(key, "id");

	if (!id || !id[0])
		return no_key;
	act_put(part->p, "messageId", id);
	to = to ? to : plan_member(key, "remoteJid", NULL, NULL);
	return many ? act_put_to_list(part->p, to, context) : act_put_to(part->p, "to", to, context);
}

static struct json_object *last_p(const struct act_script *script)
{
	return script->parts[script->n - 1].p;
}

/* What says something to others: not twice, even if the daemon dies in the middle. */
static const char *done_once(const struct act_script *script)
{
	script->parts[script->n - 1].own_id = true;
	return NULL;
}

const char *act_react(struct act_script *script, struct json_object *to, struct json_object *key, const char *emoji, const struct act_context *context)
{
	const char *fault;

	if (!emoji)
		return "\"text\" is missing: an emoji, or nothing to take it back";
	fault = about(script, emoji[0] ? "messages.action.reaction" : "messages.action.unreaction", to, key, false, context);
	if (fault)
		return fault;
	act_put(last_p(script), "emoji", emoji);
	return done_once(script);
}

const char *act_edit(struct act_script *script, struct json_object *to, struct json_object *key, const char *text, const struct act_context *context)
{
	const char *fault;

	if (!text || !text[0])
		return "the new text is missing";
	fault = about(script, "messages.action.edit", to, key, false, context);
	if (fault)
		return fault;
	act_put(last_p(script), "message", text);
	return done_once(script);
}

const char *act_revoke(struct act_script *script, struct json_object *to, struct json_object *key, bool for_me, const struct act_context *context)
{
	const char *fault = about(script, "messages.action.revoke", to, key, false, context);

	if (fault)
		return fault;
	json_object_object_add(last_p(script), "deleteForMe", json_object_new_boolean(for_me));
	return done_once(script);
}

static const char *emoji_of(struct json_object *action)
{
	static const char *const names[] = { "text", "emoji", "reaction" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *text = act_text(action, names[i]);

		if (text)
			return text;
	}
	return NULL;
}

static const char *build_react(struct act_script *script, struct json_object *action, const struct act_context *context)
{
	struct json_object *key = act_object(plan_member(action, "key", NULL, NULL));
	const char *fault = act_react(script, destination(action, key), key, emoji_of(action), context);

	json_object_put(key);
	return fault;
}

static const char *build_edit(struct act_script *script, struct json_object *action, const struct act_context *context)
{
	struct json_object *key = act_object(plan_member(action, "key", NULL, NULL));
	const char *text = act_text(action, "message");
	const char *fault = act_edit(script, destination(action, key), key, text && text[0] ? text : act_text(action, "text"), context);

	json_object_put(key);
	return fault;
}

static const char *build_revoke(struct act_script *script, struct json_object *action, const struct act_context *context)
{
	struct json_object *key = act_object(plan_member(action, "key", NULL, NULL));
	const char *fault = act_revoke(script, destination(action, key), key, act_is_true(action, "deleteForMe"), context);

	json_object_put(key);
	return fault;
}

static const char *build_star(struct act_script *script, struct json_object *action, const struct act_context *context)
{
	struct json_object *key = act_object(plan_member(action, "key", NULL, NULL));
	const char *fault = about(script, "messages.action.star", destination(action, key), key, true, context);

	json_object_put(key);
	return fault;
}

static const char *build_unstar(struct act_script *script, struct json_object *action, const struct act_context *context)
{
	struct json_object *key = act_object(plan_member(action, "key", NULL, NULL));
	const char *fault = about(script, "messages.action.unstar", destination(action, key), key, true, context);

	json_object_put(key);
	return fault;
}

static const char *build_delete(struct act_script *script, struct json_object *action, const struct act_context *context)
{
	struct json_object *key = act_object(plan_member(action, "key", NULL, NULL));
	struct json_object *media = plan_member(action, "deleteMedia", "withMedia", NULL);
	const char *fault = about(script, "messages.action.delete", destination(action, key), key, true, context);

	if (!fault)
		json_object_object_add(last_p(script), "withMedia", json_object_new_boolean(!media || plan_truth(media)));
	json_object_put(key);
	return fault;
}

static const char *read_one(struct act_script *script, struct json_object *action, struct json_object *value, const struct act_context *context)
{
	struct json_object *key = act_object(value);
	const char *fault = about(script, "messages.action.mark-as-read", destination(action, key), key, false, context);

	script->parts[script->n - 1].lenient = true;
	json_object_put(key);
	return fault;
}

static const char *build_read(struct act_script *script, struct json_object *action, const struct act_context *context)
{
	struct json_object *keys = plan_member(action, "keys", NULL, NULL), *key = plan_member(action, "key", NULL, NULL);
	size_t n = json_object_is_type(keys, json_type_array) ? json_object_array_length(keys) : 0;
	const char *fault = NULL;

	if (n > ACT_MAX_PARTS)
		return "more than 128 keys";
	for (size_t i = 0; i < n && !fault; i++)
		fault = read_one(script, action, json_object_array_get_idx(keys, i), context);
	return n ? fault : read_one(script, action, key ? key : keys, context);
}

const struct act act_controls[] = {
	{ "delay", false, build_delay }, { "typing", false, build_typing }, { "presence", false, build_presence },
	{ "react", false, build_react }, { "star", false, build_star },	    { "unstar", false, build_unstar },
	{ "delete", false, build_delete }, { "revoke", false, build_revoke }, { "edit", false, build_edit },
	{ "read", false, build_read },	 { NULL, false, NULL },
};
