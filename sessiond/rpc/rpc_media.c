/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * messages.send.{media,audio,document,sticker,gif}: one file, one message per recipient (rest-a 7.3 to 7.7).
 *
 *     input got and judged --> [ made fit by the media worker ] --> uploaded once --> message built --> send_go()
 *
 * A call from inside may want the upload alone (onlyUpload: the answer is {"kept":{..}}), and may bring one for its file (input {"kept":{..}}):
 * media_kept.h.
 *
 * A caller that leaves before the upload is complete gets nothing sent.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/appcode.h"
#include "common/mem.h"
#include "common/text.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/media_input.h"
#include "sessiond/rpc/media_kept.h"
#include "sessiond/rpc/media_send.h"
#include "sessiond/rpc/send.h"

static void finished(struct media_send *s)
{
	media_input_free(&s->input);
	media_prepared_free(&s->prepared);
	transfer_file_free(&s->upload.file);
	free(s->caption);
	buf_free(&s->extras);
	free(s);
}

static void refuse(struct media_send *s, int status, int code, const char *text)
{
	rpc_answer(s->request, status, code, text, NULL);
	finished(s);
}

/* ---- which files the routes take ---- */

static const char *unfit_media(const struct media_input *input, struct json_object *p, char *reason, size_t reason_len)
{
	enum filetype_kind kind = filetype_kind(input->mime);

	(void)reason;
	(void)reason_len;
	if (kind != FILETYPE_IMAGE && kind != FILETYPE_VIDEO)
		return "Unsupported media type for this route";
	return json_object_get_boolean(json_object_object_get(p, "ptv")) && kind != FILETYPE_VIDEO ? "A video note is a video" : NULL;
}

static const char *unfit_audio(const struct media_input *input, struct json_object *p, char *reason, size_t reason_len)
{
	enum filetype_kind kind = filetype_kind(input->mime);

	(void)p;
	(void)reason;
	(void)reason_len;
	return kind == FILETYPE_IMAGE || kind == FILETYPE_VIDEO || kind == FILETYPE_GIF ? "Unsupported audio type" : NULL;
}

static const char *unfit_document(const struct media_input *input, struct json_object *p, char *reason, size_t reason_len)
{
	(void)p;
	return media_blocked(input, span_of(input->head, input->head_len), reason, reason_len) ? reason : NULL;
}

static const char *unfit_gif(const struct media_input *input, struct json_object *p, char *reason, size_t reason_len)
{
	enum filetype_kind kind = filetype_kind(input->mime);

	(void)p;
	(void)reason;
	(void)reason_len;
	return kind == FILETYPE_IMAGE || kind == FILETYPE_AUDIO ? "Unsupported gif type" : NULL;
}

/* ---- what the routes make of a file; false: refused ---- */

/* Why this route does not take the file: for what it is, or because the administrator's list lacks its type. NULL: it does. */
static const char *unfit(const struct media_send_route *route, const struct media_input *input, struct json_object *p, char *reason, size_t reason_len)
{
	const char *why = route->unfit ? route->unfit(input, p, reason, reason_len) : NULL;

	return why || input->allowed ? why : media_not_allowed(input, reason, reason_len);
}

/* True: the route does not take it, and the request is answered. */
static bool is_unfit(struct media_send *s)
{
	char reason[MEDIA_FAULT_MAX];
	const char *why = unfit(s->route, &s->input, s->request->p, reason, sizeof reason);

	if (why)
		refuse(s, 415, 2007, why);
	return why != NULL;
}

static bool judge_media(struct media_send *s)
{
	bool video = filetype_kind(s->input.mime) == FILETYPE_VIDEO;
	struct json_object *presence = json_object_object_get(s->request->p, "presence");

	if (is_unfit(s))
		return false;
	s->media.type = !video ? WA_MEDIA_IMAGE : rpc_param_bool(s->request, "ptv") ? WA_MEDIA_PTV : WA_MEDIA_VIDEO;
	s->upload.kind = video ? TRANSFER_VIDEO : TRANSFER_IMAGE;
	s->media.view_once = rpc_param_bool(s->request, "viewOnce");
	snprintf(s->kind, sizeof s->kind, "%s", s->media.type == WA_MEDIA_PTV ? "ptv" : video ? "video" : "image");
	/* Without a wish of the caller's, a video shows as being recorded. */
	if (video && json_object_get_boolean(json_object_object_get(presence, "own")))
		json_object_object_add(presence, "state", json_object_new_string("recording"));
	return true;
}

static void extras_media(struct media_send *s)
{
	if (s->media.view_once)
		json_put_bool(&s->extras, "viewOnce", true);
	if (s->caption)
		json_put_member(&s->extras, "caption", s->caption);
	media_put_compression(&s->extras, s->request);
	json_put_member(&s->extras, "mediaKind", s->kind);
}

