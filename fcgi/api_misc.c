/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /api/v1/misc: tools about media (contract rest-b 5). Files come as in the upload routes (upload.h), their bytes go to the daemon. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fcgi/answer.h"
#include "fcgi/json_out.h"
#include "fcgi/request.h"
#include "fcgi/upload.h"
#include "fcgi/validate.h"

#define BODY_QUERY { PLACE_BODY, PLACE_QUERY }
#define FILE_PARAM                                                                                                                         \
	{ .name = "file", .aliases = { "data", "url", "source" }, .in = { PLACE_BODY }, .kind = PARAM_DOCUMENT, .type = "string|object", \
	  .required = true, .note = "data URI, http(s) URL, base64, {\"type\":\"Buffer\",\"data\":[..]}; or a multipart file; at most 50 MB" }
#define OUTPUT_PARAM                                                                                                           \
	{ .name = "output", .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .fallback = "\"base64\"", .values = outputs, \
	  .note = "url: public address; file: key and signed address; anything else: base64" }
#define META "meta.mode meta.mimeType meta.size meta.key? meta.url?"
#define FILE_ERRORS                                                                                                            \
	{ 400, 2001, "file is required" }, { 400, 2002, "file cannot be read" }, { 400, 2002, "<what is wrong with the file>" }, \
	{ 413, 2006, "input exceeds limit (50.0 MB)" }, { 413, 2006, "The result is too large for this output; use url or file" }, \
	{ 415, 2007, "<kinds of files that are not supported>" }, { 500, 8000, "Internal error" },                                  \
	{ 503, 8001, "The media worker is not available" }, { 0 }

static const char *const outputs[] = { "string", "dataurl", "base64", "url", "file", NULL };

static const struct upload_rules file_rules = {
	.keys = { "file", "data", "url", "source" }, .invalid = { 400, 2001, "file is required" }, .too_large_code = 2006,
};

/* ---- numbers and words of a JSON object ---- */

/* A JSON number; n8n sends some as text, which counts only where the original took it. NAN without one. */
static double number_of(struct request *r, const struct json *object, const char *name)
{
	const struct json *v = object && object->type == JSON_OBJECT ? json_get(object, name) : NULL;

	return v && v->type == JSON_NUMBER ? strtod(arena_text(r->arena, v->text.p, v->text.n), NULL) : (double)NAN;
}

static int refuse(struct answer *answer, int status, int code, const char *message)
{
	const struct fault fault = { status, code, message };

	answer_fault(answer, &fault);
	return -1;
}

/* ---- thumbnail ---- */

static const char *const thumbnail_types[] = { "image", "video", NULL };

static const struct param thumbnail_params[] = {
	FILE_PARAM,
	{ .name = "type", .in = BODY_QUERY, .kind = PARAM_DOCUMENT, .type = "string", .required = true, .values = thumbnail_types },
	{ .name = "width", .in = { PLACE_BODY }, .kind = PARAM_NUMBER, .type = "number", .fallback = "320", .min = 16, .max = 1024 },
	{ .name = "height", .in = { PLACE_BODY }, .kind = PARAM_NUMBER, .type = "number", .min = 16, .max = 1024, .note = "default: width" },
	{ .name = "count", .in = { PLACE_BODY }, .kind = PARAM_NUMBER, .type = "number", .fallback = "3", .min = 1, .max = 6, .note = "of a video" },
	OUTPUT_PARAM,
};

/* The file is judged before the type. */
static int thumbnail_prepare(struct request *r, struct buf *p, struct answer *answer)
{
	struct span type;

	if (upload_put_one(r, &file_rules, p, answer))
		return -1;
	if (!validate_text(r, &thumbnail_params[1], &type) || (type.n != 5 || (strncasecmp((const char *)type.p, "image", 5) && strncasecmp((const char *)type.p, "video", 5))))
		return refuse(answer, 400, 2002, "type must be image or video");
	json_member(p, "type", (type.p[0] | 0x20) == 'v' ? "video" : "image");
	return 0;
}

