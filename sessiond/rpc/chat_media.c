/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file of a message as JSON (rest-b 2.2: mediaMetadata): WhatsApp's address of it, and ours if a copy rests here. */
#include "sessiond/rpc/chat_parts.h"

#include "sessiond/json_text.h"
#include "sessiond/session/fetch.h"
#include "sessiond/storage/storage.h"

/* The record outlives the file that retention takes: then there is no address. */
static int put_copy(const struct chat_view *view, struct buf *out, const struct store_message_row *row)
{
	struct store_file file;
	struct buf url = { 0 };
	int64_t expires_ms = 0;
	const char *key;
	int rc = fetch_stored(view->reader, view->arena, view->session, row->id, &key);

	if (rc != 0 || !key)
		return rc;
	rc = store_file_find(view->reader, view->arena, key, &file);
	if (rc != 0)
		return rc == STORE_NOT_FOUND ? 0 : rc;
	storage_url(view->storage, file.driver, file.key, file.is_public, NULL, 0, &url, &expires_ms);
	json_put_member(out, "urlDecrypt", buf_text(&url));
	if (expires_ms > 0)
		json_put_time(out, "urlExpiresAt", expires_ms);
	json_put_member(out, "storageKey", file.key);
	json_put_member(out, "storageDriver", file.driver);
	buf_free(&url);
	return 0;
}

int chat_media_put(const struct chat_view *view, struct buf *out, const struct store_message_row *row, const struct content *c)
{
	struct wire_field size = { 0 };
	int rc;

	json_put_name(out, "mediaMetadata");
	if (!row->media || !row->content.p || !content_has_file(c)) {
		buf_append_text(out, "null");
		return 0;
	}
	buf_u8(out, '{');
	chat_put_span(out, "url", message_text(&c->media, "url"));
	chat_put_span(out, "mimeType", message_text(&c->media, "mimetype"));
	chat_put_span(out, "fileName", message_text(&c->media, "fileName"));
	if (message_find(&c->media, "fileLength", &size) && size.value <= INT64_MAX)
		json_put_int(out, "fileSize", (int64_t)size.value);
	else
		json_put_raw(out, "fileSize", "null");
	rc = put_copy(view, out, row);
	buf_u8(out, '}');
	return rc;
}