static bool judge_audio(struct media_send *s)
{
	const char *wish = rpc_param_text(s->request, "mime");
	const char *type = wish && filetype_audio(wish) ? wish : s->input.mime;
	bool voice = rpc_param_bool(s->request, "isVN");

	if (is_unfit(s))
		return false;
	s->media.type = voice ? WA_MEDIA_PTT : WA_MEDIA_AUDIO;
	if (!send_color(s->request, "backgroundColor", &s->media.background_argb)) {
		finished(s);
		return false;
	}
	s->upload.kind = TRANSFER_AUDIO;
	s->mime = voice && !media_wishes_sound(s->request) ? "audio/ogg; codecs=opus" : filetype_audio(type) ? filetype_audio(type) : "audio/mpeg";
	snprintf(s->kind, sizeof s->kind, "%s", voice ? "ptt" : "audio");
	return true;
}

static void extras_audio(struct media_send *s)
{
	if (s->media.type == WA_MEDIA_PTT)
		json_put_bool(&s->extras, "isVoiceNote", true);
	json_put_member(&s->extras, "mimeType", s->mime);
}

static bool judge_document(struct media_send *s)
{
	const char *wish = rpc_param_text(s->request, "filename");
	char *name;

	snprintf(s->kind, sizeof s->kind, "document %.32s", filetype_name_extension(s->input.name));
	if (wish && wish[0]) {
		name = filetype_name_extension(wish)[0] ? xstrdup(wish) : xasprintf("%s.%s", wish, filetype_name_extension(s->input.name));
		free(s->input.name);
		s->input.name = name;
	}
	if (is_unfit(s))
		return false;
	s->media.type = WA_MEDIA_DOCUMENT;
	s->upload.kind = TRANSFER_DOCUMENT;
	s->media.file_name = s->input.name;
	return true;
}

static void extras_document(struct media_send *s)
{
	if (s->caption)
		json_put_member(&s->extras, "caption", s->caption);
	json_put_member(&s->extras, "filename", s->input.name);
	json_put_member(&s->extras, "mimetype", s->mime);
}

static bool judge_sticker(struct media_send *s)
{
	if (is_unfit(s))
		return false;
	s->media.type = WA_MEDIA_STICKER;
	s->upload.kind = TRANSFER_IMAGE;
	s->mime = "image/webp";
	snprintf(s->kind, sizeof s->kind, "%s", "sticker");
	return true;
}

static void extras_sticker(struct media_send *s)
{
	media_put_compression(&s->extras, s->request);
}

static bool judge_gif(struct media_send *s)
{
	if (is_unfit(s))
		return false;
	s->media.type = WA_MEDIA_GIF;
	s->upload.kind = TRANSFER_VIDEO;
	s->mime = "video/mp4";
	snprintf(s->kind, sizeof s->kind, "%s", "gif");
	return true;
}

static void extras_gif(struct media_send *s)
{
	if (s->caption)
		json_put_member(&s->extras, "caption", s->caption);
	media_put_compression(&s->extras, s->request);
}

static const struct media_send_route routes[] = {
	{ "messages.send.media", "Media message", "media", "Media", "upload", 2009, "Invalid media input", unfit_media, judge_media,
	  extras_media },
	{ "messages.send.audio", "Audio message", "audio", "Audio", "upload", 2010, "Invalid audio input", unfit_audio, judge_audio,
	  extras_audio },
	{ "messages.send.document", "Document message", "document", "Document", "document", 2011, "Invalid document input", unfit_document, judge_document,
	  extras_document },
	{ "messages.send.sticker", "Sticker message", "sticker", "Sticker", "upload", 2012, "Invalid sticker input", NULL, judge_sticker,
	  extras_sticker },
	{ "messages.send.gif", "GIF message", "gif", "GIF", "upload", 2013, "Invalid gif input", unfit_gif, judge_gif,
	  extras_gif },
};

static const struct media_send_route *route_named(const char *method)
{
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
		if (strcmp(routes[i].name, method) == 0)
			return &routes[i];
	}
	return NULL;
}

/* The refusals of a file that could not be got. */
static int input_fault(const struct media_input *input, const struct media_send_route *route, char text[96], int *code)
{
	switch (input->error) {
	case INPUT_TOO_LARGE:
		snprintf(text, 96, "%s too large (limit %" PRIu64 "MB)", route->title, input->limit >> 20);
		*code = route->too_large_code;
		return 413;
	case INPUT_SYSTEM:
		snprintf(text, 96, "Internal server error");
		*code = 8000;
		return 500;
	case INPUT_PROXY:
		snprintf(text, 96, "%s", INPUT_PROXY_TEXT);
		*code = APP_NETWORK_ERROR;
		return 502;
	case INPUT_OK:
	case INPUT_BAD:
		break;
	}
	snprintf(text, 96, "%s", route->invalid);
	*code = 2000;
	return 400;
}

int media_send_fault(const char *method, const struct media_input *input, struct json_object *p, char text[MEDIA_FAULT_MAX], int *code)
{
	const struct media_send_route *route = route_named(method);
	char reason[MEDIA_FAULT_MAX];
	const char *why;

	if (input->error)
		return input_fault(input, route, text, code);
	why = unfit(route, input, p, reason, sizeof reason);
	if (!why)
		return 0;
	snprintf(text, MEDIA_FAULT_MAX, "%s", why);
	*code = 2007;
	return 415;
}

