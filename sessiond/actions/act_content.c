/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Contents in the words of Baileys, see act_content.h. */
#include "sessiond/actions/act_content.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "common/memfile.h"
#include "common/recipient.h"
#include "sessiond/actions/plan.h"
#include "sessiond/crypto/crypto.h"

enum { POLL_MIN_OPTIONS = 2, POLL_MAX_OPTIONS = 12, MAX_CONTACTS = 256 };

static struct json_object *member(struct json_object *json, const char *name)
{
	return plan_member(json, name, NULL, NULL);
}

/* ---- parts that send actions have, too ---- */

/* "data:image/png;base64,...": type and bytes. */
static const char *put_data(struct act_part *part, const char *uri)
{
	const char *comma = strchr(uri, ','), *type = uri + 5;
	size_t type_len = strcspn(type, ";,"), len, n;
	struct json_object *input;
	uint8_t *bytes;
	bool good;

	if (!comma || comma - uri < 7 || strncasecmp(comma - 7, ";base64", 7) != 0)
		return "a data URI must be in base64";
	len = strlen(comma + 1);
	bytes = xmalloc(len / 4 * 3 + 4);
	good = crypto_unbase64(comma + 1, len, bytes, &n) == CRYPTO_OK && n > 0;
	part->fd = good ? memfile_new("action", span_of(bytes, n)) : -1;
	free(bytes);
	if (part->fd < 0)
		return "a data URI cannot be read";
	input = json_object_new_object();
	json_object_object_add(input, "fd", json_object_new_int(0));
	json_object_object_add(input, "type", json_object_new_string_len(type, (int)type_len));
	json_object_object_add(part->p, "input", input);
	return NULL;
}

const char *act_put_file(struct act_part *part, struct json_object *value)
{
	const char *url = json_object_is_type(value, json_type_string) ? json_object_get_string(value) : act_text(value, "url");
	struct json_object *input;

	if (!url || !url[0])
		return "the file's address is missing";
	if (strncasecmp(url, "data:", 5) == 0)
		return put_data(part, url);
	if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0)
		return "files are fetched from http and https addresses only";
	input = json_object_new_object();
	act_put(input, "url", url);
	json_object_object_add(part->p, "input", input);
	return NULL;
}

void act_put_mentions(struct json_object *p, struct json_object *value, const struct act_context *context)
{
	size_t n = json_object_is_type(value, json_type_array) ? json_object_array_length(value) : 0;
	struct json_object *list = n ? json_object_new_array() : NULL;
	char text[JID_TEXT_MAX];
	struct jid jid;

	for (size_t i = 0; i < n; i++) {
		const char *one = json_object_get_string(json_object_array_get_idx(value, i));

		if (one && recipient_resolve(&jid, one, strlen(one), context->country_code) == RECIPIENT_OK && jid_is_person(&jid))
			json_object_array_add(list, json_object_new_string(jid_format(&jid, text, sizeof text)));
	}
	if (list)
		json_object_object_add(p, "mentions", list);
}

const char *act_put_place(struct json_object *p, struct json_object *latitude, struct json_object *longitude)
{
	double a, b;

	if (!plan_number(latitude, &a) || !plan_number(longitude, &b) || a < -90 || a > 90 || b < -180 || b > 180)
		return "latitude and longitude are numbers within 90 and 180 degrees";
	json_object_object_add(p, "latitude", json_object_new_double(a));
	json_object_object_add(p, "longitude", json_object_new_double(b));
	return NULL;
}

/* ---- contents ---- */

struct content {
	struct act_script *script;
	struct json_object *to, *message;
	const struct act_context *context;
};

/* The call, with recipients, quote and forwarding mark. */
static const char *begin(struct act_part **part, const struct content *c, const char *method)
{
	struct json_object *extended = member(c->message, "extendedTextMessage"), *about = member(extended ? extended : c->message, "contextInfo");

	*part = act_call(c->script, method);
	(*part)->once = (*part)->own_id = true;
	act_put((*part)->p, "replyMessageId", act_text(about, "stanzaId"));
	if (act_is_true(about, "isForwarded"))
		json_object_object_add((*part)->p, "isForwarded", json_object_new_boolean(true));
	return act_put_to_list((*part)->p, c->to, c->context);
}

