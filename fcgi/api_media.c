/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /api/v1/messages/send/{files,media,audio,document,sticker,gif}: messages that carry files (contract rest-a 7.2 to 7.7). */
#include "fcgi/answer.h"
#include "fcgi/request.h"
#include "fcgi/send_params.h"
#include "fcgi/upload.h"

#define BODY_QUERY { PLACE_BODY, PLACE_QUERY }

#define MIXED { 400, 2002, "Files go to channels or to others, not to both in one request" }
#define NOT_ALLOWED { 415, 2007, "MIME type \"<type>\" is not allowed (configure WAREST_MIMETYPE_FILES_ALLOWLIST)" }
#define NO_PROXY { 502, 2803, "The proxy of the session does not connect to that address" }
#define BAD_TO { 400, 2001, "Missing or invalid 'to'" }
#define TO_PARAM                                                                                                                                \
	{ .name = "to", .in = BODY_QUERY, .kind = PARAM_RECIPIENTS, .type = "string|array", .required = true, .missing = BAD_TO, .invalid = BAD_TO, \
	  .note = "list separators , ; newline; JSON array text; JIDs or phone numbers" }
#define PRESENCE_PARAM(own)                                                                                                                  \
	{ .name = "presence", .in = BODY_QUERY, .kind = PARAM_PRESENCE, .type = "boolean|number|string", .values = send_presence_values, .state = (own), \
	  .note = "shows this state to the recipient for a moment before sending; off when absent" }