const char *media_send_stem(const char *method)
{
	const struct media_send_route *route = route_named(method);

	return route ? route->stem : NULL;
}

/* ---- the way of a file ---- */

/* The file is where it has to be, or need not be. */
static void go_on(struct media_send *s)
{
	struct rpc_request *request = s->request;
	struct send_plan *plan = send_plan_new(1, s->route->label, s->kind, s->route->noun);

	s->route->extras(s);
	buf_append_span(&plan->shape.extras, buf_span(&s->extras));
	media_message(&plan->contents[0].message, &s->media, &s->upload.file, s->mime, &s->prepared);
	plan->contents[0].view_once = s->media.view_once;
	plan->contents[0].media_handle = s->upload.file.handle ? xstrdup(s->upload.file.handle) : NULL;
	finished(s);
	send_go(request, plan);
}

static void answer_kept(struct media_send *s)
{
	struct buf result = { 0 };

	buf_append_text(&result, "{\"kept\":");
	media_kept_put(&result, s);
	buf_u8(&result, '}');
	rpc_answer(s->request, 200, 1000, "Uploaded", buf_text(&result));
	buf_wipe(&result);
	finished(s);
}

static void uploaded(struct upload_job *job)
{
	struct media_send *s = job->arg;

	if (job->error == TRANSFER_E_OFFLINE) {
		refuse(s, 404, 1101, "Session not found");
		return;
	}
	if (job->error || !rpc_request_is_awaited(s->request))
		refuse(s, 500, 8000, "Internal server error");
	else if (s->request->internal && rpc_param_bool(s->request, "onlyUpload"))
		answer_kept(s);
	else
		go_on(s);
}

static void upload(void *arg, int error)
{
	struct media_send *s = arg;
	struct session_entry *entry;

	if (error == MEDIA_PREPARE_CANNOT_CONVERT) {
		if (s->media.type == WA_MEDIA_STICKER)
			refuse(s, 502, 3013, "Sticker conversion failed");
		else if (s->media.type == WA_MEDIA_PTT)
			refuse(s, 422, 2014, "Failed to convert audio to WhatsApp voice note format");
		else
			refuse(s, 415, 2007, s->media.type == WA_MEDIA_GIF ? "Unsupported gif type" : "Unsupported media type for this route");
		return;
	}
	if (s->prepared.mime[0])
		s->mime = s->prepared.mime;
	entry = rpc_session(s->request);
	if (!entry) {
		finished(s);
		return;
	}
	if (rpc_param_bool(s->request, "dry_run")) {
		go_on(s);
		return;
	}
	s->upload.fd = s->prepared.fd >= 0 ? s->prepared.fd : s->input.fd;
	s->upload.max_len = s->input.limit;
	s->upload.plain = s->channel;
	s->upload.done = uploaded;
	s->upload.arg = s;
	sessions_upload(s->request->context->daemon->sessions, entry, &s->upload);
}

static void input_ready(void *arg, struct media_input *input)
{
	struct media_send *s = arg;
	char text[96];
	int code, status;

	if (input->error) {
		status = input_fault(input, s->route, text, &code);
		refuse(s, status, code, text);
		return;
	}
	s->mime = input->mime;
	if (s->route->judge(s))
		media_prepare(s, upload, s);
}

/* It was uploaded before. */
static void take_kept(struct media_send *s, struct json_object *kept)
{
	if (!media_kept_read(s, kept)) {
		refuse(s, 500, 8000, "Internal server error");
		return;
	}
	s->mime = s->input.mime;
	if (!s->route->judge(s))
		return;
	s->mime = s->prepared.mime;
	go_on(s);
}

static void build(struct rpc_request *request)
{
	struct json_object *item = json_object_object_get(request->p, "input"), *kept = json_object_object_get(item, "kept");
	const struct config *config = request->context->daemon->config;
	const char *caption = rpc_param_text(request, "caption");
	struct media_send *s;
	bool channel;

	if (!media_recipients(request, &channel))
		return;
	s = xcalloc(1, sizeof *s);
	s->request = request;
	s->channel = channel;
	s->prepared.fd = -1;
	s->route = route_named(request->method->name);
	if (caption && caption[0] && strcmp(s->route->noun, "audio") != 0 && strcmp(s->route->noun, "sticker") != 0) {
		struct buf normal = { 0 };

		text_normalise(&normal, caption, strlen(caption));
		s->caption = xstrdup(buf_text(&normal));
		s->media.caption = s->caption;
		buf_free(&normal);
	}
	if (kept && request->internal) {
		take_kept(s, kept);
		return;
	}
	media_input_get(&s->input, request, item, (uint64_t)config->media_per_file_mb << 20, s->route->stem, input_ready, s);
}

static void do_send(struct rpc_request *request)
{
	send_begin(request, build);
}

const struct rpc_method rpc_media_methods[] = {
	{ "messages.send.media", do_send },
	{ "messages.send.audio", do_send },
	{ "messages.send.document", do_send },
	{ "messages.send.sticker", do_send },
	{ "messages.send.gif", do_send },
	{ "messages.send.files", rpc_send_files },
	{ NULL, NULL },
};
