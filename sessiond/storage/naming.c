/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys, types and names, see naming.h. */
#include "sessiond/storage/naming.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char word_bytes[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

/* contract/webhooks.md 7, and what the media routes make. served: no browser takes it for a page or a script. */
static const struct {
	const char *mime, *extension;
	bool served;
} types[] = {
	{ "image/jpeg", "jpeg", true }, { "image/jpg", "jpg", true }, { "image/png", "png", true }, { "image/webp", "webp", true },
	{ "image/gif", "gif", true }, { "video/mp4", "mp4", true }, { "video/3gpp", "3gp", true }, { "video/3gp", "3gp", true },
	{ "video/webm", "webm", true }, { "video/quicktime", "mov", true }, { "audio/ogg", "ogg", true }, { "audio/opus", "opus", true },
	{ "audio/aac", "aac", true }, { "audio/mp4", "mp4", true }, { "audio/m4a", "m4a", true }, { "audio/mpeg", "mp3", true },
	{ "audio/amr", "amr", true }, { "audio/wav", "wav", true }, { "application/pdf", "pdf", true }, { "application/zip", "zip", true },
	{ "application/json", "json", true }, { "application/msword", "doc", true },
	{ "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx", true },
	{ "application/vnd.ms-excel", "xls", true },
	{ "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx", true },
	{ "application/vnd.ms-powerpoint", "ppt", true },
	{ "application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx", true },
	{ "text/plain", "txt", true }, { "text/csv", "csv", true },
	/* kept under their name, but served as bytes */
	{ "text/html", "bin", false }, { "image/svg+xml", "bin", false },
};

static size_t find_type(const char *mime)
{
	size_t n = mime ? strcspn(mime, "; \t") : 0, count = sizeof types / sizeof *types;

	for (size_t i = 0; i < count; i++) {
		if (strlen(types[i].mime) == n && n && strncasecmp(types[i].mime, mime, n) == 0)
			return i;
	}
	return count;
}

const char *naming_extension(const char *mime)
{
	size_t i = find_type(mime);

	return i < sizeof types / sizeof *types ? types[i].extension : "bin";
}

const char *naming_served_type(const char *mime)
{
	size_t i = find_type(mime);

	if (i == sizeof types / sizeof *types || !types[i].served)
		return "application/octet-stream";
	return strcmp(types[i].mime, "text/plain") == 0 ? "text/plain; charset=utf-8" : types[i].mime;
}

/* One part of a key: foreign characters become '-'; what names a folder itself does too. */
static void put_part(struct buf *key, const char *part, size_t n)
{
	if (n == 0)
		return;
	if (key->len)
		buf_u8(key, '/');
	if ((n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.')) {
		buf_u8(key, '-');
		return;
	}
	for (size_t i = 0; i < n && i < 96; i++)
		buf_u8(key, (uint8_t)(part[i] && strchr(word_bytes, part[i]) ? part[i] : '-'));
}

static void put_parts(struct buf *key, const char *text)
{
	while (text && *text) {
		size_t n = strcspn(text, "/\\");

		put_part(key, text, n);
		text += n + (text[n] ? 1 : 0);
	}
}

void naming_key(struct buf *key, const struct storage_meta *meta, const char *last)
{
	put_parts(key, meta->folder ? meta->folder : "files");
	if (meta->session)
		put_part(key, meta->session, strlen(meta->session));
	if (meta->kind)
		put_part(key, meta->kind, strlen(meta->kind));
	put_part(key, last, strlen(last));
	buf_printf(key, ".%s", naming_extension(meta->mime));
}

bool naming_key_is_valid(const char *key)
{
	size_t parts = 0;

	if (!key || strlen(key) > STORAGE_KEY_MAX)
		return false;
	for (;;) {
		size_t n = strspn(key, word_bytes);

		if (n == 0 || ++parts > STORAGE_KEY_PARTS || (key[n] && key[n] != '/'))
			return false;
		if (key[0] == '.' && (n == 1 || (n == 2 && key[1] == '.')))
			return false;
		if (!key[n])
			return true;
		key += n + 1;
	}
}

int naming_open(int folder, const char *path, int flags)
{
	char part[256];
	int at = folder, next;

	for (;;) {
		size_t n = strcspn(path, "/");
		bool last = path[n] == '\0';

		if (n == 0 || n >= sizeof part) {
			errno = n ? ENAMETOOLONG : EINVAL;
			next = -1;
		} else {
			memcpy(part, path, n);
			part[n] = '\0';
			if (!strcmp(part, ".") || !strcmp(part, "..")) {
				errno = EINVAL;
				next = -1;
			} else {
				next = openat(at, part, (last ? flags : O_PATH | O_DIRECTORY) | O_NOFOLLOW | O_CLOEXEC, 0600);
			}
		}
		if (at != folder) {
			int saved = errno;

			close(at);
			errno = saved;
		}
		if (last || next < 0)
			return next;
		at = next;
		path += n + 1;
	}
}
