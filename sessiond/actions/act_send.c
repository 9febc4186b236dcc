/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Send actions (webhooks.md 8.2, 8.4). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/limits.h"
#include "sessiond/actions/act.h"
#include "sessiond/actions/act_content.h"
#include "sessiond/actions/plan.h"

enum { MAX_BUTTONS = 10 };

static struct json_object *member(struct json_object *json, const char *name)
{
	return plan_member(json, name, NULL, NULL);
}

static struct json_object *array(struct json_object *json, const char *name)
{
	struct json_object *value = member(json, name);

	return json_object_is_type(value, json_type_array) && json_object_array_length(value) ? value : NULL;
}

/* The call with what every message has: recipients, and the message that it quotes. */
static const char *begin(struct act_part **part, struct act_script *script, const char *method, struct json_object *action, const struct act_context *context)
{
	struct json_object *quoted = act_object(plan_member(action, "quoted", NULL, NULL));
	struct json_object *key = act_object(plan_member(quoted, "key", NULL, NULL));

	*part = act_call(script, method);
	(*part)->once = (*part)->own_id = true;
	act_put((*part)->p, "replyMessageId", act_text(key, "id"));
	json_object_put(key);
	json_object_put(quoted);
	return act_put_to_list((*part)->p, member(action, "to"), context);
}

/* ---- plain ---- */

static const char *build_text(struct act_script *script, struct json_object *action, const struct act_context *context)
{
	struct act_part *part;
	const char *text = act_text(action, "text"), *fault = begin(&part, script, "messages.send.text", action, context);

	if (!fault && (!text || !text[0]))
		fault = "\"text\" is missing";
	if (fault)
		return fault;
	act_put(part->p, "message", text);
	act_put_mentions(part->p, member(action, "mentions"), context);
	return NULL;
}

static const char *build_location(struct act_script *script, struct json_object *action, const struct act_context *context)
{
	struct act_part *part;
	const char *fault = begin(&part, script, "messages.send.location", action, context);

	if (!fault)
		fault = act_put_place(part->p, member(action, "lat"), member(action, "lng"));
	if (fault)
		return fault;
	act_put(part->p, "name", act_text(action, "name"));
	act_put(part->p, "address", act_text(action, "address"));
	return NULL;
}

static const char *build_vcard(struct act_script *script, struct json_object *action, const struct act_context *context)
{
	struct json_object *contact = act_object(member(action, "contact")), *card = json_object_new_object(), *list = json_object_new_array();
	struct act_part *part;
	const char *fault = begin(&part, script, "messages.send.contact", action, context);

	act_put(card, "name", act_text(contact, "fullName"));
	act_put(card, "fullName", act_text(contact, "fullName"));
	act_put(card, "organization", act_text(contact, "org"));
	act_put(card, "phone", act_text(contact, "phone"));
	act_put(card, "email", act_text(contact, "email"));
	json_object_array_add(list, card);
	json_object_object_add(part->p, "contacts", list);
	if (!fault && !contact)
		fault = "\"contact\" is missing";
	json_object_put(contact);
	return fault;
}

static const char *build_noop(struct act_script *script, struct json_object *action, const struct act_context *context)
{
	(void)script;
	(void)action;
	(void)context;
	return NULL;
}

/* ---- files ---- */

/* p.wish: what the media worker is asked to do, one text per member (sessiond/media/media.h). */
static void wish(struct json_object *p, const char *name, const char *text)
{
	struct json_object *wishes = member(p, "wish");

	if (!wishes) {
		wishes = json_object_new_object();
		json_object_object_add(p, "wish", wishes);
	}
	json_object_object_add(wishes, name, json_object_new_string(text));
}

static void wish_number(struct json_object *p, const char *name, long n)
{
	char text[24];

	snprintf(text, sizeof text, "%ld", n);
	wish(p, name, text);
}

static const char *put_side(struct json_object *p, const char *name, struct json_object *value)
{
	double n;

	if (!value || json_object_is_type(value, json_type_null))
		return NULL;
	if (!plan_number(value, &n) || n < 1 || n > LIMIT_MEDIA_SIDE)
		return "transform.sharp.resize: width and height are 1 to 16383";
	wish_number(p, name, (long)n);
	return NULL;
}

