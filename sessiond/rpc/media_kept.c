/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Uploaded files as JSON (see media_kept.h). */
#include "sessiond/rpc/media_kept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/json_text.h"

static void put_bytes(struct buf *out, const char *name, const uint8_t *p, size_t n)
{
	json_put_name(out, name);
	json_put_base64(out, span_of(p, n));
}

void media_kept_put(struct buf *out, const struct media_send *s)
{
	const struct transfer_file *file = &s->upload.file;
	const struct media_prepared *prepared = &s->prepared;

	buf_u8(out, '{');
	json_put_member(out, "name", s->input.name);
	json_put_member(out, "type", s->input.mime);
	json_put_member(out, "mime", s->mime);
	json_put_int(out, "kind", (int64_t)file->kind);
	json_put_member(out, "path", file->direct_path);
	if (file->url)
		json_put_member(out, "url", file->url);
	put_bytes(out, "key", file->key, sizeof file->key);
	put_bytes(out, "plainHash", file->plain_hash, sizeof file->plain_hash);
	put_bytes(out, "blobHash", file->blob_hash, sizeof file->blob_hash);
	json_put_int(out, "length", (int64_t)file->length);
	json_put_int(out, "keyTime", file->key_time_s);
	json_put_int(out, "width", prepared->width);
	json_put_int(out, "height", prepared->height);
	json_put_int(out, "seconds", prepared->seconds);
	json_put_bool(out, "animated", prepared->animated);
	if (prepared->has_waveform)
		put_bytes(out, "waveform", prepared->waveform, sizeof prepared->waveform);
	if (prepared->thumbnail.len)
		put_bytes(out, "thumbnail", prepared->thumbnail.data, prepared->thumbnail.len);
	buf_u8(out, '}');
}

/* ---- reading ---- */

static const char *text(struct json_object *kept, const char *name)
{
	struct json_object *value = json_object_object_get(kept, name);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

static int64_t number(struct json_object *kept, const char *name)
{
	int64_t value = json_object_get_int64(json_object_object_get(kept, name));

	return value > 0 ? value : 0;
}

/* Bytes of a member; NULL: there is none, or it is no base64. Owned by the caller. */
static uint8_t *bytes(struct json_object *kept, const char *name, size_t *n)
{
	const char *base64 = text(kept, name);
	size_t len = base64 ? strlen(base64) : 0;
	uint8_t *made = base64 ? xmalloc(len + 1) : NULL;

	if (made && crypto_unbase64(base64, len, made, n)) {
		free(made);
		made = NULL;
	}
	return made;
}

/* Exactly n bytes. */
static bool read_bytes(struct json_object *kept, const char *name, uint8_t *to, size_t n)
{
	size_t len = 0;
	uint8_t *made = bytes(kept, name, &len);
	bool fits = made && len == n;

	if (fits)
		memcpy(to, made, n);
	if (made)
		crypto_wipe(made, len);
	free(made);
	return fits;
}

static bool read_upload(struct transfer_file *file, struct json_object *kept)
{
	const char *path = text(kept, "path"), *url = text(kept, "url");
	int64_t kind = number(kept, "kind");

	if (!path || kind < 1 || kind >= TRANSFER_KINDS)
		return false;
	file->kind = (enum transfer_kind)kind;
	file->direct_path = xstrdup(path);
	file->url = url ? xstrdup(url) : NULL;
	file->encrypted = file->has_plain_hash = file->has_blob_hash = true;
	file->length = (uint64_t)number(kept, "length");
	file->key_time_s = number(kept, "keyTime");
	return read_bytes(kept, "key", file->key, sizeof file->key) && read_bytes(kept, "plainHash", file->plain_hash, sizeof file->plain_hash) &&
	       read_bytes(kept, "blobHash", file->blob_hash, sizeof file->blob_hash);
}

static void read_prepared(struct media_prepared *prepared, struct json_object *kept)
{
	size_t n = 0;
	uint8_t *thumbnail = bytes(kept, "thumbnail", &n);

	prepared->width = (uint32_t)number(kept, "width");
	prepared->height = (uint32_t)number(kept, "height");
	prepared->seconds = (uint32_t)number(kept, "seconds");
	prepared->animated = json_object_get_boolean(json_object_object_get(kept, "animated"));
	prepared->has_waveform = read_bytes(kept, "waveform", prepared->waveform, sizeof prepared->waveform);
	if (thumbnail)
		buf_append(&prepared->thumbnail, thumbnail, n);
	free(thumbnail);
}

bool media_kept_read(struct media_send *s, struct json_object *kept)
{
	const char *name = text(kept, "name"), *type = text(kept, "type"), *mime = text(kept, "mime");

	s->input = (struct media_input){ .request = s->request, .fd = -1, .allowed = true };
	if (!name || !type || !mime || !read_upload(&s->upload.file, kept))
		return false;
	s->input.name = xstrdup(name);
	s->input.mime = xstrdup(type);
	snprintf(s->prepared.mime, sizeof s->prepared.mime, "%s", mime);
	read_prepared(&s->prepared, kept);
	return true;
}