/* As it is given, or as it stands in messages that came: {"conversation":".."}, {"extendedTextMessage":{"text":"..","contextInfo":{}}}. */
static const char *put_text(const struct content *c)
{
	struct json_object *extended = member(c->message, "extendedTextMessage"), *mentions = member(c->message, "mentions");
	struct json_object *about = member(extended ? extended : c->message, "contextInfo");
	const char *text = act_text(extended ? extended : c->message, "text"), *fault;
	struct act_part *part;

	text = text ? text : act_text(c->message, "conversation");

	fault = begin(&part, c, "messages.send.text");
	act_put(part->p, "message", text);
	act_put_mentions(part->p, mentions ? mentions : member(about, "mentionedJid"), c->context);
	return fault || (text && text[0]) ? fault : "the text is empty";
}

static void copy_flag(struct json_object *p, const char *to, const struct content *c, const char *from)
{
	if (act_is_true(c->message, from))
		json_object_object_add(p, to, json_object_new_boolean(true));
}

static const char *put_media(const struct content *c, const char *method, const char *name)
{
	struct act_part *part;
	const char *fault = begin(&part, c, method);
	struct json_object *input;

	if (!fault)
		fault = act_put_file(part, member(c->message, name));
	if (fault)
		return fault;
	input = member(part->p, "input");
	if (!member(input, "type"))
		act_put(input, "type", act_text(c->message, "mimetype"));
	act_put(part->p, "caption", act_text(c->message, "caption"));
	act_put(part->p, "filename", act_text(c->message, "fileName"));
	copy_flag(part->p, "viewOnce", c, "viewOnce");
	copy_flag(part->p, "ptv", c, "ptv");
	copy_flag(part->p, "isVN", c, "ptt");
	return NULL;
}

static const char *put_image(const struct content *c)
{
	return put_media(c, "messages.send.media", "image");
}

static const char *put_video(const struct content *c)
{
	return put_media(c, act_is_true(c->message, "gifPlayback") ? "messages.send.gif" : "messages.send.media", "video");
}

static const char *put_audio(const struct content *c)
{
	return put_media(c, "messages.send.audio", "audio");
}

static const char *put_document(const struct content *c)
{
	return put_media(c, "messages.send.document", "document");
}

static const char *put_sticker(const struct content *c)
{
	return put_media(c, "messages.send.sticker", "sticker");
}

static const char *put_location(const struct content *c)
{
	struct json_object *place = member(c->message, "location");
	struct act_part *part;
	const char *fault = begin(&part, c, "messages.send.location");

	act_put(part->p, "name", act_text(place, "name"));
	act_put(part->p, "address", act_text(place, "address"));
	return fault ? fault : act_put_place(part->p, member(place, "degreesLatitude"), member(place, "degreesLongitude"));
}

static const char *put_contacts(const struct content *c)
{
	struct json_object *about = member(c->message, "contacts"), *cards = member(about, "contacts"), *list = json_object_new_array();
	size_t n = json_object_is_type(cards, json_type_array) ? json_object_array_length(cards) : 0;
	struct act_part *part;
	const char *fault = begin(&part, c, "messages.send.contact");

	for (size_t i = 0; i < n && n <= MAX_CONTACTS; i++) {
		struct json_object *card = json_object_array_get_idx(cards, i), *made = json_object_new_object();
		const char *name = act_text(card, "displayName");

		act_put(made, "name", name ? name : act_text(about, "displayName"));
		act_put(made, "vcard", act_text(card, "vcard"));
		json_object_array_add(list, made);
	}
	json_object_object_add(part->p, "contacts", list);
	if (!fault && (n == 0 || n > MAX_CONTACTS))
		fault = "contacts must have 1 to 256 entries";
	return fault;
}

/* Copies the options that are texts; false when one comes twice, or there are too few or too many. */
static bool copy_options(struct json_object *list, struct json_object *values)
{
	size_t n = json_object_is_type(values, json_type_array) ? json_object_array_length(values) : 0;

	if (n < POLL_MIN_OPTIONS || n > POLL_MAX_OPTIONS)
		return false;
	for (size_t i = 0; i < n; i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(values, i));

		if (!text || !text[0])
			return false;
		for (size_t k = 0; k < i; k++)
			if (strcmp(text, json_object_get_string(json_object_array_get_idx(values, k))) == 0)
				return false;
		json_object_array_add(list, json_object_new_string(text));
	}
	return true;
}

