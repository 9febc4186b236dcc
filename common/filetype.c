/* SPDX-License-Identifier: GPL-3.0-or-later */
/* File types (see filetype.h). */
#include "common/filetype.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- by content ---- */

struct mark {
	size_t at;
	const char *bytes;
	size_t len;
	const char *mime;
};

#define MARK(at, text, mime) { at, text, sizeof(text) - 1, mime }

/* The first that fits. Containers with several meanings come with what tells them apart. */
static const struct mark marks[] = {
	MARK(0, "\xff\xd8\xff", "image/jpeg"),
	MARK(0, "%PDF", "application/pdf"),
	MARK(0, "\x89PNG\r\n\x1a\n", "image/png"),
	MARK(0, "GIF87a", "image/gif"),
	MARK(0, "GIF89a", "image/gif"),
	MARK(8, "WEBP", "image/webp"),
	MARK(8, "WAVE", "audio/wav"),
	MARK(8, "AVI ", "video/x-msvideo"),
	MARK(4, "ftypM4A", "audio/mp4"),
	MARK(4, "ftypM4B", "audio/mp4"),
	MARK(4, "ftypavif", "image/avif"),
	MARK(4, "ftypheic", "image/heic"),
	MARK(4, "ftypmif1", "image/heif"),
	MARK(4, "ftypqt", "video/quicktime"),
	MARK(4, "ftyp3gp", "video/3gpp"),
	MARK(4, "ftyp", "video/mp4"),
	MARK(0, "OggS", "audio/ogg"),
	MARK(0, "ID3", "audio/mpeg"),
	MARK(0, "\xff\xfb", "audio/mpeg"),
	MARK(0, "\xff\xf3", "audio/mpeg"),
	MARK(0, "\xff\xf2", "audio/mpeg"),
	MARK(0, "\xff\xf1", "audio/aac"),
	MARK(0, "\xff\xf9", "audio/aac"),
	MARK(0, "#!AMR", "audio/amr"),
	MARK(0, "fLaC", "audio/flac"),
	MARK(0, "\x1a\x45\xdf\xa3", "video/webm"),
	MARK(0, "PK\x03\x04", "application/zip"),
	MARK(0, "\x1f\x8b", "application/gzip"),
	MARK(0, "Rar!\x1a\x07", "application/vnd.rar"),
	MARK(0, "7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
	MARK(0, "MZ", "application/x-msdownload"),
	MARK(0, "BM", "image/bmp"),
	MARK(0, "II*\0", "image/tiff"),
	MARK(0, "MM\0*", "image/tiff"),
};

const char *filetype_sniff(struct span head)
{
	for (size_t i = 0; i < COUNT(marks); i++) {
		const struct mark *m = &marks[i];
		bool riff = m->at == 8;

		if (head.n < m->at + m->len || memcmp(head.p + m->at, m->bytes, m->len) != 0)
			continue;
		if (!riff || memcmp(head.p, "RIFF", 4) == 0)
			return m->mime;
	}
	return NULL;
}

bool filetype_is_opus(struct span head)
{
	/* First page: 27 bytes, one lacing value, then the codec's name. */
	return head.n >= 36 && memcmp(head.p, "OggS", 4) == 0 && head.p[26] == 1 && memcmp(head.p + 28, "OpusHead", 8) == 0;
}

/* ---- by name ---- */

static const struct {
	const char *extension, *mime;
} names[] = {
	/* the first of a type is the one that is appended */
	{ "jpg", "image/jpeg" }, { "jpeg", "image/jpeg" }, { "png", "image/png" }, { "gif", "image/gif" }, { "webp", "image/webp" },
	{ "avif", "image/avif" }, { "heic", "image/heic" }, { "heif", "image/heif" }, { "bmp", "image/bmp" }, { "tiff", "image/tiff" },
	{ "tif", "image/tiff" }, { "svg", "image/svg+xml" }, { "ico", "image/x-icon" },
	{ "mp4", "video/mp4" }, { "m4v", "video/mp4" }, { "mov", "video/quicktime" }, { "3gp", "video/3gpp" }, { "webm", "video/webm" },
	{ "mkv", "video/x-matroska" }, { "avi", "video/x-msvideo" }, { "mpeg", "video/mpeg" }, { "mpg", "video/mpeg" },
	{ "mp3", "audio/mpeg" }, { "ogg", "audio/ogg" }, { "oga", "audio/ogg" }, { "opus", "audio/opus" }, { "m4a", "audio/mp4" }, { "aac", "audio/aac" },
	{ "wav", "audio/wav" }, { "amr", "audio/amr" }, { "flac", "audio/flac" },
	{ "pdf", "application/pdf" }, { "zip", "application/zip" }, { "gz", "application/gzip" }, { "rar", "application/vnd.rar" },
	{ "7z", "application/x-7z-compressed" }, { "tar", "application/x-tar" }, { "json", "application/json" }, { "xml", "application/xml" },
	{ "rtf", "application/rtf" }, { "doc", "application/msword" }, { "xls", "application/vnd.ms-excel" }, { "ppt", "application/vnd.ms-powerpoint" },
	{ "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
	{ "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" },
	{ "pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation" },
	{ "odt", "application/vnd.oasis.opendocument.text" }, { "ods", "application/vnd.oasis.opendocument.spreadsheet" },
	{ "odp", "application/vnd.oasis.opendocument.presentation" }, { "epub", "application/epub+zip" },
	{ "txt", "text/plain" }, { "csv", "text/csv" }, { "html", "text/html" }, { "htm", "text/html" }, { "md", "text/markdown" }, { "css", "text/css" },
	{ "vcf", "text/vcard" }, { "ics", "text/calendar" }, { "js", "application/javascript" }, { "exe", "application/x-msdownload" },
	{ "apk", "application/vnd.android.package-archive" }, { "sh", "application/x-shellscript" }, { "jar", "application/java-archive" },
};

const char *filetype_name_extension(const char *name)
{
	const char *dot = name ? strrchr(name, '.') : NULL;

	return dot && dot[1] ? dot + 1 : "";
}

const char *filetype_of_name(const char *name)
{
	const char *extension = filetype_name_extension(name);

	for (size_t i = 0; extension[0] && i < COUNT(names); i++)
		if (strcasecmp(names[i].extension, extension) == 0)
			return names[i].mime;
	return NULL;
}

const char *filetype_extension(const char *mime)
{
	for (size_t i = 0; i < COUNT(names); i++)
		if (strcasecmp(names[i].mime, mime) == 0)
			return names[i].extension;
	return "bin";
}

/* ---- kinds ---- */

static bool starts_with(const char *text, const char *prefix)
{
	return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

enum filetype_kind filetype_kind(const char *mime)
{
	if (strcasestr(mime, "gif"))
		return FILETYPE_GIF;
	if (starts_with(mime, "image/"))
		return FILETYPE_IMAGE;
	if (starts_with(mime, "video/"))
		return FILETYPE_VIDEO;
	return starts_with(mime, "audio/") ? FILETYPE_AUDIO : FILETYPE_OTHER;
}

const char *filetype_audio(const char *mime)
{
	static const struct {
		const char *part, *mime;
	} types[] = {
		{ "mpeg", "audio/mpeg" }, { "mp3", "audio/mpeg" }, { "ogg", "audio/ogg; codecs=opus" }, { "opus", "audio/ogg; codecs=opus" },
		{ "wav", "audio/wav" }, { "aac", "audio/aac" }, { "m4a", "audio/mp4" }, { "mp4", "audio/mp4" }, { "3gp", "audio/3gpp" }, { "amr", "audio/amr" },
	};

	if (!starts_with(mime, "audio/") && !starts_with(mime, "application/ogg"))
		return NULL;
	for (size_t i = 0; i < COUNT(types); i++)
		if (strcasestr(mime, types[i].part))
			return types[i].mime;
	return NULL;
}

/* ---- blocked ---- */

static const char *const bad_extensions[] = { "exe", "msi", "scr", "bat", "cmd", "sh", "ps1", "psm1", "psd1", "vbs", "vbe", "wsf", "wsh", "com", "dll", "sys",
					      "js", "jse", "msh", "msh1", "reg", "pif", "gadget", "jar", "apk" };
static const char *const bad_types[] = { "application/x-msdownload", "application/x-ms-dos-executable", "application/x-msdos-program", "application/x-msi",
					 "application/x-ms-installer", "application/x-executable", "application/x-dosexec", "application/x-shellscript",
					 "application/javascript", "application/java-archive", "text/javascript", "text/x-script", "text/x-shellscript",
					 "text/x-powershell", "text/x-python" };

bool filetype_blocked(const char *name, const char *mime, struct span head, char *reason, size_t reason_len)
{
	const char *extension = filetype_name_extension(name);

	for (size_t i = 0; i < COUNT(bad_extensions); i++) {
		if (strcasecmp(extension, bad_extensions[i]) != 0)
			continue;
		snprintf(reason, reason_len, "Files with .%s extensions are not allowed", bad_extensions[i]);
		return true;
	}
	for (size_t i = 0; i < COUNT(bad_types); i++) {
		if (!starts_with(mime, bad_types[i]))
			continue;
		snprintf(reason, reason_len, "This file type is blocked for security reasons");
		return true;
	}
	if (head.n >= 2 && memcmp(head.p, "MZ", 2) == 0) {
		snprintf(reason, reason_len, "Executable binaries are blocked");
		return true;
	}
	return false;
}

bool filetype_allowed(char *const *list, size_t count, const char **mime)
{
	bool unknown_listed = false;

	for (size_t i = 0; i < count; i++) {
		if (strcasecmp(list[i], *mime) == 0)
			return true;
		unknown_listed = unknown_listed || strcasecmp(list[i], FILETYPE_UNKNOWN) == 0;
	}
	if (count == 0)
		return true;
	if (unknown_listed)
		*mime = FILETYPE_UNKNOWN;
	return unknown_listed;
}
