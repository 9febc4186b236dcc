/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * misc.thumbnail, misc.image, misc.qr (contract rest-b 5.1, 5.5, 5.6).
 *
 *     input (media_input.h) --> media job (media.h) --> parts of the output (misc_output.h), one after another --> answer
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/mem.h"
#include "sessiond/json_text.h"
#include "sessiond/media/media.h"
#include "sessiond/rpc/media_input.h"
#include "sessiond/rpc/misc_output.h"
#include "sessiond/session/qrimage.h"

enum { DEFAULT_QUALITY = 80 };

struct misc {
	struct rpc_request *request;  /* borrowed: it owns us */
	struct media_input input;
	bool has_input;
	struct mediajob job;          /* its descriptors: owned */
	struct mediajob_result result;
	int part;                     /* that is being put */
	int64_t at;                   /* where it begins */
	struct buf json;              /* of the answer */
	void (*tell)(struct misc *m, const char *data, const char *meta);
	const char *mime;             /* of the parts */
	const char *mode;             /* borrowed from the request, or static */
	bool temporary;
};

static void misc_free(void *arg)
{
	struct misc *m = arg;

	if (m->has_input)
		media_input_free(&m->input);
	else if (m->job.input >= 0)
		close(m->job.input);
	if (m->job.output >= 0)
		close(m->job.output);
	buf_free(&m->json);
	free(m);
}

static struct misc *misc_new(struct rpc_request *request)
{
	struct misc *m = xcalloc(1, sizeof *m);
	const char *mode = rpc_param_text(request, "output");

	m->request = request;
	m->job.input = m->job.output = -1;
	m->mode = mode && mode[0] ? mode : "base64";
	request->work = m;
	request->work_free = misc_free;
	return m;
}

static int64_t number(const struct rpc_request *request, const char *name, int64_t otherwise)
{
	struct json_object *value = json_object_object_get(request->p, name);

	return json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double) ? json_object_get_int64(value) : otherwise;
}

/* ---- the job ---- */

static void refuse_job(struct misc *m, const struct mediajob_result *result)
{
	const char *text = result->why[0] ? result->why : mediajob_error_text(result->error);

	switch (result->error) {
	case MEDIAJOB_E_UNSUPPORTED:
		rpc_answer(m->request, 415, 2007, text, NULL);
		return;
	case MEDIAJOB_E_BUSY:
	case MEDIAJOB_E_WORKER:
		rpc_answer(m->request, 503, 8001, "The media worker is not available", NULL);
		return;
	case MEDIAJOB_E_OUTPUT:
	case MEDIAJOB_E_CANCELLED:
		rpc_answer(m->request, 500, 8000, "Internal error", NULL);
		return;
	default:
		rpc_answer(m->request, 400, 2002, text, NULL);
	}
}

static void put_next(struct misc *m);

static void put(void *arg, int error, const char *data, const char *meta)
{
	struct misc *m = arg;

	if (error) {
		misc_output_refuse(m->request, error);
		return;
	}
	m->tell(m, data, meta);
}

static void put_next(struct misc *m)
{
	const struct misc_output output = { .mode = m->mode, .mime = m->mime, .fd = m->job.output, .from = m->at, .size = m->result.part[m->part],
					    .temporary = m->temporary };

	misc_output_put(m->request->context->daemon, &output, put, m);
}

static void converted(void *arg, const struct mediajob_result *result)
{
	struct misc *m = arg;

	if (result->error) {
		refuse_job(m, result);
		return;
	}
	m->result = *result;
	m->mime = m->result.sent.mime;
	if (!m->result.parts) {
		m->result.parts = 1;
		m->result.part[0] = m->result.sent.bytes;
	}
	put_next(m);
}

static void convert(struct misc *m)
{
	struct daemon *daemon = m->request->context->daemon;

	m->job.output = mediajob_scratch(daemon->config->state_dir);
	m->job.max_output_bytes = LIMIT_MISC_FILE_BYTES;
	if (m->job.output < 0)
		rpc_answer(m->request, 500, 8000, "Internal error", NULL);
	else
		mediajob_submit(daemon->media, daemon->loop, &m->job, converted, m);
}

static void input_ready(void *arg, struct media_input *input)
{
	struct misc *m = arg;

	if (input->error == INPUT_TOO_LARGE) {
		rpc_answer(m->request, 413, 2006, "input exceeds limit (50.0 MB)", NULL);
	} else if (input->error == INPUT_SYSTEM) {
		rpc_answer(m->request, 500, 8000, "Internal error", NULL);
	} else if (input->error) {
		rpc_answer(m->request, 400, 2002, "file cannot be read", NULL);
	} else {
		m->job.input = input->fd;
		convert(m);
	}
}