static const char *put_resize(struct json_object *p, struct json_object *resize)
{
	static const char *const fits[] = { "inside", "outside", "cover", "contain", "fill" };
	struct json_object *within = member(resize, "withoutEnlargement");
	const char *fit = act_text(resize, "fit"), *fault = put_side(p, "width", member(resize, "width"));
	size_t i = 0;

	if (!fault)
		fault = put_side(p, "height", member(resize, "height"));
	while (fit && i < sizeof fits / sizeof *fits && strcasecmp(fits[i], fit) != 0)
		i++;
	if (!fault && i == sizeof fits / sizeof *fits)
		fault = "transform.sharp.resize.fit is none of inside, outside, cover, contain, fill";
	if (fault)
		return fault;
	wish(p, "fit", fits[i]);
	if (within && !plan_truth(within))
		wish(p, "enlarge", "true");
	return NULL;
}

/* transform.sharp of an image: resize, and one of webp, jpeg and png with its quality. */
static const char *put_transform(struct json_object *p, struct json_object *transform)
{
	static const char *const formats[] = { "webp", "jpeg", "png" };
	struct json_object *sharp = member(transform, "sharp"), *resize = member(sharp, "resize");
	double quality = 90;
	const char *fault;

	if (!json_object_is_type(sharp, json_type_object))
		return NULL;
	wish(p, "image", "true");
	fault = resize ? put_resize(p, resize) : NULL;
	for (size_t i = 0; i < sizeof formats / sizeof *formats && !fault; i++) {
		struct json_object *asked = member(sharp, formats[i]), *value = member(asked, "quality");

		if (!plan_truth(asked))
			continue;
		wish(p, "format", formats[i]);
		if (value && (!plan_number(value, &quality) || quality < 1 || quality > 100))
			fault = "transform.sharp: a quality is 1 to 100";
		break;
	}
	wish_number(p, "quality", (long)quality);
	return fault;
}

/* "128k", "2M", 128: in kbit/s; what is too much for that is in bit/s. 0: none of these. */
static long read_bitrate(struct json_object *value, long most)
{
	const char *text = json_object_get_string(value);
	char *end;
	double n = strtod(text ? text : "", &end);

	if (!text || end == text || !(n > 0 && n < 1e9))
		return 0;
	if (*end == 'm' || *end == 'M')
		n *= 1000;
	else if (*end != 'k' && *end != 'K' && n > (double)most)
		n /= 1000;
	end += *end ? 1 : 0;
	return *end || n > (double)most ? 0 : (long)n;
}

static const char *put_bitrate(struct json_object *p, const char *name, struct json_object *value, long least, long most, const char *fault)
{
	long k;

	if (!value || json_object_is_type(value, json_type_null))
		return NULL;
	k = read_bitrate(value, most);
	if (k < least)
		return fault;
	wish_number(p, name, k);
	return NULL;
}

/* Formats and bit rates; extraArgs and preset would be commands to a program, and are not looked at. */
static const char *put_transcode(struct json_object *p, struct json_object *transcode, bool audio)
{
	struct json_object *format = member(transcode, "format");
	const char *name = act_text(transcode, "format"), *fault;

	if (!json_object_is_type(transcode, json_type_object))
		return NULL;
	if (format && !json_object_is_type(format, json_type_null) && (!name || (strcasecmp(name, "mp4") != 0 && (!audio || (strcasecmp(name, "mp3") != 0 && strcasecmp(name, "ogg") != 0)))))
		return audio ? "transcode.format is none of ogg, mp3, mp4" : "transcode.format of a film is mp4";
	wish(p, "film", "true");
	fault = put_bitrate(p, "audioBitrateK", member(transcode, "audioBitrate"), LIMIT_MEDIA_AUDIO_MIN_K, LIMIT_MEDIA_AUDIO_MAX_K,
			    "transcode.audioBitrate is 8k to 512k");
	if (!fault && !audio)
		fault = put_bitrate(p, "videoBitrateK", member(transcode, "videoBitrate"), LIMIT_MEDIA_VIDEO_MIN_K, LIMIT_MEDIA_VIDEO_MAX_K,
				    "transcode.videoBitrate is 50k to 20M");
	/* A voice note all the same; Ogg is what one is made of anyway. */
	if (audio && (!name || strcasecmp(name, "ogg") != 0))
		wish(p, "sound", name ? name : "mp3");
	return fault;
}