static const struct success thumbnail_made[] = {
	{ 200, 1000, "Thumbnails generated", "data[].thumbnail data[].meta.mode data[].meta.mimeType data[].meta.size data[].meta.key? data[].meta.url?" }, { 0 }
};
static const struct fault thumbnail_errors[] = { { 400, 2002, "type must be image or video" }, FILE_ERRORS };

/* ---- image ---- */

static const struct param image_params[] = {
	FILE_PARAM,
	{ .name = "actions", .in = { PLACE_BODY }, .kind = PARAM_DOCUMENT, .type = "object",
	  .note = "convert: png, jpg, jpeg, webp (others: png); resize: {width, height, fit: cover, contain, fill, inside, outside}; compress: {quality 1-100}" },
	OUTPUT_PARAM,
};

#define FAULT_SIDE "width and height must be positive"
#define FAULT_FIT "fit must be cover, contain, fill, inside or outside"

static int put_resize(struct request *r, const struct json *resize, struct buf *p, struct answer *answer)
{
	static const char *const fits[] = { "cover", "contain", "fill", "inside", "outside" };
	const char *const sides[] = { "width", "height" };
	const struct json *fit = resize && resize->type == JSON_OBJECT ? json_get(resize, "fit") : NULL;
	bool known = false, sized = false;

	for (size_t i = 0; i < COUNT(sides); i++) {
		double n = number_of(r, resize, sides[i]);

		if (isnan(n))
			continue;
		if (n < 1 || n > 16383)
			return refuse(answer, 400, 2002, FAULT_SIDE);
		sized = true;
		json_name(p, sides[i]);
		json_int(p, (int64_t)n);
	}
	if (!sized || !fit || fit->type != JSON_STRING || !fit->text.n)
		return 0;
	for (size_t i = 0; i < COUNT(fits); i++)
		known = known || span_is(fit->text, fits[i]);
	if (!known)
		return refuse(answer, 400, 2002, FAULT_FIT);
	json_name(p, "fit");
	json_span(p, fit->text);
	return 0;
}

static int image_prepare(struct request *r, struct buf *p, struct answer *answer)
{
	const struct json *actions = json_get(r->body, "actions"), *convert;
	const char *error;
	double quality;

	if (upload_put_one(r, &file_rules, p, answer))
		return -1;
	if (actions && actions->type == JSON_STRING)
		actions = json_parse(r->arena, actions->text, &error);
	if (!actions || actions->type != JSON_OBJECT)
		return 0;
	convert = json_get(actions, "convert");
	if (convert && convert->type == JSON_STRING && convert->text.n) {
		json_name(p, "convert");
		json_span(p, convert->text);
	}
	quality = number_of(r, json_get(actions, "compress"), "quality");
	if (!isnan(quality)) {
		json_name(p, "quality");
		json_int(p, quality < 1 ? 1 : quality > 100 ? 100 : (int64_t)quality);
	}
	return put_resize(r, json_get(actions, "resize"), p, answer);
}

static const struct success image_made[] = {
	{ 200, 1000, "Image processed", "data details.format details.width details.height details.size actionsPerformed.converted actionsPerformed.resized "
					"actionsPerformed.compressed createdAt " META }, { 0 }
};
static const struct fault image_errors[] = { { 400, 2002, FAULT_SIDE }, { 400, 2002, FAULT_FIT }, FILE_ERRORS };

/* ---- QR codes ---- */

#define FAULT_TARGET { 400, 2002, "Unsupported target format; use base64, svg, png, jpg, jpeg, or webp" }
#define FAULT_LEVEL { 400, 2002, "errorCorrectionLevel must be L, M, Q or H" }

static const char *const qr_targets[] = { "base64", "svg", "png", "jpg", "jpeg", "webp", NULL };
static const char *const qr_levels[] = { "L", "M", "Q", "H", NULL };