#define REPLY_PARAM(...)                                                                                                           \
	{ .name = "replyMessageId", .aliases = { __VA_ARGS__ }, .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", \
	  .note = "id of the message to quote" }
#define FORWARDED_PARAM { .name = "isForwarded", .in = BODY_QUERY, .kind = PARAM_BOOL, .type = "boolean", .fallback = "false" }, SEND_EXTRAS
#define CAPTION_PARAM { .name = "caption", .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string" }
#define COMPRESS_PARAMS                                                                                                          \
	{ .name = "compress", .in = BODY_QUERY, .kind = PARAM_BOOL, .type = "boolean", .fallback = "true" },                      \
	{ .name = "compression", .aliases = { "compressOptions" }, .in = BODY_QUERY, .kind = PARAM_DOCUMENT, .type = "object", \
	  .note = "options of the compression; enable overrides compress" }
#define FILE_NOTE "multipart file, data URI, base64, http(s) URL; or raw request body"
#define FILE_PARAM(which, ...) \
	{ .name = (which), .aliases = { __VA_ARGS__ }, .in = BODY_QUERY, .kind = PARAM_DOCUMENT, .type = "file|string", .note = FILE_NOTE }


/* ---- files ---- */

static const struct param files_params[] = {
	TO_PARAM, PRESENCE_PARAM(NULL), REPLY_PARAM("quotedMessageId"), FORWARDED_PARAM,
	{ .name = "files", .aliases = { "file", "media", "document", "upload", "source", "urls", "url" }, .in = BODY_QUERY, .kind = PARAM_DOCUMENT,
	  .type = "array", .note = "URL, data URI, base64, byte array or object; any multipart file part; max 20" },
	{ .name = "caption", .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .note = "of every file that has none of its own" },
	{ .name = "album", .in = BODY_QUERY, .kind = PARAM_BOOL, .type = "boolean", .fallback = "false",
	  .note = "images and videos that belong together, shown as one album" },
	SEND_AUDIENCE(BODY_QUERY),
};

static const struct success files_sent[] = {
	{ 200, 1000, "File message sent",
	  SEND_FIELDS "advancedInfo.files[].name advancedInfo.files[].mimetype advancedInfo.files[].size advancedInfo.files[].messageId "
		"advancedInfo.files[].quotedMessageId? advancedInfo.files[].caption? advancedInfo.files[].timestamp advancedInfo.blockedFiles[].name? "
		"advancedInfo.blockedFiles[].mimetype? advancedInfo.blockedFiles[].size? advancedInfo.blockedFiles[].reason? advancedInfo.error?" },
	{ 200, 1005, "File message not sent: dry run", NULL },
	{ 202, 3000, "File message queued", NULL },
	{ 202, 1003, "File message scheduled", NULL },
	{ 207, 1004, "File message sent", SEND_FIELDS "advancedInfo.error?" },
	{ 0 },
};

static const struct fault files_errors[] = {
	{ 400, 2000, "No files or URLs provided" },
	BAD_TO,
	{ 413, 2009, "File too large (limit <n>MB)" },
	{ 415, 2007, "An album takes images and videos" },
	{ 501, 8005, "Albums can be sent to persons and groups" },
	MIXED,
	NO_PROXY,
	SEND_ERRORS("files"),
};

static int files_first(struct request *r, struct buf *p, struct answer *answer)
{
	(void)p;
	if (upload_has_any(r))
		return 0;
	answer_fault(answer, &files_errors[0]);
	return -1;
}

static int files_prepare(struct request *r, struct buf *p, struct answer *answer)
{
	return upload_put_all(r, p, answer);
}

/* ---- media ---- */

static const struct param media_params[] = { TO_PARAM, PRESENCE_PARAM(NULL), REPLY_PARAM(NULL), FORWARDED_PARAM,
	FILE_PARAM("media", "url", "mediaUrl", "file", "source"), CAPTION_PARAM,
	{ .name = "viewOnce", .in = BODY_QUERY, .kind = PARAM_BOOL, .type = "boolean", .fallback = "false" },
	{ .name = "ptv", .aliases = { "videoNote" }, .in = BODY_QUERY, .kind = PARAM_BOOL, .type = "boolean", .fallback = "false",
	  .note = "a video note: round, made square" },
	SEND_AUDIENCE(BODY_QUERY), COMPRESS_PARAMS };
static const struct success media_sent[] = {
	SEND_SUCCESSES("Media message", "advancedInfo.viewOnce? advancedInfo.caption? advancedInfo.compression? advancedInfo.mediaKind"),
};
static const struct fault media_errors[] = {
	BAD_TO,
	{ 400, 2000, "Invalid media input" },
	{ 413, 2009, "Media too large (limit <n>MB)" },
	{ 415, 2007, "Unsupported media type for this route" },
	{ 415, 2007, "A video note is a video" },
	NOT_ALLOWED,
	MIXED,
	NO_PROXY,
	SEND_ERRORS("media"),
};
static const struct upload_rules media_rules = { { "media", "url", "mediaUrl", "file", "source" }, { 400, 2000, "Invalid media input" }, 2009, "Media" };

static int media_prepare(struct request *r, struct buf *p, struct answer *answer)
{
	upload_put_compression(r, p);
	return upload_put_one(r, &media_rules, p, answer);
}

/* ---- audio ---- */

static const struct param audio_params[] = { TO_PARAM, PRESENCE_PARAM("recording"), REPLY_PARAM(NULL), FORWARDED_PARAM,
	FILE_PARAM("audio", "url", "media", "file", "source"),
	{ .name = "isVN", .in = BODY_QUERY, .kind = PARAM_BOOL, .type = "boolean", .fallback = "false", .note = "a voice note" },
	{ .name = "mime", .aliases = { "mimetype", "mimeType", "contentType", "audioMime", "audioMimeType" }, .in = BODY_QUERY, .kind = PARAM_STRING,
	  .type = "string", .note = "instead of what the file says" },
	SEND_COLOR("backgroundColor", BODY_QUERY, "of a voice note as a status: #RRGGBB or #AARRGGBB"),
	SEND_AUDIENCE(BODY_QUERY) };
static const struct success audio_sent[] = {
	SEND_SUCCESSES("Audio message", "advancedInfo.isVoiceNote? advancedInfo.mimeType"),
};
static const struct fault audio_errors[] = {
	BAD_TO,
	{ 400, 2000, "Invalid audio input" },
	{ 413, 2010, "Audio too large (limit <n>MB)" },
	{ 415, 2007, "Unsupported audio type" },
	NOT_ALLOWED,
	{ 400, 2002, "Colors are #RRGGBB or #AARRGGBB" },
	{ 422, 2014, "Failed to convert audio to WhatsApp voice note format" },
	MIXED,
	NO_PROXY,
	SEND_ERRORS("audio"),
};
static const struct upload_rules audio_rules = { { "audio", "url", "media", "file", "source" }, { 400, 2000, "Invalid audio input" }, 2010, "Audio" };

static int audio_prepare(struct request *r, struct buf *p, struct answer *answer)
{
	return upload_put_one(r, &audio_rules, p, answer);
}

/* ---- document ---- */

static const struct param document_params[] = { TO_PARAM, PRESENCE_PARAM(NULL), REPLY_PARAM("quotedMessageId"), FORWARDED_PARAM,
	FILE_PARAM("document", "url", "media", "file", "source", "upload"),
	{ .name = "filename", .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .note = "as it is shown; its extension is added when missing" },
	CAPTION_PARAM };
static const struct success document_sent[] = {
	SEND_SUCCESSES("Document message", "advancedInfo.caption? advancedInfo.filename advancedInfo.mimetype"),
};
static const struct fault document_errors[] = {
	BAD_TO,
	{ 400, 2000, "Invalid document input" },
	{ 415, 2007, "<block reason>" },
	{ 413, 2011, "Document too large (limit <n>MB)" },
	MIXED,
	NO_PROXY,
	SEND_ERRORS("document"),
};
static const struct upload_rules document_rules = { { "document", "url", "media", "file", "source", "upload" }, { 400, 2000, "Invalid document input" }, 2011,
						    "Document" };

static int document_prepare(struct request *r, struct buf *p, struct answer *answer)
{
	return upload_put_one(r, &document_rules, p, answer);
}

/* ---- sticker ---- */

static const struct param sticker_params[] = { TO_PARAM, PRESENCE_PARAM(NULL), REPLY_PARAM(NULL), FORWARDED_PARAM,
	FILE_PARAM("sticker", "url", "media", "file", "source", "upload"), COMPRESS_PARAMS };
static const struct success sticker_sent[] = {
	SEND_SUCCESSES("Sticker message", "advancedInfo.compression?"),
};
static const struct fault sticker_errors[] = {
	BAD_TO,
	{ 400, 2000, "Invalid sticker input" },
	{ 413, 2012, "Sticker too large (limit <n>MB)" },
	NOT_ALLOWED,
	{ 502, 3013, "Sticker conversion failed" },
	MIXED,
	NO_PROXY,
	SEND_ERRORS("sticker"),
};
static const struct upload_rules sticker_rules = { { "sticker", "url", "media", "file", "source", "upload" }, { 400, 2000, "Invalid sticker input" }, 2012,
						   "Sticker" };

static int sticker_prepare(struct request *r, struct buf *p, struct answer *answer)
{
	upload_put_compression(r, p);
	return upload_put_one(r, &sticker_rules, p, answer);
}

/* ---- gif ---- */

static const struct param gif_params[] = { TO_PARAM, PRESENCE_PARAM(NULL), REPLY_PARAM(NULL), FORWARDED_PARAM,
	FILE_PARAM("gif", "url", "media", "file", "source", "upload"), CAPTION_PARAM, SEND_AUDIENCE(BODY_QUERY), COMPRESS_PARAMS };
static const struct success gif_sent[] = {
	SEND_SUCCESSES("GIF message", "advancedInfo.caption? advancedInfo.compression?"),
};
static const struct fault gif_errors[] = {
	BAD_TO,
	{ 400, 2000, "Invalid gif input" },
	{ 413, 2013, "GIF too large (limit <n>MB)" },
	{ 415, 2007, "Unsupported gif type" },
	NOT_ALLOWED,
	MIXED,
	NO_PROXY,
	SEND_ERRORS("gif"),
};
static const struct upload_rules gif_rules = { { "gif", "url", "media", "file", "source", "upload" }, { 400, 2000, "Invalid gif input" }, 2013, "GIF" };

static int gif_prepare(struct request *r, struct buf *p, struct answer *answer)
{
	upload_put_compression(r, p);
	return upload_put_one(r, &gif_rules, p, answer);
}

/* ---- the table ---- */

#define FILE_TEXT                                                                                                                                    \
	"The file comes as a multipart part, as data URI or base64 in JSON, as the address of a file (http or https, fetched from public addresses unless " \
	"WAREST_OUTBOUND_ALLOW says otherwise), or as the body itself with the parameters in the query. It is encrypted and uploaded to WhatsApp's media " \
	"servers before the message is sent. "

#define SEND_ROUTE(kind, extra_flags, text_title, text_body)                                                                                         \
	{ .method = "POST", .path = "/api/v1/messages/send/" #kind, .name = "messages.send." #kind, .auth = AUTH_KEY, .scope = SCOPE_SEND, .guards = GUARD_RATE | GUARD_QUOTA, \
	  .body = BODY_UPLOAD, .selector = &selector_messages, .family = FAMILY_A_NULL, .flags = ROUTE_SLOW | ROUTE_IDEMPOTENT | (extra_flags),        \
	  .params = kind##_params, .params_count = COUNT(kind##_params), .prepare = kind##_prepare, .tag = "Messages", .title = (text_title),          \
	  .text = FILE_TEXT text_body, .successes = kind##_sent, .errors = kind##_errors

static const struct route routes[] = {
	SEND_ROUTE(files, ROUTE_LARGE_FILES, "Send files", "Up to 20 files at once, each as a document of its own; with album, images and videos as one album."), .first = files_first },
	SEND_ROUTE(media, 0, "Send an image or a video", "viewOnce lets the recipient see it once; ptv makes a video a video note.") },
	SEND_ROUTE(audio, 0, "Send audio", "With isVN it becomes a voice note (Opus in Ogg).") },
	SEND_ROUTE(document, 0, "Send a document", "Programs and scripts are refused.") },
	SEND_ROUTE(sticker, 0, "Send a sticker", "WebP is sent as it is, other images become WebP.") },
	SEND_ROUTE(gif, 0, "Send a GIF", "WhatsApp shows GIFs as silent videos: what is no MP4 becomes one.") },
};

extern const struct route_group media_routes;
const struct route_group media_routes = { routes, COUNT(routes) };