static const char *build_media(struct act_script *script, struct json_object *action, const struct act_context *context)
{
	static const struct {
		const char *type, *method;
	} types[] = { { "image", "messages.send.media" }, { "video", "messages.send.media" }, { "gif", "messages.send.gif" }, { "audio", "messages.send.audio" } };
	const char *type = act_text(action, "mediaType"), *fault;
	struct act_part *part = NULL;
	size_t i = 0;

	while (i < sizeof types / sizeof *types && (!type || strcasecmp(types[i].type, type) != 0))
		i++;
	if (i == sizeof types / sizeof *types)
		return "\"mediaType\" is none of image, video, gif, audio";
	fault = begin(&part, script, types[i].method, action, context);
	if (!fault)
		fault = act_put_file(part, member(action, "url"));
	if (fault)
		return fault;
	act_put(part->p, "caption", act_text(action, "caption"));
	if (strcmp(types[i].type, "audio") == 0)
		json_object_object_add(part->p, "isVN", json_object_new_boolean(true));
	if (strcmp(types[i].type, "image") == 0)
		return put_transform(part->p, member(action, "transform"));
	return put_transcode(part->p, member(action, "transcode"), strcmp(types[i].type, "audio") == 0);
}

static const char *build_document(struct act_script *script, struct json_object *action, const struct act_context *context)
{
	struct act_part *part;
	const char *fault = begin(&part, script, "messages.send.document", action, context);

	if (!fault)
		fault = act_put_file(part, member(action, "url"));
	if (fault)
		return fault;
	act_put(part->p, "filename", act_text(action, "filename"));
	act_put(part->p, "caption", act_text(action, "caption"));
	return NULL;
}

static const char *build_sticker(struct act_script *script, struct json_object *action, const struct act_context *context)
{
	struct act_part *part;
	const char *fault = begin(&part, script, "messages.send.sticker", action, context);

	return fault ? fault : act_put_file(part, plan_member(action, "webpUrl", "imageUrl", NULL));
}

/* ---- buttons and lists ---- */

/* Its own picture; without one the setting's. */
static const char *put_image(struct act_part *part, struct json_object *action)
{
	struct json_object *image = member(action, "image");
	const char *text = json_object_is_type(image, json_type_string) ? json_object_get_string(image) : NULL;

	return text && text[0] ? act_put_file(part, image) : NULL;
}

static const char *put_button(struct json_object *list, struct json_object *button)
{
	static const struct {
		const char *type, *value;
	} types[] = { { "reply", "id" }, { "url", "url" }, { "copy", "copyCode" }, { "call", "phoneNumber" } };
	const char *type = act_text(button, "type"), *text = act_text(button, "displayText");
	struct json_object *made = json_object_new_object();

	text = text ? text : json_object_is_type(button, json_type_string) ? json_object_get_string(button) : act_text(button, "text");

	type = type ? type : act_text(button, "Btype");
	type = type ? type : "reply";
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		if (strcasecmp(types[i].type, type) != 0)
			continue;
		act_put(made, "type", types[i].type);
		json_object_object_add(made, "text", json_object_new_string(text ? text : ""));
		act_put(made, types[i].value, act_text(button, types[i].value));
		json_object_array_add(list, made);
		return NULL;
	}
	json_object_put(made);
	return "unsupported button type";
}