static const struct param qr_params[] = {
	{ .name = "string", .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .required = true, .missing = { 400, 2001, "string is required" } },
	{ .name = "target", .in = { PLACE_PATH }, .kind = PARAM_ENUM, .type = "string", .required = true, .values = qr_targets, .missing = FAULT_TARGET,
	  .invalid = FAULT_TARGET },
	{ .name = "encoding", .in = { PLACE_BODY }, .kind = PARAM_DOCUMENT, .type = "string", .fallback = "\"utf8\"", .note = "without effect: SVG is UTF-8" },
	{ .name = "errorCorrectionLevel", .in = BODY_QUERY, .kind = PARAM_ENUM, .type = "string", .fallback = "\"M\"", .values = qr_levels, .invalid = FAULT_LEVEL },
	{ .name = "margin", .in = BODY_QUERY, .kind = PARAM_NUMBER, .type = "number", .fallback = "1", .max = 64, .note = "modules" },
	{ .name = "scale", .in = BODY_QUERY, .kind = PARAM_NUMBER, .type = "number", .fallback = "6", .min = 1, .max = 64, .note = "pixels a module" },
	{ .name = "dark", .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .fallback = "\"#000000\"", .note = "#rgb, #rrggbb, #rrggbbaa" },
	{ .name = "light", .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .fallback = "\"#ffffff\"", .note = "#rgb, #rrggbb, #rrggbbaa" },
};

static const struct success qr_made[] = {
	{ 200, 1000, "String converted to QR-friendly PNG (base64 data URI)", "data meta.mode meta.mimeType meta.size? meta.temporary? meta.key? meta.url? "
									     "meta.expiresAt? meta.format?" },
	{ 200, 1000, "String converted to QR-friendly SVG|PNG|JPEG|WEBP format", NULL },
	{ 0 },
};
static const struct fault qr_errors[] = {
	{ 400, 2001, "string is required" }, FAULT_TARGET, FAULT_LEVEL, { 400, 2002, "dark and light must be colours like #000000" },
	{ 400, 2002, "The amount of data is too big to be stored in a QR Code" }, { 400, 2002, "The image would be larger than 4096 pixels" },
	{ 500, 8000, "Internal error" }, { 503, 8001, "The media worker is not available" }, { 0 }
};

/* ---- table ---- */

static const struct route routes[] = {
	{ .method = "POST", .path = "/api/v1/misc/convert-string-toqr/{target}", .name = "misc.qr", .auth = AUTH_KEY, .scope = SCOPE_READ, .guards = GUARD_RATE, .body = BODY_JSON,
	  .family = FAMILY_A, .params = qr_params, .params_count = COUNT(qr_params), .tag = "Misc", .title = "A text as QR code",
	  .text = "base64 answers a PNG as data URI; the others store a picture for WAREST_STORAGE_TEMP_TTL_SEC and answer its address.", .successes = qr_made,
	  .errors = qr_errors },
	{ .method = "POST", .path = "/api/v1/misc/media/thumbnail", .name = "misc.thumbnail", .auth = AUTH_KEY, .scope = SCOPE_READ, .guards = GUARD_RATE, .body = BODY_UPLOAD,
	  .family = FAMILY_A, .flags = ROUTE_SLOW | ROUTE_MISC_FILES, .params = thumbnail_params, .params_count = COUNT(thumbnail_params),
	  .prepare = thumbnail_prepare, .tag = "Misc", .title = "Thumbnails of an image or video",
	  .text = "JPEG. An image is cut to the size, a video's pictures are taken evenly over its duration.", .successes = thumbnail_made,
	  .errors = thumbnail_errors },
	{ .method = "POST", .path = "/api/v1/misc/media/image", .name = "misc.image", .auth = AUTH_KEY, .scope = SCOPE_READ, .guards = GUARD_RATE, .body = BODY_UPLOAD,
	  .family = FAMILY_A, .flags = ROUTE_SLOW | ROUTE_MISC_FILES, .params = image_params, .params_count = COUNT(image_params), .prepare = image_prepare,
	  .tag = "Misc", .title = "Convert, scale, recompress an image",
	  .text = "The EXIF orientation is applied, metadata are left out. Without a format the image keeps its own.", .successes = image_made,
	  .errors = image_errors },
};

extern const struct route_group misc_routes;
const struct route_group misc_routes = { routes, COUNT(routes) };