static void take_input(struct misc *m)
{
	m->has_input = true;
	media_input_get(&m->input, m->request, json_object_object_get(m->request->p, "input"), LIMIT_MISC_FILE_BYTES, "file", input_ready, m);
}

/* ---- misc.thumbnail ---- */

static void tell_thumbnail(struct misc *m, const char *data, const char *meta)
{
	buf_append_text(&m->json, m->part ? ",{\"thumbnail\":" : "{\"data\":[{\"thumbnail\":");
	buf_append_text(&m->json, data);
	json_put_raw(&m->json, "meta", meta);
	buf_u8(&m->json, '}');
	m->at += m->result.part[m->part];
	if (++m->part < m->result.parts) {
		put_next(m);
		return;
	}
	buf_append_text(&m->json, "]}");
	rpc_answer(m->request, 200, 1000, "Thumbnails generated", buf_text(&m->json));
}

static void do_thumbnail(struct rpc_request *request)
{
	struct misc *m = misc_new(request);
	int width = (int)number(request, "width", 320);

	m->tell = tell_thumbnail;
	m->job.task = MEDIAJOB_TASK_FRAMES;
	m->job.frames = (struct mediajob_frames){ .width = width, .height = (int)number(request, "height", width), .count = (int)number(request, "count", 3),
						  .video = strcmp(rpc_param_text(request, "type"), "video") == 0 };
	take_input(m);
}

/* ---- misc.image ---- */

static enum mediajob_format format_of(const char *word)
{
	if (!word)
		return MEDIAJOB_FORMAT_SAME;
	if (strcasecmp(word, "jpg") == 0 || strcasecmp(word, "jpeg") == 0)
		return MEDIAJOB_FORMAT_JPEG;
	return strcasecmp(word, "webp") == 0 ? MEDIAJOB_FORMAT_WEBP : MEDIAJOB_FORMAT_PNG;
}

static enum mediajob_fit fit_of(const char *word)
{
	static const char *const words[] = { [MEDIAJOB_FIT_COVER] = "cover", [MEDIAJOB_FIT_CONTAIN] = "contain", [MEDIAJOB_FIT_FILL] = "fill",
					     [MEDIAJOB_FIT_INSIDE] = "inside", [MEDIAJOB_FIT_OUTSIDE] = "outside" };

	for (size_t i = 0; word && i < sizeof words / sizeof *words; i++)
		if (strcmp(word, words[i]) == 0)
			return (enum mediajob_fit)i;
	return MEDIAJOB_FIT_COVER;
}

static void tell_image(struct misc *m, const char *data, const char *meta)
{
	const struct mediajob_info *sent = &m->result.sent;
	const char *format = strcmp(sent->mime, "image/jpeg") == 0 ? "jpg" : strcmp(sent->mime, "image/webp") == 0 ? "webp" : "png";

	buf_append_text(&m->json, "{\"data\":");
	buf_append_text(&m->json, data);
	json_put_name(&m->json, "details");
	buf_u8(&m->json, '{');
	json_put_member(&m->json, "format", format);
	json_put_int(&m->json, "width", sent->width);
	json_put_int(&m->json, "height", sent->height);
	json_put_int(&m->json, "size", sent->bytes);
	buf_u8(&m->json, '}');
	json_put_name(&m->json, "actionsPerformed");
	buf_u8(&m->json, '{');
	json_put_bool(&m->json, "converted", rpc_param_text(m->request, "convert") != NULL);
	json_put_bool(&m->json, "resized", m->job.image.width || m->job.image.height);
	json_put_bool(&m->json, "compressed", number(m->request, "quality", 0) != 0);
	buf_u8(&m->json, '}');
	json_put_time(&m->json, "createdAt", timefmt_now_ms());
	json_put_raw(&m->json, "meta", meta);
	buf_u8(&m->json, '}');
	rpc_answer(m->request, 200, 1000, "Image processed", buf_text(&m->json));
}

static void do_image(struct rpc_request *request)
{
	struct misc *m = misc_new(request);

	m->tell = tell_image;
	m->job.task = MEDIAJOB_TASK_IMAGE;
	m->job.image = (struct mediajob_image){ .width = (int)number(request, "width", 0), .height = (int)number(request, "height", 0),
						.fit = fit_of(rpc_param_text(request, "fit")), .format = format_of(rpc_param_text(request, "convert")),
						.quality = (int)number(request, "quality", DEFAULT_QUALITY) };
	take_input(m);
}