static const char *build_button(struct act_script *script, struct json_object *action, const struct act_context *context)
{
	struct json_object *buttons = array(action, "buttons"), *list;
	struct act_part *part;
	const char *fault;
	size_t n = buttons ? json_object_array_length(buttons) : 0;

	if (member(action, "message"))
		return act_content(script, action, context);
	if (n == 0 || n > MAX_BUTTONS)
		return "\"buttons\" has 1 to 10 entries";
	fault = begin(&part, script, "messages.send.button", action, context);
	list = json_object_new_array();
	for (size_t i = 0; i < n && !fault; i++)
		fault = put_button(list, json_object_array_get_idx(buttons, i));
	json_object_object_add(part->p, "buttons", list);
	act_put(part->p, "text", act_text(action, "text"));
	act_put(part->p, "footer", act_text(action, "footer"));
	return fault ? fault : put_image(part, action);
}

static void put_row(struct json_object *rows, struct json_object *row)
{
	static const char *const names[] = { "id", "description", "header" };
	struct json_object *made = json_object_new_object();
	const char *title = json_object_is_type(row, json_type_object) ? act_text(row, "title") : json_object_get_string(row);

	json_object_object_add(made, "title", json_object_new_string(title ? title : ""));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		act_put(made, names[i], act_text(row, names[i]));
	json_object_array_add(rows, made);
}

/* One list of the message. The number of rows of its first section. */
static size_t put_list(struct json_object *lists, struct json_object *list, struct json_object *sections, const char *button)
{
	struct json_object *made = json_object_new_object(), *out = json_object_new_array();
	const char *text = act_text(list, "buttonText");
	size_t n = sections ? json_object_array_length(sections) : 0, first = 0;

	json_object_object_add(made, "buttonText", json_object_new_string(text && text[0] ? text : button));
	for (size_t i = 0; i < n; i++) {
		struct json_object *section = json_object_array_get_idx(sections, i), *rows = array(section, "rows"), *kept = json_object_new_array();
		struct json_object *one = json_object_new_object();
		const char *title = act_text(section, "title");
		size_t count = rows ? json_object_array_length(rows) : 0;

		for (size_t k = 0; k < count; k++)
			put_row(kept, json_object_array_get_idx(rows, k));
		json_object_object_add(one, "title", json_object_new_string(title ? title : ""));
		json_object_object_add(one, "rows", kept);
		json_object_array_add(out, one);
		first = i == 0 ? count : first;
	}
	json_object_object_add(made, "sections", out);
	json_object_array_add(lists, made);
	return first;
}

static const char *build_list(struct act_script *script, struct json_object *action, const struct act_context *context)
{
	struct json_object *many = array(action, "lists"), *one = member(action, "list"), *lists;
	struct act_part *part;
	const char *fault;
	size_t rows = 0;

	if (member(action, "message"))
		return act_content(script, action, context);
	fault = begin(&part, script, "messages.send.list", action, context);
	lists = json_object_new_array();
	if (json_object_is_type(one, json_type_array) && json_object_array_length(one))
		many = one;
	for (size_t i = 0; many && i < json_object_array_length(many); i++) {
		struct json_object *list = json_object_array_get_idx(many, i);

		rows += put_list(lists, list, array(list, "sections"), "Select");
	}
	if (!many && json_object_is_type(one, json_type_object))
		rows = put_list(lists, one, array(one, "sections"), "Select");
	else if (!many)
		rows = put_list(lists, action, array(action, "sections"), "Open");
	json_object_object_add(part->p, "lists", lists);
	act_put(part->p, "text", act_text(action, "text"));
	act_put(part->p, "footer", act_text(action, "footer"));
	if (!fault && !rows)
		fault = "the list has no section with a row";
	return fault ? fault : put_image(part, action);
}

const struct act act_sends[] = {
	{ "text", true, build_text },	    { "media", true, build_media },   { "document", true, build_document }, { "location", true, build_location },
	{ "sticker", true, build_sticker }, { "vcard", true, build_vcard },   { "button", true, build_button },	    { "list", true, build_list },
	{ "poll", true, act_content },	    { "forward", true, act_content }, { "raw", true, act_content },	    { "noop", true, build_noop },
	{ NULL, false, NULL },
};