static const char *put_poll(const struct content *c)
{
	struct json_object *poll = member(c->message, "poll"), *list = json_object_new_array();
	struct json_object *values = plan_member(poll, "values", "options", NULL);
	const char *name = act_text(poll, "name"), *fault;
	struct act_part *part;
	double most = 1;
	bool good = copy_options(list, values);

	fault = begin(&part, c, "messages.send.poll");
	json_object_object_add(part->p, "options", list);
	act_put(part->p, "question", name);
	if (!fault && (!good || !name || !name[0]))
		fault = "a poll has a name and 2 to 12 different values";
	if (fault)
		return fault;
	if (!plan_number(member(poll, "selectableCount"), &most) || most < 1)
		most = 1;
	if (most > (double)json_object_array_length(list))
		most = (double)json_object_array_length(list);
	json_object_object_add(part->p, "maxSelection", json_object_new_int((int)most));
	return NULL;
}

static const char *put_react(const struct content *c)
{
	struct json_object *react = member(c->message, "react");
	const char *text = act_text(react, "text");

	return act_react(c->script, c->to, member(react, "key"), text ? text : "", c->context);
}

static const char *put_delete(const struct content *c)
{
	return act_revoke(c->script, c->to, member(c->message, "delete"), false, c->context);
}

static const char *put_edit(const struct content *c)
{
	return act_edit(c->script, c->to, member(c->message, "edit"), act_text(c->message, "text"), c->context);
}

/* "type" 1 pins for "time" seconds, 2 unpins. */
static const char *put_pin(const struct content *c)
{
	static const double times[] = { 86400, 604800, 2592000 };
	struct act_part *part = act_call(c->script, "chats.message.pin");
	struct json_object *key = member(c->message, "pin");
	const char *id = act_text(key, "id"), *fault;
	double type = 1, time = times[0];
	size_t i = 0;

	part->own_id = true;
	plan_number(member(c->message, "type"), &type);
	plan_number(member(c->message, "time"), &time);
	while (i < sizeof times / sizeof *times && (int64_t)time != (int64_t)times[i])
		i++;
	fault = act_put_to(part->p, "chatId", c->to ? c->to : member(key, "remoteJid"), c->context);
	if (!fault && (!id || !id[0]))
		fault = "\"pin\" has no id";
	if (!fault && i == sizeof times / sizeof *times)
		fault = "\"time\" of a pin is 86400, 604800 or 2592000 seconds";
	act_put(part->p, "messageId", id);
	json_object_object_add(part->p, "pin", json_object_new_boolean((int)type != 2));
	json_object_object_add(part->p, "duration", json_object_new_int((int)time));
	return fault;
}

/* The message is taken from the store: what a receiver writes beside its key is not needed. */
static const char *put_forward(const struct content *c)
{
	struct json_object *key = member(member(c->message, "forward"), "key");
	struct act_part *part;
	const char *id = act_text(key, "id"), *fault = begin(&part, c, "messages.action.forward");

	act_put(part->p, "forwardedMessageId", id);
	return fault || (id && id[0]) ? fault : "\"forward\" has no key with an id";
}

const char *act_content(struct act_script *script, struct json_object *action, const struct act_context *context)
{
	/* `edit` has a text, too, and comes first. */
	static const struct {
		const char *name;
		const char *(*put)(const struct content *c);
	} kinds[] = {
		{ "edit", put_edit },	      { "delete", put_delete },	    { "react", put_react },   { "forward", put_forward }, { "poll", put_poll },
		{ "image", put_image },	      { "video", put_video },	    { "audio", put_audio },   { "document", put_document },
		{ "sticker", put_sticker },   { "location", put_location }, { "contacts", put_contacts }, { "pin", put_pin },	  { "text", put_text },
		{ "conversation", put_text }, { "extendedTextMessage", put_text },
	};
	struct json_object *message = act_object(member(action, "message"));
	struct content c = { .script = script, .to = member(action, "to"), .message = message, .context = context };
	const char *fault = message ? "unsupported content" : "\"message\" is missing";

	/* {"type":"poll","poll":{..}} means what it says. */
	if (!message && member(action, "poll"))
		c.message = message = json_object_get(action);
	for (size_t i = 0; message && i < sizeof kinds / sizeof *kinds; i++) {
		if (member(message, kinds[i].name)) {
			fault = kinds[i].put(&c);
			break;
		}
	}
	json_object_put(message);
	/* What is wrong is static text and none of c. */
	/* cppcheck-suppress returnDanglingLifetime */
	return fault;
}