/* ---- misc.qr ---- */

static int read_style(const struct rpc_request *request, struct qrimage_style *style)
{
	const char *level = rpc_param_text(request, "errorCorrectionLevel"), *dark = rpc_param_text(request, "dark"), *light = rpc_param_text(request, "light");

	qrimage_style_init(style);
	style->level = level ? level[0] : style->level;
	style->margin = (int)number(request, "margin", style->margin);
	style->scale = (int)number(request, "scale", style->scale);
	if ((dark && !qrimage_colour(dark, style->dark)) || (light && !qrimage_colour(light, style->light)))
		return -1;
	return 0;
}

static int memory_file(const struct buf *bytes)
{
	int fd = memfd_create("qr", MFD_CLOEXEC);

	if (fd >= 0 && write(fd, bytes->data, bytes->len) != (ssize_t)bytes->len) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void tell_qr(struct misc *m, const char *data, const char *meta)
{
	const char *target = rpc_param_text(m->request, "target");
	char message[64], format[8] = "";

	for (size_t i = 0; i < sizeof format - 1 && target[i]; i++)
		format[i] = (char)(target[i] & ~0x20);
	snprintf(message, sizeof message, "String converted to QR-friendly %s format", strcmp(format, "JPG") == 0 ? "JPEG" : format);
	buf_append_text(&m->json, "{\"data\":");
	buf_append_text(&m->json, data);
	json_put_raw(&m->json, "meta", meta);
	buf_u8(&m->json, '}');
	rpc_answer(m->request, 200, 1000, message, buf_text(&m->json));
}

static void tell_qr_uri(struct misc *m, const char *data, const char *meta)
{
	(void)meta;
	buf_append_text(&m->json, "{\"data\":");
	buf_append_text(&m->json, data);
	json_put_raw(&m->json, "meta", "{\"mode\":\"dataurl\",\"mimeType\":\"image/png\",\"format\":\"png\"}");
	buf_u8(&m->json, '}');
	rpc_answer(m->request, 200, 1000, "String converted to QR-friendly PNG (base64 data URI)", buf_text(&m->json));
}

/* PNG and SVG are drawn here; what else is made of the PNG. */
static void deliver_qr(struct misc *m, const char *target, struct buf *picture)
{
	int fd = memory_file(picture);

	if (fd < 0) {
		rpc_answer(m->request, 500, 8000, "Internal error", NULL);
		return;
	}
	m->tell = strcmp(target, "base64") == 0 ? tell_qr_uri : tell_qr;
	m->mode = strcmp(target, "base64") == 0 ? "dataurl" : "url";
	m->temporary = true;
	m->mime = strcmp(target, "svg") == 0 ? "image/svg+xml" : "image/png";
	if (strcmp(target, "webp") == 0 || target[0] == 'j') {
		m->job.task = MEDIAJOB_TASK_IMAGE;
		m->job.image = (struct mediajob_image){ .format = format_of(target), .quality = 90 };
		m->job.input = fd;
		convert(m);
		return;
	}
	m->job.output = fd;
	m->result.parts = 1;
	m->result.part[0] = (int64_t)picture->len;
	put_next(m);
}

static void do_qr(struct rpc_request *request)
{
	const char *target = rpc_param_text(request, "target"), *text = rpc_param_text(request, "string");
	struct misc *m = misc_new(request);
	struct qrimage_style style;
	struct buf picture = { 0 };
	int error;

	if (read_style(request, &style)) {
		rpc_answer(request, 400, 2002, "dark and light must be colours like #000000", NULL);
		return;
	}
	error = strcmp(target, "svg") == 0 ? qrimage_svg(text, &style, &picture) : qrimage_png(text, &style, &picture);
	if (error == QRIMAGE_TOO_LONG)
		rpc_answer(request, 400, 2002, "The amount of data is too big to be stored in a QR Code", NULL);
	else if (error == QRIMAGE_TOO_LARGE)
		rpc_answer(request, 400, 2002, "The image would be larger than 4096 pixels", NULL);
	else if (error)
		rpc_answer(request, 500, 8000, "Internal error", NULL);
	else
		deliver_qr(m, target, &picture);
	buf_free(&picture);
}

const struct rpc_method rpc_misc_methods[] = {
	{ "misc.qr", do_qr },
	{ "misc.thumbnail", do_thumbnail },
	{ "misc.image", do_image },
	{ NULL, NULL },
};
